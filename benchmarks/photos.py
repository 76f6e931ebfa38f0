"""What does each awkward file cost? ``python benchmarks/photos.py FOLDER`` opens every picture in a process
of its own and prints a Markdown table of the slowest and the largest: seconds, and megabytes above the idle
process at the peak.

With a ``manifest.json`` in FOLDER (files in FOLDER/files) each is held against what it says: what must
happen, and the limits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

ONE = """
import json, sys, time
from attnviz import PhotoError, open_photo
def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) / 1000
open_photo(sys.argv[1])
before, began = peak(), time.perf_counter()
try:
    open_photo(sys.argv[2])
    outcome = "opens"
except PhotoError:
    outcome = "clear_error"
print(json.dumps([outcome, time.perf_counter() - began, peak() - before]))
"""


def cost(path: Path) -> tuple[str, float, float]:
    """What happened ("opens" or "clear_error"), seconds, and megabytes at the peak above what an opened
    example leaves."""
    example = ROOT / "assets" / "examples" / "flower.jpg"
    run = subprocess.run(
        [sys.executable, "-c", ONE, str(example), str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return tuple(json.loads(run.stdout)) if run.returncode == 0 else ("crash", 0.0, 0.0)


def main() -> None:
    folder = Path(sys.argv[1])
    manifest = folder / "manifest.json"
    if manifest.is_file():
        entries = json.loads(manifest.read_text(encoding="utf-8"))["files"]
        files = {folder / "files" / entry["file"]: entry for entry in entries}
    else:
        files = {path: {} for path in sorted(folder.iterdir()) if path.is_file()}
    rows, kept = [], 0
    for path, entry in files.items():
        outcome, seconds, megabytes = cost(path)
        expected = entry.get("expect", "either")
        good = outcome != "crash" and expected in ("either", outcome)
        good = (
            good and seconds <= entry.get("max_seconds", 10) and megabytes <= entry.get("max_extra_mb", 300)
        )
        kept += good
        rows.append((megabytes, seconds, path.name, outcome, good))
    print(f"{kept} of {len(rows)} files do what they must, within their limits.\n")
    print("| file | outcome | seconds | extra MB |\n|---|---|---|---|")
    for megabytes, seconds, name, outcome, good in sorted(rows, reverse=True)[:12]:
        print(f"| {name} | {outcome}{'' if good else ' (WRONG)'} | {seconds:.2f} | {megabytes:.0f} |")


if __name__ == "__main__":
    main()
