"""Fixtures that more than one test file uses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin take the cores from other tests

import numpy as np
import pytest
import torch
from helpers.checkout import ROOT
from PIL import Image
from torch import nn

import attnviz


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def examples() -> Path:
    return ROOT / "assets" / "examples"


@pytest.fixture(scope="session")
def cbam() -> nn.Module:
    """The trained CBAM network, one for all tests: none may change it."""
    return attnviz.load("cbam_resnet18")


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    """A server of its own process, one for all tests that ask it."""
    from helpers.server_process import server

    with server(tmp_path_factory.mktemp("served"), ATTNVIZ_EACH="50", ATTNVIZ_RATE="0") as started:
        yield started


@pytest.fixture
def noise() -> Iterator[np.ndarray]:
    """A photo of random pixels, 90 high and 140 wide."""
    yield np.random.default_rng(0).integers(0, 256, (90, 140, 3), dtype=np.uint8)


@pytest.fixture
def noise_file(noise: np.ndarray, tmp_path: Path) -> Path:
    path = tmp_path / "noise.png"
    Image.fromarray(noise).save(path)
    return path


@pytest.fixture
def uploads(monkeypatch, tmp_path) -> Path:
    """The folder of the uploads."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


@pytest.fixture
def asked(monkeypatch, uploads) -> list:
    """Every forward pass that the page asks for, in order."""
    from attnviz.server import viewer_requests
    from attnviz.server.uploads import Results, trace_bytes

    passes = []

    def counted(question):
        passes.append(question)
        return viewer_requests.compute(question)

    monkeypatch.setattr(viewer_requests, "traces", Results(counted, trace_bytes))
    return passes
