"""``attnviz train`` and ``attnviz evaluate``: networks on a folder of class folders."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import fields
from pathlib import Path

from ..training.dataset import list_photos, read_class_names
from ..training.evaluate import measure
from ..training.model_card import publish
from ..training.plan import TrainingPlan
from ..training.tables import LEGEND, accuracy_table, gates_table, goals_table
from ..training.train import train as train_network
from ..zoo.registry import load
from .terminal import say
from .threads import take_threads


def train(options: Namespace) -> int:
    """Train one network, and write it as a folder that can be opened, with a model card of what was
    measured."""
    take_threads()
    data, out = options.data, options.out
    _check_writable(out)
    plan = plan_of(options)
    labels = read_class_names(options.labels, list_photos(data / "train").classes)
    run = train_network(plan, data, options.runs / out.name, options.resume)
    publish(run.average.module, plan, run.seconds, labels, data, out, options.about)
    return 0


def plan_of(options: Namespace) -> TrainingPlan:
    """The plan that the options of ``attnviz train`` say."""
    said = vars(options)
    return TrainingPlan(**{one.name: said[one.name] for one in fields(TrainingPlan) if one.name in said})


def _check_writable(folder: Path) -> None:
    """Raises OSError where no folder can be made, which is better said before the hours than behind them."""
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def evaluate(options: Namespace) -> int:
    """Measure trained networks and print Markdown tables."""
    take_threads()
    measured = {Path(name).name: measure(load(name), options.data, options.view) for name in options.networks}
    say(accuracy_table(measured))
    for name, measurement in measured.items():
        say(f"\n{name}:\n")
        if measurement.layers:
            say(f"{gates_table(measurement.layers)}\n")
        say(goals_table(measurement.goals))
    if any(measurement.layers for measurement in measured.values()):
        say(f"\n{LEGEND}")
    return 0
