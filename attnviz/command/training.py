"""``attnviz train``, ``evaluate`` and ``usual``: networks on a folder of class folders."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import fields
from pathlib import Path

from ..errors import AttnvizError, EditError, NetworkError
from ..interventions.known_reference import FILE, write_reference
from ..training.dataset import list_photos, read_class_names
from ..training.evaluate import measure
from ..training.model_card import publish, write_doubt
from ..training.plan import TrainingPlan
from ..training.strangers import best
from ..training.tables import (
    LEGEND,
    STRANGERS_LEGEND,
    accuracy_table,
    gates_table,
    goals_table,
    strangers_table,
)
from ..training.train import train as train_network
from ..zoo.registry import folder_of, load
from .terminal import say
from .threads import take_threads


def train(options: Namespace) -> int:
    """Train one network, and write it as a folder that can be opened, with a model card of what was
    measured, and with what is usual for its gates."""
    take_threads()
    data, out = options.data, options.out
    _check_writable(out)
    plan = plan_of(options)
    labels = read_class_names(options.labels, list_photos(data / "train").classes)
    run = train_network(plan, data, options.runs / out.name, options.resume)
    publish(run.average.module, plan, run.seconds, labels, data, out, options.about, options.least_top1)
    if plan.attention is not None:
        written = out.resolve()  # as a bare name, it could be a network that comes with attnviz
        write_reference(load(written), written, data / "train")
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
    """Measure trained networks and print Markdown tables; write what was measured of strangers into their
    cards, if that is asked for."""
    take_threads()
    _check_cards(options)
    measured = {}
    for name in options.networks:
        given = (options.data, options.view, options.strangers, options.kin)
        measured[Path(name).name] = measurement = measure(load(name), *given)
        if options.write:
            write_doubt(name, options.view, best(measurement.trials).doubt)
    say(accuracy_table(measured))
    for name, measurement in measured.items():
        say(f"\n{name}:\n")
        if measurement.layers:
            say(f"{gates_table(measurement.layers)}\n\n{goals_table(measurement.goals)}")
        if measurement.trials:
            say(f"\n{strangers_table(measurement.trials)}")
    if any(measurement.layers for measurement in measured.values()):
        say(f"\n{LEGEND}")
    if options.strangers:
        say(f"\n{STRANGERS_LEGEND}")
    return 0


def usual(options: Namespace) -> int:
    """Write what is usual for the gates of trained networks into their folders."""
    take_threads()
    folders = [_folder(name) for name in options.networks]
    for name, folder in zip(options.networks, folders):
        made = write_reference(load(name), folder, options.data)
        say(f"{made.network}: {made.photos} photos, {(folder / FILE).stat().st_size:,} bytes")
    return 0


def _folder(name: str) -> Path:
    """A network's folder. Raises NetworkError where its card can't be read, EditError where there is none."""
    try:
        return folder_of(name)
    except NetworkError as error:
        if error.key != "folder_without_card":
            raise
        raise EditError("usual_without_folder", name=Path(name).name) from None


def _check_cards(options: Namespace) -> None:
    """Raises AttnvizError where cards can't be written, which is better said before the long part."""
    if not options.write:
        return
    if not options.strangers:
        raise AttnvizError("cards_without_strangers")
    for name in options.networks:
        folder_of(name)
