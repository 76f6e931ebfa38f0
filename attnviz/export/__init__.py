"""Traces become files: pictures, CSV, NPZ, a manifest, and a script that makes them again.

Here: what a zip or a folder holds. Not here: how pictures are drawn.
"""
