"""What the tree promises: rooms in rows that import one way, and importing anything starts nothing."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.checkout import ROOT

PACKAGE = ROOT / "attnviz"

# Each room may import the rows above its own; rooms of one row don't import each other.
ROWS = (
    {"_version", "_paths", "csv_table", "processors", "naming", "regular_files", "plain_text", "choices"},
    {"languages"},
    {"errors"},
    {"child_processes"},
    {"photos", "deploy"},
    {"networks"},
    {"checkpoints", "capture"},
    {"zoo", "analysis", "mechanisms"},
    {"training", "drawing"},
    {"interventions"},
    {"viewer", "export"},
    {"server", "site", ""},  # the package itself, which gives the public names
    {"command"},
    {"__main__"},
)
SCRIPT = PACKAGE / "export" / "reproduce.py"  # written into bundles; runs where attnviz is installed
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != SCRIPT)
ROW = {room: number for number, row in enumerate(ROWS) for room in row}


def room_of(path: Path) -> str:
    """The folder that a file stands in, or the file that stands alone; "" for the package's own file."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py").replace("__init__", "")


def imports(path: Path) -> list[str]:
    """The modules of this package that a file imports anywhere in it, as paths from the package."""
    here = ["attnviz", *path.relative_to(PACKAGE).parts[:-1]]
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            source = [*base, *(node.module or "").split(".")] if node.module else base
            named = [".".join([*source, alias.name]) for alias in node.names]
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func).rsplit(".", 1)[-1]
            if called not in ("import_module", "__import__", "find_spec"):
                continue
            # what is imported by a name that is computed must not be ours: it has to come as a plain name
            text = node.args[0].value if isinstance(node.args[0], ast.Constant) else ""
            assert not text.startswith(".") and len(node.args) == 1, (
                f"{path.name} hides an import from this test"
            )
            named = [text]
        else:
            continue
        found += [
            name.removeprefix("attnviz").removeprefix(".")
            for name in named
            if name.split(".")[0] == "attnviz"
        ]
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_rooms_import_one_way(path):
    room = room_of(path)
    assert room in ROW, f"{room} has no place among the rooms"
    for name in imports(path):
        other = name.split(".")[0]
        other = other if other in ROW else ""  # a public name, from the package itself
        if other != room:
            assert ROW[other] < ROW[room], (
                f"{path.relative_to(PACKAGE)} imports {name}, which stands behind it"
            )


def test_the_script_of_a_bundle_imports_public_names_only_and_is_imported_by_nothing():
    assert set(imports(SCRIPT)) == {""}
    assert not [
        path for path in MODULES if any(name.startswith("export.reproduce") for name in imports(path))
    ]


def test_the_import_test_sees_every_way_to_import(tmp_path):
    tree = PACKAGE / "capture" / "unwritten.py"
    ways = {
        "import attnviz.server.page": ["server.page"],
        "def f():\n    from ..server import page": ["server.page"],
        "from .. import server": ["server"],
        "from ..server.page import build": ["server.page.build"],
        "from importlib import import_module\nimport_module('attnviz.server')": ["server"],
    }
    for text, expected in ways.items():
        assert imports(_Text(tree, text)) == expected
    for hidden in ("import_module('.server', __package__)", "__import__('server', globals(), None, [], 2)"):
        with pytest.raises(AssertionError):
            imports(_Text(tree, hidden))


class _Text(type(Path())):
    """A file of the package that is not written."""

    def __new__(cls, path: Path, text: str):
        return super().__new__(cls, path)

    def __init__(self, path: Path, text: str) -> None:
        if sys.version_info >= (3, 12):
            super().__init__(path)
        self._content = text

    def read_text(self, *_, **__) -> str:
        return self._content


@pytest.mark.parametrize("room", sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py")))
def test_every_room_says_what_belongs_in_it_and_what_does_not(room):
    text = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text(encoding="utf-8")))
    assert "Here:" in text and "Not here:" in text


def test_every_room_is_in_the_wheel():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    named = set(re.findall(r'"attnviz\.(\w+)"', re.search(r"\npackages = \[(.*?)\n\]", text, re.S)[1]))
    assert named == {path.parent.name for path in PACKAGE.glob("*/__init__.py")} | {"models", "assets"}


@pytest.mark.slow
def test_importing_attnviz_imports_neither_gradio_nor_matplotlib_and_drawing_no_pyplot():
    code = """import sys, attnviz
print({'gradio', 'matplotlib', 'torchvision'} & set(sys.modules))
import attnviz.export.bundle
print({'gradio', 'matplotlib.pyplot', 'matplotlib.figure'} & set(sys.modules))"""
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\nset()\n"


@pytest.mark.slow
def test_the_page_is_built_before_any_network_and_its_library_is_loaded(tmp_path):
    code = """import sys
from attnviz.server.page import build
from attnviz.server.service import make_service
service = make_service()
build(service)
print(service.catalog.open_names(), *{'timm', 'torchvision'} & set(sys.modules))"""
    own = {"TORCH_HOME": str(tmp_path), "HF_HOME": str(tmp_path), "HOME": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "[]\n"


def test_hooks_are_registered_in_one_file():
    users = [
        path.name for path in PACKAGE.rglob("*.py") if "register_forward" in path.read_text(encoding="utf-8")
    ]
    assert users == ["hooks.py"]


def test_models_holds_no_python():
    assert not list((ROOT / "models").rglob("*.py"))


def test_the_package_and_its_extra_ask_for_what_the_requirements_name():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    asked = (
        re.search(r"\ndependencies = \[(.*?)\n\]", text, re.S)[1]
        + re.search(r"\nzoo = \[(.*?)\]\n", text, re.S)[1]
    )
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert re.findall(r'"([^"]+)"', asked) == [line for line in lines if not line.startswith("#")]


def test_the_files_that_the_security_notes_name_are_there():
    notes = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    names = set(re.findall(r"`([\w/]+\.py)`", notes)) - {"app.py"}
    files = {path.name for folder in ("attnviz", "tests") for path in (ROOT / folder).rglob("*.py")}
    assert len(names) > 10
    assert [name for name in names if name not in files and not (ROOT / name).is_file()] == []
