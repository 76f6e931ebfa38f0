"""An untrusted file becomes an upright, bounded RGB photo; and where on the photo a crop, an input and a map
lie.

Here: decoding, limits on files, geometry. Not here: networks, drawing, uploads.
"""
