"""What a network has to reach, at its limits, and the tables of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from attnviz.training.evaluate import Measurement
from attnviz.training.following import Following
from attnviz.training.gates import LayerGates, Share
from attnviz.training.goals import goals, top1_goal
from attnviz.training.tables import accuracy_table, gates_table, goals_table

GOOD = LayerGates(
    "layer1.0",
    mean=0.5,
    saturated=Share(15, 100),
    across_channels=0.08,
    across_photos=0.03,
    all_off=Share(5, 100),
    map_range=0.15,
    map_saturated=Share(25, 100),
    map_explained=0.2499,
    map_following=Following(0.1, 0.0, 0.01),
)
BAD = {
    "saturated": Share(16, 100),
    "across_channels": 0.31,
    "across_photos": 0.029,
    "all_off": Share(6, 100),
    "map_range": 0.149,
    "map_saturated": Share(26, 100),
    "map_explained": 0.25,
    "map_following": Following(0.09, 0.0, 0.01),
}
ALLOWED = {  # in how many of eight layers each may miss
    "saturated": 0,
    "across_channels": 2,
    "across_photos": 2,
    "all_off": 0,
    "map_range": 1,
    "map_saturated": 0,
    "map_explained": 2,
    "map_following": 5,
}


def met(layers: list[LayerGates]) -> bool:
    return all(goal.met for goal in goals(layers))


def test_what_reaches_every_limit_is_good():
    assert met([GOOD] * 8) and met([GOOD] * 3) and met([])
    assert top1_goal(0.915, 0.915).met and not top1_goal(0.914, 0.915).met


@pytest.mark.parametrize("name", BAD)
def test_so_many_layers_may_miss_a_limit_and_no_more(name):
    bad = replace(GOOD, **{name: BAD[name]})
    allowed = ALLOWED[name]
    assert met([bad] * allowed + [GOOD] * (8 - allowed))
    assert not met([bad] * (allowed + 1) + [GOOD] * (7 - allowed))


def test_goals_are_about_what_a_network_has():
    assert [len(goals(layers)) for layers in ([], [GOOD])] == [0, 7]
    se = LayerGates(
        "layer1.0",
        mean=0.5,
        saturated=Share(0, 9),
        across_channels=0.2,
        across_photos=0.1,
        all_off=Share(0, 9),
    )
    assert len(goals([se])) == 3


def test_a_flat_map_reaches_nothing():
    flat = replace(GOOD, map_explained=None, map_following=None)
    assert [goal.met for goal in goals([flat] * 8)][-2:] == [False, False]


def test_tables_say_what_was_measured():
    measurement = Measurement(0.9234, 3925, 200, [GOOD, LayerGates("bam1")])
    assert "| mine | 92.34% | 3,925 |" in accuracy_table({"mine": measurement})
    first, second = gates_table(measurement.layers).splitlines()[2:]
    assert (
        first == "| layer1.0 | 0.500 | 15.0% | 0.080 | 0.030 | 5.0% | 0.150 | 25.0% | 0.250 | +0.10 ± 0.01 |"
    )
    assert second.count("–") == 9
    rows = goals_table(measurement.goals).splitlines()
    assert rows[0] == "| to reach | measured | reached |"
    assert rows[2] == "| channel gates within 0.05 of 0 or 1 over the network: at most 15% | 15.0% | yes |"
