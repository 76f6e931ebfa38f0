"""The explorer in the browser: its JavaScript and styles, how a trace is encoded for it, and one HTML file
that holds all.

Here: all that works without a server. Not here: Gradio.
"""
