"""Training one network on a folder of class folders.

The recipe is one for all four networks that come with the project, so that they can be compared: SGD with
Nesterov momentum, one cycle of the learning rate, label smoothing, random crops at growing sizes, CutMix (Yun
et al., ICCV 2019) on half of the batches, a penalty on large logits of gates, and an exponential average of
the weights, which is what is kept.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from ..errors import AttnvizError
from ..networks.attention import ATTENTION
from ..networks.resnet import ResNet
from ..photos.geometry import Recipe, crop, network_input
from ..photos.opening import open_photo
from .dataset import ClassFolder, list_photos, read_folder, training_batches
from .penalty import gate_logits, mean_squares
from .plan import TrainingPlan


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
        parts = {name: getattr(self, name).state_dict() for name in STATEFUL}
        return {**parts, "epoch": self.epoch, "seconds": self.seconds}

    def load(self, state: dict) -> None:
        for name in STATEFUL:
            getattr(self, name).load_state_dict(state[name])
        self.epoch, self.seconds = state["epoch"], state["seconds"]


STATEFUL = ("network", "average", "optimiser", "cycle")


def print_at_once(line: str) -> None:
    """Print a line also where the output goes to a file."""
    print(line, flush=True)


def train(
    plan: TrainingPlan,
    data: Path,
    runs: Path,
    resume: bool,
    report: Callable[[str], None] = print_at_once,
) -> Run:
    """Train by the plan on ``data``/train.

    After every epoch a checkpoint is saved in the folder ``runs``, from which ``resume`` goes on, and then
    ``report`` gets a line. Raises AttnvizError for photos that can't be had, and for a checkpoint of another
    plan."""
    runs.mkdir(parents=True, exist_ok=True)
    checkpoint = runs / "checkpoint.pt"
    photos = read_folder(data / "train")
    validation = list_photos(data / "val")
    if len(photos.photos) < plan.batch:
        raise AttnvizError(
            "training_photos_too_few", folder=str(data / "train"), count=len(photos.photos), batch=plan.batch
        )
    run = new_run(plan, len(photos.classes), len(photos.photos) // plan.batch)
    if resume and checkpoint.exists():
        run.load(_saved_state(checkpoint, plan))
    while run.epoch < plan.epochs:
        loss = train_epoch(run, plan, photos)
        _save({"plan": _as_text(plan), "run": run.state()}, checkpoint)
        size = plan.size(run.epoch - 1)
        line = f"epoch {run.epoch}/{plan.epochs}: {size} px, loss {loss:.3f}, {run.seconds:.0f} s"
        if run.epoch % 5 == 0:
            top1 = accuracy(run.average.module, validation.files[::5], validation.targets[::5])
            line += f", top-1 on a fifth of val {top1:.3f}"
        report(line)
    return run


def new_run(plan: TrainingPlan, classes: int, steps: int) -> Run:
    """A fresh run of ``steps`` batches an epoch, its weights drawn from the plan's seed."""
    torch.manual_seed(plan.seed)
    network: nn.Module = ResNet(**plan.architecture(classes))
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.SGD(
        _parameter_groups(network, plan.weight_decay),
        lr=plan.learning_rate,
        momentum=plan.momentum,
        nesterov=True,
    )
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, plan.learning_rate, total_steps=plan.epochs * steps, pct_start=0.2, cycle_momentum=False
    )
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(plan.average_decay), use_buffers=True)
    return Run(network, average, optimiser, cycle)


def train_epoch(run: Run, plan: TrainingPlan, data: ClassFolder) -> float:
    """Train for one epoch and give back its mean loss."""
    size = plan.size(run.epoch)
    mixed_share = plan.cutmix if size != plan.schedule[-1][0] else 0.0
    random = np.random.default_rng((plan.seed, run.epoch, 1))
    batches = training_batches(data, size, plan.batch, plan.seed, run.epoch, plan.least_area)
    title = f"epoch {run.epoch + 1}/{plan.epochs} at {size} px"
    began, losses = time.monotonic(), []
    run.network.train()
    for x, target in tqdm(batches, title, total=len(data.photos) // plan.batch, mininterval=5, leave=False):
        mixed = random.random() < mixed_share
        x, other_target, share = _cutmix(x, target, random) if mixed else (x, target, 1.0)
        losses.append(_train_batch(run, plan, x, target, other_target, share))
    run.epoch += 1
    run.seconds += time.monotonic() - began
    return sum(losses) / len(losses)


def _train_batch(
    run: Run, plan: TrainingPlan, x: Tensor, target: Tensor, other_target: Tensor, share: float
) -> float:
    """One step down the loss of a batch, of which ``share`` counts for the first target, and down the penalty
    on the gates' logits; gives back the sum of both."""
    with gate_logits(run.network) as of_gates, torch.autocast("cpu", torch.bfloat16):
        logits = run.network(x)
    logits = logits.float()
    loss = share * cross_entropy(logits, target, label_smoothing=plan.label_smoothing)
    if share < 1:
        loss = loss + (1 - share) * cross_entropy(logits, other_target, label_smoothing=plan.label_smoothing)
    loss = loss + plan.penalty * mean_squares(of_gates)
    run.optimiser.zero_grad()
    loss.backward()
    run.optimiser.step()
    run.cycle.step()
    run.average.update_parameters(run.network)
    return loss.item()


@torch.inference_mode()
def accuracy(network: nn.Module, files: list[Path], targets: list[int]) -> float:
    """Top-1 share on the centre crops of these photos."""
    network.eval()
    right = 0
    for path, target in zip(files, targets):
        photo = open_photo(path)
        x = network_input(photo, crop(photo, Recipe()), Recipe())[None]
        right += int(network(x).argmax()) == target
    return right / len(files)


def _parameter_groups(network: nn.Module, weight_decay: float) -> list[dict]:
    # Decay pulls the small FC layers of an attention module to zero and with them every gate to 0.5, so it
    # leaves them alone.
    spared = {id(parameter) for parameter in network.parameters() if parameter.ndim == 1}
    for module in network.modules():
        if isinstance(module, tuple(ATTENTION.values())):
            spared |= {id(parameter) for parameter in module.parameters()}
    decayed = [parameter for parameter in network.parameters() if id(parameter) not in spared]
    others = [parameter for parameter in network.parameters() if id(parameter) in spared]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def _cutmix(x: Tensor, target: Tensor, random: np.random.Generator) -> tuple[Tensor, Tensor, float]:
    """Each photo with a box out of another one, in place; the other's target; the share that is still its
    own."""
    height, width = x.shape[2:]
    side = (1 - random.uniform()) ** 0.5
    row, column = random.integers(height), random.integers(width)
    top, bottom = max(0, int(row - height * side / 2)), min(height, int(row + height * side / 2))
    left, right = max(0, int(column - width * side / 2)), min(width, int(column + width * side / 2))
    x[:, :, top:bottom, left:right] = x.flip(0)[:, :, top:bottom, left:right]
    return x, target.flip(0), 1 - (bottom - top) * (right - left) / (height * width)


def _as_text(plan: TrainingPlan) -> str:
    return json.dumps(asdict(plan))


def _saved_state(checkpoint: Path, plan: TrainingPlan) -> dict:
    state = torch.load(checkpoint, weights_only=True)
    if state["plan"] != _as_text(plan):
        raise AttnvizError("training_plan_differs", name=checkpoint.name, plan=state["plan"])
    return state["run"]


def _save(state: dict, path: Path) -> None:
    part = path.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, path)
