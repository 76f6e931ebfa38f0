"""How mechanisms of attention compute their gates: what each does, step after step, as nodes and edges, in
the words, the signs and the order of its paper.

Here: descriptions that the page, files and lessons draw. Not here: pixels, colours, and the network's
numbers.
"""
