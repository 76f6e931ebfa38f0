from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml
from helpers.checkout import ROOT
from huggingface_hub import constants as hub_constants

from attnviz import deploy
from attnviz.command.main import main
from attnviz.server import zerogpu
from attnviz.site.content import SitePlan
from attnviz.site.writing import write_site
from attnviz.zoo.registry import list_networks

ENGINE = "attnviz/viewer/js/engine"  # runs in browsers, of pages without a server
LEFT_OUT = {
    "attnviz/py.typed",  # for type checkers
    *(f"{ENGINE}/{name}" for name in ("convolution.c", "weights.c", "layers.c", "engine.wasm")),
}


class Hub(ThreadingHTTPServer):
    """As much of a hub as the real library asks for when it uploads a Space: what it holds, and what it was
    asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.held: dict[str, bytes] = {}  # the Space's files
        self.large: dict[str, bytes] = {}  # sha256: what was uploaded beside the commit
        self.asked: list[str] = []  # method and path of every request
        self.tokens: set[str | None] = set()
        self.summaries: list[str] = []  # of the commits
        self.created: dict = {}
        self.refusal: tuple[int, str] | None = None

    def create(self, body: bytes) -> tuple[int, dict]:
        exists, self.created = bool(self.created), json.loads(body)
        return (409 if exists else 200), {"url": f"{self.address}/spaces/me/attnviz"}

    def preupload(self, body: bytes) -> tuple[int, dict]:
        names = [file["path"] for file in json.loads(body)["files"]]
        return 200, {
            "files": [
                {
                    "path": name,
                    "shouldIgnore": False,
                    "uploadMode": mode(name),
                    "oid": oid(name, self.held[name]) if name in self.held else None,
                }
                for name in names
            ]
        }

    def batch(self, body: bytes) -> tuple[int, dict]:
        known = {hashlib.sha256(content).hexdigest() for content in self.held.values()}
        objects = [
            one
            if one["oid"] in known
            else {**one, "actions": {"upload": {"href": f"{self.address}/large/{one['oid']}"}}}
            for one in json.loads(body)["objects"]
        ]
        return 200, {"transfer": "basic", "objects": objects}

    def commit(self, body: bytes) -> tuple[int, dict]:
        for line in map(json.loads, body.splitlines()):
            match line["key"], line["value"]:
                case "header", value:
                    self.summaries.append(value["summary"])
                case "file", value:
                    self.held[value["path"]] = base64.b64decode(value["content"])
                case "lfsFile", value:
                    known = {hashlib.sha256(content).hexdigest(): content for content in self.held.values()}
                    self.held[value["path"]] = {**known, **self.large}[value["oid"]]
                case "deletedFile", value:
                    del self.held[value["path"]]
        return 200, {"commitUrl": f"{self.address}/spaces/me/attnviz/commit/1", "commitOid": "1" * 40}


def mode(name: str) -> str:
    return "lfs" if name.endswith((".safetensors", ".png")) else "regular"


def oid(name: str, content: bytes) -> str:
    """By which the hub knows a file."""
    if mode(name) == "lfs":
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_POST(self) -> None:
        self._answer(
            {
                "/api/repos/create": self.server.create,
                "/api/validate-yaml": lambda _: (200, {"errors": [], "warnings": []}),
                "/api/spaces/me/attnviz/preupload/main": self.server.preupload,
                "/spaces/me/attnviz.git/info/lfs/objects/batch": self.server.batch,
                "/api/spaces/me/attnviz/commit/main": self.server.commit,
            }
        )

    def do_GET(self) -> None:
        tree = [
            {"type": "file", "path": name, "size": len(held), "oid": "0" * 40}
            for name, held in self.server.held.items()
        ]
        self._answer(
            {
                "/api/spaces/me/attnviz/tree/main": lambda _: (200, tree),
                "/api/spaces/me/attnviz/revision/main": lambda _: (
                    200,
                    {"id": "me/attnviz", "sha": "1" * 40},
                ),
            }
        )

    def do_PUT(self) -> None:
        def keep(body: bytes) -> tuple[int, dict]:
            assert hashlib.sha256(body).hexdigest() == self.path.rpartition("/")[2]
            self.server.large[hashlib.sha256(body).hexdigest()] = body
            return 200, {}

        self._answer({self.path: keep})

    def _answer(self, routes: dict[str, Callable]) -> None:
        path = self.path.partition("?")[0]
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.asked.append(f"{self.command} {path}")
        self.server.tokens.add(self.headers["Authorization"])
        status, answer = (
            (self.server.refusal[0], {"error": self.server.refusal[1]})
            if self.server.refusal
            else routes[path](body)
        )
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(monkeypatch, tmp_path) -> Iterator[Hub]:
    with Hub() as server:
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        monkeypatch.setattr(
            hub_constants, "ENDPOINT", server.address
        )  # HF_ENDPOINT is read when it is imported
        monkeypatch.setattr(hub_constants, "HF_HUB_DISABLE_XET", True)  # over HTTP
        monkeypatch.setattr(hub_constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield server
        server.shutdown()


def here() -> dict[str, bytes]:
    return {name: (ROOT / name).read_bytes() for name in deploy.files()}


@pytest.mark.slow
def test_the_upload_brings_every_file_byte_for_byte_in_one_commit(hub, tmp_path):
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub.address,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HOME": str(tmp_path),
    }
    command = [sys.executable, "-m", "attnviz", "deploy", "space", "me/attnviz"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert hub.held == here()
    assert (
        hub.created.items()
        >= {"type": "space", "sdk": "gradio", "name": "attnviz", "organization": "me"}.items()
    )
    assert len(hub.summaries) == 1
    assert hub.tokens >= {"Bearer hf_secret"} and "hf_secret" not in done.stdout + done.stderr
    assert (
        done.stdout == f"{len(hub.held)} files, {sum(map(len, hub.held.values())) / 1e6:.1f} MB -> "
        f"{hub.address}/spaces/me/attnviz\n"
    )


def test_a_later_upload_sends_what_changed_and_deletes_what_is_ours_and_gone(hub):
    hub.created = {"name": "attnviz"}
    kept = {".gitattributes": b"*.safetensors filter=lfs", "packages.txt": b"git"}
    hub.held = {
        **here(),
        **kept,
        "attnviz/page.py": b"old",
        "attnviz/gone.py": b"",
        "models/gone/model.safetensors": b"0",
    }
    assert main(["deploy", "space", "me/attnviz"]) == 0
    assert hub.held == {**here(), **kept}
    assert not hub.large and len(hub.summaries) == 1


def test_nothing_to_change_is_no_commit(hub):
    hub.held, hub.created = here(), {"name": "attnviz"}
    assert main(["deploy", "space", "me/attnviz"]) == 0 and not hub.summaries


def test_a_dry_run_lists_the_files_and_asks_nobody(hub, monkeypatch, capsys):
    monkeypatch.delenv("HF_TOKEN")
    assert main(["deploy", "space", "me/attnviz", "--dry-run"]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    listed = {line.split()[1]: int(line.split()[0].replace(",", "")) for line in lines}
    assert listed == {name: len(content) for name, content in here().items()} and last.endswith(
        "MB -> me/attnviz"
    )
    assert not hub.asked


def test_the_page_without_a_server_goes_to_a_static_space(hub, tmp_path):
    kept = {".gitattributes": b"*.safetensors filter=lfs", "notes.md": b"mine"}
    hub.held = {**kept, "models/gone-0123.safetensors": b"0", "assets/attnviz-old.js": b"1"}
    hub.created = {"name": "attnviz"}
    assert main(["deploy", "site", "me/attnviz"]) == 0
    write_site(SitePlan(tuple(list_networks())), tmp_path / "page")
    files = {path for path in (tmp_path / "page").rglob("*") if path.is_file()}
    written = {path.relative_to(tmp_path / "page").as_posix(): path.read_bytes() for path in files}
    card = hub.held.pop("README.md").decode()
    assert hub.held == {**kept, **written} and hub.created["sdk"] == "static"
    (front,) = [yaml.safe_load(card.split("---")[1])]
    assert (front["sdk"], front["app_file"]) == ("static", "index.html")
    assert len(front["short_description"]) <= 60
    assert main(["deploy", "site", "me/attnviz", "--dry-run"]) == 0


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no checkout")
def test_the_list_is_what_git_tracks_of_the_project_but_for_what_is_left_out_on_purpose():
    tracked = set(
        subprocess.run(
            ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.split()
    )
    ours = {name for name in tracked if name.split("/")[0] in deploy.FOLDERS}
    ignored = subprocess.run(
        ["git", "check-ignore", *deploy.files()], cwd=ROOT, capture_output=True, text=True
    ).stdout
    assert not ignored
    assert ours - {*deploy.files()} == LEFT_OUT
    assert {name for name in deploy.files() if "/" not in name} == {*deploy.ROOT_FILES} <= tracked


@pytest.mark.parametrize(
    "space",
    ["attnviz", "me/attnviz/app", "https://huggingface.co/spaces/me/attnviz", "me/", "/attnviz", "me/a b"],
)
def test_a_name_that_is_none_is_refused_before_anything_is_asked(hub, space, capsys):
    for more in ([], ["--dry-run"]):
        assert main(["deploy", "space", space, *more]) == 1
        assert capsys.readouterr().err.startswith(
            f"attnviz: “{space}” can't be the name of a Space: give it as USER/NAME"
        )
    assert not hub.asked


def test_without_a_token_nothing_is_asked(hub, monkeypatch, capsys):
    monkeypatch.delenv("HF_TOKEN")
    assert main(["deploy", "space", "me/attnviz"]) == 1
    assert "not logged in" in capsys.readouterr().err and not hub.asked


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        ((401, "Invalid credentials"), "does not know this token"),
        (
            (402, "Subscribe to PRO to host a Space on this hardware."),
            "status 402: Subscribe to PRO to host a Space on this hardware.",
        ),
        ((403, "You have read access only."), "status 403: You have read access only."),
        ((500, "Internal error."), "status 500: Internal error."),
    ],
)
def test_what_the_hub_refuses_is_told_in_its_words(hub, refusal, said, capsys):
    hub.refusal = refusal
    assert main(["deploy", "space", "me/attnviz"]) == 1
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and "hf_secret" not in error and not hub.held


def test_a_hub_that_can_not_be_reached_is_named(hub, capsys):
    hub.shutdown()
    hub.server_close()
    assert main(["deploy", "space", "me/attnviz"]) == 1
    assert f"The upload to {hub.address} failed, check the connection" in capsys.readouterr().err


def test_an_installed_package_says_that_a_checkout_is_needed(hub, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(deploy, "ROOT", tmp_path)
    assert main(["deploy", "space", "me/attnviz"]) == 1
    assert (
        "There is no app.py beside this attnviz: to deploy it, get a checkout" in capsys.readouterr().err
        and not hub.asked
    )


@pytest.mark.parametrize(
    ("value", "installed", "marked"),
    [
        ("true", True, 1),
        ("1", True, 1),
        ("true", False, 0),
        ("false", True, 0),
        ("", True, 0),
        (None, True, 0),
    ],
)
def test_a_function_is_marked_for_the_gpu_only_on_zerogpu_and_with_its_package(
    monkeypatch, value, installed, marked
):
    spaces, functions = types.ModuleType("spaces"), []
    spaces.__spec__, spaces.GPU = types.SimpleNamespace(), functions.append
    monkeypatch.setitem(sys.modules, "spaces", spaces if installed else None)
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    if value is not None:
        monkeypatch.setenv("SPACES_ZERO_GPU", value)
    zerogpu.declare()
    assert len(functions) == marked


def test_the_card_has_what_cpu_and_zerogpu_spaces_ask_for():
    card = yaml.safe_load((ROOT / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    assert (card["sdk"], card["app_file"]) == ("gradio", "app.py") and (ROOT / card["app_file"]).is_file()
    assert card["python_version"] in ("3.12", "3.12.12", "3.10", "3.10.13")  # those of ZeroGPU
    assert len(card["short_description"]) <= 60
    needs = dict(
        re.match(r"([\w-]+)(.*)", line).groups()
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if not line.startswith("#")
    )
    assert (
        needs["gradio"]
        == f">={card['sdk_version'].rpartition('.')[0]},<{int(card['sdk_version'].split('.')[0]) + 1}"
    )
    assert (
        needs["torch"] == ">=2.8,<3" and "spaces" not in needs
    )  # ZeroGPU has 2.8 and later, and brings its own spaces
