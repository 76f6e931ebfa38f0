"""Where downloaded weights land: full and closed disks, the libraries' caches, what others left there."""

from __future__ import annotations

import errno
import io
import os
import zipfile
from pathlib import Path

import huggingface_hub as hub
import pytest
import torch
from helpers.small_weights import ONE_EACH, random_network, same_weights, saved
from helpers.weights_server import small_files

import attnviz
from attnviz.zoo import downloads, hubs, imagenet


def test_a_disk_that_fills_up_while_a_zip_is_extracted_leaves_nothing(server, stock):
    key = "pytorchcv/mobilenet_wd4"
    empty = random_network(key)
    for value in empty.state_dict().values():
        value.zero_()
    stock(key, saved(empty, key), zipfile.ZIP_DEFLATED)  # so that the zip is small enough
    with small_files(), pytest.raises(attnviz.NetworkError, match="The disk is full"):
        imagenet.open_network(key)
    assert not imagenet.kept(key)
    assert same_weights(imagenet.open_network(key), empty)


def test_a_disk_without_room_is_told_of_before_anything_is_asked_for(server, stock, monkeypatch):
    stock(ONE_EACH[0])
    usage = downloads.shutil.disk_usage("/")
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    with pytest.raises(attnviz.NetworkError, match="take 10 MB"):
        imagenet.open_network(ONE_EACH[0])
    assert not server.requests


def test_a_folder_that_can_not_be_written_to_is_named_as_the_reason(server, stock, tmp_path):
    stock(ONE_EACH[0])
    (tmp_path / "torch").write_text("a file where a folder should be")
    with pytest.raises(attnviz.NetworkError, match="can't be written to") as caught:
        imagenet.open_network(ONE_EACH[0])
    assert str(tmp_path) not in str(caught.value)


def test_whole_weights_of_another_network_are_refused(server, stock, weights):
    stock("torchvision/mobilenet_v3_small", weights("pytorchcv/mobilenet_wd4").content)
    with pytest.raises(attnviz.NetworkError, match="don't fit the torchvision"):
        imagenet.open_network("torchvision/mobilenet_v3_small")


HUGGING_FACE = "timm/mobilenetv3_small_050.lamb_in1k"


def test_huggingface_hub_finds_the_file_in_its_cache_and_nothing_wrong_with_it(server, stock, tmp_path):
    stock(HUGGING_FACE)
    imagenet.open_network(HUGGING_FACE)
    found = hub.hf_hub_download(
        HUGGING_FACE, "model.safetensors", cache_dir=tmp_path / "hub", local_files_only=True
    )
    assert Path(found) == imagenet.SOURCES["timm"](HUGGING_FACE.removeprefix("timm/")).kept()
    cache = hub.scan_cache_dir(tmp_path / "hub")
    assert [repository.repo_id for repository in cache.repos] == [HUGGING_FACE] and not cache.warnings


def test_huggingface_hub_offline_is_no_connection(server, stock, monkeypatch):
    stock(HUGGING_FACE)
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(attnviz.NetworkError, match="can't be reached"):
        imagenet.open_network(HUGGING_FACE)
    assert not server.requests


def test_where_links_are_not_possible_wrong_bytes_are_not_kept_either(server, stock, monkeypatch, tmp_path):
    made = stock(HUGGING_FACE)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(hubs.os, "symlink", refuse)
    server.behaviour = "wrong"
    with pytest.raises(attnviz.NetworkError, match="cut short or damaged"):
        imagenet.open_network(HUGGING_FACE)
    assert not imagenet.kept(HUGGING_FACE)
    server.behaviour = "whole"
    assert same_weights(imagenet.open_network(HUGGING_FACE), made.network)
    files = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert files == ["main", "model.safetensors"]


def test_a_repository_without_safetensors_gives_its_other_file(server, stock):
    made = stock(HUGGING_FACE)
    file = io.BytesIO()
    torch.save(made.network.state_dict(), file)
    server.files = {f"/{HUGGING_FACE}/resolve/main/pytorch_model.bin": file.getvalue()}
    assert same_weights(imagenet.open_network(HUGGING_FACE), made.network)
    assert imagenet.kept(HUGGING_FACE)


def test_what_another_process_left_in_the_hugging_face_cache_is_no_progress(server, stock, tmp_path):
    stock(HUGGING_FACE)
    blobs = tmp_path / "hub" / "models--timm--mobilenetv3_small_050.lamb_in1k" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / "0123.4567.incomplete").write_bytes(bytes(10_000_000))
    server.behaviour = 404
    told: list[int] = []
    with pytest.raises(attnviz.NetworkError):
        imagenet.open_network(HUGGING_FACE, lambda done, _: told.append(done))
    assert set(told) == {0}


def test_what_a_killed_download_left_behind_is_taken_away_a_day_later(tmp_path):
    old, new = tmp_path / ".attnviz-old", tmp_path / ".attnviz-new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "part").write_bytes(b"half")
    os.utime(old, (0, 0))
    with downloads.landing(tmp_path / "file", lambda _: True) as part:
        part.write_bytes(b"all")
    assert (tmp_path / "file").read_bytes() == b"all" and not old.exists() and new.exists()


def test_a_file_that_is_not_whole_does_not_land(tmp_path):
    with pytest.raises(downloads.Damaged), downloads.landing(tmp_path / "file", lambda _: False) as part:
        part.write_bytes(b"half")
    assert not list(tmp_path.iterdir())
