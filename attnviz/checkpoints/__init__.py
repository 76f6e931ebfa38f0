"""A file of weights becomes a network: file formats, a safe reader of pickles, layouts of other people's
code.

Here: a row a layout in ``layouts``. Not here: networks known by name, downloads.
"""
