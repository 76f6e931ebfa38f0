"""Makes the arrays of this folder again, from photo.png and manifest.json, and compares each with arrays.npz.

    python reproduce.py [WEIGHTS ...]

WEIGHTS is the file of a network of your own, which attnviz does not know by name. The exit status is 0 if all
arrays agree to 1e-5, or to the tolerance that manifest.json tells."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

try:
    import numpy as np
    import torch
    from PIL import Image

    import attnviz
except ModuleNotFoundError as missing:
    sys.exit(
        f"{missing.name} is not installed here. Get attnviz (manifest.json says which version): in the "
        "folder of its source, where its README.md is, run\n    python -m pip install .\n"
        "and then this script again."
    )

TOLERANCE = 1e-5


def main(folder: Path, weights: list[str]) -> int:
    """Prints how far apart the arrays of a bundle are from those made now, and returns the exit status."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    torch.set_num_threads(manifest["versions"]["threads"])  # they decide in which order numbers are added up
    differences: list[float] = []
    for entry in manifest["traces"]:
        differences += compare(folder / entry["folder"], entry, weights)
    if not any(differences):
        print(f"equal: {len(differences)} arrays")
        return 0
    print(f"greatest difference in {len(differences)} arrays: {max(differences):.3g}")
    return int(max(differences) > manifest.get("tolerance", TOLERANCE))


def compare(folder: Path, entry: dict[str, Any], weights: list[str]) -> list[float]:
    """The greatest difference in each array of one trace; ``entry`` is what the manifest says of it."""
    with np.load(folder / "arrays.npz") as file:
        stored = dict(file)
    photo: Any = stored.pop("input", None)
    if photo is None:
        photo = attnviz.Photo(
            np.array(Image.open(folder / "photo.png").convert("RGB")), entry["photo"]["name"]
        )
    else:
        photo = torch.from_numpy(photo)
    network = load(entry["network"], attnviz.Recipe(**entry["preprocessing"]["recipe"]), weights)
    made = make_arrays(network, photo, entry, folder)
    return [difference(values, made[name]) for name, values in stored.items()]


def load(wanted: dict[str, Any], recipe: attnviz.Recipe, weights: list[str]) -> torch.nn.Module:
    """The network with the weights that are wanted: from one of the files, or else by its name. Ends the
    program if none has them."""
    for source in (*weights, wanted["name"]):
        try:
            network = attnviz.load(source, recipe=recipe, **wanted["built"])
        except attnviz.NetworkError as error:
            print(error, file=sys.stderr)
            continue
        card: Any = network.card
        if card.sha256 == wanted["weights_sha256"]:
            return attnviz.fast(network) if wanted["folded"] else network
    sys.exit(
        f"not found: {wanted['name']} with weights of SHA-256 {wanted['weights_sha256']}; "
        "run python reproduce.py WEIGHTS"
    )


def make_arrays(
    network: torch.nn.Module, photo: attnviz.Photo | torch.Tensor, entry: dict[str, Any], folder: Path
) -> dict[str, np.ndarray]:
    """Every array of one trace, under the names of arrays.npz."""
    view, edits = entry["preprocessing"]["view"], entry.get("edits")
    changed = intervened(network, photo, view, edits, folder) if edits else None
    trace = changed.after if changed else attnviz.trace(network, photo, view)
    arrays = {"logits": trace.logits}
    for name, layer in trace.layers.items():
        for part, values in vars(layer).items():
            if isinstance(values, np.ndarray):
                arrays[f"{name}.{part}"] = values
        for step in layer.steps:
            arrays[f"{name}.step.{step.name}"] = step.values
    for channel in entry["channels"]:
        layer = channel["layer"]
        if changed:
            of_changed = attnviz.interventions.intervention.changed_features
            features = of_changed(network, changed.before, changed.edits, [layer], view)[layer]
        else:
            features = attnviz.features(network, photo, layer, view)
        arrays[f"{channel['arrays']}.before"] = features.before[channel["channel"]]
        arrays[f"{channel['arrays']}.after"] = features.after[channel["channel"]]
    return arrays


def intervened(
    network: torch.nn.Module,
    photo: attnviz.Photo | torch.Tensor,
    view: str,
    edits: dict[str, Any],
    folder: Path,
) -> attnviz.Intervention:
    """A photo before and after the gates were changed that were changed then. What is usual for a gate is
    what attnviz takes without a reference: another one is not in a bundle, and gives other numbers."""
    layers = {
        layer: [with_photo(edit, folder) for edit in each]
        for layer, each in attnviz.edits_from_json(edits["layers"]).items()
    }
    return attnviz.intervene(network, photo, layers, edits["recompute"], view)


def with_photo(edit: Any, folder: Path) -> Any:
    """The edit; one that puts another photo's gates in with that photo, from its file beside this script's
    arrays. Ends the program if the file is not there."""
    if not isinstance(edit, attnviz.Patch):
        return edit
    path = folder / str(edit.photo)
    if not path.is_file():
        sys.exit(f"the gates of another photo, {edit.photo}, were put in: lay it into {folder or '.'}")
    return replace(edit, photo=attnviz.Photo(np.array(Image.open(path).convert("RGB")), path.name))


def difference(stored: np.ndarray, made: np.ndarray) -> float:
    """The greatest difference between two arrays; NaN, which is undefined, equals itself."""
    stored, made = np.nan_to_num(stored, nan=-1.0), np.nan_to_num(made, nan=-1.0)
    return 0.0 if np.array_equal(stored, made) else float(np.abs(stored - made).max())


if __name__ == "__main__":
    sys.exit(main(Path(__file__).parent, sys.argv[1:]))
