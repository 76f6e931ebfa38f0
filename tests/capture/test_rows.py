"""A row of a module's batch is a photo's only if it is."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from helpers.brought_networks import CBAM, SE, C, Folded, LerpSE, Small, alive, noise
from torch import nn

import attnviz


def recorded(network, *inputs):
    with attnviz.record(network) as trace, torch.no_grad():
        network(*inputs)
    return trace


@pytest.mark.parametrize("frames_first", [False, True])
@pytest.mark.parametrize("block", [SE, LerpSE, CBAM])
def test_each_video_is_given_the_gates_of_its_own_frames(block, frames_first):
    network, x = alive(Folded(block(), frames_first)), noise(3, 4, 3, 32, 32)
    together = recorded(network, x)
    for index, trace in enumerate(together):
        alone = [attnviz.trace(network.base, frame).layers["att"] for frame in x[index]]
        assert list(trace.layers) == ["base.att", "base.att #2", "base.att #3", "base.att #4"]
        for layer, expected in zip(trace.layers.values(), alone):
            assert np.allclose(layer.factor(), expected.factor(), atol=1e-5)


class Siamese(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.base = Small(SE())

    def forward(self, left, right):
        scores = self.base(torch.cat((left, right)))
        return scores[: len(left)] - scores[len(left) :]


def test_two_inputs_in_one_batch_are_told_apart():
    network, left, right = alive(Siamese()), noise(3, 3, 32, 32), noise(3, 3, 32, 32, seed=1)
    trace = recorded(network, left, right)[1]
    for name, photo in (("base.att", left[1]), ("base.att #2", right[1])):
        expected = attnviz.trace(network.base, photo).layers["att"].channel
        assert np.allclose(trace.layers[name].channel, expected, atol=1e-5)


class Turned(nn.Module):
    """Turns the order of its rows around, as from (T, N) to (N, T), and back."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Small(SE())

    def forward(self, x):
        turned = x.view(2, -1, *x.shape[1:]).transpose(0, 1).flatten(0, 1)
        return self.base(turned).view(len(x) // 2, 2, -1).transpose(0, 1).flatten(0, 1)


class Shared(nn.Module):
    """The same gate for all photos."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Small(Fixed())

    def forward(self, x):
        return self.base(x)


class Fixed(nn.Module):
    def forward(self, x):
        return x * torch.linspace(0, 1, C).view(1, -1, 1, 1).expand(len(x), -1, -1, -1)


class Drawn(nn.Module):
    """Shuffles its rows by random numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Small(SE())

    def forward(self, x):
        return self.base(x[torch.randperm(len(x))])


class Sorted(Drawn):
    """Sorts its rows by their brightness."""

    def forward(self, x):
        return self.base(x[x.mean((1, 2, 3)).argsort()])


class OneByOne(Drawn):
    def forward(self, x):
        return torch.cat([self.base(each[None]) for each in x.flip(0)])


class Swapped(Drawn):
    """Turns around the last rows of many."""

    def forward(self, x):
        return self.base(torch.cat((x[:-2], x[-2:].flip(0))))


class Padded(Drawn):
    """Fills its batch up with zeros."""

    def forward(self, x):
        return self.base(torch.cat((torch.zeros_like(x), x)))[len(x) :]


class Views(Drawn):
    """Sees each photo several times, but for the last."""

    def forward(self, x):
        return self.base(x.repeat_interleave(7, 0)[:-2])


def distinct(count: int) -> torch.Tensor:
    """Photos that are unlike each other."""
    return noise(count, 3, 32, 32) * torch.linspace(0.2, 3, count).view(-1, 1, 1, 1) + 0.3


@pytest.mark.parametrize("kind", [Turned, OneByOne, Swapped, Padded, Views])
def test_rows_in_any_order_are_given_to_their_own_photos(kind):
    network, x = alive(kind()), distinct(8)
    for photo, trace in zip(x, recorded(network, x)):
        expected = attnviz.trace(network.base, photo).layers["att"].channel
        assert trace.layers and trace.remarks == ()
        assert all(np.allclose(layer.channel, expected, atol=1e-5) for layer in trace.layers.values())


class SumsInPairs(Drawn):
    """Each row holds something of two photos."""

    def forward(self, x):
        return self.base((x + x.flip(0)) / 2)


def test_a_gate_that_is_the_same_for_all_photos_is_read():
    trace = recorded(alive(Shared()), noise(3, 3, 32, 32))
    assert all(np.allclose(each.layers["base.att"].channel, np.linspace(0, 1, C)) for each in trace)


class Mixed(nn.Module):
    """Rows that hold something of every photo."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Small(SE())

    def forward(self, x):
        return self.base(torch.cat((x + x.mean(0), x))).view(2, len(x), -1).mean(0)


@pytest.mark.parametrize("kind", [Drawn, Sorted, SumsInPairs, Mixed])
def test_rows_that_can_not_be_told_apart_are_not_read_and_that_is_said(kind):
    trace = recorded(alive(kind()), distinct(4).roll(1, 0))
    assert trace.count == 4 and all(each.layers == {} for each in trace)
    assert "base.att works on" in str(trace[0].remarks[0])


def test_features_of_one_frame_are_those_before_and_after_its_gate():
    network, video = alive(Folded(SE(), frames_first=False)), noise(4, 3, 32, 32)
    layer = attnviz.trace(network, video).layers["base.att #3"]
    seen = attnviz.features(network, video, "base.att #3")
    np.testing.assert_allclose(seen.before * layer.factor(), seen.after, atol=1e-5)


class OnADevice(nn.Module):
    """Draws from a generator of a device, and mixes its rows."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Small(SE())

    def forward(self, x):
        (generator,) = torch.cuda.default_generators
        return self.base(x[torch.randperm(len(x), generator=generator)])


def test_numbers_that_a_device_draws_are_the_callers_too(monkeypatch):
    network, x = alive(OnADevice()), distinct(4)
    states = []
    for listened in (False, True):
        generator = torch.Generator().manual_seed(3)
        monkeypatch.setattr(torch.cuda, "default_generators", (generator,))
        with attnviz.record(network) if listened else nullcontext(), torch.no_grad():
            network(x)
        states.append(generator.get_state())
    assert torch.equal(*states)


class OnlyThese(nn.Module):
    """Fails on every input but the caller's, and counts its calls."""

    def __init__(self, allowed: torch.Tensor) -> None:
        super().__init__()
        self.base, self.allowed, self.calls = Small(SE()), allowed, []

    def forward(self, x):
        self.calls.append(len(x))
        assert torch.equal(x, self.allowed)
        return self.base(x)


class OtherCalls(OnlyThese):
    """Runs its rows once, or in two calls of two orders, by their numbers."""

    def forward(self, x):
        self.calls.append(len(x))
        if x.sum() > 0:
            return self.base(x.repeat(2, 1, 1, 1))[: len(x)] + self.base(x.repeat_interleave(2, 0))[::2]
        return self.base(x)


class MoreCalls(OnlyThese):
    """Runs its rows so many times in both orders."""

    times = 1

    def forward(self, x):
        self.calls.append(len(x))
        for _ in range(self.times):
            y = self.base(x.repeat(2, 1, 1, 1))[: len(x)] + self.base(x.repeat_interleave(2, 0))[::2]
        return y


def test_of_calls_that_are_others_in_each_pass_only_some_are_measured():
    x = distinct(4)
    network = alive(MoreCalls(x))
    runs = []
    with attnviz.record(network), torch.no_grad():
        for network.times in range(1, 8):
            network.calls.clear()
            network(x)
            runs.append(len(network.calls))
    assert min(runs[:4]) > 1 and runs[4:] == [1, 1, 1]


@pytest.mark.parametrize("kind", [OnlyThese, OtherCalls])
def test_what_can_not_be_told_is_not_tried_in_every_pass(kind):
    x = distinct(4)
    batches = [x, x if kind is OnlyThese else -x]
    network = alive(kind(x))
    with attnviz.record(network) as trace, torch.no_grad():
        for batch in batches:
            network(batch)
        network.calls.clear()
        for batch in batches * 3:
            network(batch)
    assert len(network.calls) == 6 and trace.count == 32
