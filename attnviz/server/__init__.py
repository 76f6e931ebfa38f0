"""The page on a server: Gradio's components and handlers, the API, uploads, the queue, and what is kept in
memory.

Here: all that knows Gradio or HTTP. Not here: anything that a script or a notebook could need.
"""
