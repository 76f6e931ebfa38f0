"""The penalty on large logits of gates."""

from __future__ import annotations

import pytest
import torch
from helpers.small_networks import hook_count, stirred
from torch import Tensor

from attnviz.networks import SqueezeExcite
from attnviz.training.penalty import gate_logits, gates_of, mean_squares


@pytest.mark.parametrize(("attention", "count"), [("se", 8), ("cbam", 16), ("bam", 3), (None, 0)])
def test_every_gate_is_heard_in_running_order(attention, count):
    network, x = stirred(18, attention), torch.randn(2, 3, 64, 64)
    with gate_logits(network) as logits:
        network(x)
    assert len(logits) == len(gates_of(network)) == count and hook_count(network) == 0
    shapes = {"se": (2, 8), "cbam": (2, 8), "bam": (2, 8, 16, 16)}
    if attention is not None:
        assert logits[0].shape == shapes[attention]
    if attention == "cbam":
        assert logits[1].shape == (2, 1, 16, 16)


def test_the_penalty_is_the_sum_of_each_gates_mean_square():
    logits = [torch.tensor([[1.0, -3.0]]), torch.full((2, 1, 4, 4), 2.0)]
    assert mean_squares(logits).item() == 5 + 4
    assert mean_squares([]).item() == 0


def test_its_gradient_is_that_of_the_formula():
    """Of SE: logits l = W2 relu(W1 z), so ∂(mean l²)/∂W2 = 2 / (N C) · lᵀ h, by hand."""
    module, x = SqueezeExcite(6, 2), torch.randn(4, 6, 5, 5)
    with gate_logits(module) as logits:
        module(x)
    mean_squares(logits).backward()
    hidden = torch.relu(x.mean((2, 3)) @ module.fc1.weight.T).detach()
    expected = 2 / (4 * 6) * (hidden @ module.fc2.weight.T).T.detach() @ hidden
    torch.testing.assert_close(module.fc2.weight.grad, expected)


def test_its_gradient_is_the_slope_of_the_penalty_in_a_network():
    network, x = stirred(18, "cbam").double(), torch.randn(2, 3, 64, 64, dtype=torch.float64)
    weight = network.layer2[0].attention.spatial.conv.weight
    direction = torch.randn_like(weight)

    def penalty() -> Tensor:
        with gate_logits(network) as logits:
            network(x)
        return mean_squares(logits)

    def penalty_after(step: float) -> float:
        with torch.no_grad():
            weight.add_(step * direction)
            moved = penalty().item()
            weight.sub_(step * direction)
        return moved

    (gradient,) = torch.autograd.grad(penalty(), [weight])
    slope = (penalty_after(1e-6) - penalty_after(-1e-6)) / 2e-6
    assert (gradient * direction).sum().item() == pytest.approx(slope, rel=1e-5)
