"""``attnviz app`` and ``attnviz deploy``: the page on this machine, and on a Hugging Face Space."""

from __future__ import annotations

from argparse import Namespace

from ..deploy import check, files, size, upload
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
    """Bring a Space up to date with this checkout, making it if there is none."""
    check(options.space)
    names = files()
    for name in names if options.dry_run else ():
        say(f"{size(name):>10,}  {name}")
    address = options.space if options.dry_run else upload(options.space)
    say(f"{len(names)} files, {sum(map(size, names)) / 1e6:.1f} MB -> {address}")
    return 0
