"""Weights that are fetched ahead from a server on this machine: there, not there, broken off or wrong."""

from __future__ import annotations

import re

import pytest
from helpers.weights_server import trouble

from attnviz.command.main import main
from attnviz.server.catalog import Catalog
from attnviz.server.fetching_ahead import FetchingAhead
from attnviz.server.settings import Settings
from attnviz.zoo import imagenet

KEY = "torchvision/mobilenet_v3_small"
TROUBLES = {
    "refused": "can't be reached",
    "cut": "cut short or damaged, and were thrown away",
    "wrong": "cut short or damaged, and were thrown away",
    404: "answered with an error (404)",
}


@pytest.fixture
def page(visitor, server, stock):
    """Makes a visitor of a page that opens a network of the server's first, and what fetches it."""
    stock(KEY)

    def made():
        client = visitor(catalog=Catalog(Settings(networks=(KEY,))))
        return client, FetchingAhead(client.service)

    return made


def opened(client) -> str:
    """The network that a page opens with."""
    return client.ask("start")["capture"]["asked"]["network"]


def test_who_comes_while_it_is_fetched_gets_what_comes_with_attnviz_and_who_comes_later_the_other(
    page, server
):
    client, ahead = page()
    server.behaviour = "halting"
    ahead.start()
    answer = client.ask("start")
    assert answer["capture"]["asked"]["network"] == "cbam_resnet18"
    assert "is on its way" in answer["note"]["en"]
    server.proceed.set()
    ahead.join()
    answer = client.ask("start")
    assert answer["capture"]["asked"]["network"] == KEY and answer["note"] is None
    assert answer["capture"]["photo"]["name"] == "pizza.jpg"
    assert answer["capture"]["network"]["classes"] == 1000
    assert len(server.requests) == 1


def test_the_first_visitor_of_a_network_that_was_fetched_waits_for_no_pass(page, passes):
    client, ahead = page()
    ahead.fetch()
    before = len(passes.traced)
    assert opened(client) == KEY and len(passes.traced) == before == 1


@pytest.mark.parametrize("kind", TROUBLES)
def test_what_can_not_be_had_is_said_and_the_page_goes_on_and_a_later_try_succeeds(
    page, server, kind, caplog, tmp_path
):
    client, ahead = page()
    with trouble(kind, server):
        ahead.fetch()
        ahead.fetch()
    answer = client.ask("start")
    assert answer["capture"]["asked"]["network"] == "cbam_resnet18"
    assert "could not be fetched" in answer["note"]["en"]
    (said,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert (
        said.startswith(f"the page goes on without {KEY}: ") and TROUBLES[kind] in said and "\n" not in said
    )
    assert not imagenet.kept(KEY) and not re.search(r"\.pth|\.attnviz-", str([*tmp_path.rglob("*")]))
    ahead.fetch()
    assert opened(client) == KEY


def test_a_file_that_was_kept_and_damaged_since_is_not_opened_and_is_removed(page, server):
    page()[1].fetch()
    path = imagenet.SOURCES["torchvision"]("mobilenet_v3_small").kept()
    path.write_bytes(path.read_bytes()[:-1000])
    client, ahead = page()
    with trouble("refused", server):
        ahead.fetch()
    assert opened(client) == "cbam_resnet18" and not path.exists()


def test_what_was_kept_opens_without_a_connection(page, server):
    page()[1].fetch()
    client, ahead = page()
    with trouble("refused", server):
        ahead.fetch()
    assert opened(client) == KEY and len(server.requests) == 1


def test_what_is_ended_begins_nothing_more(page, server):
    client, ahead = page()
    ahead.end()
    ahead.start()
    ahead.join()
    assert server.requests == [] and opened(client) == "cbam_resnet18"


def test_the_command_fetches_by_name_or_by_the_setting_and_checks_what_is_kept(
    server, stock, monkeypatch, capsys
):
    stock(KEY)
    monkeypatch.setenv("ATTNVIZ_NETWORKS", f"{KEY},se_resnet18")
    for arguments in ([], [KEY, "se_resnet18"]):
        assert main(["fetch", *arguments]) == 0
        first, second = capsys.readouterr().out.splitlines()
        assert re.fullmatch(rf"{KEY} is here and whole, \d+ MB\.", first)
        assert second == "se_resnet18 comes with attnviz."
    assert len(server.requests) == 1
    monkeypatch.delenv("ATTNVIZ_NETWORKS")
    assert main(["fetch"]) == 0 and "Nothing is fetched" in capsys.readouterr().out


@pytest.mark.parametrize("kind", TROUBLES)
def test_the_command_says_what_could_not_be_had_and_goes_on_with_the_next(server, stock, kind, capsys):
    stock(KEY)
    with trouble(kind, server):
        assert main(["fetch", KEY, "se_resnet50", "se_resnet18"]) == 1
    said = capsys.readouterr()
    first, second = said.err.splitlines()
    assert TROUBLES[kind] in first and "no network called “se_resnet50”: did you mean" in second
    assert said.out == "se_resnet18 comes with attnviz.\n" and not imagenet.kept(KEY)
