"""A server on this machine that has networks' files, where the libraries look for them."""

from __future__ import annotations

import hashlib
import io
import logging
import zipfile
from collections.abc import Callable, Iterator

import huggingface_hub as hub
import pytest
import timm
import torch
import torchvision
from helpers.small_weights import SIZES, Weights, random_network, saved
from helpers.weights_server import WeightsServer
from pytorchcv.models.common import model_store as store

from attnviz.zoo import hubs, imagenet


@pytest.fixture(scope="module")
def weights() -> Callable[[str], Weights]:
    made: dict[str, Weights] = {}

    def make(key: str) -> Weights:
        if key not in made:
            torch.manual_seed(len(made))
            network = random_network(key)
            made[key] = Weights(network, saved(network, key))
        return made[key]

    return make


@pytest.fixture
def server(tmp_path, monkeypatch, caplog) -> Iterator[WeightsServer]:
    """A server, and the caches of all libraries in an empty folder. What really failed is in the log."""
    caplog.set_level(logging.INFO, "attnviz.zoo.downloads")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(hubs, "STORE", tmp_path / "store")
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    for key, size in SIZES.items():
        library, name = key.split("/")
        monkeypatch.setitem(
            imagenet.TABLE, key, imagenet.Row(library, name, f"Small {library}", None, size, 0.5, "MIT")
        )
    started = WeightsServer()
    started.open()
    yield started
    started.proceed.set()
    started.close()


@pytest.fixture
def stock(server, weights, monkeypatch) -> Callable[[str], Weights]:
    """Put a network's file on the server, and have it downloaded from there."""

    def put(key: str, content: bytes | None = None, compression: int = zipfile.ZIP_STORED) -> Weights:
        made = weights(key)
        content = made.content if content is None else content
        library, name = key.split("/")
        sha256 = hashlib.sha256(content).hexdigest()
        if library == "torchvision":
            enum = torchvision.models.get_model_weights(name).DEFAULT
            monkeypatch.setattr(enum.value, "url", f"{server.url}/{name}-{sha256[:8]}.pth")
            server.files[f"/{name}-{sha256[:8]}.pth"] = content
        elif library == "pytorchcv":
            sha1 = hashlib.sha1(content).hexdigest()
            monkeypatch.setattr(store, "imgclsmob_repo_url", server.url)
            monkeypatch.setattr(store, "get_model_metainfo", lambda _: (0, "1234", sha1, "v0.0.1"))
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w", compression) as archive:
                archive.writestr(f"{name}-1234-{sha1[:8]}.pth", content)
            server.files[f"/releases/download/v0.0.1/{name}-1234-{sha1[:8]}.pth.zip"] = file.getvalue()
        elif timm.get_pretrained_cfg(name).hf_hub_id:
            monkeypatch.setattr(hub.constants, "ENDPOINT", server.url)
            template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
            monkeypatch.setattr(hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
            server.files[f"/timm/{name}/resolve/main/model.safetensors"] = content
        else:
            config = timm.get_pretrained_cfg(name)
            config.url = f"{server.url}/{name}-{sha256[:8]}.pth"
            monkeypatch.setattr(timm, "get_pretrained_cfg", lambda _: config)
            server.files[f"/{name}-{sha256[:8]}.pth"] = content
        return made

    return put
