"""What people read, in their language: a file of texts a language, and the look-up.

Here: texts and how their holes are filled. Not here: when to say them.
"""
