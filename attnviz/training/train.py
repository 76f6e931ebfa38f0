"""Train one network on a folder of class folders: ``python -m attnviz.networks.train --help``.

The recipe is one for all four networks that come with the project, so that they can be compared: SGD with
Nesterov momentum, one cycle of the learning rate, label smoothing, random crops at growing sizes, CutMix (Yun
et al., ICCV 2019) on half of the batches, and an exponential average of the weights, which is what is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from ..networks.attention import ATTENTION
from ..networks.resnet import DEPTHS, ResNet
from ..photos.geometry import Recipe, crop, network_input
from ..photos.photo import open_photo
from .dataset import ClassFolder, list_photos, read_folder, training_batches
from .model_card import publish


@dataclass(frozen=True)
class Plan:
    """All that decides a training run besides the data; written into the model card and into every
    checkpoint."""

    depth: int = 18
    attention: str | None = None
    width: int = 32
    reduction: int = 8
    schedule: tuple[tuple[int, int], ...] = (
        (96, 18),
        (128, 20),
        (160, 12),
        (192, 6),
    )  # (side in px, epochs), in order
    batch: int = 64
    learning_rate: float = 0.2
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    least_area: float = 0.25
    cutmix: float = 0.5  # share of batches, except in the last step of the schedule
    average_decay: float = 0.998
    seed: int = 0

    @property
    def epochs(self) -> int:
        return sum(count for _, count in self.schedule)

    def size(self, epoch: int) -> int:
        """Side of the training crops in this epoch, in pixels."""
        for side, count in self.schedule:
            if epoch < count:
                return side
            epoch -= count
        raise ValueError("the schedule ends before this epoch")


@dataclass
class Run:
    """A training run between two epochs: what a checkpoint holds."""

    network: nn.Module
    average: AveragedModel
    optimiser: torch.optim.Optimizer
    cycle: torch.optim.lr_scheduler.OneCycleLR
    epoch: int = 0
    seconds: float = 0.0

    def state(self) -> dict:
        parts = {
            name: getattr(self, name).state_dict() for name in ("network", "average", "optimiser", "cycle")
        }
        return {**parts, "epoch": self.epoch, "seconds": self.seconds}

    def load(self, state: dict) -> None:
        for name in ("network", "average", "optimiser", "cycle"):
            getattr(self, name).load_state_dict(state[name])
        self.epoch, self.seconds = state["epoch"], state["seconds"]


def start(plan: Plan, classes: int, steps: int) -> Run:
    """A fresh run of ``steps`` batches an epoch, its weights drawn from the plan's seed."""
    torch.manual_seed(plan.seed)
    network = ResNet(plan.depth, plan.attention, plan.width, plan.reduction, classes)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.SGD(
        _groups(network, plan.weight_decay), lr=plan.learning_rate, momentum=plan.momentum, nesterov=True
    )
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, plan.learning_rate, total_steps=plan.epochs * steps, pct_start=0.2, cycle_momentum=False
    )
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(plan.average_decay), use_buffers=True)
    return Run(network, average, optimiser, cycle)


def train_epoch(run: Run, plan: Plan, data: ClassFolder) -> float:
    """Train for one epoch and give back its mean loss."""
    size = plan.size(run.epoch)
    mixing = plan.cutmix if size != plan.schedule[-1][0] else 0.0
    random = np.random.default_rng((plan.seed, run.epoch, 1))
    batches = training_batches(data, size, plan.batch, plan.seed, run.epoch, plan.least_area)
    label = f"epoch {run.epoch + 1}/{plan.epochs} at {size} px"
    began, total, count = time.monotonic(), 0.0, 0
    run.network.train()
    for x, target in tqdm(batches, label, total=len(data.photos) // plan.batch, mininterval=5, leave=False):
        x, other, share = _cutmix(x, target, random) if random.random() < mixing else (x, target, 1.0)
        with torch.autocast("cpu", torch.bfloat16):
            logits = run.network(x)
        logits = logits.float()
        loss = share * cross_entropy(logits, target, label_smoothing=plan.label_smoothing)
        if share < 1:
            loss = loss + (1 - share) * cross_entropy(logits, other, label_smoothing=plan.label_smoothing)
        run.optimiser.zero_grad()
        loss.backward()
        run.optimiser.step()
        run.cycle.step()
        run.average.update_parameters(run.network)
        total, count = total + loss.item(), count + 1
    run.epoch += 1
    run.seconds += time.monotonic() - began
    return total / count


@torch.inference_mode()
def accuracy(network: nn.Module, files: list[Path], targets: list[int]) -> float:
    """Top-1 share on the centre crops of these photos."""
    network.eval()
    right = 0
    for path, target in zip(files, targets):
        photo = open_photo(path)
        right += int(network(network_input(photo, crop(photo, Recipe()), Recipe())[None]).argmax()) == target
    return right / len(files)


def _groups(network: nn.Module, weight_decay: float) -> list[dict]:
    # Decay pulls the small FC layers of an attention module to zero and with them every gate to 0.5, so it
    # leaves them alone.
    spared = {
        id(p) for m in network.modules() if isinstance(m, tuple(ATTENTION.values())) for p in m.parameters()
    }
    spared |= {id(p) for p in network.parameters() if p.ndim == 1}
    decayed = [p for p in network.parameters() if id(p) not in spared]
    kept = [p for p in network.parameters() if id(p) in spared]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": kept, "weight_decay": 0.0}]


def _cutmix(x: Tensor, target: Tensor, random: np.random.Generator) -> tuple[Tensor, Tensor, float]:
    height, width = x.shape[2:]
    side = (1 - random.uniform()) ** 0.5
    row, column = random.integers(height), random.integers(width)
    top, bottom = max(0, int(row - height * side / 2)), min(height, int(row + height * side / 2))
    left, right = max(0, int(column - width * side / 2)), min(width, int(column + width * side / 2))
    x[:, :, top:bottom, left:right] = x.flip(0)[:, :, top:bottom, left:right]
    return x, target.flip(0), 1 - (bottom - top) * (right - left) / (height * width)


def _save(state: dict, path: Path) -> None:
    part = path.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, path)


def main() -> None:
    defaults = Plan()
    parser = argparse.ArgumentParser(prog="python -m attnviz.training.train", description=__doc__)
    parser.add_argument("data", type=Path, help="folder with train/ and val/, each a folder of class folders")
    parser.add_argument("out", type=Path, help="model folder to write; its name becomes the network's")
    parser.add_argument("--attention", choices=tuple(ATTENTION), help="default: none")
    parser.add_argument("--depth", type=int, choices=tuple(DEPTHS), default=defaults.depth)
    parser.add_argument("--width", type=int, default=defaults.width)
    parser.add_argument("--reduction", type=int, default=defaults.reduction)
    parser.add_argument(
        "--schedule", default=",".join(f"{s}:{n}" for s, n in defaults.schedule), help="SIDE:EPOCHS,…"
    )
    parser.add_argument("--batch", type=int, default=defaults.batch)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--labels", type=Path, help="text file with a line “FOLDER label” for each class")
    parser.add_argument("--about", default="", help="the data for the model card: “Name: a sentence.”")
    parser.add_argument(
        "--runs", type=Path, default=Path("runs"), help="where checkpoints go (default: %(default)s)"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the last epoch's checkpoint")
    options = parser.parse_args()
    schedule = tuple(
        (int(side), int(count)) for side, count in (step.split(":") for step in options.schedule.split(","))
    )
    plan = replace(
        defaults,
        depth=options.depth,
        attention=options.attention,
        width=options.width,
        reduction=options.reduction,
        schedule=schedule,
        batch=options.batch,
        seed=options.seed,
    )
    run, classes = train(plan, options.data, options.runs / options.out.name, options.resume)
    publish(
        run.average.module,
        asdict(plan),
        run.seconds,
        _labels(options.labels, classes),
        options.data,
        options.out,
        options.about,
    )


def train(plan: Plan, data: Path, scratch: Path, resume: bool) -> tuple[Run, list[str]]:
    """Train by the plan on ``data``/train, with a checkpoint in ``scratch`` every epoch; gives back the run
    and the classes."""
    scratch.mkdir(parents=True, exist_ok=True)
    checkpoint = scratch / "checkpoint.pt"
    photos = read_folder(data / "train")
    files, targets, _ = list_photos(data / "val")
    run = start(plan, len(photos.classes), len(photos.photos) // plan.batch)
    if resume and checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        if state["plan"] != json.dumps(asdict(plan)):
            raise SystemExit(f"{checkpoint} was made by another plan: {state['plan']}")
        run.load(state["run"])
    while run.epoch < plan.epochs:
        loss = train_epoch(run, plan, photos)
        _save({"plan": json.dumps(asdict(plan)), "run": run.state()}, checkpoint)
        measured = run.epoch % 5 == 0
        top1 = (
            f", top-1 on a fifth of val {accuracy(run.average.module, files[::5], targets[::5]):.3f}"
            if measured
            else ""
        )
        print(
            f"epoch {run.epoch}/{plan.epochs}: {plan.size(run.epoch - 1)} px, loss {loss:.3f}, "
            f"{run.seconds:.0f} s{top1}",
            flush=True,
        )
    return run, photos.classes


def _labels(file: Path | None, classes: list[str]) -> tuple[str, ...]:
    if file is None:
        return tuple(classes)
    named = dict(
        line.split(maxsplit=1) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()
    )
    missing = [name for name in classes if name not in named]
    if missing:
        raise SystemExit(f"{file} has no label for {', '.join(missing)}")
    return tuple(named[name] for name in classes)


if __name__ == "__main__":
    main()
