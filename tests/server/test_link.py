"""A link brings back what it names of what is offered, and nothing else."""

from __future__ import annotations

import pytest

from attnviz.server.link import Link

NETWORKS = ("cbam_resnet18", "bam_resnet18", "se_resnet18")


def link(header: str = "", **query: str) -> Link:
    return Link.from_query(query, header, NETWORKS)


def test_a_link_brings_back_what_it_names():
    query = {"network": "bam_resnet18", "photo": "cat", "view": "crop", "layer": "bam2", "channel": "12"}
    compared = {
        "tab": "photos",
        "photos": "cat,coffee,secret",
        "a": "coffee",
        "b": "secret",
        "block": "first",
    }
    state = {
        "tab": "photos",
        "layer": "bam2",
        "channel": 12,
        "photos": ["example:cat", "example:coffee"],
        "a": "example:coffee",
        "block": "first",
    }
    assert link(**query, **compared, lang="zh") == Link("zh", "example:cat", "bam_resnet18", "crop", state)
    assert link(networks="se_resnet18,x,bam_resnet18").state == {"networks": ["se_resnet18", "bam_resnet18"]}


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"network": "../../etc/passwd", "photo": "../page", "view": "x", "tab": "admin", "channel": "-1"},
        {"lang": "xx", "networks": "a,b", "block": "x"},
        {"network": "yours:guess", "photo": "/etc/passwd", "channel": "9" * 5000, "photos": "upload:x"},
        {"a": "upload:x", "b": "../page", "channel": "²"},
        {"network": "timm/resnet50.a1_in1k"},
        {"photo": "flower", "photos": "galaxies,rocket", "a": "astronaut"},  # examples of earlier versions
    ],
)
def test_a_link_can_ask_for_nothing_that_is_not_offered(query):
    assert link(**query) == Link("en", None, None, "whole", {})


def test_chinese_browsers_get_chinese_unless_the_link_says_otherwise():
    assert link("zh-CN,zh;q=0.9").language == "zh" and link("de,en").language == "en"
    assert link("zh-CN", lang="en").language == "en"
