"""The container image: what it copies, installs and runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from helpers.checkout import ROOT

from attnviz import deploy
from attnviz.server.settings import SPACE_NETWORKS

FETCH = '["python", "-m", "attnviz", "fetch"]'


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line and not line.startswith("#")]


def test_the_base_image_is_that_of_one_digest():
    base = next(rest for word, rest in instructions() if word == "ARG")
    assert re.fullmatch(r"BASE=python:3\.12-slim@sha256:[0-9a-f]{64}", base)
    assert dict(instructions())["FROM"] == "${BASE}"


def test_the_image_copies_what_is_there_and_what_the_build_may_see():
    seen = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    copied = {source for word, rest in instructions() if word == "COPY" for source in rest.split()[:-1]}
    assert copied == seen and all((ROOT / name).exists() for name in copied)
    locks = {"requirements.lock", "sbom.lock", "torch.lock"}
    assert copied - locks == {*deploy.ROOT_FILES, *deploy.FOLDERS} - {"README.md", "requirements.txt"}


def test_the_image_serves_to_the_outside_without_root_and_gets_the_signal_to_stop():
    words = [word for word, _ in instructions()]
    last, runs = dict(instructions()), [rest for word, rest in instructions() if word == "RUN"]
    assert (
        last["USER"] not in ("root", "0")
        and words.index("USER") < words.index("CMD")
        and any("useradd --uid 1000" in run for run in runs)
    )
    assert json.loads(last["CMD"]) == ["python", "app.py"]  # no shell between
    settings = dict(
        pair.split("=") for word, rest in instructions() if word == "ENV" for pair in rest.split()
    )
    assert settings["ATTNVIZ_HOST"] == "0.0.0.0" and settings["ATTNVIZ_PORT"] == last["EXPOSE"] == "7860"


def test_the_image_takes_all_by_hashes_but_the_cpu_wheels_of_pytorch():
    install = next(rest for word, rest in instructions() if word == "RUN" and "requirements.lock" in rest)
    hashed, torch, *_ = install.split(" && ")
    assert hashed.split()[2:] == ["--no-deps", "--require-hashes", "--requirement", "requirements.lock"]
    assert "--index-url https://download.pytorch.org/whl/cpu --requirement torch.lock" in torch
    assert "--output-file sbom.json" in install


def test_the_networks_that_the_page_opens_first_are_fetched_at_the_build_by_who_serves_them():
    steps = instructions()
    ((_, networks),) = [step for step in steps if step[0] == "ARG" and step[1].startswith("NETWORKS=")]
    assert tuple(networks.removeprefix("NETWORKS=").split(",")) == SPACE_NETWORKS
    named, fetched = steps.index(("ENV", "ATTNVIZ_NETWORKS=${NETWORKS}")), steps.index(("RUN", FETCH))
    assert steps.index(("USER", "attnviz")) < named < fetched


@pytest.mark.slow
@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_images_health_check_tells_a_server_that_is_well(status, healthy):
    check = json.loads(dict(instructions())["HEALTHCHECK"].partition("CMD ")[2])
    asked = []

    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Health) as server:
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        code = check[2].replace(":7860/", f":{server.server_port}/")
        environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
        run = subprocess.run([sys.executable, "-I", "-c", code], env=environment, capture_output=True)
        server.shutdown()
    assert check[:2] == ["python", "-c"] and asked == ["/healthz"] and (run.returncode == 0) == healthy
