"""What a page opens first where it was told, before and after it is there."""

from __future__ import annotations

import pytest

from attnviz.errors import SettingsError
from attnviz.server.catalog import Catalog
from attnviz.server.first_networks import FirstNetworks
from attnviz.server.settings import SPACE_NETWORKS, Settings
from attnviz.zoo.registry import list_networks

CBAM, SE, BAM = "pytorchcv/cbam_resnet50", "pytorchcv/seresnet50", "pytorchcv/bam_resnet50"


@pytest.fixture
def page(visitor):
    """A visitor of a page that was told to open ImageNet's networks first, and its catalog."""
    catalog = Catalog(Settings(networks=SPACE_NETWORKS))
    return visitor(catalog=catalog), catalog


def test_those_of_a_space_are_one_of_each_attention():
    assert FirstNetworks(SPACE_NETWORKS).names == (CBAM, SE, BAM)


@pytest.mark.parametrize("name", ["cbam_resnet51", "", "/etc/passwd", "timm/resnet50.a1_in1k", "yours:x"])
def test_a_name_that_no_page_can_open_is_refused_at_the_start(name):
    with pytest.raises(SettingsError, match="that a page can open first"):
        Catalog(Settings(networks=("se_resnet18", name)))


def test_one_that_comes_with_attnviz_is_first_at_once():
    catalog = Catalog(Settings(networks=("bam_resnet18", "bam_resnet18")))
    assert catalog.first() == "bam_resnet18" and catalog.first_networks.to_fetch() == []
    assert [name for _, name in catalog.choices([])][:2] == ["bam_resnet18", "cbam_resnet18"]


def test_without_a_setting_nothing_is_said_and_nothing_is_first(client):
    opening = client.ask("start")
    assert opening["capture"]["asked"]["network"] == "cbam_resnet18" and opening["note"] is None


def test_until_it_is_there_a_page_begins_with_those_that_come_with_attnviz_and_says_so(page):
    client, catalog = page
    opening = client.ask("start")
    assert opening["capture"]["asked"]["network"] == "cbam_resnet18"
    assert "CBAM ResNet-50, which knows ImageNet's 1,000 classes, is on its way" in opening["note"]["en"]
    catalog.first_networks.failed(CBAM)
    assert "未能下载" in client.ask("start")["note"]["zh"]


def test_once_it_is_there_it_is_first_and_stands_beside_those_that_come_with_attnviz(page):
    client, catalog = page
    for name in (SE, CBAM):
        catalog.first_networks.arrived(name)
    assert catalog.first_networks.to_fetch() == [BAM] and catalog.first() == CBAM
    rows = {row["name"]: row["group"] for row in client.ask("networks")["networks"]}
    assert rows[CBAM] == rows[SE] == rows["cbam_resnet18"] == "embedded" and rows[BAM] == "imagenet"


def test_links_that_name_a_network_open_that_one(page):
    client, catalog = page
    catalog.first_networks.arrived(CBAM)
    asked = client.ask("start", network="bam_resnet18")["capture"]["asked"]
    assert (asked["network"], asked["photo"]) == ("bam_resnet18", "example:temple")


def test_what_programs_ask_for_without_a_name_stays_the_same(page):
    _, catalog = page
    assert {"cbam_resnet18"} <= set(list_networks()) and catalog.first() == "cbam_resnet18"
