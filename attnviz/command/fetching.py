"""``attnviz fetch``: weights that are downloaded ahead."""

from __future__ import annotations

from argparse import Namespace

from ..errors import AttnvizError
from ..server.settings import from_environment
from ..zoo import imagenet
from ..zoo.registry import list_networks, resolve
from .terminal import complain, say


def fetch(options: Namespace) -> int:
    """Download the weights of the named networks, and check them; says of each how it is. Gives back 1 if one
    could not be had, else 0."""
    names = options.networks or from_environment().networks
    if not names:
        say("Nothing is fetched: name a network, or set ATTNVIZ_NETWORKS.")
    errors = [error for name in names if (error := _error_of(name))]
    return int(bool(errors))


def _error_of(name: str) -> AttnvizError | None:
    """Fetch one; what was wrong, which is said."""
    try:
        key = resolve(name)
        if key in list_networks():
            say(f"{key} comes with attnviz.")
            return None
        path = imagenet.fetch_weights(key)
        say(f"{key} is here and whole, {path.stat().st_size / 1e6:.0f} MB.")
    except AttnvizError as error:
        complain(error)
        return error
    return None
