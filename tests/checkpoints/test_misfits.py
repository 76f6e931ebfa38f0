"""How far batch norms are from what they saw in training is found out for each by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from attnviz.checkpoints.misfits import WORST, Judge
from attnviz.networks.plan import GatePlan, Plan, usual_plan
from attnviz.networks.resnet import ResNet


def plan_of(kind: str, place: str) -> Plan:
    """Two stages of small blocks whose attention has a batch norm of its own and stands in a place."""
    plan = usual_plan((1, 1), None, width=8, reduction=4, classes=2)
    stages = []
    for stage in plan.stages:
        channels = stage[0].convolutions[0].channels if place == "input" else stage[0].out
        gate = GatePlan(kind, channels, 4, spatial_norm=True)
        stages.append((replace(stage[0], gate=gate, place=place),))
    return replace(plan, stages=tuple(stages))


def weights_of(plan: Plan) -> dict[str, torch.Tensor]:
    """Weights of a network whose batch norms' statistics are those of noise that goes through it."""
    torch.manual_seed(3)
    network = ResNet(plan=plan)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.randn(8, 3, 64, 64))
    return network.state_dict()


@pytest.mark.parametrize("kind", ["cbam", "bam"])
def test_misfits_are_those_of_the_batch_norms_that_they_are_named_after(kind):
    orders = []
    for place in ("input", "branch"):
        plan = plan_of(kind, place)
        weights = weights_of(plan)
        found = Judge(weights)(plan, 64)
        norms = [key.removesuffix(".running_mean") for key in weights if key.endswith("running_mean")]
        assert {*found} <= {*norms} and any("spatial" in path for path in found)
        for path in found:
            wrong = {**weights, f"{path}.running_mean": weights[f"{path}.running_mean"] + 1e6}
            off = Judge(wrong)(plan, 64)
            assert off[path] >= WORST > found[path]
            assert {other for other in found if off[other] != pytest.approx(found[other])} == {path}
        orders.append([*found])
    assert {*orders[0]} == {*orders[1]} and orders[0] != orders[1]
