"""What a page without a server consists of, and what it can't have; no network runs for it."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.small_networks import stirred
from PIL import Image
from torch import nn

import attnviz
from attnviz.errors import AttnvizError, EditError, NetworkError, PhotoError
from attnviz.networks import ResNet
from attnviz.networks.card import Card
from attnviz.site.content import SitePlan
from attnviz.site.networks import STEPS, site_networks
from attnviz.site.page import OFFLINE
from attnviz.site.writing import write_site
from attnviz.zoo.registry import list_networks, save_folder


def paths_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def own_network(folder: Path, network: ResNet, **architecture) -> str:
    """A model folder of a network."""
    plan = network.plan
    told = {"depth": plan.depth, "attention": plan.attention, "width": 8, "reduction": 4, "classes": 5}
    save_folder(network, Card(folder.name, {**told, **architecture}), folder)
    return str(folder)


@pytest.fixture
def mine(tmp_path) -> str:
    return own_network(tmp_path / "mine", stirred(18, "se"))


@pytest.fixture
def no_network_runs(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a network runs")

    monkeypatch.setattr(nn.Conv2d, "forward", refuse)


def test_a_folder_holds_all_that_the_page_names_and_nothing_else(tmp_path, no_network_runs):
    out = tmp_path / "out"
    size = write_site(SitePlan(tuple(list_networks())), out)
    paths = paths_in(out)
    assert size == sum((out / path).stat().st_size for path in paths)
    index = (out / "index.html").read_text(encoding="utf-8")
    (script,) = (path for path in paths if re.fullmatch(r"assets/start-\w{12}\.js", path))
    named = set(re.findall(r'(?:src|href)="([^"]+)"', index))
    named |= set(
        re.findall(r'"((?:assets|models|examples)/[^"]+)"', (out / script).read_text(encoding="utf-8"))
    )
    assert named | {"index.html", OFFLINE} == paths - {path for path in paths if "/card-" in path}
    assert not re.search(r"https?://(?!www\.w3\.org)", index)


def unpacked(content: bytes) -> bytes:
    parted, whole = gzip.decompress(content), bytearray(len(gzip.decompress(content)))
    half = (len(parted) + 1) // 2
    whole[::2], whole[1::2] = parted[:half], parted[half:]
    return bytes(whole)


def test_weights_are_those_of_the_network_byte_for_byte(tmp_path, mine):
    write_site(SitePlan((mine,)), tmp_path / "out")
    (weights,) = (tmp_path / "out" / "models").iterdir()
    assert unpacked(weights.read_bytes()) == (Path(mine) / "model.safetensors").read_bytes()


def test_what_stays_the_same_keeps_its_name_and_what_changes_gets_another(tmp_path, mine):
    write_site(SitePlan(("se_resnet18",)), tmp_path / "one")
    write_site(SitePlan(("se_resnet18", mine)), tmp_path / "two")
    one, two = (paths_in(tmp_path / name) for name in ("one", "two"))
    changed = {path.split("-")[0] for path in one - two}
    assert changed == {"assets/start"}


def test_a_page_replaces_the_one_before_and_nothing_else(tmp_path, mine):
    out = tmp_path / "out"
    write_site(SitePlan(("se_resnet18",)), out)
    (out / ".git").mkdir()
    before = paths_in(out)
    write_site(SitePlan((mine,)), out)
    assert not [path for path in paths_in(out) if "se_resnet18" in path] and before != paths_in(out)
    assert (out / ".git").is_dir()
    (out / "thesis.txt").write_text("years of work")
    with pytest.raises(AttnvizError, match="holds other things"):
        write_site(SitePlan((mine,)), out)
    assert (out / "thesis.txt").exists()


def test_one_file_names_no_other_and_runs_only_its_own_script(tmp_path, mine):
    out = tmp_path / "page.html"
    write_site(SitePlan((mine,), language="zh"), out)
    text = out.read_text(encoding="utf-8")
    assert "connect-src 'none'" in text and re.search(
        r"script-src( 'sha256-[\w+/=]+'){2} 'wasm-unsafe-eval'", text
    )
    held = dict(re.findall(r'data-file="([^"]+)">([^<]*)<', text))
    (weights,) = (content for path, content in held.items() if path.startswith("models/"))
    assert unpacked(base64.b64decode(weights)) == (Path(mine) / "model.safetensors").read_bytes()
    assert '<html lang="zh-CN">' in text


def test_a_link_card_is_written_where_the_address_is_known(tmp_path, mine):
    out = tmp_path / "out"
    write_site(SitePlan((mine,), base="https://example.org/attention"), out)
    text = (out / "index.html").read_text(encoding="utf-8")
    (picture,) = (path for path in paths_in(out) if "/card-" in path)
    assert f'content="https://example.org/attention/{picture}"' in text


@pytest.mark.parametrize("kind", STEPS)
def test_what_is_said_of_a_mechanism_is_what_a_trace_says(tmp_path, kind, noise):
    network = stirred(18, kind)
    name = own_network(tmp_path / "mine", network)
    (described,) = (each.described() for each in site_networks([name]))
    trace = attnviz.trace(network, noise)
    from attnviz.viewer.encoding import pack

    packed = json.loads(json.dumps(pack(trace, Card("mine"))))
    mechanism = json.loads(json.dumps(described["mechanism"]))
    assert packed["diagrams"] == [mechanism["diagram"]]
    for layer in packed["layers"]:
        about = {key: layer[key] for key in ("kind", "title", "formula", "averaged", "limits")}
        assert about == {key: mechanism[key] for key in about}


@pytest.mark.parametrize("attention", ["se", "bam"])
def test_what_lies_with_a_network_of_ones_own_is_written_as_it_is_there(tmp_path, noise, attention):
    folder = Path(own_network(tmp_path / "mine", stirred(18, attention)))
    network = attnviz.load(folder)
    attnviz.reference(network, [noise]).save(folder / "usual.npz", small=True)
    (found,) = site_networks([str(folder)])
    from safetensors.numpy import load

    written = load(unpacked(found.packed_usual))
    with np.load(folder / "usual.npz") as file:
        assert written.keys() == {*file} - {"about"} and found.usual_photos == 1
        for name, values in written.items():
            assert values.dtype == np.float16 and np.array_equal(values, file[name])
    other = stirred(18, attention)
    attnviz.reference(other, [noise]).save(folder / "usual.npz", small=True)
    with pytest.raises(EditError, match="its weights are not those of mine"):
        site_networks([str(folder)])


def test_a_file_of_weights_of_a_usual_resnet_is_taken(tmp_path):
    network = stirred(18, "cbam", bias=True)
    torch.save(network.state_dict(), tmp_path / "mine.pth")
    (found,) = site_networks([str(tmp_path / "mine.pth")])
    assert found.described()["architecture"]["attention"] == "cbam"
    from safetensors.torch import load

    for key, value in load(found.weights).items():
        assert torch.equal(value, network.state_dict()[key])


def test_what_can_not_be_taken_is_refused_in_one_sentence(tmp_path, mine):
    other = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    torch.save(other.state_dict(), tmp_path / "other.pth")
    spoilt = stirred(18, "se")
    spoilt.fc.weight.data[0, 0] = float("nan")
    own_network(tmp_path / "spoilt", spoilt)
    refused = {
        "cbam_resnet50": ("site_takes_no_library", "only the page with a server runs"),
        "nonesuch": ("network_unknown", "nonesuch"),
        str(tmp_path / "spoilt"): ("weights_do_not_fit", "spoilt"),
    }
    for name, (key, words) in refused.items():
        with pytest.raises(NetworkError, match=words) as caught:
            site_networks([name])
        assert caught.value.key == key
    with pytest.raises(NetworkError):
        site_networks([str(tmp_path / "other.pth")])
    with pytest.raises(NetworkError, match="Two networks"):
        site_networks([mine, mine])


def test_a_network_of_another_plan_is_refused(tmp_path):
    usual = stirred(18, "bam").plan
    released = {stage: replace(gate, released=True, product=True) for stage, gate in usual.gates.items()}
    network = ResNet(plan=replace(usual, gates=released))
    torch.save(network.state_dict(), tmp_path / "released.pth")
    with pytest.raises(NetworkError, match="built otherwise"):
        site_networks([str(tmp_path / "released.pth")])


def test_photos_that_browsers_do_not_open_are_refused(tmp_path, mine):
    photos = tmp_path / "photos"
    photos.mkdir()
    with pytest.raises(PhotoError, match="no photos"):
        write_site(SitePlan((mine,), photos), tmp_path / "out")
    picture = Image.fromarray(np.zeros((20, 30, 3), np.uint8))
    picture.save(photos / "scan.tiff")
    with pytest.raises(PhotoError, match="not every browser opens"):
        write_site(SitePlan((mine,), photos), tmp_path / "out")
    (photos / "scan.tiff").rename(photos / "scan.txt").write_text("hello")
    with pytest.raises(PhotoError):
        write_site(SitePlan((mine,), photos), tmp_path / "out")
    assert not (tmp_path / "out").exists()
