"""What is installed by CI and in the image is locked by hashes, and the locks are of what is asked for."""

from __future__ import annotations

import re
import warnings
from datetime import date, timedelta
from pathlib import Path

import pytest
from helpers.checkout import ROOT
from packaging.requirements import Requirement

OLD = timedelta(days=90)
LOCKS = {
    "requirements.lock": ["requirements.txt"],
    "tests/requirements.lock": ["requirements.txt", "tests/requirements.txt"],
    "sbom.lock": ["sbom.txt"],
}
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def requirements(path: Path) -> list[Requirement]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Requirement(line.rstrip("\\ ")) for line in lines if line[:1].isalpha()]


def version(requirement: Requirement) -> str:
    """The version that an entry of a lock has."""
    (only,) = requirement.specifier
    assert only.operator == "=="
    return only.version


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_what_is_asked_for_with_hashes_and_names_no_host(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text and "--index" not in text and "--find-links" not in text
    first, *lines = text.splitlines()
    assert re.fullmatch(r"# made \d{4}-\d\d-\d\d by \.ci/lock", first)
    for line, after in zip(lines, [*lines[1:], ""]):
        assert HASH.fullmatch(line) or (line[0].isalpha() and HASH.fullmatch(after)), line
    entries = [*requirements(ROOT / lock), *requirements(ROOT / "torch.lock")]
    for wanted in (item for source in LOCKS[lock] for item in requirements(ROOT / source)):
        locked = [entry for entry in entries if entry.name == wanted.name]
        assert locked and all(wanted.specifier.contains(version(entry)) for entry in locked), wanted


def test_the_tests_run_with_what_the_image_has():
    image, tested = (
        {(entry.name, version(entry)) for entry in requirements(ROOT / lock)}
        for lock in ("requirements.lock", "tests/requirements.lock")
    )
    assert image <= tested


def test_an_old_lock_is_told_and_stops_nothing():
    for lock in LOCKS:
        made = date.fromisoformat((ROOT / lock).read_text(encoding="utf-8").split()[2])
        if date.today() - made > OLD:
            warnings.warn(f"{lock} is of {made}: make it anew with .ci/lock", stacklevel=1)
