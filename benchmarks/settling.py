"""Do numbers tell how a network was built? ``python benchmarks/settling.py FOLDER`` trains small networks on
photos in class folders, each built in a way that its keys don't tell, and prints what attnviz reads from
their weights, once from each side: the true answer the likeliest, and another one."""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, interpolate

sys.path.insert(0, str(Path(__file__).parent.parent))

import attnviz
from attnviz.checkpoints.habits import Question, likeliest
from attnviz.checkpoints.settling import settled
from attnviz.checkpoints.told import Told, answered
from attnviz.networks.plan import Plan, usual_plan
from attnviz.networks.resnet import ResNet

ANSWERS: dict[str, tuple[Any, Any]] = {
    "pool": ("none", "padded"),
    "stem": (1, 2),
    "order": ("mean first", "maximum first"),
}
STEPS, BATCH, WIDTH = 160, 32, 16


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--side", type=int, default=48)
    chosen = options.parse_args()
    photos, classes = read(chosen.folder, chosen.side)
    print("| built with | read, where it is the likeliest | where it is not |\n|---|---|---|")
    for values in itertools.product(*ANSWERS.values()):
        truth = dict(zip(ANSWERS, values))
        plan = answered(small_stem(), Told(**truth))
        weights = train(plan, photos, classes)
        first, second = (read_again(plan, weights, truth, other) for other in (False, True))
        print(f"| {truth} | {first} | {second} |", flush=True)


def read(folder: Path, side: int) -> tuple[Tensor, Tensor]:
    """A hundred photos of each class, normalised (N, 3, side, side), and their classes."""
    photos, classes = [], []
    for number, own in enumerate(sorted(path for path in folder.iterdir() if path.is_dir())):
        for path in sorted(own.iterdir())[:100]:
            pixels = torch.from_numpy(attnviz.open_photo(path).pixels).permute(2, 0, 1)[None].float() / 255
            photos.append(interpolate(pixels, (side, side), mode="bilinear", antialias=True))
            classes.append(number)
    return (torch.cat(photos) - 0.45) / 0.225, torch.tensor(classes)


def small_stem() -> Plan:
    """A small CBAM network whose stem is one 3×3."""
    plan = usual_plan((1, 1, 1, 1), "cbam", WIDTH, 4, 10)
    return replace(plan, stem=(replace(plan.stem[0], kernel=3, stride=1),), pool="none")


def train(plan: Plan, photos: Tensor, classes: Tensor) -> dict[str, Tensor]:
    torch.manual_seed(1)
    network = ResNet(plan=plan).train()
    optimizer = torch.optim.SGD(network.parameters(), 0.05, momentum=0.9, weight_decay=5e-4)
    for step, batch in enumerate(batches(len(photos))):
        optimizer.param_groups[0]["lr"] = 0.05 * (1 - step / STEPS)
        loss = cross_entropy(network(photos[batch]), classes[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval().state_dict()


def batches(count: int) -> Iterator[Tensor]:
    for _ in range(STEPS):
        yield torch.randint(0, count, (BATCH,))


def read_again(plan: Plan, weights: dict[str, Tensor], truth: dict, other: bool) -> str:
    """What is read of a network with these weights: right, assumed or wrong, by question."""
    asked = [question(about, truth[about], other) for about in ANSWERS]
    got, assumed = settled(likeliest(plan, asked), asked, weights)
    said = []
    for about in ANSWERS:
        right = answered(got, Told(**{about: truth[about]})) == got
        unsure = any(key.startswith(about) for key in assumed)
        said.append(f"{about} {'right' if right else 'wrong'}{', assumed' if unsure else ''}")
    return "; ".join(said)


def question(about: str, truth: object, other: bool) -> Question:
    """The question, its likeliest answer the true one or, if ``other``, not."""
    values = sorted(ANSWERS[about], key=lambda value: (value == truth) == other)
    return Question(about, {str(value): partial(told, about, value) for value in values})


def told(about: str, value: Any, plan: Plan) -> Plan:
    return answered(plan, Told(**{about: value}))


if __name__ == "__main__":
    main()
