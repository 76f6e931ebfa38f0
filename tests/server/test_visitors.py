"""What a visitor sent or caused goes when they say so, wherever it is, and nobody else's."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from helpers.page_client import TEMPLE, PageClient, error_of
from helpers.small_networks import stirred

from attnviz.errors import AttnvizError
from attnviz.server.inference import Compute, TraceKey
from attnviz.server.visitors import Visitors


@pytest.fixture
def checkpoint(tmp_path) -> Path:
    torch.save(stirred(18, "se").state_dict(), tmp_path / "mine.pth")
    return tmp_path / "mine.pth"


def delete(client: PageClient) -> dict:
    return client.ask("forget")


def traced(client: PageClient) -> set:
    keys = client.service.inference.traces.keys()
    return {(key.photo.name, key.network) for key in keys}


def test_bundles_labels_and_what_was_refused_go_too(client, checkpoint, noise_file, tmp_path):
    (tmp_path / "labels.txt").write_text("one\ntwo\n", encoding="utf-8")
    (tmp_path / "broken.png").write_text("no picture")
    client.upload(noise_file)
    asyncio.run(client.service.viewer.save({"shown": [TEMPLE]}, client.session))
    assert error_of(client.open_checkpoint(checkpoint, tmp_path / "labels.txt"))
    assert error_of(client.upload(tmp_path / "broken.png"))
    names = {path.name for path in client.files()}
    assert names == {"noise.png", "attnviz.zip", "mine.pth", "labels.txt", "broken.png"}
    delete(client)
    assert client.files() == [] and len(client.service.visitors) == 0
    assert client.ask("start")["mine"] == []


def test_what_an_example_gave_by_a_visitors_checkpoint_goes_with_it(client, checkpoint):
    name = client.open_checkpoint(checkpoint)["network"]["name"]
    for network in (name, "se_resnet18"):
        client.viewer.capture({**TEMPLE, "network": network})
    delete(client)
    assert traced(client) >= {("temple.jpg", "se_resnet18")}
    assert not [network for _, network in traced(client) if network == name]


def test_another_visitors_things_stay(client, checkpoint, noise_file):
    other = replace(client, session="other")
    photo = other.upload(noise_file)["photo"]
    network = other.open_checkpoint(checkpoint)["network"]["name"]
    url = asyncio.run(client.service.viewer.save({"shown": [TEMPLE]}, "other"))["url"]
    client.upload(noise_file)
    delete(client)
    assert Path(url.partition("=")[2]).exists()
    assert "error" not in client.viewer.capture({**TEMPLE, "photo": photo, "network": network})
    assert other.checkpoints and not client.checkpoints


def test_a_pass_that_runs_meanwhile_is_not_answered_and_nothing_of_it_is_kept(visitor, noise_file):
    began, end, answers = threading.Event(), threading.Event(), []

    def hold(network, _photo, _view):
        began.set()
        assert end.wait(20)
        network(torch.zeros(1, 3, 64, 64))
        answers.append("not stopped")

    client = visitor(compute=Compute(trace=hold))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(client.upload, noise_file)
        assert began.wait(20)
        client.service.visitors.delete(client.session)
        end.set()
        said = error_of(running.result(20))
    assert "no longer here" in said and answers == []
    assert client.files() == [] and traced(client) == set()


def test_a_checkpoint_that_is_being_opened_meanwhile_is_not_offered(visitor, checkpoint, catalog):
    client = visitor()
    belongings = client.service.visitors.of(client.session)
    path = belongings.take(client.arrived(checkpoint))
    choice = asyncio.run(catalog.add(path, None))
    client.service.visitors.delete(client.session)
    with pytest.raises(AttnvizError):
        belongings.offer(choice)
    with pytest.raises(AttnvizError):
        belongings.take(client.arrived(checkpoint))
    assert client.files() == [] and client.checkpoints == [] and not catalog.is_open(choice[1])


def test_thousands_of_other_sessions_push_nobodys_things_out(client, noise_file):
    client.upload(noise_file)
    for number in range(5000):
        client.service.visitors.checkpoints_of(str(number))
    assert len(client.service.visitors) == 1
    delete(client)
    assert client.files() == []


def test_what_is_gone_by_age_is_forgotten_and_who_has_nothing_left_too(client, noise_file, checkpoint):
    now, service = [0.0], client.service
    visitors = Visitors(service.uploads, service.catalog, service.inference, 60, clock=lambda: now[0])
    path = visitors.of("a").take(client.arrived(noise_file))
    asyncio.run(service.viewer.encoded(TraceKey(path, "cbam_resnet18", "whole")))
    visitors.expire()
    assert len(visitors) == 1 and ("noise.png", "cbam_resnet18") in traced(client)
    path.unlink()
    now[0] = 61
    visitors.expire()
    assert len(visitors) == 0 and traced(client) == set()


def test_a_visitor_has_so_much_room_and_others_have_theirs(visitor, tmp_path):
    client = visitor(quota_mb=10)
    large = tmp_path / "large.png"
    large.write_bytes(b"x" * 6_000_000)
    assert "more than 10 MB together" not in error_of(client.upload(large))
    assert "more than 10 MB together" in error_of(client.upload(large))
    assert client.service.visitors.of("other").take(client.arrived(large)).exists()
    delete(client)
    assert client.service.visitors.of(client.session).take(client.arrived(large)).exists()


def test_programs_without_a_session_are_visitors_of_their_own(client, noise_file):
    visitors = client.service.visitors
    assert visitors.of(None) is not visitors.of(None) and visitors.of("") is not visitors.of("")
    visitors.delete(None)
    assert len(visitors) == 4


def test_a_photo_can_be_taken_back_alone_and_only_by_who_brought_it(client, noise_file, examples):
    other = replace(client, session="other")
    first, second = client.upload(noise_file)["photo"], client.upload(examples / "cat.jpg")["photo"]
    assert [row["photo"] for row in client.ask("start")["mine"]] == [second, first]
    other.ask("remove_photo", photo=first)
    assert "error" not in client.viewer.capture({**TEMPLE, "photo": first})
    client.ask("remove_photo", photo=first)
    assert "no longer here" in error_of(client.viewer.capture({**TEMPLE, "photo": first}))
    assert [row["photo"] for row in client.ask("start")["mine"]] == [second]
    assert "error" not in client.viewer.capture({**TEMPLE, "photo": second})
