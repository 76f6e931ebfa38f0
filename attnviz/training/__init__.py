"""Training and measuring networks on a folder of class folders, and writing their model cards.

Here: all that needs labelled photos. Not here: the networks themselves.
"""
