"""Fixtures that more than one test file uses."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin take the cores from other tests

import numpy as np
import pytest
import torch
from helpers.checkout import ROOT
from PIL import Image
from torch import nn

import attnviz
from attnviz.processors import memory
from attnviz.server.memory_relief import trim

MUCH = 300_000_000  # bytes


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef) -> None:
    """What is made for many tests is the same, whatever ran before: it is made before ``seeded`` is."""
    if fixturedef.scope != "function":
        torch.manual_seed(0)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def tidy() -> Callable[[], None]:
    """Gives memory back to the system once there is much more of it than the last time."""
    tidied = 0

    def tidy() -> None:
        nonlocal tidied
        if memory() - tidied > MUCH:
            gc.collect()
            trim()
            tidied = memory()

    return tidy


@pytest.fixture(autouse=True)
def tidied(tidy) -> Iterator[None]:
    """What tests leave behind does not grow: servers in their process count it as theirs, and take nothing in
    when it is more than their settings allow."""
    yield
    tidy()


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
def uploads(tmp_path) -> Path:
    """A folder for uploads."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def catalog():
    """Networks, opened once for all tests."""
    from attnviz.server.catalog import Catalog
    from attnviz.server.settings import Settings

    return Catalog(Settings())


@pytest.fixture
def passes():
    """Every forward pass that the page asks for, in order."""
    from helpers.page_client import Passes

    return Passes()


@pytest.fixture
def visitor(uploads, catalog, passes):
    """Makes visitors of pages of their own: of these settings, with what else ``make_service`` takes."""
    from helpers.page_client import PageClient

    from attnviz.server.service import make_service
    from attnviz.server.settings import Settings

    services = []

    def made(catalog=catalog, compute=None, session="visitor", **settings) -> PageClient:
        compute = compute or passes.compute()
        services.append(make_service(Settings(**settings), uploads, catalog, compute))
        return PageClient(services[-1], session)

    yield made
    for service in services:
        service.close()


@pytest.fixture
def client(visitor):
    """A visitor of a page with the settings as they are."""
    return visitor()
