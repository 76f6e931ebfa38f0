"""What does each awkward file cost? ``python benchmarks/photos.py FOLDER`` opens every picture in a process
of its own and prints a Markdown table of the slowest and the largest: seconds, and megabytes above the idle
process at the peak.

With a ``manifest.json`` in FOLDER (files in FOLDER/files) each is held against what it says: what must
happen, and the limits."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).parent.parent))

from helpers.forked_costs import PHOTOS, Cost, costs


def outcome_of(cost: Cost) -> str:
    """ "opens", "clear_error" or "crash"."""
    if cost.outcome == "crash":
        return "crash"
    return "clear_error" if cost.outcome.endswith(".") else "opens"


def main() -> None:
    folder = Path(sys.argv[1])
    manifest = folder / "manifest.json"
    if manifest.is_file():
        entries = json.loads(manifest.read_text(encoding="utf-8"))["files"]
        files = {folder / "files" / entry["file"]: entry for entry in entries}
    else:
        files = {path: {} for path in sorted(folder.iterdir()) if path.is_file()}
    rows, good_count = [], 0
    for (path, entry), cost in zip(files.items(), costs(list(files), PHOTOS), strict=True):
        outcome, expected = outcome_of(cost), entry.get("expect", "either")
        is_good = (
            outcome != "crash"
            and expected in ("either", outcome)
            and cost.seconds <= entry.get("max_seconds", 10)
            and cost.megabytes <= entry.get("max_extra_mb", 300)
        )
        good_count += is_good
        rows.append((cost.megabytes, cost.seconds, path.name, outcome, is_good))
    print(f"{good_count} of {len(rows)} files do what they must, within their limits.\n")
    print("| file | outcome | seconds | extra MB |\n|---|---|---|---|")
    for megabytes, seconds, name, outcome, is_good in sorted(rows, reverse=True)[:12]:
        print(f"| {name} | {outcome}{'' if is_good else ' (WRONG)'} | {seconds:.2f} | {megabytes:.0f} |")


if __name__ == "__main__":
    main()
