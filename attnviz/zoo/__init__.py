"""Networks by name: those that come with attnviz, those of public libraries, and people's own files.

Here: which there are, downloading and verifying weights. Not here: what a checkpoint's keys mean.
"""
