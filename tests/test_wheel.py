"""The wheel: what is installed works outside the checkout, and says under which licences it is."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.checkout import ROOT

import attnviz


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder in which the wheel of this checkout is installed, and nothing else."""
    tree, wheels, folder = (tmp_path_factory.mktemp("wheel") / name for name in ("tree", "wheels", "site"))
    left_out = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "tests")
    shutil.copytree(ROOT, tree, ignore=left_out)
    build = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(tree)]
    subprocess.run([sys.executable, *build], check=True, capture_output=True)
    (wheel,) = wheels.iterdir()
    install = ["-m", "pip", "install", "-q", "--no-deps", "--target", str(folder), str(wheel)]
    subprocess.run([sys.executable, *install], check=True)
    return folder


EVERYTHING = """
import importlib, pkgutil, attnviz
names = [module.name for module in pkgutil.walk_packages(attnviz.__path__, "attnviz.")]
for name in names:
    if name != "attnviz.__main__":
        importlib.import_module(name)
from attnviz.server import page
page.build()
print(page.EXAMPLES_FOLDER)
print(*names)
"""
COMMANDS_RUN = """
import sys
from attnviz.command.main import main
sys.exit(main(["networks"]) or main(["site", "page"]) or main(["show", *sys.argv[1:]]))
"""


@pytest.mark.slow
def test_an_installed_wheel_works_outside_the_checkout(site, tmp_path, examples):
    def run(code: str, *arguments: str | Path) -> str:
        outside = f"import sys; sys.path.insert(0, {str(site)!r})\n{code}"
        command = [sys.executable, "-I", "-c", outside, *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    (about,) = site.glob("attnviz-*.dist-info")
    said = (about / "METADATA").read_text(encoding="utf-8")
    assert "License-Expression: MIT AND BSD-3-Clause AND CC-BY-2.0 AND CC-BY-2.5 AND CC0-1.0\n" in said
    files = {path.name: path.read_text(encoding="utf-8") for path in (about / "licenses").rglob("*.*")}
    assert "CC BY 2.0" in files["SOURCES.md"] and "imagenet-labels.txt" in files["SOURCES.md"]

    *_, folder, names = run(EVERYTHING).splitlines()
    parts = [path.relative_to(ROOT).with_suffix("").parts for path in (ROOT / "attnviz").rglob("*.py")]
    modules = {".".join(part).removesuffix(".__init__") for part in parts}
    assert {*names.split(), "attnviz"} == modules
    assert (Path(folder) / "temple.jpg").is_file() and Path(folder).is_relative_to(site)

    printed = run(COMMANDS_RUN, examples / "cat.jpg", "--layer", "layer3.1", "--out", "out")
    listed = [line.split()[0] for line in printed.splitlines() if line.startswith("  ")]
    assert listed == [*attnviz.list_networks(), *attnviz.list_networks("imagenet")]
    assert len([*(tmp_path / "page" / "models").iterdir()]) == 4
    assert len([*(tmp_path / "page" / "assets").glob("*.usual")]) == 3  # of the networks with gates
    assert (tmp_path / "out" / "cat" / "layer3.1.map.png").stat().st_size > 10_000
