"""Which photos, layers and channels show best what gates do? ``python benchmarks/lesson_cases.py IMAGENETTE``
searches the networks that come with attnviz, and prints what the lesson's pages on changed gates speak of:
layers whose edits change what is said of an example photo; channels of SE that open most for one class, and
what happens to an example's score when they are shut; and how many of 1,000 photos are named rightly with all
gates off, at their usual values, and off with batch norms' statistics taken anew from 500 training photos."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from torch import nn

sys.path.insert(0, str(Path(__file__).parent.parent))

import attnviz
from attnviz._paths import EXAMPLES_FOLDER

NETWORKS = ("se_resnet18", "cbam_resnet18", "bam_resnet18")
TO_TELL, TO_COUNT, TO_ESTIMATE = 40, 100, 50  # photos of each class
MOST = 12  # channels that are printed


def turned_examples(network: nn.Module) -> Iterator[str]:
    """The layers of which a change alone changes what is said of an example."""
    for path in sorted(EXAMPLES_FOLDER.glob("*.jpg")):
        before = attnviz.trace(network, path)
        label, share = before.top(1)[0]
        for how in ("off", "usual", "flat"):
            for row in attnviz.sweep(network, path, how=how, before=before).rows:
                said = row.answers[how]
                if said.changed:
                    change = f"{label} {share:.2f} -> {said.label}, score {said.score_change:+.2f}"
                    yield f"{path.stem}: {row.layer} {how}: {change}"


def weights(trace: attnviz.Trace, layer: str) -> np.ndarray:
    """A layer's channel gates, (C,)."""
    gates = trace.layers[layer].channel
    assert gates is not None, layer
    return gates


def class_means(network: nn.Module, folder: Path) -> dict[str, np.ndarray]:
    """Layer -> (classes, C), the mean gate of each channel over photos of each class."""
    means: dict[str, list[np.ndarray]] = {}
    for of_class in sorted(folder.iterdir()):
        traces = list(attnviz.traces(network, sorted(of_class.iterdir())[:TO_TELL], view="crop"))
        for layer in traces[0].layers:
            gates = [weights(trace, layer) for trace in traces]
            means.setdefault(layer, []).append(np.mean(gates, axis=0))
    return {layer: np.stack(each) for layer, each in means.items()}


def telling_channels(network: nn.Module, folder: Path) -> Iterator[str]:
    """The channels whose mean gate for one class is most above that for any other."""
    found = []
    for layer, means in class_means(network, folder).items():
        highest = np.sort(means, axis=0)
        for channel, lead in enumerate(highest[-1] - highest[-2]):
            found.append((lead, layer, channel, int(means[:, channel].argmax()), highest[-2:, channel]))
    photo = EXAMPLES_FOLDER / "springer.jpg"
    before = attnviz.trace(network, photo)
    own = before.labels.index(before.top(1)[0][0])
    telling = sorted((each for each in found if each[3] == own), reverse=True)
    for _, layer, channel, _, (others, most) in telling[:MOST]:
        shut = attnviz.intervene(network, photo, {layer: attnviz.Set(channel={channel: 0.0})}, before=before)
        gate = weights(before, layer)[channel]
        opens = f"{most:.2f}, at most {others:.2f} for another class, here {gate:.2f}"
        yield f"{layer} channel {channel}: {before.labels[own]} {opens}; shut: {shut.score_change:+.3f}"


@contextmanager
def first_of_each(folder: Path, count: int) -> Iterator[Path]:
    """A folder of class folders with the first photos of each class alone."""
    with tempfile.TemporaryDirectory() as place:
        for of_class in sorted(folder.iterdir()):
            (Path(place) / of_class.name).mkdir()
            for photo in sorted(of_class.iterdir())[:count]:
                (Path(place) / of_class.name / photo.name).symlink_to(photo.resolve())
        yield Path(place)


def shares_right(network: nn.Module, data: Path) -> str:
    """How many photos are named rightly, with all gates changed."""
    with (
        first_of_each(data / "val", TO_COUNT) as counted,
        first_of_each(data / "train", TO_ESTIMATE) as estimated,
    ):
        ablation = attnviz.ablate(network, counted, how=("usual", "off"))
        together = {row.how: row.accuracy for row in ablation.rows if row.layer == "all"}
        off = {row.layer: "off" for row in ablation.rows if row.layer != "all"}
        anew = attnviz.ablate(attnviz.reestimated(network, estimated, off), counted, how="off")
    shares = {"as it is": ablation.accuracy_before, **together}
    shares["off, statistics taken anew"] = anew.rows[-1].accuracy
    return ", ".join(f"{name} {share:.1%}" for name, share in shares.items())


def main() -> None:
    data = Path(sys.argv[1])
    for name in NETWORKS:
        network = attnviz.load(name)
        print(f"{name}: {shares_right(network, data)}", flush=True)
        for case in turned_examples(network):
            print(f"  {case}", flush=True)
    for case in telling_channels(attnviz.load("se_resnet18"), data / "val"):
        print(case, flush=True)


if __name__ == "__main__":
    main()
