"""What the tree promises: imports point one way along the line, and importing anything starts nothing."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys

import pytest
from conftest import ROOT

LINE = [   # each may import what stands before it
    "errors", "messages", "settings", "turns", "images", "geometry", "networks.attention", "networks.resnet", "networks.card",
    "networks", "layers", "taps", "recognition", "hooks", "discovery", "capture", "fast", "recording", "analysis", "allowed",
    "pickles", "containers", "checkpoints", "layouts", "downloads", "sources", "imagenet", "zoo", "paper", "drawing", "panels",
    "bars", "render", "steps", "channel", "pair", "words", "script", "export", "uploads", "shelf", "picker", "viewer",
    "viewer.packing", "viewer.assets", "viewer.standalone", "viewer.attention", "viewer.inputs", "screen", "questions", "api", "page",
    "logs", "still", "guard", "zerogpu", "serving", "deploy", "cli", "__main__",
]
PROGRAMS = ["networks.folder", "networks.evaluate", "networks.publish", "networks.train"]   # stand behind the library, like the page


def module_of(path) -> str:
    parts = path.relative_to(ROOT / "attnviz").with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imported(path) -> set[str]:
    here = ["attnviz", *path.relative_to(ROOT / "attnviz").parts[:-1]]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", None)]
        assert not any((name or "").startswith("attnviz") for name in names if not getattr(node, "level", 0)), "import relatively"
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - node.level + 1]
            if node.module:
                found.add(".".join([*base, node.module][1:]))
            else:
                found.update(".".join([*base, alias.name][1:]) for alias in node.names)
    return found - {"__version__", ""}


@pytest.mark.parametrize("path", sorted((ROOT / "attnviz").rglob("*.py")), ids=module_of)
def test_imports_point_one_way(path):
    module = module_of(path)
    if not module:
        return
    order = [*LINE[: LINE.index("page")], *PROGRAMS, *LINE[LINE.index("page") :]]
    assert module in order, f"{module} has no place on the line"
    for other in imported(path):
        assert order.index(other) < order.index(module), f"{module} imports {other}, which stands behind it"


def test_importing_attnviz_imports_neither_gradio_nor_matplotlib():
    code = "import sys, attnviz; sys.exit(bool({'gradio', 'matplotlib', 'torchvision'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_page_is_built_before_any_network_and_its_library_is_loaded(tmp_path):
    code = """import sys
from attnviz import page, picker
page.build()
print(picker.shelf.names(), *{'timm', 'torchvision'} & set(sys.modules))"""
    own = {"TORCH_HOME": str(tmp_path), "HF_HOME": str(tmp_path), "HOME": str(tmp_path)}   # where nothing was downloaded
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **own}, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_hooks_are_registered_in_one_file():
    users = [path.name for path in (ROOT / "attnviz").rglob("*.py") if "register_forward" in path.read_text(encoding="utf-8")]
    assert users == ["hooks.py"]


def test_models_holds_no_python():
    assert not list((ROOT / "models").rglob("*.py"))


def test_the_package_and_its_extra_ask_for_what_the_requirements_name():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    named = re.search(r"\ndependencies = \[(.*?)\n\]", text, re.S)[1] + re.search(r"\nzoo = \[(.*?)\]\n", text, re.S)[1]
    assert re.findall(r'"([^"]+)"', named) == (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
