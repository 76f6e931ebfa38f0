"""A training plan in words: for a model card, and as the command that follows it."""

from __future__ import annotations

import shlex
from dataclasses import fields
from typing import Any

from .plan import TrainingPlan

# The fields of a plan that ``attnviz train`` takes; the others are as they are, and stand in the prose.
OPTIONS = (
    *("depth", "attention", "width", "reduction", "least_hidden", "bias", "padding", "penalty"),
    *("schedule", "batch", "seed"),
)


def in_words(plan: TrainingPlan) -> str:
    """The recipe as a sentence, without the end of it: “From scratch, seed 0: …”."""
    schedule = ", ".join(f"{count} epochs at {side} px" for side, count in plan.schedule)
    return (
        f"From scratch, seed {plan.seed}: {schedule}; SGD with Nesterov momentum {plan.momentum}, "
        f"one cycle of the learning rate up to {plan.learning_rate}, batches of {plan.batch}, "
        f"weight decay {plan.weight_decay} (none on the attention modules, biases and batch norms), "
        f"label smoothing {plan.label_smoothing}; random crops of {plan.least_area} to 1 of the area, "
        f"mirroring, brightness, contrast and saturation, CutMix on {plan.cutmix:.0%} of the batches "
        f"except in the last step; {_of_gates(plan)}exponential average of the weights ({plan.average_decay})"
    )


def _of_gates(plan: TrainingPlan) -> str:
    if plan.attention is None or not plan.penalty:
        return ""
    return f"{plan.penalty} · the mean square of its logits is added to the loss for every gate; "


def shape(plan: TrainingPlan) -> str:
    """What of the network's shape a plan says: “depth 18, width 40, reduction 8, …”."""
    parts = [f"depth {plan.depth}", f"width {plan.width}"]
    if plan.attention is not None:
        parts += [f"reduction {plan.reduction}", f"at least {plan.least_hidden} hidden units"]
    if plan.attention in ("se", "cbam"):
        parts.append("layers with bias" if plan.bias else "layers without bias")
    if plan.attention in ("cbam", "bam"):
        around = {"zeros": "zeros", "replicate": "the values at the edge"}[plan.padding]
        parts.append(f"spatial gates padded with {around}")
    return ", ".join(parts)


def command(plan: TrainingPlan, out: str) -> str:
    """``attnviz train`` for a folder ``out``, with the options that say something else than the default."""
    words = ["attnviz", "train", "DATA", out]
    for one in fields(plan):
        value = getattr(plan, one.name)
        if one.name in OPTIONS and value != one.default:
            words += _option(one.name.replace("_", "-"), value)
    return shlex.join(words)


def _option(name: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    if name == "schedule":
        return ["--schedule", ",".join(f"{side}:{epochs}" for side, epochs in value)]
    return [f"--{name}", str(value)]
