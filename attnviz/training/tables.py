"""What was measured, as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..networks.doubt import Doubt
from .evaluate import Measurement
from .gates import LayerGates, Share
from .goals import Goal
from .strangers import Trial, best

VIEW_WORDS = {"crop": "centre crop", "whole": "whole photo"}
LAYER_COLUMNS = (
    "layer",
    "mean gate",
    "saturated",
    "over channels",
    "over photos",
    "hidden all off",
    "map: range",
    "saturated",
    "explained",
    "follows",
)
STRANGER_COLUMNS = (
    "score",
    "threshold",
    "own kept",
    "strangers flagged",
    "AUROC",
    "AUROC, choosing half",
    "of all: kept",
    "flagged",
)
STRANGERS_LEGEND = (
    "An answer is doubtful whose score at temperature 1 is below the threshold: **probability**, the "
    "greatest of the softmax; **logit**, the greatest; **energy**, the logarithm of the sum of exponentials. "
    "Photos are listed by name: the first, third, … choose the threshold, which keeps 95 % of those of the "
    "classes, and the score, the probability unless another one's AUROC is greater by 0.01; the shares are "
    "of the others."
)
LEGEND = (
    "Gates lie between 0 and 1; BAM's is its joint gate, the factor − 1. **Mean gate**: over photos and "
    "channels. **Saturated**: share of the channel gates, or of the map's cells, within 0.05 of 0 or 1. "
    "**Over channels**: standard deviation over channels, mean over photos. **Over photos**: standard "
    "deviation over photos, mean over channels. **Hidden all off**: share of the photos on which no unit of "
    "the gate's hidden layer is on. **Map: range**: greatest minus least over positions, mean over photos. "
    "**Explained**: share of the map's variance over photos and cells that the mean map explains; near 1, it "
    "shows the position and not the photo. **Follows**: mean correlation with the network's own Grad-CAM "
    "of the same photo, minus that with those of other photos, ± the standard deviation of this difference "
    "if photos were paired at random."
)


def accuracy_table(measured: Mapping[str, Measurement]) -> str:
    """A Markdown table, one row a network."""
    rows = [f"| {name} | {result.top1:.2%} | {result.photos:,} |" for name, result in measured.items()]
    return _table(("network", "top-1", "photos"), rows)


def gates_table(layers: Iterable[LayerGates]) -> str:
    """A Markdown table, one row a layer."""
    return _table(LAYER_COLUMNS, (f"| {' | '.join(_cells(layer))} |" for layer in layers))


def goals_table(goals: Iterable[Goal]) -> str:
    """A Markdown table, one row a goal."""
    rows = (f"| {goal.words} | {goal.measured} | {'yes' if goal.met else 'no'} |" for goal in goals)
    return _table(("to reach", "measured", "reached"), rows)


def strangers_table(trials: Sequence[Trial]) -> str:
    """A Markdown table, one row a score; the best one is bold."""
    chosen = best(trials)
    return _table(STRANGER_COLUMNS, (_trial_row(trial, trial is chosen) for trial in trials))


def _trial_row(trial: Trial, is_chosen: bool) -> str:
    doubt = trial.doubt
    cells = (
        f"**{doubt.score}**" if is_chosen else doubt.score,
        f"{doubt.threshold:.4f}",
        f"{doubt.kept:.1%} of {doubt.photos:,}",
        f"{doubt.flagged:.1%} of {doubt.strangers:,}",
        f"{doubt.auroc:.3f}",
        f"{trial.chosen_by:.3f}",
        f"{trial.kept_of_all:.1%}",
        f"{trial.flagged_of_all:.1%}",
    )
    return f"| {' | '.join(cells)} |"


def doubts_table(doubts: Mapping[str, Doubt]) -> str:
    """A Markdown table of what a card says of strangers, one row a view."""
    columns = ("view", "score", "threshold", "own kept", "strangers flagged", "AUROC")
    rows = (
        f"| {VIEW_WORDS[view]} | {doubt.score} | {doubt.threshold:.4f} "
        f"| {doubt.kept:.1%} of {doubt.photos:,} "
        f"| {doubt.flagged:.1%} of {doubt.strangers:,} | {doubt.auroc:.3f} |"
        for view, doubt in sorted(doubts.items())
    )
    return _table(columns, rows)


def _table(columns: Sequence[str], rows: Iterable[str]) -> str:
    return "\n".join([f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *rows])


def _cells(layer: LayerGates) -> list[str]:
    follows = layer.map_following
    return [
        layer.layer,
        _decimal(layer.mean),
        _percent(layer.saturated),
        _decimal(layer.across_channels),
        _decimal(layer.across_photos),
        _percent(layer.all_off),
        _decimal(layer.map_range),
        _percent(layer.map_saturated),
        _decimal(layer.map_explained),
        "–" if follows is None else f"{_signed(follows.difference)} ± {follows.chance:.2f}",
    ]


def _decimal(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _percent(share: Share) -> str:
    return f"{share.value:.1%}" if share.whole else "–"
