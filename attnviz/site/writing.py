"""Writes a page without a server."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..errors import AttnvizError
from .content import SitePlan, site_content
from .page import OFFLINE, folder_files, one_file

OURS = ("assets", "models", "examples", "index.html", OFFLINE)  # what a folder of ours has


def write_site(plan: SitePlan, out: Path) -> int:
    """Write a page: one file if ``out`` ends in ``.html``, else a folder, whose page of before is replaced.
    Gives back its bytes. Raises NetworkError, PhotoError, and AttnvizError for a folder of other things."""
    if out.suffix.lower() in (".html", ".htm"):
        text = one_file(site_content(plan)).encode()
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(text)
        return len(text)
    _check(out)
    files = folder_files(site_content(plan))
    _clear(out)
    for path, content in files.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(content)
    return sum(map(len, files.values()))


def _check(out: Path) -> None:
    """Raise AttnvizError for a folder in which there is something else than a page of ours, beside hidden
    files, those of version control, say."""
    if not out.exists():
        return
    there = {path.name for path in out.iterdir() if not path.name.startswith(".")}
    if there and not (OFFLINE in there and there <= {*OURS}):
        raise AttnvizError("site_folder_taken", name=out.name)


def _clear(out: Path) -> None:
    for name in OURS:
        path = out / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
