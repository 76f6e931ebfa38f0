"""A recording beside other recordings, traces, threads, hooks and checkpoints: each hears its own, and the
caller's loop computes what it would without."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest
import torch
from helpers.brought_networks import CBAM, SE, C, LerpSE, OpenBlock, Small, alive, noise
from helpers.small_networks import hook_count
from torch import nn
from torch.utils.checkpoint import checkpoint

import attnviz

BATCH = noise(2, 3, 32, 32)


def is_good(recording: attnviz.Recording, count: int, layer: str = "att") -> bool:
    """Whether so many inputs were recorded, each with this layer alone."""
    return recording.error is None and [list(each.layers) for each in recording] == [[layer]] * count


@pytest.mark.parametrize("block", [SE, CBAM, OpenBlock, LerpSE])
def test_recordings_of_one_network_in_each_other_hear_the_callers_passes_only(block):
    network = alive(Small(block()))
    with torch.no_grad(), attnviz.record(network) as outer:
        network(BATCH)
        with attnviz.record(network) as inner:
            network(BATCH)
        network(BATCH)
    assert is_good(outer, 6) and is_good(inner, 2) and hook_count(network) == 0


@pytest.mark.parametrize("is_part_first", [True, False])
def test_a_network_and_a_part_of_it_are_recorded_at_once(is_part_first):
    network = alive(Small(OpenBlock()))
    both = [network.att, network] if is_part_first else [network, network.att]
    with torch.no_grad(), attnviz.record(both[0]) as first, attnviz.record(both[1]) as second:
        network(BATCH)
        network(BATCH)
    part, whole = (first, second) if is_part_first else (second, first)
    assert is_good(whole, 4) and is_good(part, 4, "OpenBlock") and hook_count(network) == 0


def test_a_recording_that_ends_before_one_that_it_holds_leaves_that_one():
    network = alive(Small(OpenBlock()))
    first, second = attnviz.record(network), attnviz.record(network)
    with torch.no_grad():
        one, other = first.__enter__(), second.__enter__()
        network(BATCH)
        first.__exit__(None, None, None)
        network(BATCH)
        second.__exit__(None, None, None)
    assert is_good(one, 2) and is_good(other, 4) and hook_count(network) == 0


def test_what_attnviz_runs_inside_a_block_is_not_recorded():
    network = alive(Small(OpenBlock()))
    expected = attnviz.trace(network, BATCH[0]).layers["att"].factor()
    with torch.no_grad(), attnviz.record(network) as recording:
        network(BATCH)
        traced = attnviz.trace(network, BATCH[0])
        attnviz.find(network, BATCH)
        attnviz.features(network, BATCH[0], "att")
        network(BATCH)
    assert is_good(recording, 4) and (traced.layers["att"].factor() == expected).all()


def test_a_mode_of_the_callers_is_no_code_of_the_network():
    network = alive(Small(OpenBlock()))
    calls = []
    network.register_forward_hook(lambda module, inputs, output: calls.append(len(inputs[0])))
    with torch.no_grad(), attnviz.record(network) as recording:
        network(BATCH)
        calls.clear()
        with torch.device("cpu"):
            network(BATCH)
        network(BATCH)
    assert is_good(recording, 6) and calls == [2, 2]  # it is not looked at anew


def test_each_thread_records_its_own_passes():
    network = alive(Small(OpenBlock()))
    batches = [noise(2, 3, 32, 32, seed=seed) for seed in range(3)]
    with torch.no_grad():
        expected = [network(batch) for batch in batches]

    def recorded(batch: torch.Tensor) -> tuple[attnviz.Recording, torch.Tensor]:
        with torch.no_grad(), attnviz.record(network) as recording:
            return recording, [network(batch) for _ in range(3)][-1]

    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(recorded, batches))
    assert all(is_good(recording, 6) for recording, _ in found) and hook_count(network) == 0
    assert all(torch.equal(output, wanted) for (_, output), wanted in zip(found, expected))


def test_a_generator_that_is_left_early_leaves_nothing():
    network = alive(Small(OpenBlock()))

    def outputs():
        with torch.no_grad(), attnviz.record(network) as recording:
            while True:
                network(BATCH)
                yield recording

    closed, left = outputs(), outputs()
    recordings = [next(closed)]
    closed.close()
    recordings.append(next(left))
    del left
    gc.collect()
    traces = attnviz.traces(network.train(), noise(8, 3, 32, 32), batch_size=2)
    next(traces)
    assert network.training
    traces.close()
    with torch.no_grad():
        network(BATCH)
    assert all(is_good(each, 2) for each in recordings) and hook_count(network) == 0


class Checkpointed(nn.Module):
    """Computes its block again in the backward pass."""

    def __init__(self, block: nn.Module, use_reentrant: bool) -> None:
        super().__init__()
        self.stem, self.att, self.drop = nn.Conv2d(3, C, 3, 2, 1), block, nn.Dropout(0.3)
        self.use_reentrant = use_reentrant

    def forward(self, x):
        return checkpoint(self.part, self.stem(x), use_reentrant=self.use_reentrant).mean((2, 3))

    def part(self, x):
        return self.drop(self.att(x))


def hooked() -> nn.Module:
    """A network whose owner's hooks change what goes in, what comes out, and a gradient."""
    network = alive(Small(OpenBlock()))
    network.register_forward_pre_hook(lambda module, inputs: (inputs[0] * 0.5,))
    network.register_forward_hook(lambda module, inputs, output: output + 1)
    network.att.register_full_backward_hook(lambda module, given, taken: (given[0] * 2,))
    return network


def trained(network: nn.Module) -> list[torch.Tensor]:
    """Outputs, gradients and the random numbers' state after some steps."""
    torch.manual_seed(1)
    outputs = []
    for _ in range(2):
        outputs.append(network.train()(BATCH))
        outputs[-1].square().mean().backward()
    gradients = [weights.grad for weights in network.parameters() if weights.grad is not None]
    return [*outputs, *gradients, torch.random.get_rng_state()]


@pytest.mark.parametrize(
    "made",
    [
        hooked,
        lambda: alive(Checkpointed(SE(), use_reentrant=True)),
        lambda: alive(Checkpointed(OpenBlock(), use_reentrant=True)),
        lambda: alive(Checkpointed(OpenBlock(), use_reentrant=False)),
        lambda: alive(Checkpointed(LerpSE(), use_reentrant=False)),
    ],
    ids=["hooks", "SE", "open block", "open block, not reentrant", "LerpSE, not reentrant"],
)
def test_hooks_and_checkpoints_compute_what_they_would_without(made):
    found = []
    for is_recorded in (False, True):
        network = made()
        with attnviz.record(network) if is_recorded else nullcontext() as recording:
            found.append(trained(network))
    assert is_good(recording, 4)
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_what_a_hook_or_the_network_raises_is_the_callers_and_the_next_pass_is_recorded(error):
    network = alive(Small(OpenBlock()))

    def fails(*_):
        raise error

    with torch.no_grad(), attnviz.record(network) as recording:
        network(BATCH)
        for module in (network.stem, network.att):
            hook = module.register_forward_hook(fails)
            with pytest.raises(error):
                network(BATCH)
            hook.remove()
            network(BATCH)
    assert is_good(recording, 6) and hook_count(network) == 0


@pytest.mark.parametrize("name", ["", "att"])
def test_hooks_that_are_taken_away_while_a_call_begins_do_not_run(name):
    network = alive(Small(OpenBlock()))
    context = attnviz.record(network)
    ends = []

    def end(*_):
        if ends:
            context.__exit__(*ends.pop())

    network.get_submodule(name).register_forward_pre_hook(end)
    with torch.no_grad():
        expected = network(BATCH)
        recording = context.__enter__()
        network(BATCH)
        ends.append((None, None, None))
        assert torch.equal(network(BATCH), expected)
    assert is_good(recording, 2) and hook_count(network) == 1
