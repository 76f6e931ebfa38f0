"""The app as a component: what a browser may call, and what it is told."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

from attnviz.server.components import AttentionViewer
from attnviz.server.routes import SESSION


class Answers:
    async def channel(self, request, session):
        return {"asked": request, "session": session}

    async def secret(self, request, session):
        raise AssertionError


def test_a_browser_can_call_the_viewers_functions_by_name_and_no_others():
    answers = Answers()
    viewer = AttentionViewer([answers.channel])
    asked = SimpleNamespace(scope={SESSION: "secret"})
    answer = asyncio.run(viewer.channel("中", asked))
    assert json.loads(answer.body) == {"asked": "中", "session": "secret"}
    assert viewer.channel._is_server_fn
    assert viewer.get_config()["server_fns"] == ["channel"] and not hasattr(viewer, "secret")


def test_a_browser_sends_and_gets_no_value():
    viewer = AttentionViewer([])
    assert viewer.preprocess('{"a": 1}') is None and viewer.postprocess({"a": 1}) is None
