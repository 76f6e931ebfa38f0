"""The examples for supervisors set what the server knows, and limits that leave it room."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from configparser import RawConfigParser
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from helpers.checkout import ROOT

from attnviz.photos.decoder import MEGABYTES as DECODER_MB
from attnviz.server.settings import Settings, from_environment

DOCS = ROOT / "docs"
UNITS = sorted(path for path in DOCS.iterdir() if path.suffix in (".service", ".timer"))
MOST_PASSES = 4  # at a time, on a machine of as many cores
SIZES = {"m": 1_000_000, "g": 1_000_000_000}


class _Repeating(dict):
    """The lines of a unit's section, where a name may stand several times."""

    def __setitem__(self, name: str, value: object) -> None:
        if isinstance(value, list) and name in self:
            value = self[name] + value
        super().__setitem__(name, value)


def unit() -> dict[str, str]:
    parser = RawConfigParser(strict=False, dict_type=_Repeating, comment_prefixes="#", delimiters="=")
    parser.optionxform = str
    parser.read_string((DOCS / "attnviz.service").read_text(encoding="utf-8"))
    return {name: value.replace("\n", " ") for name, value in parser["Service"].items()}


def service() -> dict:
    return yaml.safe_load((DOCS / "compose.yaml").read_text(encoding="utf-8"))["services"]["attnviz"]


def size(text: str) -> int:
    return int(text[:-1]) * SIZES[text[-1].lower()]


def settings_of(example: str) -> Settings:
    if example == "compose":
        return from_environment({"ATTNVIZ_HOST": "0.0.0.0", **service()["environment"]})
    variables = dict(pair.split("=", 1) for pair in unit()["Environment"].split())
    assert variables.pop("HOME") == f"%S/{unit()['StateDirectory']}"
    return from_environment(variables)


@pytest.mark.parametrize(
    "path", [*UNITS, DOCS / "compose.yaml", DOCS / "serving.md"], ids=lambda path: path.name
)
def test_every_setting_that_is_named_exists(path: Path):
    named = set(re.findall(r"ATTNVIZ_[A-Z_]+", path.read_text(encoding="utf-8")))
    assert named <= {f"ATTNVIZ_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("example", ["unit", "compose"])
def test_the_limit_of_memory_leaves_room_for_all_that_the_settings_allow(example):
    settings = settings_of(example)
    needed = 1_000_000 * (settings.memory_mb + MOST_PASSES * (DECODER_MB + 50))
    if example == "unit":
        assert size(unit()["MemoryMax"]) > needed and unit()["MemorySwapMax"] == "0"
    else:
        for_uploads = size(re.search(r"size=(\w+)", service()["tmpfs"][0])[1])
        assert size(service()["mem_limit"]) > needed + for_uploads
        assert service()["memswap_limit"] == service()["mem_limit"]
        assert 1_000_000 * (settings.free_mb + settings.quota_mb) < for_uploads


@pytest.mark.parametrize("example", ["unit", "compose"])
def test_the_largest_upload_is_no_larger_than_a_file_may_be(example):
    limit = size(unit()["LimitFSIZE"]) if example == "unit" else service()["ulimits"]["fsize"]
    assert limit > max(settings_of(example).checkpoint_bytes, settings_of(example).photo_bytes) + 2_000_000


def test_both_examples_give_no_privileges_a_read_only_file_system_and_time_to_end():
    lines = unit()
    assert lines["NoNewPrivileges"] == lines["DynamicUser"] == lines["PrivateTmp"] == "yes"
    assert lines["ProtectSystem"] == "strict" and lines["CapabilityBoundingSet"] == ""
    assert "MemoryDenyWriteExecute" not in lines  # torch writes machine code
    assert (lines["Restart"], int(lines["TimeoutStopSec"])) == ("always", 15)
    container = service()
    assert container["cap_drop"] == ["ALL"] and container["security_opt"] == ["no-new-privileges:true"]
    assert container["read_only"] is container["init"] is True
    assert (container["restart"], container["stop_grace_period"]) == ("unless-stopped", "15s")
    assert container["pids_limit"] == int(lines["TasksMax"])


def test_only_this_machine_reaches_what_a_proxy_stands_before():
    assert settings_of("unit").host == "127.0.0.1" and settings_of("unit").proxies == 1
    assert service()["ports"] == ["127.0.0.1:7860:7860"] and settings_of("compose").proxies == 1


def test_all_that_the_examples_name_is_there():
    assert ((DOCS / service()["build"]).resolve() / "Dockerfile").is_file()
    assert unit()["ExecStart"].endswith(" app.py") and (ROOT / "app.py").is_file()
    assert (DOCS / Path(unit_documentation()).relative_to("/opt/attnviz/docs")).is_file()
    text = (DOCS / "serving.md").read_text(encoding="utf-8")
    assert {path.name for path in UNITS} | {"compose.yaml"} <= set(re.findall(r"\]\(([\w.-]+)\)", text))
    for path in UNITS:
        others = re.findall(r"(attnviz[\w-]*\.(?:service|timer))", path.read_text(encoding="utf-8"))
        assert all((DOCS / name).is_file() for name in others)


def unit_documentation() -> str:
    return re.search(r"Documentation=file:(\S+)", (DOCS / "attnviz.service").read_text(encoding="utf-8"))[1]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd_understands_the_units(tmp_path):
    for path in UNITS:
        text = path.read_text(encoding="utf-8").replace("/opt/attnviz/.venv/bin/python", sys.executable)
        (tmp_path / path.name).write_text(text.replace("/opt/attnviz", str(ROOT)), encoding="utf-8")
    command = ["systemd-analyze", "verify", *(str(tmp_path / path.name) for path in UNITS)]
    run = subprocess.run(command, capture_output=True, text=True)
    ours = [line for line in run.stderr.splitlines() if "attnviz" in line]
    assert (run.returncode, ours) == (0, [])


class _Health(BaseHTTPRequestHandler):
    statuses: list[int] = []

    def do_GET(self) -> None:
        self.send_response(self.statuses.pop(0) if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def health_server(statuses: list[int]) -> Iterator[int]:
    """The port of a server whose health is these, one after the other."""
    handler = type("Health", (_Health,), {"statuses": statuses})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statuses", "ends"), [([200], False), ([503, 503, 200], False), ([503, 503, 503], True)]
)
def test_the_containers_check_ends_the_server_when_it_failed_three_times(tmp_path, statuses, ends):
    kind, *command = service()["healthcheck"]["test"]
    assert kind == "CMD" and command[:2] == ["python", "-c"]
    server = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    children = tmp_path / "children"
    children.write_text(f"{server.pid} ", encoding="ascii")
    left = list(statuses)
    try:
        with health_server(left) as port:
            code = command[2].replace(":7860/", f":{port}/").replace("sleep(10)", "sleep(0)")
            code = code.replace("/proc/1/task/1/children", str(children))
            environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
            run = subprocess.run([sys.executable, "-I", "-c", code], env=environment)
        assert left == [] and run.returncode == int(ends)
        assert (server.poll() is None) or ends
        if ends:
            assert server.wait(10) == -9
    finally:
        server.kill()
        server.wait()
