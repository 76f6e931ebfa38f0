"""Batch norms' statistics, taken anew with gates changed: ``reestimated``."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..capture.exclusive import exclusive_eval
from ..capture.inputs import PhotoSource, prepare, windows
from ..capture.items import iter_items, photos_in
from ..capture.plan import plan_for, unwrapped
from ..capture.run import form_of
from ..capture.traced_batch import TracedBatch, traced_batch
from ..errors import EditError
from ..networks.card import card_of, with_card
from .edit_json import Said, edits_of
from .edits import permutation
from .intervention import batch_changes
from .reference import ReferenceSource, pictures_in
from .sources import Sources

NAME = "{name} (statistics re-estimated)"


def reestimated(
    network: nn.Module,
    photos: str | Path | Iterable[PhotoSource],
    edits: Mapping[str, Said],
    view: str = "crop",
    batch_size: int = 32,
    reference: ReferenceSource | None = None,
) -> nn.Module:
    """A copy of a network whose batch norms have the means and variances that they see on these photos with
    these edits made: what is then lost by the same edits is no mere mismatch of scale.

    ``photos`` is a folder or photos, a few hundred of all classes; those of a folder or a list are mixed, for
    a batch of one class has other statistics. Averages over batches of equal weight, as PyTorch's
    ``update_bn`` does. The copy makes no edits by itself: give them to ``intervene`` or ``ablate`` with it.
    Raises EditError for a network without batch norms (a copy of ``fast`` has none), or with fewer than two
    photos."""
    network, said = unwrapped(network), edits_of(edits)
    modules = dict(network.named_modules())
    with exclusive_eval(network, list(modules.values())):
        copied, form = copy.deepcopy(network), form_of(network, modules)
    norms = [each for each in copied.modules() if isinstance(each, _BatchNorm) and each.track_running_stats]
    if not norms:
        raise EditError("reestimated_without_norms", name=card_of(network).name)
    sources, card = Sources(network, view, reference), card_of(network)
    prepared = partial(prepare, card=card, view=view, form=form)
    count = 0
    with ExitStack() as collecting:
        for window in windows(photos_in(iter_items(_mixed(photos)), form), batch_size, prepared):
            if window.error is not None:
                raise window.error
            if len(window.inputs) < 2:  # a batch norm takes no statistics of one
                continue
            own = traced_batch(network, modules, window.inputs, steps=False)
            if not count:
                twin = _twin(own, copied)  # before its statistics go, by which gates are recognised
                collecting.enter_context(_collecting(norms))
            same = replace(twin, inputs=own.inputs, given=own.given, traces=own.traces)
            same.collect(batch_changes(own, said, sources), norms)
            count += len(window.inputs)
    if not count:
        raise EditError("reestimated_of_few", name=card.name)
    return with_card(copied.eval(), replace(card, name=NAME.format(name=card.name), sha256=""))


def _mixed(photos: str | Path | Iterable[PhotoSource]) -> Iterable[PhotoSource]:
    """The photos of a folder or a list in an order that is the same each time; others as they come."""
    listed = pictures_in(photos) if isinstance(photos, str | Path) else photos
    if not isinstance(listed, list | tuple):
        return listed
    return [listed[number] for number in permutation(len(listed), 0)]


def _twin(batch: TracedBatch, copied: nn.Module) -> TracedBatch:
    """The same batch for a copy of its network."""
    modules = dict(copied.named_modules())
    with exclusive_eval(copied, list(modules.values())):
        plan = plan_for(copied, modules, batch.given)
    return replace(batch, network=copied, modules=modules, plan=plan, orders=None)


@contextmanager
def _collecting(norms: list[_BatchNorm]) -> Iterator[None]:
    """While it lasts the batch norms average over all batches since it began."""
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta):
            norm.momentum = momentum
