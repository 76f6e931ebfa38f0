"""People who use a served page at once, and what is measured of it, for ``load.py`` and ``growth.py``."""
