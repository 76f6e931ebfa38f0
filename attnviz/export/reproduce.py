"""The script that goes with exported arrays: it makes them again with the library and compares."""

SCRIPT = '''\
"""Makes the arrays beside this file again, from photo.png and what manifest.json says, and compares each with arrays.npz.

    python reproduce.py [WEIGHTS ...]     WEIGHTS: the file of a network of your own, which attnviz does not know by name
"""
import json
import sys
from pathlib import Path

import attnviz
import numpy as np
import torch
from PIL import Image

here = Path(__file__).parent
manifest = json.loads((here / "manifest.json").read_text(encoding="utf-8"))
torch.set_num_threads(manifest["versions"]["threads"])   # they decide in which order numbers are added up


def opened(said, recipe):
    for source in (*sys.argv[1:], said["name"]):
        try:
            network = attnviz.load(source, recipe=recipe)
        except attnviz.NetworkError as error:
            print(error, file=sys.stderr)
            continue
        if network.card.sha256 == said["weights_sha256"]:
            return attnviz.fast(network) if said["folded"] else network
    sys.exit(f"not found: {said['name']} with weights of SHA-256 {said['weights_sha256']}; run python reproduce.py WEIGHTS")


def arrays(trace):
    found = {"logits": trace.logits}
    for name, layer in trace.layers.items():
        found |= {f"{name}.{part}": values for part, values in vars(layer).items() if isinstance(values, np.ndarray)}
        found |= {f"{name}.step.{step.name}": step.values for step in layer.steps}
    return found


differences = []
for part in manifest["traces"]:
    stored = np.load(here / part["folder"] / "arrays.npz")
    pixels = np.array(Image.open(here / part["folder"] / "photo.png"))
    photo = torch.from_numpy(stored["input"]) if "input" in stored else attnviz.Photo(pixels, part["photo"]["name"])
    network = opened(part["network"], attnviz.Recipe(**part["preprocessing"]["recipe"]))
    made = arrays(attnviz.trace(network, photo, part["preprocessing"]["view"]))
    for one in part["channels"]:
        seen = attnviz.features(network, photo, one["layer"], part["preprocessing"]["view"])
        made |= {f"{one['arrays']}.{side}": getattr(seen, side)[one["channel"]] for side in ("before", "after")}
    for name in set(stored.files) - {"input"}:
        before, after = (np.nan_to_num(values[name], nan=-1.0) for values in (stored, made))   # NaN: undefined, which equals itself
        differences.append(0.0 if np.array_equal(before, after) else float(np.abs(before - after).max()))

if not any(differences):
    print(f"equal: {len(differences)} arrays")
else:
    print(f"greatest difference in {len(differences)} arrays: {max(differences):.3g}")
    sys.exit(max(differences) > 1e-5)
'''
