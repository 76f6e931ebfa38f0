"""Downloads by the libraries' own code from a local server: right, cut, wrong, slow, stalled, refused, without room."""

from __future__ import annotations

import builtins
import errno
import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from torch import nn

import attnviz
from attnviz import downloads, imagenet


@dataclass
class Server:
    """What a local server gives, and how: "right", "cut", "wrong", "slow", "stalled", "missing"."""

    files: dict[str, bytes] = field(default_factory=dict)
    how: str = "right"
    asked: list[str] = field(default_factory=list)
    address: str = ""
    go_on: threading.Event = field(default_factory=threading.Event)


def handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_HEAD(self):
            self.answer(head=True)

        def do_GET(self):
            self.answer(head=False)

        def answer(self, head: bool) -> None:
            server.asked.append(f"{self.command} {self.path}")
            content = next((content for name, content in server.files.items() if self.path.split("?")[0].endswith(name)), None)
            if server.how == "missing" or content is None:
                self.send_error(404)
                return
            etag = hashlib.sha256(content).hexdigest()
            sent = bytes([content[0] ^ 1]) + content[1:] if server.how == "wrong" else content
            start = int((self.headers.get("Range") or "bytes=0-").split("=")[1].split("-")[0])
            self.send_response(206 if start else 200)
            for name, value in {
                "Content-Length": len(content) - start, "ETag": f'"{etag}"', "X-Linked-Etag": f'"{etag}"', "X-Linked-Size": len(content),
                "X-Repo-Commit": "0" * 40, "Accept-Ranges": "bytes", "Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}",
            }.items():
                self.send_header(name, str(value))
            self.end_headers()
            if head:
                return
            half = len(sent) // 2
            try:
                if server.how == "cut":
                    self.wfile.write(sent[start:half])
                elif server.how == "stalled":
                    self.wfile.write(sent[start:half])
                    self.wfile.flush()
                    server.go_on.wait(20)
                elif server.how == "slow":
                    for at in range(start, len(sent), len(sent) // 20):
                        self.wfile.write(sent[at:at + len(sent) // 20])
                        self.wfile.flush()
                        server.go_on.wait(0.05)
                else:
                    self.wfile.write(sent[start:])
            except OSError:
                pass
            self.close_connection = True

    return Handler


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler(state))
    state.address = f"http://127.0.0.1:{http.server_port}"
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield state
    state.go_on.set()
    http.shutdown()
    http.server_close()


def saved(network: nn.Module) -> bytes:
    buffer = io.BytesIO()
    torch.save(network.state_dict(), buffer)
    return buffer.getvalue()


@dataclass
class Case:
    key: str
    original: nn.Module
    server: Server
    folder: Path


def torchvision_case(server: Server, folder: Path, monkeypatch) -> Case:
    import torchvision

    original = torchvision.models.mobilenet_v3_large(weights=None).eval()
    content = saved(original)
    name = f"mobilenet_v3_large-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    server.files[name] = content
    kind = torchvision.models.get_model_weights("mobilenet_v3_large")
    object.__setattr__(kind.DEFAULT.value, "url", f"{server.address}/{name}")   # frozen; the fixture puts it back
    return Case("torchvision/mobilenet_v3_large", original, server, folder)


def pytorchcv_case(server: Server, folder: Path, monkeypatch) -> Case:
    from pytorchcv.model_provider import get_model
    from pytorchcv.models.common import model_store

    original = get_model("seresnet18", pretrained=False).eval()
    content = saved(original)
    sha1 = hashlib.sha1(content).hexdigest()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"seresnet18-0961-{sha1[:8]}.pth", content)
    server.files[f"seresnet18-0961-{sha1[:8]}.pth.zip"] = packed.getvalue()
    monkeypatch.setattr(model_store, "imgclsmob_repo_url", server.address)
    monkeypatch.setattr(model_store, "get_model_name_suffix_data", lambda _name: ("0961", sha1, "v0"))
    return Case("pytorchcv/seresnet18", original, server, folder)


def timm_case(server: Server, folder: Path, monkeypatch) -> Case:
    import timm
    from huggingface_hub import constants
    from safetensors.torch import save

    original = timm.create_model("mobilenetv3_small_050.lamb_in1k", pretrained=False).eval()
    server.files["model.safetensors"] = save({key: value.clone() for key, value in original.state_dict().items()})
    for name, value in {
        "ENDPOINT": server.address, "HUGGINGFACE_CO_URL_TEMPLATE": server.address + "/{repo_id}/resolve/{revision}/{filename}",
        "HF_HUB_CACHE": str(folder / "hub"), "HF_HUB_DISABLE_XET": True, "DOWNLOAD_CHUNK_SIZE": 100_000,
    }.items():
        monkeypatch.setattr(constants, name, value)
    monkeypatch.setenv("HF_HUB_CACHE", str(folder / "hub"))
    import huggingface_hub.file_download as file_download
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_CO_URL_TEMPLATE", "ENDPOINT"):
        if hasattr(file_download, name):
            monkeypatch.setattr(file_download, name, getattr(constants, name))
    return Case("timm/mobilenetv3_small_050.lamb_in1k", original, server, folder)


@pytest.fixture(params=[torchvision_case, pytorchcv_case, timm_case], ids=["torchvision", "pytorchcv", "timm"])
def case(request, server, tmp_path, monkeypatch) -> Iterator[Case]:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    import torchvision

    value = torchvision.models.get_model_weights("mobilenet_v3_large").DEFAULT.value
    url = value.url
    yield request.param(server, tmp_path, monkeypatch)
    object.__setattr__(value, "url", url)


def opens(case: Case, report=None) -> None:
    network = imagenet.open_network(case.key, report)
    x = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        assert torch.equal(network(x), case.original(x))
    assert not network.training and len(network.card.labels) == 1000 and imagenet.kept(case.key)


def refused(case: Case, words: str) -> None:
    with pytest.raises(attnviz.NetworkError, match=words) as caught:
        imagenet.open_network(case.key)
    said = str(caught.value)
    assert str(case.folder) not in said and "://" not in said and said.count(". ") == 0
    assert not imagenet.kept(case.key), "what is half there is not taken for good"
    case.server.how = "right"
    opens(case)   # and the next call gets it


def test_weights_are_fetched_once_and_kept(case):
    assert not imagenet.kept(case.key)
    opens(case)
    asked = len([line for line in case.server.asked if line.startswith("GET")])
    opens(case)
    assert len([line for line in case.server.asked if line.startswith("GET")]) == asked >= 1


def test_a_download_that_is_cut_is_not_kept(case):
    case.server.how = "cut"
    refused(case, "cut off|checksum|could not be|stopped")


def test_wrong_bytes_are_not_kept(case):
    case.server.how = "wrong"
    refused(case, "checksum")


def test_what_the_server_does_not_have_is_said(case):
    case.server.how = "missing"
    refused(case, "does not give out|could not be")


def test_progress_grows(case, monkeypatch):
    monkeypatch.setattr(downloads, "LOOK_SECONDS", 0.02)
    case.server.how, seen = "slow", []
    opens(case, lambda done, total: seen.append((done, total)))
    parts = [done for done, _ in seen]
    assert parts == sorted(parts) and len(set(parts)) >= 4 and all(0 <= done <= total for done, total in seen)


def test_a_server_that_stops_sending_is_not_waited_for(case, monkeypatch):
    monkeypatch.setattr(downloads, "STALLED_SECONDS", 1.0)
    case.server.how = "stalled"
    with pytest.raises(attnviz.NetworkError, match=r"sent nothing|cut off"):
        imagenet.open_network(case.key)
    assert not imagenet.kept(case.key)


class FullDisk:
    """A file that takes 100 kB and then no more."""

    def __init__(self, file) -> None:
        self._file, self._left = file, 100_000

    def __getattr__(self, name):
        return getattr(self._file, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def write(self, content):
        self._left -= len(content)
        if self._left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._file.write(content)


def test_no_room_on_the_disk_is_said(case, monkeypatch):
    real = builtins.open

    def full(path, mode="r", *arguments, **more):
        file = real(path, mode, *arguments, **more)
        return FullDisk(file) if str(path).startswith(str(case.folder)) and ("w" in mode or "a" in mode) and "b" in mode else file

    with monkeypatch.context() as context:
        context.setattr(builtins, "open", full)
        context.setattr(io, "open", full)   # pathlib's
        with pytest.raises(attnviz.NetworkError, match="no room on the disk"):
            imagenet.open_network(case.key)
    assert not imagenet.kept(case.key)
    opens(case)


def test_two_that_ask_at_once_fetch_once(case):
    case.server.how = "slow"
    networks: list[nn.Module] = []
    threads = [threading.Thread(target=lambda: networks.append(imagenet.open_network(case.key))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(networks) == 2
    assert len([line for line in case.server.asked if line.startswith("GET") and line.endswith((".pth", ".zip", ".safetensors"))]) == 1


def test_no_connection_is_one_sentence_that_names_the_host_and_what_works(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)

    def refuse(*_arguments, **_more):
        raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")

    monkeypatch.setattr("socket.create_connection", refuse)
    monkeypatch.setattr("socket.socket.connect", refuse)
    for key, host in (("torchvision/efficientnet_b0", "download.pytorch.org"), ("pytorchcv/cbam_resnet50", "github.com")):
        with pytest.raises(attnviz.NetworkError, match=rf"{host} could not be reached: the networks that come with attnviz work"):
            attnviz.load(key)
