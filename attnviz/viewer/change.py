"""What was changed of a network's gates, and what of the answer and the layers changed by it, as plain values
for the browser."""

from __future__ import annotations

import math
from typing import Any

from ..capture.trace import Trace
from ..interventions.answer import answer
from ..interventions.intervention import moved


def change(after: Trace, before: Trace | None) -> dict[str, Any]:
    """``edits`` by layer; and against the trace ``before``, where it is given: ``before``, its most probable
    classes; ``sharesBefore``, what those that are the most probable now were before; whether the answer is
    another (``isOther``); by how much the score of the class before is now more (``scoreChange``; None where
    that is not known); and ``moved``, for each layer the mean size of the change of its factor."""
    edits = after.edits["layers"]
    if before is None:
        return {"edits": edits}
    said, shares = answer(before, after.logits), dict(before.top(len(before.labels)))
    return {
        "edits": edits,
        "before": [[label, probability] for label, probability in before.top(5)],
        "sharesBefore": [shares.get(label) for label, _ in after.top(5)],
        "isOther": said.changed,
        "scoreChange": said.score_change if math.isfinite(said.score_change) else None,
        "moved": {name: size if math.isfinite(size) else None for name, size in moved(before, after).items()},
    }
