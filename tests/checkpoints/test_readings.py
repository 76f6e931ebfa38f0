"""Small networks that were built in ways which their keys don't tell, and were trained for some steps:
numbers tell how, or it is said that it was assumed, and a person can tell."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from helpers.placed_networks import (
    BAMs,
    FirstGate,
    LuuuyiCBAM,
    NormsFirst,
    SmallBAM,
    ZeroShortcuts,
    placed,
    trained,
)
from torch import nn

import attnviz
from attnviz.checkpoints.opening import HeldWeights, open_state_dict, open_weights
from attnviz.checkpoints.told import Told
from attnviz.choices import PLACES, SEQUENCES
from attnviz.errors import NetworkError

Case = tuple[Callable[[], nn.Module], int, dict]  # how it was built, the side of its photos, what is told

CASES: dict[str, Case] = {
    **{f"SE, {place}": (partial(placed, place), 64, {"place": place}) for place in PLACES},
    **{
        f"CBAM, {place}": (partial(placed, place, LuuuyiCBAM), 64, {"place": place})
        for place in ("sum", "output", "input")
    },
    **{
        f"CBAM, {sequence}": (
            partial(placed, "branch", partial(LuuuyiCBAM, sequence=sequence)),
            64,
            {"sequence": sequence},
        )
        for sequence in SEQUENCES
    },
    "CBAM of averages": (
        partial(placed, "branch", partial(LuuuyiCBAM, squeeze="average")),
        64,
        {"squeeze": "average"},
    ),
    **{f"BAM, dilation {way}": (partial(BAMs, way), 32, {"dilation": way}) for way in (1, 2, 4)},
    "BAM, added": (partial(BAMs, branches="added"), 32, {"branches": "added"}),
    **{f"zeros {way}": (partial(ZeroShortcuts, way), 64, {"zeros": way}) for way in ("around", "behind")},
    **{f"shortcut {way}": (partial(NormsFirst, way), 32, {"shortcut": way}) for way in ("normed", "plain")},
    **{
        f"first gate {way}": (partial(FirstGate, way), 64, {"first_gate": way})
        for way in ("before pool", "behind pool")
    },
}
SETTLED = [  # what numbers are to tell, not only to say that it was assumed
    *(f"SE, {place}" for place in PLACES),
    "zeros around",
    "zeros behind",
]


def off(network: nn.Module, opened: nn.Module, side: int) -> float:
    """How far the scores of what was opened are off, as a share of the greatest."""
    x = torch.randn(2, 3, side, side, dtype=torch.float64)
    with torch.no_grad():
        expected, given = network.double()(x), opened.double()(x)
    return float((given - expected).abs().max() / expected.abs().max())


def weights(network: nn.Module) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in network.float().state_dict().items()}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_network_computes_what_it_was_trained_to_or_says_what_was_assumed(case):
    make, side, told = CASES[case]
    network, about = trained(make, side), next(iter(told))
    opened = open_state_dict(weights(network), "mine.pth")
    assumed = {key.partition(" ")[0] for key in opened.card.assumed}
    wrong = {
        name for name, value in {**opened.card.built, **told}.items() if opened.card.built[name] != value
    }
    assert wrong <= assumed, "wrong without a word"
    assert case not in SETTLED or (not wrong and about not in assumed)
    if not wrong and about not in assumed:
        assert off(network, opened, side) <= 1e-7


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_network_computes_the_same_as_its_original_once_a_person_tells(case):
    make, side, told = CASES[case]
    torch.manual_seed(4)
    network = make().eval()
    small = {"pool": "none", "stem": 1} if "BAM" in case and "CBAM" not in case else {}
    usual = {"place": "branch", "sequence": "channel first", "squeeze": "both", "order": "mean first"}
    opened = open_state_dict(weights(network), "mine.pth", Told(**{**usual, **small, **told}))
    assert off(network, opened, side) <= 1e-7


def test_what_was_settled_assumed_or_told_makes_the_same_network_again():
    state = weights(placed("output").eval())
    opened = open_state_dict(dict(state), "mine.pth", Told(place="output"))
    assert opened.card.built == {"place": "output"}
    again = open_state_dict(dict(state), "mine.pth", Told(**opened.card.built))
    assert again.plan == opened.plan


def test_attention_that_cannot_stand_where_a_person_says_is_refused():
    with pytest.raises(NetworkError, match="fit only branch, rectified, norm, middle, sum, output, shortcut"):
        open_state_dict(weights(placed("branch")), "mine.pth", Told(place="input"))
    with pytest.raises(NetworkError, match="fit only input, entry"):
        open_state_dict(weights(placed("input")), "mine.pth", Told(place="branch"))


def test_attention_on_what_blocks_take_is_told_by_its_channels():
    assert open_state_dict(weights(placed("input")), "mine.pth").plan.stages[0][0].place == "input"


def test_bam_in_every_block_is_read_as_in_every_block():
    state = weights(placed("branch", SmallBAM))
    opened = open_state_dict(state, "mine.pth", Told(place="branch", branches="multiplied", dilation=4))
    assert all(block.gate for stage in opened.plan.stages for block in stage) and not opened.plan.gates


def test_settling_stops_when_its_time_is_over_and_says_what_is_assumed():
    asked: list[int] = []

    def may_go_on() -> bool:
        asked.append(1)
        return len(asked) < 3

    opened = open_weights(HeldWeights(weights(placed("branch"))), "mine.pth", may_go_on=may_go_on)
    assert opened.card.assumed == ("place branch",) and len(asked) == 3


@pytest.mark.parametrize("told", [Told(), Told(place="branch")])
def test_what_settling_takes_is_reserved_beside_the_network(told):
    reserved: list[tuple[int, int]] = []
    network = placed("branch")
    size = sum(tensor.nbytes for tensor in network.state_dict().values())

    def reserve(*bytes_: int) -> None:
        reserved.append(bytes_)

    open_weights(HeldWeights(weights(network)), "mine.pth", reserve, told)
    ((own, beside),) = reserved
    assert own == size and (beside > 0) == (told == Told())


def test_load_takes_all_that_can_be_told(tmp_path):
    torch.save(placed("output").state_dict(), tmp_path / "mine.pth")
    assert attnviz.load(tmp_path / "mine.pth", place="output").assumed == []
    with pytest.raises(ValueError, match="dilation is 0; it can be 1 to 32"):
        attnviz.load(tmp_path / "mine.pth", dilation=0)
