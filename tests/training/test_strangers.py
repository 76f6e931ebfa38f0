"""The threshold on constructed scores, the shares that are reported, and the command that writes them into a
card."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.checkout import ROOT
from PIL import Image

import attnviz
from attnviz.command.main import main
from attnviz.errors import AttnvizError
from attnviz.networks.doubt import Doubt, scored
from attnviz.training.evaluate import measure
from attnviz.training.strangers import KEPT, Trial, auroc, best, list_strangers, threshold_of, trials
from attnviz.training.tables import strangers_table


def logits_of(probabilities: list[float]) -> np.ndarray:
    """Logits (N, 2) whose greater probability is each of these."""
    return np.array([[np.log(p / (1 - p)), 0] for p in probabilities])


@pytest.mark.parametrize(("count", "below"), [(1, 0), (19, 0), (20, 1), (39, 1), (100, 5), (1963, 98)])
def test_as_many_as_may_are_below_the_threshold(count, below):
    scores = np.random.default_rng(0).permutation(np.arange(count, dtype=float))
    threshold = threshold_of(scores)
    assert (scores < threshold).sum() == below and (scores >= threshold).mean() >= KEPT
    assert threshold == below


def test_equal_scores_are_kept_together():
    scores = np.array([0.25] * 10 + [0.75] * 90)
    assert threshold_of(scores) == 0.25  # above it, 10 % would be lost


def test_a_threshold_is_rounded_so_that_it_keeps_more():
    assert threshold_of(np.full(5, 0.123456)) == 0.1234 and threshold_of(np.full(5, -1.00005)) == -1.0001


def test_a_threshold_is_never_above_the_score_that_it_keeps():
    for score in np.nextafter(np.arange(1, 10_000) / 10_000, 0):
        assert threshold_of(np.array([score])) <= score


def test_auroc_is_the_share_of_pairs_in_the_right_order():
    random = np.random.default_rng(0)
    own, strangers = random.integers(3, 9, 41), random.integers(0, 7, 23)
    pairs = [(a > b) + 0.5 * (a == b) for a in own for b in strangers]
    assert auroc(own, strangers) == pytest.approx(np.mean(pairs))
    assert auroc(np.ones(3), np.zeros(2)) == 1 and auroc(np.zeros(3), np.zeros(2)) == 0.5


def test_shares_are_of_the_photos_that_did_not_choose():
    own = logits_of([0.9, 0.6] * 20 + [0.9, 0.95] * 20)  # those that choose all have 0.9
    strangers = logits_of([0.99, 0.55, 0.99, 0.85, 0.99, 0.97])
    trial = trials(own, strangers, "things")[0]
    assert trial.doubt.score == "probability" and trial.doubt.threshold == pytest.approx(0.9, abs=1e-3)
    assert (trial.doubt.kept, trial.doubt.flagged) == (0.5, 0.6667)
    assert (trial.kept_of_all, trial.flagged_of_all) == (0.75, 0.3333)
    assert (trial.doubt.photos, trial.doubt.strangers, trial.doubt.source) == (40, 3, "things")
    assert trial.chosen_by == 0  # the strangers among them all score above
    assert trial.doubt.auroc == pytest.approx((20 * 1 + 20 * 2) / (40 * 3), abs=1e-4)


def test_another_score_than_the_first_is_chosen_where_it_tells_clearly_more():
    def trial(score: str, chosen_by: float) -> Trial:
        return Trial(Doubt(score, 0.25, 1, 1, 0.5, 1, 1), chosen_by, 1, 1)

    first, logit = trial("probability", 0.8), trial("logit", 0.809)
    assert best([first, logit]) is first
    energy = trial("energy", 0.811)
    assert best([first, logit, energy]) is energy
    assert "| **energy** | 0.2500 |" in strangers_table([first, logit, energy])


@pytest.fixture
def folders(tmp_path) -> tuple[Path, Path]:
    """Photos of the ten classes, and of other things: noise of as many colours."""
    random = np.random.default_rng(0)

    def write(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(path)

    for number in range(10):
        write(tmp_path / "val" / f"n{number}" / "a.jpg")
    for name in (
        "n3_a_class.jpg",
        "kin1_near.jpg",
        "x1.jpg",
        "deeper/x2.PNG",
        "n4/x.jpg",
        "x3.jpg",
        "x4.jpg",
    ):
        write(tmp_path / "things" / name)
    (tmp_path / "things" / "x5.txt").write_text("no photo")
    (tmp_path / "kin.txt").write_text("kin1 is nearly one of them\n\n")
    return tmp_path / "val", tmp_path / "things"


def test_strangers_are_photos_of_nothing_that_goes_by_a_classs_name(folders):
    classes = [f"n{number}" for number in range(10)]
    found = list_strangers(folders[1], classes, folders[1].parent / "kin.txt")
    assert [path.relative_to(folders[1]).as_posix() for path in found] == [
        "deeper/x2.PNG",
        "x1.jpg",
        "x3.jpg",
        "x4.jpg",
    ]
    assert len(list_strangers(folders[1], classes)) == 5
    with pytest.raises(AttnvizError, match="holds 1 photos"):
        list_strangers(folders[1] / "deeper", classes)
    with pytest.raises(AttnvizError, match="beginning of a name"):
        list_strangers(folders[1], classes, folders[1] / "gone.txt")


def test_the_kin_of_the_embedded_networks_classes_are_none_of_them():
    classes = {line.split()[0] for line in (ROOT / "models" / "imagenette.txt").read_text().splitlines()}
    kin = [line.split()[0] for line in (ROOT / "models" / "imagenette-kin.txt").read_text().splitlines()]
    assert len(kin) == len(set(kin)) and not classes & set(kin)


@pytest.mark.slow
def test_the_command_writes_what_it_measured_into_the_card_and_nothing_else(folders, tmp_path, capsys):
    mine = tmp_path / "mine"
    shutil.copytree(ROOT / "models" / "resnet18", mine)
    before = {path.name: path.read_bytes() for path in mine.iterdir()}
    words = ["evaluate", str(mine), "--data", str(folders[0]), "--strangers", str(folders[1])]
    assert main([*words, "--view", "whole"]) == 0
    assert {path.name: path.read_bytes() for path in mine.iterdir()} == before
    capsys.readouterr()

    for view in ("whole", "crop", "whole"):
        assert main([*words, "--view", view, "--write"]) == 0
    table = capsys.readouterr().out
    card = attnviz.load(mine).card
    measured = measure(attnviz.load(mine), folders[0], "whole", folders[1])
    assert card.doubts["whole"] == best(measured.trials).doubt and set(card.doubts) == {"whole", "crop"}
    assert f"| **{card.doubts['whole'].score}** | {card.doubts['whole'].threshold:.4f} |" in table

    own = [attnviz.trace(attnviz.load(mine), path).logits for path in sorted(folders[0].rglob("*.jpg"))]
    doubt = card.doubts["whole"]
    assert doubt.threshold == pytest.approx(scored(np.stack(own[::2]), doubt.score).min(), abs=2e-4)
    assert (doubt.photos, doubt.strangers, doubt.source) == (5, 2, "things")

    assert (mine / "model.safetensors").read_bytes() == before["model.safetensors"]
    assert replace(card, doubts={}) == replace(attnviz.load("resnet18").card, doubts={})
    page = (mine / "README.md").read_text(encoding="utf-8")
    assert page.count("## What it answers to other things") == 1 and page.count("## Licence") == 1
    assert f"| whole photo | {doubt.score} | {doubt.threshold:.4f} |" in page and "| centre crop |" in page


def test_what_can_not_be_written_is_said_before_anything_is_measured(folders, tmp_path, capsys):
    words = ["evaluate", "cbam_resnet18", "--data", str(folders[0]), "--write"]
    assert main(words) == 1
    assert "--write needs --strangers" in capsys.readouterr().err
    words[1] = str(tmp_path / "val")
    assert main([*words, "--strangers", str(folders[1])]) == 1
    assert "no card to write to" in capsys.readouterr().err
