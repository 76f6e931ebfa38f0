"""Train a network's gates a little longer so that on every photo a unit of each hidden layer is on:
``python benchmarks/wake.py DATA CHECKPOINT FOLDER``.

Where no unit of a gate's hidden layer is on, the gate is the same for every such photo. On the way down the
penalty on large logits, SE's last layer came to that for one photo in ten. This goes on from the averaged
weights of ``attnviz train``'s CHECKPOINT, for three epochs at the last size, with 0.02 · the mean over photos
of how much is missing to 0.2 in the greatest of the units' inputs added to the loss for every hidden layer,
and writes the model folder."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, relu

sys.path.insert(0, str(Path(__file__).parent.parent))

from attnviz.capture.hooks import Hooks, first_tensor
from attnviz.networks.attention import Excitation
from attnviz.training.dataset import ClassFolder, list_photos, read_class_names, read_folder, training_batches
from attnviz.training.model_card import publish
from attnviz.training.penalty import gate_logits, mean_squares
from attnviz.training.plan import TrainingPlan
from attnviz.training.train import Run, new_run

EPOCHS, LEARNING_RATE = 3, 0.01
WEIGHT, ON = 0.02, 0.2
THEN = (
    f" Then {EPOCHS} epochs more at {{size}} px, with a learning rate up to {LEARNING_RATE}, and {WEIGHT} · "
    f"what is missing to {ON} in the greatest input of a hidden layer's units added to the loss, so that one "
    "is on for nearly every photo (`benchmarks/wake.py`)."
)


@contextmanager
def hidden_inputs(network: nn.Module) -> Iterator[list[Tensor]]:
    """What the units of all hidden layers of a network are given while this lasts, (N, units) each."""
    inputs: list[Tensor] = []
    with Hooks() as hooks:
        for module in network.modules():
            if isinstance(module, Excitation):
                hooks.before(module.relu, lambda _, given, named: inputs.append(first_tensor(given, named)))
        yield inputs


def missing(inputs: list[Tensor]) -> Tensor:
    """By how much the greatest input of each hidden layer falls short of ``ON``, mean over photos, summed."""
    return torch.stack([relu(ON - values.float().amax(1)).mean() for values in inputs]).sum()


def train_epoch(run: Run, plan: TrainingPlan, photos: ClassFolder) -> None:
    """One epoch with the term, without mixed photos."""
    run.network.train()
    size = plan.size(run.epoch)
    for x, target in training_batches(photos, size, plan.batch, plan.seed, run.epoch, plan.least_area):
        with (
            gate_logits(run.network) as of_gates,
            hidden_inputs(run.network) as of_units,
            torch.autocast("cpu", torch.bfloat16),
        ):
            logits = run.network(x)
        loss = cross_entropy(logits.float(), target, label_smoothing=plan.label_smoothing)
        loss = loss + plan.penalty * mean_squares(of_gates) + WEIGHT * missing(of_units)
        run.optimiser.zero_grad()
        loss.backward()
        run.optimiser.step()
        run.cycle.step()
        run.average.update_parameters(run.network)
    run.epoch += 1


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--labels", type=Path, help="as of attnviz train")
    parser.add_argument("--about", default="", help="as of attnviz train")
    options = parser.parse_args()
    saved = torch.load(options.checkpoint, weights_only=True)
    said = json.loads(saved["plan"])
    plan = TrainingPlan(**{**said, "schedule": tuple(map(tuple, said["schedule"]))})
    size = plan.schedule[-1][0]
    longer = replace(plan, schedule=((size, EPOCHS),), learning_rate=LEARNING_RATE)
    photos = read_folder(options.data / "train")
    run = new_run(longer, len(photos.classes), len(photos.photos) // plan.batch)
    run.average.load_state_dict(saved["run"]["average"])
    run.network.load_state_dict(run.average.module.state_dict())
    while run.epoch < EPOCHS:
        train_epoch(run, longer, photos)
        print(f"epoch {run.epoch}/{EPOCHS}", flush=True)
    classes = list_photos(options.data / "val").classes
    names = read_class_names(options.labels, classes)
    then = THEN.format(size=size)
    seconds = saved["run"]["seconds"]
    publish(
        run.average.module.eval(),
        plan,
        seconds,
        names,
        options.data,
        options.folder,
        options.about,
        0.915,
        then=then,
    )


if __name__ == "__main__":
    main()
