"""What a page opens first where it was told, before and after it is there."""

from __future__ import annotations

from types import SimpleNamespace

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


def started(client, **query) -> dict:
    request = SimpleNamespace(query_params=query, headers={}, session_hash="visitor")
    return client.named(client.handlers.start(request=request))


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
    updates = started(client)
    assert updates["opened"] == "cbam_resnet18" and not updates["network_note"]["visible"]
    assert not updates["other"]["visible"]


def test_until_it_is_there_a_page_begins_with_those_that_come_with_attnviz_and_says_so(page):
    client, catalog = page
    updates = started(client)
    assert updates["opened"] == "cbam_resnet18" and not updates["other"]["visible"]
    assert (
        "CBAM ResNet-50, which knows ImageNet's 1,000 classes, is on its way"
        in updates["network_note"]["value"]
    )
    catalog.first_networks.failed(CBAM)
    updates = started(client, lang="zh")
    assert "未能下载" in updates["network_note"]["value"] and updates["opened"] == "cbam_resnet18"


def test_once_it_is_there_it_is_first_and_the_other_is_offered(page):
    client, catalog = page
    for name in (SE, CBAM):
        catalog.first_networks.arrived(name)
    assert catalog.first_networks.to_fetch() == [BAM] and catalog.first() == CBAM
    titles = [name for _, name in catalog.choices([])]
    assert titles[:3] == [CBAM, SE, "cbam_resnet18"] and len(set(titles)) == len(titles)
    updates = client.named(client.handlers.speak("en", CBAM, None, None))
    assert updates["network_note"]["value"] == "It was trained on ImageNet and knows 1,000 classes."
    assert updates["other"]["value"] == "Open CBAM ResNet-18, which comes with attnviz"
    opened = client.named(client.handlers.open_other(CBAM, "example:pizza", "en"))
    assert opened["opened"] == "cbam_resnet18" and opened["current"] == "example:temple"
    updates = client.named(client.handlers.speak("en", "se_resnet18", None, None))
    assert updates["other"]["value"] == "Open SE ResNet-50, which knows 1,000 classes"
    opened = client.named(client.handlers.open_other("se_resnet18", "example:temple", "en"))
    assert opened["opened"] == SE and opened["current"] == "example:pizza"


@pytest.mark.parametrize("photo", ["upload:token/mine.png", "example:cat"])
def test_a_photo_that_fits_the_other_network_too_stays(page, photo):
    client, catalog = page
    catalog.first_networks.arrived(CBAM)
    for network in (CBAM, "cbam_resnet18"):
        opened = client.named(client.handlers.open_other(network, photo, "en"))
        assert opened["current"] == photo and opened["opened"] != network


def test_links_that_name_a_network_open_that_one(page):
    client, catalog = page
    catalog.first_networks.arrived(CBAM)
    updates = started(client, network="bam_resnet18")
    assert updates["opened"] == "bam_resnet18"
    assert updates["viewer"]["capture"]["photo"]["name"] == "temple.jpg"


def test_what_programs_ask_for_without_a_name_stays_the_same(page):
    _, catalog = page
    assert {"cbam_resnet18"} <= set(list_networks()) and catalog.first() == "cbam_resnet18"
