"""HEIC photos, as iPhones make them, where the package pillow-heif is installed (``attnviz[heic]``)."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

PACKAGE = "pillow_heif"
FORMAT = "HEIF"  # Pillow's name for what the package opens


@cache
def can_open_heic() -> bool:
    """Whether HEIC photos can be opened here."""
    return find_spec(PACKAGE) is not None


def prepare_heic() -> None:
    """Have Pillow open HEIC photos in this process if that can be: the photo alone, and in one thread, since
    each reserves memory."""
    if not can_open_heic():
        return
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
