"""Two servers in one process share nothing."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import torch
from helpers.checkout import ROOT
from helpers.server_process import Server as Client
from helpers.small_networks import stirred
from helpers.waiting import Waiting

from attnviz.errors import AttnvizError
from attnviz.server.launch import KEEP_ALIVE_SECONDS, Server, serve
from attnviz.server.settings import Settings

pytestmark = pytest.mark.slow
CAT = (ROOT / "assets" / "examples" / "cat.jpg").read_bytes()


@pytest.fixture(scope="module")
def servers() -> Iterator[list[Server]]:
    started = [
        serve(Settings(host="127.0.0.1", free_mb=0, keep=5, checkpoints=False), block=False),
        serve(Settings(host="127.0.0.1", free_mb=0, keep=50, photo_mb=1, passes=1, each=1), block=False),
    ]
    yield started
    for server in started:
        server.close()


def client(server: Server) -> Client:
    return Client(None, server.url.rstrip("/"), server.service.folder, [])


def explained(server: Server, photo: dict, network: str = "cbam_resnet18") -> tuple[str, object]:
    return client(server).call("explain", photo, network, "whole")


def captured(server: Server, asked: dict) -> dict:
    return Waiting(server.service.viewer).capture(asked)


def health(server: Server) -> dict:
    return httpx.get(f"{server.url}healthz").json()


def test_each_takes_photos_into_a_folder_of_its_own_and_knows_none_of_the_others(servers):
    photos = [client(server).photo("cat.jpg", CAT) for server in servers]
    for server, photo in zip(servers, photos):
        assert photo["path"].startswith(str(server.service.folder))
        assert explained(server, photo)[0] == "complete"
    for server, photo, minutes in zip(servers, reversed(photos), (5, 50)):
        kind, answer = explained(server, {"path": photo["path"]})
        assert kind == "error" and f"deleted after {minutes} min" in answer["error"]
        address = f"{server.url}gradio_api/file={photo['path']}"
        assert httpx.get(address).status_code == 404


def test_what_one_took_and_computed_the_other_does_not_know(servers):
    one, other = (server.service for server in servers)
    photo = client(servers[0]).photo("cat.jpg", CAT)
    name = one.photos.take(photo["path"], one.visitors.of("mine"))
    asked = {"photo": name, "network": "bam_resnet18", "view": "whole"}
    assert "error" not in captured(servers[0], asked)
    assert "deleted after 50 min" in captured(servers[1], asked)["error"]["en"]
    assert "bam_resnet18" in health(servers[0])["networks"]
    assert "bam_resnet18" not in health(servers[1])["networks"]
    other.visitors.delete("mine")
    assert "error" not in captured(servers[0], asked)


def test_a_checkpoint_of_one_is_none_of_the_other(servers):
    one, other = (server.service for server in servers)
    torch.save(stirred(18, "se").state_dict(), other.folder / "mine.pth")
    _, name = Waiting(other.catalog).add(other.folder / "mine.pth", None)
    assert Waiting(other.catalog).network(name)
    with pytest.raises(AttnvizError, match="deleted after 5 min"):
        Waiting(one.catalog).network(name)


def test_each_goes_by_its_own_settings(servers):
    large = client(servers[0]).photo("large.jpg", CAT + bytes(1_200_000))
    assert explained(servers[0], large)[0] == "complete"
    large = client(servers[1]).photo("large.jpg", CAT + bytes(1_200_000))
    kind, answer = explained(servers[1], large)
    assert kind == "error" and "larger than 1 MB" in answer["error"]
    assert servers[1].service.inference.queue.at_once == 1


def test_an_idle_connection_is_not_closed_while_people_think(servers):
    for server in servers:
        with httpx.Client(base_url=server.url) as connection:
            stream = connection.get("healthz").extensions["network_stream"]
            address = stream.get_extra_info("client_addr")
            connections = list(server.page.server.server_state.connections)
        (protocol,) = (protocol for protocol in connections if protocol.client == address)
        assert protocol.timeout_keep_alive == KEEP_ALIVE_SECONDS > 60


def test_when_one_ends_its_folder_goes_and_the_other_serves_on():
    ending = serve(Settings(host="127.0.0.1", free_mb=0), block=False)
    staying = serve(Settings(host="127.0.0.1", free_mb=0), block=False)
    try:
        client(ending).photo("cat.jpg", CAT)
        folder = ending.service.folder
        ending.close()
        assert not folder.exists() and staying.service.folder.exists()
        assert explained(staying, client(staying).photo("cat.jpg", CAT))[0] == "complete"
    finally:
        staying.close()
    assert not staying.service.folder.exists()
