from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from helpers.checkout import ROOT

from attnviz import deploy

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="Spaces run on Linux"),
]
open_address = build_opener(ProxyHandler({})).open  # this machine's own are asked for without a proxy

# What Gradio, on a Space, takes from the package ``spaces`` that the platform installs, and what ZeroGPU
# counts.
SPACES = {
    "spaces/__init__.py": """
import sys
if "gradio" in sys.modules and not hasattr(sys.modules["gradio"], "Blocks"):
    raise ImportError   # as the real one: Gradio itself is to go without
def GPU(function):
    print("marked for the GPU:", function.__name__, flush=True)
    return function
""",
    "spaces/reloading.py": "def start_reload_server(prerun, postrun, stop_event):\n    stop_event.wait()\n",
    "spaces-0.51.3.dist-info/METADATA": "Metadata-Version: 2.1\nName: spaces\nVersion: 0.51.3\n",
}


@pytest.fixture(scope="module")
def checkout() -> Iterator[Path]:
    """What is uploaded to a Space and nothing else, readable for all and writable for none."""
    folder = Path(tempfile.mkdtemp(prefix="attnviz-space-"))  # pytest's own folders are closed to other users
    for name in deploy.files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield folder
    for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """The only folder besides /tmp that a Space's user can write to; beside the checkout, its Python finds
    what is installed in here."""
    folder = Path(tempfile.mkdtemp(prefix="attnviz-home-"))
    folder.chmod(0o777)
    for name, text in SPACES.items():
        (folder / "installed" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "installed" / name).write_text(text)
    yield folder
    shutil.rmtree(folder)


def powerless() -> list[str]:
    """How a command line begins that runs as a Space's user, 1000, or at least without the powers of root."""
    if os.geteuid() != 0:
        return []
    dropped = [
        "setpriv",
        "--inh-caps=-all",
        "--bounding-set=-all",
    ]  # root without them minds the permissions of files
    other = [*dropped, "--reuid=1000", "--regid=1000", "--clear-groups"]
    code = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', 'import numpy']))"
    if subprocess.run([*other, sys.executable, "-c", code], capture_output=True).returncode == 0:
        return other
    warnings.warn(
        "only root can read this Python: the Space runs as root without capabilities, not as another user",
        stacklevel=2,
    )
    return dropped


@pytest.fixture(scope="module")
def space(checkout: Path, home: Path) -> Iterator[tuple[subprocess.Popen, str]]:
    """The process that a Space starts, and the address of its page, which answers; at last the platform stops
    it, and it ends well."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LD_LIBRARY_PATH")}
    environment = {
        **kept,
        "HOME": str(home),
        "PYTHONPATH": str(home / "installed"),
        "SYSTEM": "spaces",
        "SPACES_ZERO_GPU": "true",
        "SPACE_ID": "me/attnviz",
        "SPACE_HOST": "me-attnviz.hf.space",
        "SPACE_AUTHOR_NAME": "me",
        "CPU_CORES": "2",
        "MEMORY": "16Gi",
        "GRADIO_SSR_MODE": "True",
        "GRADIO_CACHE_EXAMPLES": "true",
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_SERVER_PORT": str(port),
        "HTTPS_PROXY": "http://127.0.0.1:9",  # where nothing answers: a Space without a connection
    }
    log = (home / "log").open("w+")
    process = subprocess.Popen(
        [*powerless(), sys.executable, "app.py"], cwd=checkout, env=environment, stdout=log, stderr=log
    )
    address, until = f"http://127.0.0.1:{port}", time.monotonic() + 150
    try:
        while process.poll() is None:
            try:
                open_address(address, timeout=5).close()
                break
            except (URLError, ConnectionError):
                assert time.monotonic() < until, (home / "log").read_text()
                time.sleep(0.1)
        assert process.poll() is None, (home / "log").read_text()
        yield process, address
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=15) == 0, (home / "log").read_text()
        assert "Traceback" not in (home / "log").read_text(), (home / "log").read_text()
    finally:
        process.kill()
        process.wait()
        log.close()


def ask(address: str, body: object = None) -> object:
    request = Request(
        address, json.dumps(body).encode() if body else None, {"Content-Type": "application/json"}
    )
    with open_address(request, timeout=30) as answer:
        assert answer.status == 200
        return json.load(answer)


def test_the_page_answers_and_is_well(space):
    _, address = space
    with open_address(address, timeout=30) as answer:
        assert answer.status == 200 and "attnviz" in answer.read().decode()
    assert ask(f"{address}/config")["title"] == "attnviz"
    health = ask(f"{address}/healthz")
    assert health["status"] == "ok" and health["first"] == "cbam_resnet18"  # ImageNet's can't be fetched


def test_one_function_is_marked_for_the_gpu_before_the_page_answers(space, home):
    assert (home / "log").read_text().count("marked for the GPU:") == 1


def test_a_photo_is_analysed_when_the_page_opens(space):
    _, address = space
    config = ask(f"{address}/config")
    viewer = next(one["id"] for one in config["components"] if one["type"] == "html")
    asked = {
        "data": {"language": "en"},
        "component_id": viewer,
        "fn_name": "start",
        "session_hash": "space",
    }
    answer = ask(f"{address}/gradio_api/component_server", asked)
    assert len(answer["capture"]["layers"]) == 8


def test_the_checkout_is_left_as_it_was_and_nothing_could_be_written_there(space, checkout):
    process, _ = space
    assert {path.relative_to(checkout).as_posix() for path in checkout.rglob("*") if path.is_file()} == {
        *deploy.files()
    }
    status = dict(
        line.split(":\t", 1)
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
        if ":\t" in line
    )
    assert int(status["CapEff"], 16) == 0
