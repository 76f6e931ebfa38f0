from __future__ import annotations

from torch import nn

from attnviz.capture.module_tree import ModuleTree


def tree() -> tuple[nn.Module, ModuleTree]:
    network = nn.Sequential(nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh())), nn.Sigmoid())
    return network, ModuleTree(dict(network.named_modules()))


def test_the_network_holds_everything_and_ancestors_come_from_outside():
    network, modules = tree()
    tanh = network[0][1][0]
    assert modules.ancestors(tanh) == [network, network[0], network[0][1]]
    assert modules.ancestors(network) == []
    assert (modules.path(tanh), modules.name(network)) == ("0.1.0", "Sequential")
    assert tanh in modules and nn.Tanh() not in modules


def test_a_name_that_begins_alike_is_no_ancestor():
    network = nn.ModuleDict({"block": nn.ReLU(), "block2": nn.ModuleDict({"gate": nn.Sigmoid()})})
    modules = ModuleTree(dict(network.named_modules()))
    assert not modules.is_within(network["block2"]["gate"], {network["block"]})


def test_within_inside_and_outermost():
    network, modules = tree()
    outer, inner, sigmoid = network[0], network[0][1], network[1]
    assert modules.is_within(inner, {outer}) and modules.is_within(outer, {outer})
    assert not modules.is_within(outer, {inner})
    assert modules.inside(outer, [outer, inner, sigmoid]) == [inner]
    assert modules.inside(network, [network, inner]) == [inner]
    assert modules.outermost([inner, outer, sigmoid]) == [outer, sigmoid]
