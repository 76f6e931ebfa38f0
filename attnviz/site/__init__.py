"""The page without a server: a folder of files that any web server hands out, or one file, in which the
visitor's browser computes.

Here: what such a page is made of, and writing it. Not here: the browser's side of it, which is in
``viewer/js`` (``engine``, ``worker``, ``host/alone.js``); anything that runs a network.
"""
