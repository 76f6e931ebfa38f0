"""``attnviz networks`` and ``attnviz layers``: what can be opened, and what is in it."""

from __future__ import annotations

from argparse import Namespace

from ..capture.run import find
from ..zoo import imagenet
from ..zoo.registry import card, list_networks, load
from .terminal import say, say_assumptions
from .threads import take_threads


def networks() -> int:
    """Print what can be opened by name."""
    say("Come with attnviz:")
    for name in list_networks():
        about = card(name)
        accuracy = "not measured"
        if about.accuracy:
            accuracy = f"{about.accuracy:.1%} top-1 on {about.photos:,} photos"
        say(f"  {name:32} {len(about.labels)} classes of {about.data}, {accuracy}")
    say("\nImageNet-1k, downloaded when first used (timm/NAME takes any of timm's):")
    for name in list_networks("imagenet"):
        row = imagenet.row(name)
        accuracy = f"{row.accuracy:.1%} top-1" if row.accuracy else "accuracy not published"
        say(f"  {name:32} {row.title}, {row.megabytes:.0f} MB, {accuracy}, {row.licence}")
    return 0


def layers(options: Namespace) -> int:
    """Print a network's layers of attention: name, kind, module, and the shape of its features."""
    take_threads()
    network = load(options.network, **dict(options.built))
    say_assumptions(network)
    found = find(network)
    for layer in found:
        channels, *sides = layer.shape
        cells = " × ".join(map(str, sides))
        say(f"{layer.layer:32} {layer.kind:8} {layer.module:20} {channels} channels, {cells}")
    if not found:
        say(f"{options.network} has no attention that attnviz can find.")
    return 0
