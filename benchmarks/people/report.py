"""What came of a case, as Markdown."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass

from .bare_passes import BarePasses
from .classroom import Class
from .hostile import QUIET
from .notes import AGAIN, FIRST, NEW, OPENED, OTHER, OUTCOMES, PASSES, Notes, percentile
from .server import CORES, Server

Row = tuple[str, str, str]  # what, to reach, reached


def table(notes: Notes, idle: Notes) -> str:
    """All kinds of request of a part, and how each ended; milliseconds."""
    rows = [
        f"\n{notes.title}:\n",
        f"| request | {' | '.join(OUTCOMES)} | p50, ms | p95 | p99 | alone, p50 |",
        "|---|" + "---|" * 8,
    ]
    for kind in dict.fromkeys(entry.kind for entry in notes.entries):
        rows += _rows_of_kind(notes, kind, idle)
    rows += [f"\n{count} {outcome}: “{sentence}”" for (outcome, sentence), count in notes.said.most_common()]
    return "\n".join(rows)


def _rows_of_kind(notes: Notes, kind: str, idle: Notes) -> list[str]:
    took = [1000 * entry.seconds for entry in notes.of(kind)]
    shares = [f"{percentile(took, share):.0f}".replace("nan", "") for share in (0.5, 0.95, 0.99)]
    counts = [str(len(notes.of(kind, outcome))) for outcome in OUTCOMES]
    alone = f"{1000 * idle.median(kind):.0f}".replace("nan", "")
    rows = [f"| {kind} | {' | '.join(counts)} | {' | '.join(shares)} | {alone} |"]
    refused = [1000 * entry.seconds for entry in notes.of(kind, "refused")]
    if refused:
        middle, most = statistics.median(refused), max(refused)
        rows.append(f"| … until refused | | | | | {middle:.0f} | | {most:.0f} (most) | |")
    return rows


@dataclass(frozen=True, eq=False)
class Measured:
    """A case that ran: its server, its class, the notes of its main part and of an idle server, the bare
    passes beside it, and what was spent on it."""

    server: Server
    everybody: Class
    notes: Notes
    idle: Notes
    bare: BarePasses
    spent: dict[str, float]

    def report(self) -> str:
        """What was asked for, what was reached, and what it took."""
        rows = [
            self._bad(),
            self._share_of_bare_passes(),
            self._wait(),
            self._known_channel(),
            ("Jain's index of fairness", "≥ 0.95", f"{self.notes.fairness():.3f}"),
            *self._beside_the_hostile_one(),
            self._memory(),
            self._files(),
            *self._processors(),
            ("warnings and errors in its log", "0", str(len(self.server.lines("trouble")))),
            ("load average", "", " ".join(f"{load:.1f}" for load in os.getloadavg())),
        ]
        lines = ["\n| | to reach | reached |\n|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
        return "\n".join([*lines, *self._bare_passes()])

    def _bad(self) -> Row:
        entries = [entry for notes in self.everybody.parts for entry in notes.entries]
        bad = sum(entry.outcome in ("lost", "wrong") for entry in entries)
        return "requests lost or wrong", "0", f"{bad} of {len(entries):,}"

    def _share_of_bare_passes(self) -> Row:
        shares, answered, fastest = [], 0, self.bare.fastest()
        for turn, (began, until) in enumerate(self._rounds()):
            passes = [entry.ended for kind in PASSES for entry in self.notes.of(kind)]
            count = sum(began <= ended <= until for ended in passes)
            beside = fastest[turn : turn + 2] if len(fastest) > len(self.notes.rounds) else fastest
            shares.append(count / (until - began) / statistics.mean(beside))
            answered += count
        each = ", ".join(f"{share:.0%}" for share in shares)
        reached = f"{statistics.median(shares):.0%} ({each}); {answered} passes"
        return "passes answered, of the bare passes possible in that time", "≥ 80 %", reached

    def _rounds(self) -> list[tuple[float, float]]:
        last = max(entry.ended for entry in self.notes.entries)
        return [(began, min(until, last)) for began, until in self.notes.rounds]

    def _wait(self) -> Row:
        new = self.notes.of(NEW)
        one = min(each for found in self.bare.rates for _, _, each in found.values())
        by_people = percentile([entry.seconds / one / entry.waiting for entry in new], 0.5)
        by_rank = percentile([entry.seconds / one / ((entry.rank or 0) + 1) for entry in new], 0.5)
        waiting = percentile([entry.waiting for entry in new], 0.5)
        reached = f"{by_people:.2f}; by the rank told {by_rank:.2f}; people waiting {waiting:.0f}"
        return "a new photo's wait ÷ (people waiting × one bare pass), median", "≤ 1.5", reached

    def _known_channel(self) -> Row:
        ratio = self.notes.median(AGAIN) / self.idle.median(AGAIN)
        return "a channel of a known layer, median ÷ alone", "1", f"{ratio:.2f}"

    def _beside_the_hostile_one(self) -> list[Row]:
        """The others' times with the hostile visitor, by those without."""
        quiet = next((notes for notes in self.everybody.parts if notes.title == QUIET), None)
        if quiet is None:
            return []

        def ratios(seconds: Callable[[Notes, str], float]) -> str:
            kinds = (OPENED, NEW, OTHER, FIRST, AGAIN)
            return ", ".join(
                f"{kind} {seconds(self.notes, kind) / seconds(quiet, kind):.2f}" for kind in kinds
            )

        return [
            ("p95 beside the hostile visitor ÷ without", "≤ 1.5", ratios(Notes.late)),
            ("the same of the medians", "", ratios(Notes.median)),
        ]

    def _memory(self) -> Row:
        samples = self.server.samples
        first, last = samples[0], samples[-1]
        reached = f"{first:,}, {max(samples):,}, {last:,} ({last / first - 1:+.0%})"
        return "memory, MB: at the start, most, after everyone left", "< 4,000; ± 20 %", reached

    def _files(self) -> Row:
        reached = f"{self.spent['files']:.0f}, {self.server.files()}"
        return "files in the folder of uploads, at the end and after", "", reached

    def _processors(self) -> list[Row]:
        spent, logged = self.spent, self._logged_passes()
        ran, line = (
            statistics.median([said[name] for said in logged] or [0]) for name in ("ms", "waited_ms")
        )
        each = 1000 * spent["server"] / max(1, len(logged))
        least = 1000 * min(cpu for found in self.bare.rates for _, cpu, _ in found.values())
        return [
            (
                f"processors used, of {CORES}: server; visitors",
                "",
                f"{spent['server'] / spent['wall']:.2f}; {spent['client'] / spent['wall']:.2f}",
            ),
            (
                "passes in the server's log, ms each, ms in line (medians)",
                "",
                f"{len(logged)}, {ran:.1f}, {line:.1f}",
            ),
            (
                "CPU ms of the server for each pass in its log; of one bare pass, at least",
                "",
                f"{each:.0f}; {least:.0f}",
            ),
        ]

    def _logged_passes(self) -> list[dict[str, float]]:
        before = int(self.spent["passes before"])
        return self.server.lines("pass")[before : before + int(self.spent["passes"])]

    def _bare_passes(self) -> list[str]:
        lines = [
            "\n| bare passes | a second, at each measurement | CPU ms each | ms each |\n|---|---|---|---|"
        ]
        for processes, threads in self.bare.rates[0]:
            rate, cpu, each = zip(*(found[processes, threads] for found in self.bare.rates))
            columns = [
                " ".join(f"{scale * value:.{digits}f}" for value in values)
                for values, scale, digits in ((rate, 1, 1), (cpu, 1000, 0), (each, 1000, 0))
            ]
            lines.append(f"| {processes} × {threads} threads | {' | '.join(columns)} |")
        return lines
