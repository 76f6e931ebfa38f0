"""Arrays in, pictures out: overlays, colour bars, bar charts, steps, as PNG and SVG for files.

Here: how numbers look. Not here: computing them, writing files, the browser's drawing.
"""
