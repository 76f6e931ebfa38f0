"""``attnviz train`` and ``attnviz evaluate``: networks on a folder of class folders."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..training.dataset import list_photos, read_class_names
from ..training.evaluate import accuracy_table, liveliness_table, measure
from ..training.model_card import publish
from ..training.plan import TrainingPlan
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
    plan = TrainingPlan(
        depth=options.depth,
        attention=options.attention,
        width=options.width,
        reduction=options.reduction,
        schedule=options.schedule,
        batch=options.batch,
        seed=options.seed,
    )
    labels = read_class_names(options.labels, list_photos(data / "train").classes)
    run = train_network(plan, data, options.runs / out.name, options.resume)
    publish(run.average.module, plan, run.seconds, labels, data, out, options.about)
    return 0


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
        if measurement.layers:
            say(f"\n{name}:\n\n{liveliness_table(measurement.layers)}")
    return 0
