"""What reading and opening checkpoints takes of memory and time, hostile ones too."""

from __future__ import annotations

import sys

import pytest
import torch
from helpers.forked_costs import CHECKPOINTS, OPENINGS, costs
from helpers.hostile_checkpoints import (
    WORST,
)
from helpers.small_networks import stirred
from helpers.weight_names import renamed
from safetensors.torch import save_file

from attnviz.networks.plan import BlockPlan, ConvolutionPlan, GatePlan, LayerPlan, Plan
from attnviz.networks.resnet import ResNet

FORMATS = {
    "zip": torch.save,
    "legacy": lambda value, path: torch.save(value, path, _use_new_zipfile_serialization=False),
    "safetensors": save_file,
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_worst_files_take_at_most_50_megabytes_beyond_their_size_and_do_not_take_for_ever(tmp_path):
    cases = {**WORST, "honest": lambda path: torch.save({"a": torch.ones(15_000_000)}, path)}
    paths = {case: tmp_path / f"{number}.pth" for number, case in enumerate(cases)}
    for case, path in paths.items():
        cases[case](path)
    answers = dict(zip(cases, costs(list(paths.values()), CHECKPOINTS), strict=True))
    assert answers.pop("honest").outcome == "1 tensors"
    for case, cost in answers.items():
        assert cost.outcome.endswith("."), (case, cost)
        assert cost.megabytes <= 50 + paths[case].stat().st_size / 1e6, (case, cost)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("names", ["ours", "that leave the order of maps open"])
def test_opening_a_half_precision_file_takes_at_most_2_2_times_its_size(tmp_path, names):
    state = stirred(18, "cbam", width=64, classes=1000).state_dict()
    if names != "ours":
        change = renamed((r"attention\.channel\.fc", "ca.fc"), (r"attention\.spatial\.conv", "sa.conv"))
        state = change(state)
    halves = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
    paths = [tmp_path / f"{case}.pth" for case in FORMATS]
    for path, save in zip(paths, FORMATS.values()):
        save(halves, path)
    for path, cost in zip(paths, costs(paths, OPENINGS), strict=True):
        assert cost.outcome == "ResNet" and cost.megabytes <= 2.2 * path.stat().st_size / 1e6, (path, cost)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_small_file_of_wide_features_takes_little_memory_to_settle_what_it_leaves_open(tmp_path):
    width = 4096
    stem = ConvolutionPlan(3, width, 1)
    narrow = (ConvolutionPlan(width, 2, 1), ConvolutionPlan(2, 2, 3), ConvolutionPlan(2, width, 1))
    block = BlockPlan(narrow, gate=GatePlan("cbam", width, 2))
    plan = Plan((stem,), ((block, block), (block, block)), (LayerPlan(width, 2),))
    change = renamed((r"attention\.channel\.fc", "ca.fc"), (r"attention\.spatial\.conv", "sa.conv"))
    paths = [tmp_path / "nothing_open.pth", tmp_path / "open.pth"]
    state = ResNet(plan=plan).state_dict()
    torch.save(state, paths[0])
    torch.save(change(state), paths[1])
    usual, cost = costs(paths, OPENINGS)
    assert cost.outcome == usual.outcome == "ResNet"
    assert cost.megabytes <= usual.megabytes + 100, "a pass of 16 photos would take over a gigabyte"
