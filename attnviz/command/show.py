"""``attnviz show``: finds the photos, and has their pictures and numbers written."""

from __future__ import annotations

from argparse import Namespace

from .photo_arguments import find_photos
from .terminal import complain


def show(options: Namespace) -> int:
    """Write the pictures and numbers of each photo into a folder of its own. Gives back 1 if one of them
    could not be opened, else 0. What is wrong with a name is said before the long part, the network."""
    photos, errors = find_photos(options.photos)
    for error in errors:
        complain(error)
    if not photos:
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    from .photo_files import write_photos

    return int(write_photos(options, photos) < len(photos) or bool(errors))
