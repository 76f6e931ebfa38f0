"""What people read, in their language: a file of texts a language, and the look-up.

Here: texts and how their holes are filled. Another language is one more file, ``CODE.json``, with the keys of
``en.json``; nothing else names the languages that there are. Not here: when to say a text.
"""
