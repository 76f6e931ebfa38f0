"""A trained network becomes a folder in Hugging Face model-repo layout: weights, config.json, and a measured
model card."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from textwrap import fill

from torch import nn

from ..networks.card import Card
from ..zoo.registry import load, save_folder
from .evaluate import Measurement, liveliness_table, measure

LICENCE = "mit"

SUMMARIES = {
    None: "a plain ResNet, to compare the ones with attention with",
    "se": "a ResNet with squeeze-and-excitation (Hu et al., CVPR 2018) in every block",
    "cbam": "a ResNet with CBAM (Woo et al., ECCV 2018) in every block",
    "bam": "a ResNet with BAM (Park et al., BMVC 2018) after stages 1 to 3",
}


def publish(
    network: nn.Module,
    plan: dict,
    seconds: float,
    labels: tuple[str, ...],
    data: Path,
    folder: Path,
    about: str = "",
) -> Measurement:
    """Write ``folder`` and measure what was written, in half precision, on ``data``/val; the card says what
    was measured.

    ``about`` is “Name of the data: a sentence on it.”
    """
    architecture = {key: plan[key] for key in ("depth", "attention", "width", "reduction")} | {
        "classes": len(labels)
    }
    card = Card(folder.name, architecture, labels, data=about.split(":")[0] or data.name)
    save_folder(network, card, folder)
    measured = measure(load(folder), data / "val")
    card = save_folder(
        network, replace(card, accuracy=round(measured.top1, 4), photos=measured.photos), folder
    )
    (folder / "README.md").write_text(_model_card(card, plan, seconds, measured, about), encoding="utf-8")
    return measured


def _model_card(card: Card, plan: dict, seconds: float, measured: Measurement, about: str) -> str:
    attention = plan["attention"]
    schedule = ", ".join(f"{count} epochs at {side} px" for side, count in plan["schedule"])
    gates = (
        ""
        if not measured.layers
        else f"""
## Its gates

Over 200 validation photos: the mean factor, the standard deviation over channels, the standard deviation from photo to photo
(mean over channels), and greatest minus least over positions (mean over photos). Bold passes 0.05, 0.02 and 0.1.

{liveliness_table(measured.layers)}
"""
    )
    start = "the two layers of every SE start three times as large as usual; " if attention == "se" else ""
    recipe = (
        f"From scratch, seed {plan['seed']}: {schedule}; SGD with Nesterov momentum {plan['momentum']}, "
        "one cycle of the learning rate up "
        f"to {plan['learning_rate']}, batches of {plan['batch']}, weight decay {plan['weight_decay']} "
        "(none on the attention modules, "
        f"biases and batch norms), label smoothing {plan['label_smoothing']}; random crops of "
        f"{plan['least_area']} to 1 of the area, "
        f"mirroring, brightness, contrast and saturation, CutMix on {plan['cutmix']:.0%} of the batches "
        "except in the last step; "
        f"{start}exponential average of the weights ({plan['average_decay']}). bfloat16 on the CPU, "
        f"{seconds / 60:.0f} minutes."
    )
    what = (
        f"{SUMMARIES[attention][0].upper()}{SUMMARIES[attention][1:]}: depth {plan['depth']}, width "
        f"{plan['width']}, reduction "
        f"{plan['reduction']}, {len(card.labels)} classes ({', '.join(card.labels)})."
    )
    return f"""---
license: {LICENCE}
library_name: attnviz
pipeline_tag: image-classification
metrics: [accuracy]
---

# {card.name}

{fill(what, 120)}

It comes with attnviz, to show its gates:

```python
import attnviz

network = attnviz.load("{card.name}")
attnviz.trace(network, "photo.jpg").top(5)
```

## Measured

**{measured.top1:.2%} top-1** on {measured.photos:,} validation photos: shorter side to {card.recipe.resize} px, centre crop of
{card.recipe.crop} px, half-precision weights computed in float32, by `python -m attnviz.networks.evaluate`.
{gates}
## Data and recipe

{fill(about or f"Trained on {card.data}.", 120)}

{fill(recipe, 120)}

## What it is not for

It is made for looking at attention, not for use: it knows {len(card.labels)} classes, names one of them for any picture at all, and was
trained on few photos of one source. Its gates are multipliers inside the network, not reasons for its answer.

## Licence

The weights are under the project's licence (MIT). The photos they were trained on are not part of it and are not passed on.
"""
