"""Programs of ours in processes of their own, which may be ended without harm.

Here: how one is started, asked, limited and ended, and how the two talk. Not here: what is asked of one,
which stands beside what it does (``photos/decoder.py``, ``checkpoints/examiner.py``)."""
