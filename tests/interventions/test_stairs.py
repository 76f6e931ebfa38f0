"""Stairs: each layer alone is a sweep, together they are one intervention after another."""

from __future__ import annotations

import pytest
from helpers.brought_networks import noise
from helpers.small_networks import hook_count, stirred

import attnviz
from attnviz.interventions.stairs import LeftOut, climb


@pytest.mark.parametrize("attention", ["se", "cbam", "bam"])
@pytest.mark.parametrize("how", ["off", "flat"])
def test_stairs_are_the_sweep_and_the_interventions_of_all_layers_so_far(attention, how):
    network, x = stirred(18, attention, least_hidden=6, bias=True), noise(3, 64, 64)
    swept, stairs = attnviz.sweep(network, x, how), list(climb(network, x, how))
    assert [stair.layer for stair in stairs] == [row.layer for row in swept.rows]
    label, _ = swept.before.top(1)[0]
    for count, (stair, row) in enumerate(zip(stairs, swept.rows), 1):
        assert stair.alone.answer.score_change == row.answers[how].score_change
        made = attnviz.intervene(network, x, {one.layer: how for one in stairs[:count]})
        assert stair.together.answer.score_change == made.score_change
        assert stair.together.answer.label == made.answer.label
        assert stair.together.share == pytest.approx(dict(made.after.top(10))[label])
    assert stairs[0].alone.answer.score_change == stairs[0].together.answer.score_change
    assert hook_count(network) == 0


def test_a_layer_that_can_not_be_changed_is_left_out_and_the_others_are_climbed():
    network, x = stirred(18, "se"), noise(3, 64, 64)
    usual = attnviz.reference(network, [noise(3, 64, 64)])
    del usual.means["layer2.0"]
    stairs = list(climb(network, x, "usual", reference=usual))
    assert [one.layer for one in stairs if isinstance(one, LeftOut)] == ["layer2.0"]
    assert len(stairs) == 8
