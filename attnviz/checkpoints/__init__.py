"""A file of weights becomes a network: file formats, a safe reader of pickles, and what keys and shapes tell
of a network.

Here: ``parts``, ``blocks``, ``gates`` and ``ends`` tell what is in it, ``habits`` what keys don't say, and
``opening`` builds it. Not here: networks known by name, downloads.
"""
