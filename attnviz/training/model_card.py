"""A trained network as a folder in Hugging Face model-repo layout: weights, config.json, and a model card
with what was measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from textwrap import fill

from torch import nn

from ..networks.card import Card
from ..networks.doubt import Doubt
from ..zoo.registry import folder_of, load, read_card, save_card, save_folder
from .evaluate import Measurement, measure
from .goals import top1_goal
from .plan import TrainingPlan
from .recipe import command, in_words, shape
from .rounding import BITS, rounded
from .tables import LEGEND, STRANGERS_LEGEND, doubts_table, gates_table, goals_table

LICENCE = "mit"
OTHER_THINGS = "## What it answers to other things"
NOT_FOR = "## What it is not for"

SUMMARIES = {
    None: "a plain ResNet, to compare the ones with attention with",
    "se": "a ResNet with squeeze-and-excitation (Hu et al., CVPR 2018) in every block",
    "cbam": "a ResNet with CBAM (Woo et al., ECCV 2018) in every block",
    "bam": "a ResNet with BAM (Park et al., BMVC 2018) after stages 1 to 3",
}


def publish(
    network: nn.Module,
    plan: TrainingPlan,
    seconds: float,
    labels: tuple[str, ...],
    data: Path,
    folder: Path,
    about: str = "",
    least_top1: float | None = None,
    machine: str = "the CPU",
    then: str = "",
) -> Measurement:
    """Write ``folder`` and measure what was written, in half precision and rounded, on ``data``/val; the card
    says what was measured.

    ``about`` is “Name of the data: a sentence on it.”, ``least_top1`` the share of the photos that it has
    to name right, if that is said, ``machine`` what it was trained on, and ``then`` a sentence on what was
    done after the plan.
    """
    card = Card(folder.name, plan.architecture(len(labels)), labels, data=about.split(":")[0] or data.name)
    network = rounded(network)
    save_folder(network, card, folder)
    written = folder.resolve()  # as a bare name, it could be a network that comes with attnviz
    measured = measure(load(written), data / "val")
    measured_card = replace(card, accuracy=round(measured.top1, 4), photos=measured.photos)
    card = save_folder(network, measured_card, folder)
    trained = f"bfloat16 on {machine}, {max(1, seconds / 60):.0f} minutes.{then}"
    (folder / "README.md").write_text(
        _model_card(card, plan, trained, measured, about, least_top1), encoding="utf-8"
    )
    return measured


def write_doubt(network: str, view: str, doubt: Doubt) -> None:
    """Write what was measured of strangers in one view into a network's card, ``config.json`` and, where
    there is one, README.md; its weights stay as they are. Raises NetworkError for what has no card."""
    folder = folder_of(network)
    card = read_card(folder)
    card = replace(card, doubts={**card.doubts, view: doubt})
    save_card(card, folder)
    page = folder / "README.md"
    if page.is_file():
        page.write_text(_with_doubts(page.read_text(encoding="utf-8"), card), encoding="utf-8")


def _with_doubts(text: str, card: Card) -> str:
    """A model card with a section of what the network answers to strangers, in place of an earlier one or
    before what it is not for."""
    before, found, rest = text.partition(f"{OTHER_THINGS}\n")
    if found:
        rest = rest[rest.find("\n## ") + 1 :] if "\n## " in rest else ""
    else:
        before, heading, rest = text.partition(f"{NOT_FOR}\n")
        rest = heading + rest
    return f"{before.rstrip()}\n\n{_other_things(card)}\n{rest}".rstrip() + "\n"


def _other_things(card: Card) -> str:
    """The section: what marks an answer as doubtful, and how often it is right."""
    sources = sorted({doubt.source for doubt in card.doubts.values() if doubt.source})
    of = f" Strangers: {', '.join(sources)}." if sources else ""
    return f"""{OTHER_THINGS}

It has no class for most things. Photos of other things, strangers, are told in part by a score of the answer:

{doubts_table(card.doubts)}

{fill(STRANGERS_LEGEND + of, 120)}
"""


def _gates(measured: Measurement) -> str:
    if not measured.layers:
        return ""
    return f"""
## Its gates

{gates_table(measured.layers)}

{fill(f"Over {measured.watched} validation photos. {LEGEND}", 120)}
"""


def _summary(card: Card, plan: TrainingPlan) -> str:
    kind = SUMMARIES[plan.attention]
    labels = ", ".join(card.labels)
    return f"{kind[0].upper()}{kind[1:]}: {shape(plan)}, {len(card.labels)} classes ({labels})."


def _goals(measured: Measurement, least_top1: float | None) -> str:
    """Which of the goals are met, as a table."""
    goals = measured.goals
    if least_top1 is not None:
        goals = [top1_goal(measured.top1, least_top1), *goals]
    if not goals:
        return ""
    met = sum(goal.met for goal in goals)
    return f"""
## What it was to reach

Of {len(goals)} goals for a network to look at it reaches {met}:

{goals_table(goals)}
"""


def _model_card(
    card: Card,
    plan: TrainingPlan,
    trained: str,
    measured: Measurement,
    about: str,
    least_top1: float | None,
) -> str:
    return f"""---
license: {LICENCE}
library_name: attnviz
pipeline_tag: image-classification
metrics: [accuracy]
---

# {card.name}

{fill(_summary(card, plan), 120)}

It comes with attnviz, to show its gates:

```python
import attnviz

network = attnviz.load("{card.name}")
attnviz.trace(network, "photo.jpg").top(5)
```

## Measured

**{measured.top1:.2%} top-1** on {measured.photos:,} validation photos: shorter side to
{card.recipe.resize} px, centre crop of {card.recipe.crop} px, weights of {BITS} significant bits in half
precision, computed in float32, by `attnviz evaluate`.
{_gates(measured)}{_goals(measured, least_top1)}
## Data and recipe

{fill(about or f"Trained on {card.data}.", 120)}

{fill(f"{in_words(plan)}. {trained}", 120)}

To train it again, with photos in DATA/train and DATA/val:

```sh
{command(plan, card.name)}
```

{NOT_FOR}

It is made for looking at attention, not for use: it knows {len(card.labels)} classes, names one of them for
any picture at all, and was trained on few photos of one source. Its gates are multipliers inside the network,
not reasons for its answer.

## Licence

The weights are under the project's licence (MIT). The photos they were trained on are not part of it and are
not passed on.
"""
