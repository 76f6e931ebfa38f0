"""The ``attnviz`` command: words become a run, and whatever goes wrong one sentence.

Here: options, what stands on the terminal, which files a run writes. Not here: what is in them. What a
subcommand needs is imported when it is run: torch takes seconds, ``--help`` a fifth of one.
"""
