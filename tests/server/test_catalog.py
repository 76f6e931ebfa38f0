"""The networks that a page offers: those that come with attnviz, those that are downloaded, and a visitor's
own."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import shutil
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from helpers.page_client import TEMPLE, error_of
from helpers.public_networks import untold
from helpers.small_networks import stirred
from helpers.waiting import Waiting
from torch import nn

import attnviz
from attnviz.checkpoints.told import Told
from attnviz.choices import CHOICES
from attnviz.errors import BusyError, NetworkError
from attnviz.languages.catalogue import LANGUAGES, words
from attnviz.networks.resnet import ResNet
from attnviz.processors import memory
from attnviz.server.asker import Asker, asked_by
from attnviz.server.catalog import Catalog
from attnviz.server.service import make_service
from attnviz.server.settings import Settings
from attnviz.server.work_queue import WorkQueue
from attnviz.zoo import registry
from attnviz.zoo.registry import list_networks


@pytest.fixture
def checkpoint(tmp_path) -> Path:
    torch.save({"state_dict": stirred(18, "cbam").state_dict(), "epoch": 3}, tmp_path / "mine <b>.pth")
    return tmp_path / "mine <b>.pth"


def saved(network, folder) -> Path:
    torch.save(network.state_dict(), folder / "plain.pth")
    return folder / "plain.pth"


def photos_of(service) -> set[Path]:
    """The photos whose traces are kept."""
    keys = service.inference.traces.keys()
    return {key.photo for key in keys}


def test_a_checkpoint_is_opened_offered_and_shown(client, examples, checkpoint, tmp_path):
    (tmp_path / "labels.txt").write_text("a\nb\nc\nd\nthe <e>\n", encoding="utf-8")
    answer = client.open_checkpoint(checkpoint, tmp_path / "labels.txt")
    name, title = answer["network"]["name"], "mine <b>.pth: CBAM ResNet-18"
    assert client.checkpoints == [(title, name)] and "padding" in answer["assumed"]["en"]
    offered = client.ask("networks")["networks"]
    own = {"name": name, "title": title, "group": "yours", "attention": None, "isReady": True}
    assert offered[-1] == answer["network"] == own and len(offered) > 15
    capture = client.capture_of(examples / "cat.jpg", name)
    assert {label for label, _ in capture["top"]} == {"a", "b", "c", "d", "the <e>"}


def test_what_is_assumed_of_a_checkpoint_is_shown_beside_it_in_every_language(client, tmp_path):
    torch.save(untold(), tmp_path / "mine.pth")
    assumed = client.open_checkpoint(tmp_path / "mine.pth")["assumed"]
    assert len(client.checkpoints) == 1
    for part in ("“mine.pth” was opened.", "pooling", "mean is assumed"):
        assert part in assumed["en"]
    assert "假定" in assumed["zh"]


def test_what_is_assumed_can_be_said_otherwise(client, examples, tmp_path):
    torch.save(untold(), tmp_path / "mine.pth")
    assumed = client.open_checkpoint(tmp_path / "mine.pth")
    said = ["pool padded", "pool none", "order maximum first"]  # the later counts
    told = client.open_checkpoint(tmp_path / "mine.pth", told=said)
    expected = attnviz.load(str(tmp_path / "mine.pth"), pool="none", order="maximum first")
    capture = client.capture_of(examples / "cat.jpg", told["network"]["name"])
    assert told["network"]["name"] != assumed["network"]["name"] and len(client.checkpoints) == 1
    label, share = attnviz.trace(expected, examples / "cat.jpg").top(1)[0]
    assert capture["top"][0][0] == label and abs(capture["top"][0][1] - share) < 1e-4
    note = str(told["assumed"])
    assert "pooling" not in note and "mean is assumed" not in note


@pytest.mark.parametrize("choice", CHOICES)
def test_each_thing_that_can_be_said_is_understood_and_has_words(choice):
    field, _, value = choice.partition(" ")
    told = Told.from_choices([choice])
    assert {about: str(said) for about, said in told.said.items()} == {field: value}
    assert all(f"told_{re.sub('[ .]', '_', choice)}" in words(language) for language in LANGUAGES)


def test_a_checkpoint_with_other_labels_takes_its_own_place(client, checkpoint, tmp_path):
    (tmp_path / "labels.txt").write_text("a\nb\nc\nd\ne\n", encoding="utf-8")
    first = client.open_checkpoint(checkpoint)
    second = client.open_checkpoint(checkpoint, tmp_path / "labels.txt")
    assert [title for title, _ in client.checkpoints] == ["mine <b>.pth: CBAM ResNet-18"]
    with pytest.raises(NetworkError, match="no longer here"):
        Waiting(client.service.catalog).network(first["network"]["name"])
    assert Waiting(client.service.catalog).network(second["network"]["name"]).card.labels[0] == "a"


def test_a_checkpoint_that_can_not_be_opened_leaves_the_network_before(client, visitor, checkpoint, tmp_path):
    none = Catalog(Settings(checkpoints=False))
    said = error_of(visitor(catalog=none).open_checkpoint(checkpoint))
    assert "more than the 0.0 MB" in said and "mine" in said and str(tmp_path) not in said
    (tmp_path / "labels.txt").write_text("a\nb\n", encoding="utf-8")
    assert "number of labels is 2" in error_of(client.open_checkpoint(checkpoint, tmp_path / "labels.txt"))
    assert "plain ResNet-18" in error_of(client.open_checkpoint(saved(stirred(18, None), tmp_path)))
    assert "no longer here" in error_of(client.open_checkpoint(None))


def test_a_deleted_checkpoint_is_gone_although_its_network_was_open(visitor, examples, checkpoint):
    settings = {"keep": 5}
    catalog = Catalog(Settings(**settings))
    client = visitor(catalog=catalog, **settings)
    name = client.open_checkpoint(checkpoint)["network"]["name"]
    for path in client.files():
        path.unlink()
    said = error_of(client.upload(examples / "coffee.jpg", name))
    assert "checkpoint is no longer here: uploads are deleted after 5 min" in said
    catalog.expire()
    assert not catalog.is_open(name)


def test_delete_leaves_nothing_of_a_visitor(client, passes, noise_file, checkpoint):
    photo, network = client.upload(noise_file), client.open_checkpoint(checkpoint)
    service = client.service
    client.viewer.channel({**TEMPLE, "photo": photo["photo"], "layer": "layer1.0", "channel": 0})
    path = service.photos.path_of(photo["photo"])
    assert path in photos_of(service)
    client.ask("forget")
    assert client.files() == []
    assert not service.catalog.is_open(network["network"]["name"])
    assert path not in photos_of(service)
    path.parent.mkdir()
    shutil.copyfile(noise_file, path)  # the same name again: its features are computed anew
    client.viewer.channel({**TEMPLE, "photo": photo["photo"], "layer": "layer1.0", "channel": 0})
    assert len(passes.layers) == 2


@pytest.mark.parametrize(
    "name",
    ["yours:guess", "../../etc/passwd", "models/cbam_resnet18", "timm/resnet50.a1_in1k", "", "x" * 10_000],
)
def test_what_is_not_offered_is_not_opened(client, name):
    assert error_of(client.viewer.capture({**TEMPLE, "network": name}))
    assert client.ask("start", network=name)["capture"]["asked"]["network"] == "cbam_resnet18"


def test_a_download_that_fails_is_a_sentence_and_the_page_goes_on(visitor, examples):
    def load(name, report):
        if name == "cbam_resnet18":
            return attnviz.load(name)
        report(1_000_000, 50_000_000)
        raise NetworkError("download_unreachable", host="github.com", title="x")

    client = visitor(catalog=Catalog(Settings(), load=load))
    name = "pytorchcv/cbam_resnet50"
    assert "can't be reached" in error_of(client.viewer.capture({**TEMPLE, "network": name}))
    assert client.viewer.progress({"network": name}) == {"done": 0, "total": 0, "ahead": 0}
    assert len(client.capture_of(examples / "cat.jpg")["top"]) == 5


def test_a_network_that_is_larger_than_its_share_of_the_memory_is_refused_and_not_kept():
    network = stirred(18, "se")
    network.register_buffer("large", torch.zeros(1).expand(101_000_000))  # 404 MB that take no memory
    catalog = Catalog(Settings(memory_mb=1000), load=lambda name, report: network)
    with pytest.raises(NetworkError, match=r"takes 4\d\d MB of memory, more than the 400 MB"):
        Waiting(catalog).network("se_resnet18")
    assert catalog.open_names() == []


def sparse_half_checkpoint(path: Path, width: int) -> None:
    """A CBAM ResNet of four blocks in half precision, whose numbers take no room on the disk."""
    with torch.device("meta"):
        shapes = ResNet((1, 1, 1, 1), "cbam", width).state_dict()
    header, end = {}, 0
    for key, value in shapes.items():
        begin, end = end, end + value.numel() * (2 if value.is_floating_point() else 8)
        dtype = "F16" if value.is_floating_point() else "I64"
        header[key] = {"dtype": dtype, "shape": list(value.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)


def test_a_checkpoint_that_does_not_fit_is_refused_before_it_is_read(visitor, checkpoint, tmp_path):
    sparse_half_checkpoint(tmp_path / "large.safetensors", 320)
    began = memory()
    client = visitor(catalog=Catalog(Settings(memory_mb=1000)))
    said = error_of(client.open_checkpoint(tmp_path / "large.safetensors"))
    assert "takes 504 MB of memory, more than the 400 MB" in said
    assert memory() - began < 100_000_000
    short = visitor(catalog=Catalog(Settings(memory_mb=1000), memory=lambda: 999_900_000))
    assert "short of memory" in error_of(short.open_checkpoint(checkpoint))


def test_a_checkpoint_whose_network_takes_too_long_is_refused(visitor, checkpoint):
    seconds = itertools.count(0, 20)
    client = visitor(catalog=Catalog(Settings(seconds=30), clock=lambda: next(seconds)))
    assert "30 s" in error_of(client.open_checkpoint(checkpoint))


def test_a_checkpoint_that_does_not_pass_the_check_is_never_opened(tmp_path):
    path = saved(stirred(18, "se"), tmp_path)
    asked = []

    def refuse(*question: object) -> None:
        asked.append(question)
        raise NetworkError("checkpoint_out_of_memory", name="mine")

    def reserved(most: float) -> int:
        raise AssertionError("it was opened")

    settings = Settings(checkpoint_mb=7)
    catalog = Catalog(settings, memory=reserved, check=refuse)
    with pytest.raises(NetworkError, match="“mine” needs more memory"):
        asyncio.run(catalog.add(path, None, Told(pool="none")))
    assert asked == [(path, 7_000_000, Told(pool="none"))]


def test_checkpoints_are_opened_one_at_a_time(tmp_path):
    opening: list[int] = []  # the thread of each, the latest last
    interrupted = []

    def began() -> int:
        opening.append(threading.get_ident())
        return 0

    def passes() -> float:
        interrupted.append(threading.get_ident() != opening[-1])
        return 0.0

    catalog = Catalog(Settings(), memory=began, clock=passes)
    paths = [saved(stirred(18, "se"), tmp_path).rename(tmp_path / f"{number}.pth") for number in range(4)]
    together = threading.Barrier(len(paths))

    def opened(path: Path) -> None:
        together.wait()
        asyncio.run(catalog.add(path, None))

    with ThreadPoolExecutor(len(paths)) as threads:
        list(threads.map(opened, paths))
    assert len(opening) == len(paths) and len(set(opening)) == 2 and not any(interrupted)


def test_what_one_visitor_opens_takes_a_third_of_the_networks_room_and_can_be_opened_again(tmp_path):
    opened: list[str] = []

    def load(name: str, **_: object) -> nn.Module:
        opened.append(name)
        network = stirred(18, "se")
        network.register_buffer("large", torch.zeros(1).expand(12_500_000))  # 50 MB that take no memory
        return network

    catalog = Catalog(Settings(memory_mb=1000), load=load, memory=lambda: 0)
    names = list_networks("imagenet")[:4]
    with asked_by(Asker("one", "1.2.3.4")):
        for name in names:
            Waiting(catalog).network(name)
    assert catalog.open_names() == names[2:]
    Waiting(catalog).network(names[0])
    assert opened == [*names, names[0]]


def test_a_network_of_fixed_size_gets_a_crop_and_the_page_says_so(visitor, examples):
    network = attnviz.load("cbam_resnet18")
    network.card = replace(network.card, sides=(193, 224))
    client = visitor(catalog=Catalog(Settings(), load=lambda name, report: network))
    seen = client.capture_of(examples / "temple.jpg")["seen"]
    assert seen["size"] == [224, 224] and seen["forced"] and not seen["whole"]
    assert not client.capture_of(examples / "temple.jpg", view="crop")["seen"]["forced"]


def test_the_name_of_a_visitors_checkpoint_is_told_to_nobody_else(visitor, checkpoint):
    client = visitor(catalog=Catalog(Settings()))
    name = client.open_checkpoint(checkpoint)["network"]["name"]
    Waiting(client.service.catalog).network("se_resnet18")
    assert client.service.catalog.is_open(name)
    assert client.service.catalog.open_names() == ["se_resnet18"]
    assert name not in str(client.service.catalog.choices([]) + client.service.catalog.ready([]))


def test_the_picker_has_the_three_sources(catalog):
    mine = [("m.pth: SE ResNet-18", "yours:x")]
    titles = [title for title, _ in catalog.choices(mine)]
    assert titles[0] == "CBAM ResNet-18 — comes with attnviz" and titles[-1] == "m.pth: SE ResNet-18 — yours"
    assert all(re.search("[\u4e00-\u9fff]", title) for title, _ in catalog.choices(mine, "zh"))
    assert sum("— ImageNet, " in title for title in titles) == len(attnviz.list_networks("imagenet")) >= 17
    assert any("downloads 1" in title and "MB" in title for title in titles)


def test_a_public_page_can_do_without_checkpoints():
    def names(**settings) -> set[str]:
        functions = make_service(Settings(**settings)).visits.functions
        return {function.__name__ for function in functions}

    assert names() - names(checkpoints=False) == {"add_network"}


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        flipped,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        Path.unlink,
        lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\n"),
    ],
)
def test_damaged_weights_are_named_not_used_and_the_others_work(tmp_path, monkeypatch, damage, caplog):
    shutil.copytree(registry.MODELS, tmp_path / "models")
    monkeypatch.setattr(registry, "MODELS", tmp_path / "models")
    catalog = Catalog(Settings())
    Waiting(catalog).network("cbam_resnet18")
    damage(tmp_path / "models" / "cbam_resnet18" / "model.safetensors")
    catalog.log_damaged()
    assert "cbam_resnet18" in caplog.text
    offered = {name: title for title, name in catalog.choices([])}
    assert "damaged" in offered["cbam_resnet18"] and "damaged" not in offered["se_resnet18"]
    assert next(iter(offered)) != "cbam_resnet18" and Waiting(catalog).network("se_resnet18")
    assert "cbam_resnet18" not in [name for _, name in catalog.ready([])]
    assert Waiting(catalog).network("cbam_resnet18")  # open before, it goes on
    with pytest.raises(NetworkError, match=r"missing|damaged"):
        Waiting(Catalog(Settings())).network("cbam_resnet18")


def test_beside_one_that_does_not_come_to_an_end_another_is_told_to_come_again_but_ours_open(cbam):
    began, end = threading.Event(), threading.Event()
    first, second = list_networks("imagenet")[:2]

    def load(name: str, report):
        return Holding(began, end) if name == first else cbam

    queue = WorkQueue(2, 50, hangs_seconds=0.01, clock=lambda: 0.0)
    catalog = Catalog(Settings(), load=load, queue=queue)
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(Waiting(catalog).network, first)
        assert began.wait(20)
        with pytest.raises(BusyError, match="Another network is being opened"):
            Waiting(catalog).network(second)
        assert Waiting(catalog).network("se_resnet18") is not None
        end.set()
        assert hanging.exception(20)
    assert Waiting(catalog).network(second) is not None


class Holding(torch.nn.Module):
    """A network that runs until it is let go, and fails then."""

    def __init__(self, began: threading.Event, end: threading.Event) -> None:
        super().__init__()
        self._began, self._end = began, end

    def forward(self, _x):
        self._began.set()
        assert self._end.wait(20)
        raise ValueError("no network")
