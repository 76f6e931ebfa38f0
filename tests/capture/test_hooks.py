"""Hooks are there only while they are needed, for one thread, and disturb nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from helpers.small_networks import hook_count, stirred
from torch import nn

import attnviz
from attnviz.capture.hooks import before_calls, on_calls


def test_no_hook_is_left_and_modes_come_back():
    network = stirred(18, "cbam").train()
    network.layer2.eval()
    modes = [module.training for module in network.modules()]
    attnviz.trace(network, torch.randn(3, 64, 64))
    assert hook_count(network) == 0
    assert [module.training for module in network.modules()] == modes


def test_no_hook_is_left_and_modes_come_back_after_a_failure():
    network = stirred(18, "cbam").train()
    network.fc = nn.Linear(3, 3)  # does not fit: the pass fails at its very end
    with pytest.raises(RuntimeError):
        attnviz.trace(network, torch.randn(3, 64, 64))
    assert hook_count(network) == 0
    assert all(module.training for module in network.modules())


def test_eight_threads_on_one_network_agree_with_one():
    network = stirred(18, "cbam")
    inputs = [torch.randn(3, 64, 64) for _ in range(24)]
    alone = [attnviz.trace(network, x) for x in inputs]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda x: attnviz.trace(network, x), inputs))
    for one, other in zip(alone, together):
        assert np.array_equal(one.logits, other.logits)
        for name in one.layers:
            assert np.array_equal(one.layers[name].factor(), other.layers[name].factor())
    assert hook_count(network) == 0


def test_a_bare_pass_in_another_thread_does_not_mix_in():
    network, x, other = stirred(18, "se"), torch.randn(3, 64, 64), torch.randn(1, 3, 64, 64)
    expected = attnviz.trace(network, x)

    def passes(_):
        with torch.inference_mode():
            return network(other)

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(passes, index) for index in range(60)]
        traced = [attnviz.trace(network, x) for _ in range(10)]
        for future in running:
            future.result()
    for trace in traced:
        assert np.array_equal(trace.layers["layer4.1"].channel, expected.layers["layer4.1"].channel)


def test_what_leaves_is_copied():
    network, x = stirred(18, "cbam"), torch.randn(3, 64, 64)
    first = attnviz.trace(network, x)
    kept = first.layers["layer3.0"].spatial.copy()
    again = attnviz.trace(network, x)
    again.layers["layer3.0"].spatial[:] = -1
    again.layers["layer3.0"].factor()[:] = -1
    x.zero_()
    assert np.array_equal(first.layers["layer3.0"].spatial, kept)
    assert first.photo.pixels.std() > 0  # made from the input as it was


def test_without_steps_nothing_more_listens_and_nothing_more_is_kept():
    network, x, counts = stirred(18, "cbam"), torch.randn(3, 64, 96), []
    attnviz.find(network)  # recognising listens to everything, once
    own = network.fc.register_forward_pre_hook(lambda *_: counts.append(hook_count(network) - 1))
    whole, plain = attnviz.trace(network, x), next(attnviz.traces(network, x[None]))
    own.remove()
    # the block itself; fc1, relu and fc2 of the channel gate, the convolution and gate of the other
    with_steps = 6
    assert counts == [len(plain.layers) * (2 + with_steps), len(plain.layers) * 2]
    for name, layer in plain.layers.items():
        assert layer.steps == ()
        np.testing.assert_array_equal(layer.channel, whole.layers[name].channel)


def test_calls_are_told_of_with_what_went_in_and_came_out_and_failed_ones_with_none():
    network, x, told = nn.Sequential(nn.ReLU(), nn.Linear(3, 2)), torch.randn(1, 3), []
    with on_calls(
        network, lambda module, inputs, _: told.append((module, inputs[0])), lambda *left: told.append(left)
    ):
        y = network(x)
        with pytest.raises(RuntimeError):
            network(torch.randn(1, 4))
    modules = [module for module, _ in told]
    assert modules == [network[0], network[0], network[1], network[1]] * 2
    assert told[0][1] is x and told[3][1] is y and told[7][1] is None
    assert hook_count(network) == 0


def test_what_runs_before_a_call_can_end_the_pass():
    network, passed = nn.Sequential(nn.ReLU(), nn.Linear(3, 2)), []

    def check() -> None:
        passed.append(1)
        if len(passed) == 2:
            raise TimeoutError

    with before_calls(network, check), pytest.raises(TimeoutError):
        network(torch.randn(1, 3))
    assert len(passed) == 2 and hook_count(network) == 0


def test_hooks_run_in_the_thread_that_added_them_only():
    module, told = nn.ReLU(), []
    with before_calls([module], lambda: told.append(1)), ThreadPoolExecutor(1) as other:
        other.submit(module, torch.ones(1)).result()
        assert told == []
        module(torch.ones(1))
    assert told == [1]
