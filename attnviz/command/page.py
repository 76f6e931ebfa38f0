"""``attnviz app`` and ``attnviz deploy``: the page on this machine, and on a Hugging Face Space."""

from __future__ import annotations

from argparse import Namespace

from ..deploy import Space, check, gradio_space, upload
from .terminal import say


def app(options: Namespace) -> int:
    """Serve the page until interrupted."""
    from ..server.address import without_proxies
    from ..server.settings import from_environment

    settings = from_environment(
        host=options.host, port=options.port, networks=options.network
    )  # before what is slow to start
    with without_proxies():  # Gradio does not load where one speaks SOCKS
        from ..server.launch import serve

    serve(settings)
    return 0


def deploy(options: Namespace) -> int:
    """Bring a Space up to date, with or without a server, making it if there is none."""
    check(options.space)
    space = _space(options.place)
    sizes = space.sizes()
    for name in sizes if options.dry_run else ():
        say(f"{sizes[name]:>10,}  {name}")
    address = options.space if options.dry_run else upload(options.space, space)
    say(f"{len(sizes)} files, {sum(sizes.values()) / 1e6:.1f} MB -> {address}")
    return 0


def _space(place: str) -> Space:
    if place == "space":
        return gradio_space()
    from ..site.space import static_space

    return static_space()
