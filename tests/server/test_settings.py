"""Settings come from the environment, and a wrong one is refused by name."""

from __future__ import annotations

import re

import pytest
from helpers.checkout import ROOT

from attnviz.errors import SettingsError
from attnviz.server.settings import Settings, from_environment, table


def test_without_any_the_page_is_this_machines_own():
    assert from_environment({}) == Settings() and not Settings().public


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"ATTNVIZ_HOST": "0.0.0.0"}, {"host": "0.0.0.0", "public": True, "checkpoint_mb": 300}),
        ({"ATTNVIZ_HOST": "0.0.0.0", "ATTNVIZ_PUBLIC": "no"}, {"public": False, "checkpoint_mb": 1000}),
        (
            {"SPACE_ID": "a/b", "GRADIO_SERVER_NAME": "0.0.0.0", "GRADIO_SERVER_PORT": "7860"},
            {"public": True, "port": 7860, "proxies": 1},
        ),
        ({"GRADIO_SERVER_PORT": "1", "ATTNVIZ_PORT": "2"}, {"port": 2}),
        ({"SPACE_ID": "a/b"}, {"networks": ("cbam_resnet50", "seresnet50", "bam_resnet50")}),
        ({"SPACE_ID": "a/b", "ATTNVIZ_NETWORKS": ""}, {"networks": ()}),
        (
            {"ATTNVIZ_NETWORKS": " cbam_resnet50, se_resnet18,"},
            {"networks": ("cbam_resnet50", "se_resnet18")},
        ),
        ({"ATTNVIZ_CHECKPOINTS": "Off"}, {"checkpoints": False, "checkpoint_bytes": 0}),
        ({"ATTNVIZ_QUEUE": "", "ATTNVIZ_LOG": "text"}, None),
        (
            {"ATTNVIZ_LOG": "text", "ATTNVIZ_RATE": "0", "ATTNVIZ_KEEP": "5"},
            {"log": "text", "rate": 0, "keep": 5},
        ),
    ],
)
def test_what_is_set_counts(environment, expected):
    if expected is None:
        with pytest.raises(SettingsError, match="no setting ATTNVIZ_QUEUE"):
            from_environment(environment)
        return
    settings = from_environment(environment)
    assert {name: getattr(settings, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "0"),
        ("PORT", "http"),
        ("PUBLIC", "maybe"),
        ("PHOTO_MB", "21"),
        ("KEEP", "61"),
        ("LOG", "xml"),
        ("HOST", " "),
        ("WAITING", "1e3"),
        ("PORT", ""),
        ("SECONDS", "nan"),
    ],
)
def test_a_wrong_one_is_refused_with_its_name_and_its_rule(name, text):
    rule = {row[0]: row[2] for row in table()}[f"ATTNVIZ_{name}"].rsplit("; ", 1)[1]
    with pytest.raises(SettingsError, match=re.escape(f"ATTNVIZ_{name} is “{text}”: it must be {rule}")):
        from_environment({f"ATTNVIZ_{name}": text})


def test_arguments_go_before_the_environment():
    assert from_environment({"ATTNVIZ_PORT": "1"}, "127.0.0.1", 2) == Settings(host="127.0.0.1", port=2)
    named = from_environment({"ATTNVIZ_NETWORKS": "cbam_resnet50"}, networks=["se_resnet18"])
    assert named.networks == ("se_resnet18",) and from_environment({}, networks=None).networks == ()


def test_the_readme_lists_every_setting_with_its_default():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, default, about in table():
        assert f"| `{name}` | {default} | {about} |" in readme
