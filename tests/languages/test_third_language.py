"""A language that is one file more in a copy of the package: all that names languages has it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
from helpers.checkout import ROOT

REPORT = """
import json
from attnviz.errors import PhotoError
from attnviz.languages.catalogue import LANGUAGES, catalogue
from attnviz.viewer.javascript import script, shared_constants

print(json.dumps({
    "languages": LANGUAGES,
    "preferred": catalogue().preferred("eo,en;q=0.5"),
    "switch on the page": list(shared_constants()["LANGUAGES"].values()),
    "error": PhotoError("photo_empty", name="a.png").sentence("eo"),
    "viewer": "malplena paĝo" in script(),
}))
"""


@pytest.mark.slow
def test_a_file_makes_a_language(tmp_path):
    shutil.copytree(ROOT / "attnviz", tmp_path / "attnviz", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("models", "assets"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    texts = {
        "name": "Esperanto",
        "page": {"heading": "malplena paĝo"},
        "errors": {"photo_empty": "“{name}” estas malplena."},
    }
    (tmp_path / "attnviz" / "languages" / "eo.json").write_text(json.dumps(texts), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-c", REPORT], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert json.loads(ran.stdout) == {
        "languages": ["en", "eo", "zh"],
        "preferred": "eo",
        "switch on the page": [
            {"name": "English", "tag": "en"},
            {"name": "Esperanto", "tag": "eo"},
            {"name": "中文", "tag": "zh-CN"},
        ],
        "error": "“a.png” estas malplena.",
        "viewer": True,
    }
