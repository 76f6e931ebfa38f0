"""What do people get for their time? ``python benchmarks/peers.py FOLDER`` runs attnviz beside the tools that
people would use instead, on the same networks, photos and threads: a script with hooks of one's own, and
torchcam, grad-cam and captum (pip install torchcam grad-cam captum), which show another thing, Grad-CAM, at
the last block and at every block. Prints Markdown tables.

Everything runs in turn, round by round, so that a machine whose speed drifts slows all alike; the ratio to
the bare forward pass (eager, in inference mode, its input ready) is taken round by round, and its median and
the middle half of its values are printed. The networks of 50 layers have random weights: that changes no
time."""

from __future__ import annotations

import argparse
import re
import statistics
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rounds import rounds
from torch import Tensor, nn
from torchvision.transforms import v2

sys.path.insert(0, str(Path(__file__).parent.parent))

import attnviz
from attnviz.drawing.bars import bars_drawing
from attnviz.drawing.overlay import overlay
from attnviz.networks import ResNet

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
NORMALISED = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])
SQUARE = v2.Compose([v2.Resize(256), v2.CenterCrop(224)])

BATCH = 16  # photos

Way = Callable[[], object]
BLOCK = re.compile(r"layer[1-4]\.\d+")


def blocks(network: nn.Module) -> list[nn.Module]:
    """Every residual block, in running order."""
    return [block for name, block in network.named_modules() if BLOCK.fullmatch(name)]


def opened(path: Path) -> tuple[Image.Image, Tensor]:
    """The square that a network sees, and its input, as everybody's script has it."""
    square = SQUARE(Image.open(path).convert("RGB"))
    return square, NORMALISED(square)[None]


def hooked(network: nn.Module, x: Tensor) -> dict[str, np.ndarray]:
    """The gates by the name of their module, from hooks in a script of one's own."""
    gates: dict[str, np.ndarray] = {}

    def keeping(name: str) -> Callable:
        def keep(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
            gates[name] = output.numpy().copy()

        return keep

    sigmoids = [(name, module) for name, module in network.named_modules() if isinstance(module, nn.Sigmoid)]
    handles = [module.register_forward_hook(keeping(name)) for name, module in sigmoids]
    with torch.inference_mode():
        network(x)
    for handle in handles:
        handle.remove()
    return gates


def torchcam(network: nn.Module, path: Path, layers: list[nn.Module]) -> list[Image.Image]:
    """torchcam's Grad-CAM overlays, as its README makes them; one backward pass serves all layers."""
    from torchcam.methods import GradCAM
    from torchcam.utils import overlay_mask

    square, x = opened(path)
    with GradCAM(network, target_layer=layers) as extractor:
        scores = network(x)
        cams = extractor(scores.squeeze(0).argmax().item(), scores)
    return [
        overlay_mask(square, Image.fromarray(cam.squeeze(0).numpy(), mode="F"), alpha=0.5) for cam in cams
    ]


def gradcam(network: nn.Module, path: Path, layers: list[nn.Module]) -> list[Image.Image]:
    """grad-cam's overlays: it averages the layers that it is given, so each takes a run of its own."""
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.image import show_cam_on_image

    square, x = opened(path)
    photo, overlays = np.asarray(square, np.float32) / 255, []
    for layer in layers:
        with GradCAM(model=network, target_layers=[layer]) as cam:
            values = cam(input_tensor=x, targets=None)[0]
            overlays.append(Image.fromarray(show_cam_on_image(photo, values, use_rgb=True)))
    return overlays


def captum(network: nn.Module, path: Path, layers: list[nn.Module]) -> list[Image.Image]:
    """captum's Grad-CAM, whose map its own interpolation brings to the photo's size; a layer takes a run."""
    from captum.attr import LayerAttribution, LayerGradCam
    from matplotlib import colormaps

    square, x = opened(path)
    with torch.inference_mode():
        best = int(network(x).argmax())
    photo, overlays = np.asarray(square) / 255, []
    for layer in layers:
        coarse = LayerGradCam(network, layer).attribute(x, best, relu_attributions=True)
        values = LayerAttribution.interpolate(coarse, (224, 224), "bilinear")[0, 0].detach().numpy()
        colours = colormaps["viridis"](values / max(float(values.max()), 1e-12))[..., :3]
        blend = 0.5 * photo + 0.5 * colours
        overlays.append(Image.fromarray(np.rint(blend * 255).astype(np.uint8)))
    return overlays


def ours(network: nn.Module, path: Path, bars: bool = False) -> list[Image.Image]:
    """An overlay of every layer that has a map, and with ``bars`` a chart of every layer's channels, at the
    photo's own size."""
    trace = attnviz.trace(network, path, view="crop", steps=False)
    pictures = [overlay(trace, name) for name, layer in trace.layers.items() if layer.map is not None]
    if bars:
        pictures += [bars_drawing(layer).image() for layer in trace.layers.values()]
    return pictures


def table(spent: dict[str, list[float]], base: str) -> Iterator[str]:
    """The rows of a Markdown table: medians, and ratios to ``base``."""
    yield "| what | ms | ÷ bare pass | middle half |\n|---|---|---|---|"
    for name, seconds in spent.items():
        ratios = [way / bare for way, bare in zip(seconds, spent[base])]
        low, middle, high = statistics.quantiles(ratios, n=4)
        yield f"| {name} | {1000 * statistics.median(seconds):.1f} | {middle:.2f} | {low:.2f} to {high:.2f} |"


def one_photo(network: nn.Module, path: Path, count: int, peers: bool) -> dict[str, list[float]]:
    """The seconds of each way on one photo, round by round."""
    quick, (_, x), every = attnviz.fast(network), opened(path), blocks(network)
    photo, last = attnviz.open_photo(path), every[-1:]
    ready = NORMALISED(SQUARE(photo.image()))

    def bare() -> None:
        with torch.inference_mode():
            network(x)

    def scores() -> None:
        with torch.inference_mode():
            network(opened(path)[1])

    ways: dict[str, Way] = {
        "bare pass": bare,
        "attnviz: all gates, input ready": lambda: attnviz.trace(network, ready, steps=False),
        "attnviz.fast: all gates, input ready": lambda: attnviz.trace(quick, ready, steps=False),
        "own hooks: all gates, input ready": lambda: hooked(network, x),
        "file to scores, bare": scores,
        "file to arrays: attnviz": lambda: attnviz.trace(network, path, view="crop", steps=False),
        "file to arrays: attnviz.fast": lambda: attnviz.trace(quick, path, view="crop", steps=False),
        "file to arrays: own hooks": lambda: hooked(network, opened(path)[1]),
        "file to an overlay of every layer: attnviz": lambda: ours(network, path),
        "file to an overlay of every layer: attnviz.fast": lambda: ours(quick, path),
        "and a bar chart of every layer: attnviz": lambda: ours(network, path, bars=True),
        "and a bar chart of every layer: attnviz.fast": lambda: ours(quick, path, bars=True),
    }
    for name, tool in {"torchcam": torchcam, "grad-cam": gradcam, "captum": captum}.items() if peers else ():
        ways[f"file to an overlay of the last block: {name}"] = partial(tool, network, path, last)
        ways[f"file to an overlay of every block: {name}"] = partial(tool, network, path, every)
    return rounds(ways, count)


def many_photos(network: nn.Module, paths: list[Path], count: int) -> dict[str, list[float]]:
    """The seconds a photo of each way on many photos, round by round."""
    quick = attnviz.fast(network)
    ready = torch.cat([opened(path)[1] for path in paths[:BATCH]])

    def bare() -> None:
        with torch.inference_mode():
            for _ in range(0, len(paths), BATCH):
                network(ready)

    def traced(network: nn.Module) -> None:
        for _ in attnviz.traces(network, paths, view="crop"):
            pass

    def hooks() -> None:
        for start in range(0, len(paths), BATCH):
            hooked(network, torch.cat([opened(path)[1] for path in paths[start : start + BATCH]]))

    ways: dict[str, Way] = {
        "bare pass": bare,
        "attnviz": lambda: traced(network),
        "attnviz.fast": lambda: traced(quick),
        "own hooks": hooks,
    }
    spent = rounds(ways, count)
    return {name: [second / len(paths) for second in seconds] for name, seconds in spent.items()}


def photos_of(folder: Path, count: int) -> list[Path]:
    """So many photos of a folder, spread evenly over it."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpeg", ".jpg", ".png"))
    return paths[:: max(1, len(paths) // count)][:count]


def report(name: str, paths: list[Path], options: argparse.Namespace) -> None:
    """Measures one network and prints its tables; a name without ``_`` is that of an attention."""
    torch.manual_seed(0)
    network = attnviz.load(name) if "_" in name else ResNet(50, name).eval()
    title = name if "_" in name else f"{name}_resnet50, random weights"
    print(f"\n### {title}\n")
    spent = one_photo(network, paths[0], options.rounds, not options.no_peers)
    print("\n".join(table(spent, "bare pass")), flush=True)
    if not options.no_folder:
        print(f"\n{len(paths)} photos, milliseconds a photo:\n")
        print("\n".join(table(many_photos(network, paths, 3), "bare pass")), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="a folder of photos")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument(
        "--networks", nargs="*", default=["cbam_resnet18", "se_resnet18", "bam_resnet18", "cbam", "se", "bam"]
    )
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--no-folder", action="store_true")
    options = parser.parse_args()
    paths = photos_of(options.folder, options.photos)
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, {options.rounds} rounds, photos of "
        f"{options.folder.name}"
    )
    for name in options.networks:
        report(name, paths, options)


if __name__ == "__main__":
    main()
