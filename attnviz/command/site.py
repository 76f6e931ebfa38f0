"""``attnviz site``: the page without a server, as a folder or as one file."""

from __future__ import annotations

from argparse import Namespace

from ..zoo.registry import list_networks
from .terminal import say


def site(options: Namespace) -> int:
    """Write the page, and say how large it is."""
    from ..site.content import SitePlan
    from ..site.writing import write_site

    networks = tuple(options.network or list_networks())
    plan = SitePlan(networks, options.examples, options.language, options.base)
    size = write_site(plan, options.out)
    say(f"{options.out}: {size / 1e6:.1f} MB, {', '.join(networks)}")
    return 0
