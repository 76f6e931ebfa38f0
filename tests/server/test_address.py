from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest
from helpers.checkout import ROOT

from attnviz.errors import SettingsError
from attnviz.server.address import check_address, without_proxies


@pytest.fixture
def taken():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_taken_port_is_told_with_what_to_set(taken):
    with pytest.raises(SettingsError, match=f"Port {taken} .* --port or ATTNVIZ_PORT"):
        check_address("127.0.0.1", taken)


def test_a_free_port_is_left_free(taken):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        free = other.getsockname()[1]
    check_address("127.0.0.1", free)
    check_address("127.0.0.1", free)


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid", "300.1.1.1"])
def test_an_address_of_another_machine_is_told(host):
    with pytest.raises(SettingsError, match=f"no address “{host}”"):
        check_address(host, 7860)


def test_proxies_are_gone_meanwhile_and_back_after_a_failure(monkeypatch):
    for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(OSError), without_proxies():
        assert not [name for name in os.environ if name.lower().endswith("_proxy") and name != "no_proxy"]
        raise OSError
    assert os.environ["http_proxy"] == os.environ["HTTPS_PROXY"] == os.environ["ALL_PROXY"]


@pytest.mark.slow
def test_the_command_says_that_a_port_is_taken(taken):
    command = [sys.executable, "-m", "attnviz", "app", "--port", str(taken)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert run.returncode == 1 and f"Port {taken} is taken" in run.stderr and "Traceback" not in run.stderr


@pytest.mark.slow
@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks5://127.0.0.1:9"])
def test_the_page_is_served_where_a_proxy_is_set(proxy):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "ALL_PROXY"), proxy)
    command = [sys.executable, "-m", "attnviz", "app", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **proxies}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as run:
        lines = [run.stdout.readline().decode()]
        while lines[-1] and "Running on" not in lines[-1]:
            lines.append(run.stdout.readline().decode())
        address = lines[-1]
        run.terminate()
        lines.append(run.stdout.read().decode())
    assert str(port) in address and run.returncode == 0, "".join(lines)
