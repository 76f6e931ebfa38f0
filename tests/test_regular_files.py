"""Files on a disk are opened, and nothing that waits or has no end."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
import torch
from helpers.small_networks import stirred

import attnviz
from attnviz.regular_files import NotOnDiskError, open_regular
from attnviz.training.dataset import read_class_names

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name")


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.pth")
    return folder / "pipe.pth"


def fifo_behind_a_link(folder: Path) -> Path:
    (folder / "link.pth").symlink_to(fifo(folder))
    return folder / "link.pth"


def listening_socket(folder: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "s.pth"))
    return folder / "s.pth"


ENDLESS = {
    "a pipe": fifo,
    "a link to a pipe": fifo_behind_a_link,
    "a socket": listening_socket,
    "/dev/zero": lambda folder: Path("/dev/zero"),
    "/dev/null": lambda folder: Path("/dev/null"),
}


@pytest.fixture(params=ENDLESS.values(), ids=ENDLESS)
def endless(request, tmp_path) -> Path:
    return request.param(tmp_path)


def test_a_file_and_a_link_to_one_are_opened(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for name in "ab":
        with open_regular(tmp_path / name) as file:
            assert file.read() == b"abc"
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "c")


def test_what_is_no_file_is_not_opened(endless):
    with pytest.raises(NotOnDiskError):
        open_regular(endless)


def test_no_photo_is_read_from_it(endless):
    with pytest.raises(attnviz.PhotoError, match="is not a file on a disk"):
        attnviz.open_photo(endless)


def test_no_network_is_read_from_it(endless, tmp_path):
    (tmp_path / "net.pth").symlink_to(endless)
    with pytest.raises(attnviz.NetworkError, match="is not a file on a disk"):
        attnviz.load(tmp_path / "net.pth")


def test_no_labels_are_read_from_it(endless, tmp_path):
    torch.save(stirred(18, "se").state_dict(), tmp_path / "net.pth")
    with pytest.raises(attnviz.NetworkError, match="can't be read"):
        attnviz.load(tmp_path / "net.pth", labels=endless)
    with pytest.raises(attnviz.AttnvizError, match="can't be read"):
        read_class_names(endless, ["a"])


@pytest.fixture
def folder(tmp_path) -> Path:
    """A network's folder."""
    network = attnviz.load("se_resnet18")
    attnviz.zoo.registry.save_folder(network, network.card, tmp_path / "folder")
    return tmp_path / "folder"


def test_a_folder_whose_weights_are_a_pipe_is_no_network(folder):
    (folder / "model.safetensors").unlink()
    os.mkfifo(folder / "model.safetensors")
    with pytest.raises(attnviz.NetworkError):
        attnviz.load(folder)


def test_a_folder_whose_description_is_a_pipe_is_its_weights(folder):
    (folder / "config.json").unlink()
    os.mkfifo(folder / "config.json")
    opened, expected = attnviz.load(folder), attnviz.load("se_resnet18")
    assert all(map(torch.equal, opened.state_dict().values(), expected.state_dict().values()))
