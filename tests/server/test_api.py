"""What programs ask of the server: the README's examples as they stand, the right numbers, a right
description, and nonsense refused."""

from __future__ import annotations

import itertools
import json
import re
from zipfile import ZipFile

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from helpers.checkout import ROOT
from helpers.json_values import JSON
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as any_of

import attnviz
from attnviz.server.api import Api

pytestmark = pytest.mark.slow

ADDRESSES = itertools.cycle(range(1, 255))
NAMES = ["list_networks", "list_layers", "explain", "layer_gates", "what_if", "bundle"]


@pytest.fixture(scope="module")
def program(running):
    return Client(running.url, verbose=False)


@pytest.fixture(scope="module")
def cat():
    return handle_file(str(ROOT / "assets" / "examples" / "cat.jpg"))


def test_the_readmes_examples_run_as_they_stand(running, monkeypatch, tmp_path, capsys):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"<!-- api example -->\n```python\n(.*?)```", readme, re.S)
    assert examples
    monkeypatch.chdir(ROOT / "assets" / "examples")
    for example in examples:
        assert "http://127.0.0.1:7860" in example
        exec(
            compile(
                example.replace("http://127.0.0.1:7860", running.url).replace("dog.jpg", "cat.jpg"),
                "README.md",
                "exec",
            ),
            {},
        )
    assert capsys.readouterr().out


def test_an_explanation_is_that_of_the_library(program, cat, cbam):
    trace = attnviz.trace(cbam, ROOT / "assets" / "examples" / "cat.jpg")
    answer = program.predict(photo=cat, network="cbam_resnet18", api_name="/explain")
    assert list(answer["probabilities"]) == [label for label, _ in trace.top(5)]
    assert [row["layer"] for row in answer["layers"]] == list(trace.layers) and answer["photo"] == "cat.jpg"
    gates = program.predict(photo=cat, layer="layer3.1", api_name="/layer_gates")
    np.testing.assert_allclose(gates["channel"], trace.layers["layer3.1"].channel, atol=1e-5)
    np.testing.assert_allclose(gates["spatial"], trace.layers["layer3.1"].spatial, atol=1e-5)
    mean = next(row["mean"] for row in answer["layers"] if row["layer"] == "layer3.1")
    assert abs(mean - np.mean(gates["channel"])) < 1e-6


def test_a_changed_network_says_what_the_librarys_does(program, cat, cbam):
    edits = {"layer3.1": ["usual", {"edit": "set", "channel": [[7, 0.0]]}], "layer4.0": "off"}
    expected = attnviz.intervene(
        cbam, ROOT / "assets" / "examples" / "cat.jpg", attnviz.edits_from_json(edits), view="whole"
    )
    answer = program.predict(photo=cat, edits=json.dumps(edits), layer="layer3.1", api_name="/what_if")
    assert answer["probabilities_before"] == pytest.approx(dict(expected.before.top(5)), abs=1e-5)
    assert answer["probabilities"] == pytest.approx(dict(expected.after.top(5)), abs=1e-4)
    assert answer["score_change"] == pytest.approx(expected.score_change, abs=1e-4)
    assert answer["answer_changed"] == expected.changed and "changed network" in answer["network"]
    assert answer["moved"] == pytest.approx(expected.moved, abs=1e-5)
    assert answer["gates"]["channel"][7] == 0


def test_networks_and_layers_are_listed(program):
    networks = program.predict(api_name="/list_networks")
    assert [row["name"] for row in networks][:4] == attnviz.list_networks() and all(
        row["ready"] for row in networks[:4]
    )
    layers = program.predict(network="bam_resnet18", api_name="/list_layers")
    assert [(row["layer"], row["kind"], row["channels"]) for row in layers] == [
        (f"bam{n}", "bam", 20 * 2**n) for n in (1, 2, 3)
    ]


def test_the_bundle_arrives(program, cat):
    with ZipFile(program.predict(photo=cat, layer="layer3.1", api_name="/bundle")) as bundle:
        assert {"layer3.1.overlay.png", "channels.csv", "manifest.json", "reproduce.py"} <= set(
            bundle.namelist()
        )


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"api_name": "/explain", "network": "../x"}, "no network of this name"),
        ({"api_name": "/explain", "network": 3}, "no network"),
        ({"api_name": "/layer_gates", "layer": "x"}, "no layer of this name"),
        ({"api_name": "/layer_gates", "layer": [1]}, "no layer"),
        ({"api_name": "/explain", "photo": "text"}, "no photo"),
        ({"api_name": "/bundle", "layer": "conv1"}, "no layer"),
        ({"api_name": "/what_if", "edits": "off"}, "no edit of a gate"),
        ({"api_name": "/what_if", "edits": "{}"}, "No gates are changed"),
        ({"api_name": "/what_if", "edits": '{"layer9": "off"}'}, "no layer"),
    ],
)
def test_a_wrong_argument_is_one_sentence(program, cat, asked, sentence):
    with pytest.raises(Exception, match=sentence):
        program.predict(**{"photo": cat, **asked})


def test_the_description_has_the_endpoints_their_arguments_and_nothing_of_the_page(running):
    described = httpx.get(f"{running.url}/gradio_api/openapi.json").json()
    calls = {
        path.split("/")[-1]: content["post"]
        for path, content in described["paths"].items()
        if "/call/v2/" in path
    }
    assert sorted(calls) == sorted(NAMES)
    for name, call in calls.items():
        content = (
            call.get("requestBody", {})
            .get("content", {})
            .get("application/json", {})
            .get("schema", {})
            .get("properties", {})
        )
        wanted = set(getattr(Api, name).__annotations__) - {"return", "request"}
        assert set(content) == wanted and call["summary"]
    info = httpx.get(f"{running.url}/gradio_api/info").json()
    assert (
        sorted(info["named_endpoints"]) == sorted(f"/{name}" for name in NAMES)
        and info["unnamed_endpoints"] == {}
    )
    returned = info["named_endpoints"]["/explain"]["returns"][0]["type"]
    assert {"network", "photo", "probabilities", "remarks", "layers"} <= set(returned["properties"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=any_of.lists(JSON, max_size=8), number=any_of.integers(-2, 40), event=JSON)
def test_a_direct_call_of_any_event_of_the_page_leaves_the_server_well(running, data, number, event):
    asked = {
        "data": data,
        "fn_index": number,
        "session_hash": f"made-up-{number}",
        "event_data": event,
        "trigger_id": 1,
    }
    # each from another address: one that is refused all the time has to wait
    comes_from = httpx.HTTPTransport(local_address=f"127.0.1.{next(ADDRESSES)}")
    with httpx.Client(base_url=running.url, timeout=30, transport=comes_from) as client:
        status = client.post("/gradio_api/queue/join", content=json.dumps(asked)).status_code
        assert status in (200, 400, 404, 422, 429, 500)
        asked = {"data": event, "component_id": number, "fn_name": "channel", "session_hash": "made-up"}
        status = client.post("/gradio_api/component_server", content=json.dumps(asked)).status_code
        assert status in (200, 400, 404, 422, 500)
        assert client.get("/healthz").json()["status"] == "ok"
