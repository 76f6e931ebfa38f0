"""Train the embedded networks from several seeds at once on one GPU, to see what a difference between two of
them means: ``python benchmarks/seeds.py DATA OUT --seeds 3``.

The plan of every run is ``attnviz train``'s. What is done otherwise is for speed: photos lie on the GPU, are
cropped there by Pillow's filter as two products of matrices, and a step of a network is one CUDA graph,
replayed on a stream of its own beside those of the others. Every run ends in OUT as a file of its plan, its
averaged weights in half precision and its seconds; ``--cards MODELS`` then makes a model folder of each.

DATA holds train/ and val/ with a folder for each class, as for ``attnviz train``; all photos of one size.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

sys.path.insert(0, str(Path(__file__).parent.parent))

from attnviz.networks.resnet import ResNet
from attnviz.photos.geometry import Recipe
from attnviz.training.dataset import list_photos, read_class_names
from attnviz.training.model_card import publish
from attnviz.training.penalty import gate_logits, mean_squares
from attnviz.training.plan import TrainingPlan
from attnviz.training.train import Run, new_run

NETWORKS = {"resnet18": None, "se_resnet18": "se", "cbam_resnet18": "cbam", "bam_resnet18": "bam"}
BETWEEN_LOOKS = 8  # steps that are handed to the GPU before it is asked whether it has done the last ones


class Photos:
    """The photos of a folder of class folders on a device: bytes (N, 3, side, side) and classes (N,)."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        listed = list_photos(folder)
        with ThreadPoolExecutor() as pool:
            pixels = np.stack(list(pool.map(_pixels, listed.files)))
        self.pixels = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous().to(device)
        self.targets = torch.tensor(listed.targets, device=device)
        self.classes = listed.classes
        self.side = pixels.shape[1]
        recipe = Recipe()
        self.mean, self.std = (
            torch.tensor(each, device=device)[:, None, None] for each in (recipe.mean, recipe.std)
        )

    def crops(self, chosen: Tensor, size: int, least_area: float) -> Tensor:
        """Random crops of photos, mirrored and varied in colour as ``training_batches`` does it: (N, 3,
        size, size), normalised."""
        count, device = len(chosen), chosen.device
        area = self.side**2 * _between(least_area, 1.0, (count,), device)
        aspect = _between(-np.log(4 / 3), np.log(4 / 3), (count,), device).exp()
        width = (area * aspect).sqrt().clamp(max=self.side)
        height = (area / aspect).sqrt().clamp(max=self.side)
        left, top = ((self.side - length) * torch.rand(count, device=device) for length in (width, height))
        x = resampled(self.pixels[chosen], left, top, width, height, size)
        x = (x / 255 - self.mean) / self.std
        mirrored = torch.rand(count, device=device) < 0.5
        x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
        saturation, contrast, brightness = (_between(-0.4, 0.4, (count, 1, 1, 1), device) for _ in range(3))
        x = torch.lerp(x, x.mean(1, keepdim=True).expand_as(x), saturation)
        return x * (1 + contrast) + brightness


def resampled(photos: Tensor, left: Tensor, top: Tensor, width: Tensor, height: Tensor, size: int) -> Tensor:
    """Boxes, in pixels (N,), of photos (N, 3, H, W) at (size, size), rounded to whole bytes: what Pillow's
    bilinear ``resize`` gives, within 1."""
    count, channels, rows, columns = photos.shape
    across = _filter(left, width, size, columns).transpose(1, 2)
    x = photos.float().reshape(count, channels * rows, columns) @ across
    x = _filter(top, height, size, rows)[:, None] @ x.reshape(count, channels, rows, size)
    return x.round().clamp(0, 255)


def _filter(start: Tensor, length: Tensor, size: int, pixels: int) -> Tensor:
    """How much each pixel counts for each of ``size`` ones: (N, size, pixels), triangles as wide as these."""
    scale = (length / size)[:, None, None]
    at = torch.arange(pixels, device=start.device) + 0.5
    centre = start[:, None, None] + (torch.arange(size, device=start.device)[:, None] + 0.5) * scale
    weights = (1 - (at - centre).abs() / scale.clamp(min=1)).clamp(min=0)
    return weights / weights.sum(-1, keepdim=True)


def cut_and_mixed(x: Tensor, probability: float) -> tuple[Tensor, Tensor]:
    """With a probability each photo with a box out of another one, as ``attnviz.training`` does it; and the
    share that is still its own."""
    size, device = x.shape[2], x.device
    half = (1 - torch.rand((), device=device)).sqrt() * size / 2
    row, column = ((torch.rand((), device=device) * size).floor() for _ in range(2))
    top, left = ((at - half).trunc().clamp(min=0) for at in (row, column))
    bottom, right = ((at + half).trunc().clamp(max=size) for at in (row, column))
    mixed = torch.rand((), device=device) < probability
    at = torch.arange(size, device=device)
    box = ((at >= top) & (at < bottom))[:, None] & ((at >= left) & (at < right)) & mixed
    share = 1 - mixed.float() * (bottom - top) * (right - left) / size**2
    return torch.where(box, x.flip(0), x), share


class Training:
    """One network in training, all of it on the device."""

    def __init__(self, name: str, plan: TrainingPlan, photos: Photos) -> None:
        self.name, self.plan, self.photos = name, plan, photos
        self.device = photos.pixels.device
        self.steps = len(photos.pixels) // plan.batch  # an epoch
        run = new_run(plan, len(photos.classes), self.steps)
        self.network = run.network.to(self.device).train()
        self.decayed, self.spared = (list(group["params"]) for group in run.optimiser.param_groups)
        self.rates = torch.tensor(list(_rates(run, plan.epochs * self.steps)), device=self.device)
        self.velocities = [torch.zeros_like(each) for each in (*self.decayed, *self.spared)]
        self.averaged = [each for each in self.network.state_dict().values() if each.is_floating_point()]
        self.average = [each.clone() for each in self.averaged]
        self.order = torch.zeros(self.steps * plan.batch, dtype=torch.long, device=self.device)
        self.step_number, self.place = (
            torch.zeros(1, dtype=torch.long, device=self.device) for _ in range(2)
        )
        self.done = 0  # steps that were handed to the device
        self.size = 0
        self.graph: torch.cuda.CUDAGraph | None = None
        self.stream = torch.cuda.Stream() if self.device.type == "cuda" else None
        self.seconds = 0.0

    @property
    def epoch(self) -> int:
        return self.done // self.steps

    @property
    def ended(self) -> bool:
        return self.done == self.steps * self.plan.epochs

    def advance(self) -> None:
        """One more step."""
        with on(self.stream):
            if self.done % self.steps == 0:
                self._begin_epoch()
            if self.graph is None:
                self._step()
            else:
                self.graph.replay()
        self.done += 1

    def weights(self) -> dict[str, Tensor]:
        """The averaged weights, in half precision."""
        average = iter(self.average)
        return {
            key: next(average).half().cpu() if value.is_floating_point() else value.cpu()
            for key, value in self.network.state_dict().items()
        }

    def _begin_epoch(self) -> None:
        size = self.plan.size(self.epoch)
        if size != self.size:
            self.size = size
            self.graph = None if self.stream is None else self._recorded()
        random = np.random.default_rng((self.plan.seed, self.epoch))
        order = torch.from_numpy(random.permutation(len(self.photos.pixels))[: len(self.order)])
        self.order.copy_(order)
        self.place.zero_()

    def _recorded(self) -> torch.cuda.CUDAGraph:
        """A step at this size as a graph. The steps that it takes to record one are undone."""
        everything = (*self.network.state_dict().values(), *self.velocities, *self.average)
        state = (*everything, self.step_number, self.place)
        before = [each.clone() for each in state]
        self.place.zero_()
        for _ in range(2):
            self._step()
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self.stream):
            self._step()
        torch._foreach_copy_(state, before)
        torch.cuda.synchronize()
        return graph

    def _step(self) -> None:
        """One step down the loss, as ``attnviz.training.train`` takes it."""
        plan = self.plan
        chosen = self.order[self.place + torch.arange(plan.batch, device=self.device)]
        target = self.photos.targets[chosen]
        x = self.photos.crops(chosen, self.size, plan.least_area)
        x, share = cut_and_mixed(x, plan.cutmix if self.size != plan.schedule[-1][0] else 0.0)
        x = x.contiguous(memory_format=torch.channels_last)
        with gate_logits(self.network) as of_gates, torch.autocast(self.device.type, torch.bfloat16):
            logits = self.network(x)
        own, other = (
            cross_entropy(logits.float(), each, label_smoothing=plan.label_smoothing)
            for each in (target, target.flip(0))
        )
        loss = share * own + (1 - share) * other
        if of_gates:
            loss = loss + plan.penalty * mean_squares(of_gates)
        self._descend(torch.autograd.grad(loss, (*self.decayed, *self.spared)))
        self.place.add_(plan.batch)
        self.step_number.add_(1)

    @torch.no_grad()
    def _descend(self, gradients: tuple[Tensor, ...]) -> None:
        """SGD with Nesterov momentum, and the exponential average of weights and statistics."""
        plan, count = self.plan, len(self.decayed)
        decayed = torch._foreach_add(gradients[:count], self.decayed, alpha=plan.weight_decay)
        slopes = [*decayed, *gradients[count:]]
        torch._foreach_mul_(self.velocities, plan.momentum)
        torch._foreach_add_(self.velocities, slopes)
        way = torch._foreach_add(slopes, self.velocities, alpha=plan.momentum)
        torch._foreach_mul_(way, self.rates.index_select(0, self.step_number).reshape(()))
        torch._foreach_sub_((*self.decayed, *self.spared), way)
        torch._foreach_lerp_(self.average, self.averaged, 1 - plan.average_decay)


@contextmanager
def on(stream: torch.cuda.Stream | None) -> Iterator[None]:
    """Whatever runs on the device meanwhile runs on this stream of it."""
    if stream is None:
        yield
        return
    with torch.cuda.stream(stream):
        yield


def train(runs: list[Training], out: Path) -> None:
    """Train all of them side by side; each is saved as it ends."""
    began = time.monotonic()
    marks: list[torch.Event] = []
    while runs:
        for run in runs * BETWEEN_LOOKS:
            if not run.ended:
                run.advance()
        for mark in marks:  # so that not too many steps wait on the device
            mark.synchronize()
        marks = [run.stream.record_event() for run in runs if run.stream]
        for run in [run for run in runs if run.ended]:
            if run.stream:
                run.stream.synchronize()
            run.seconds = time.monotonic() - began
            saved = {"plan": asdict(run.plan), "weights": run.weights(), "seconds": run.seconds}
            torch.save(saved, out / f"{run.name}.pt")
            print(f"{run.name}: {run.plan.epochs} epochs, {run.seconds:.0f} s", flush=True)
            runs.remove(run)


def write_card(saved: Path, data: Path, folder: Path, names: Path | None, machine: str) -> None:
    """A model folder of a saved run, measured on the photos of data/val; prints a line of a table."""
    run = torch.load(saved, weights_only=True)
    plan = TrainingPlan(**{**run["plan"], "schedule": tuple(map(tuple, run["plan"]["schedule"]))})
    classes = list_photos(data / "val").classes
    network: nn.Module = ResNet(**plan.architecture(len(classes)))
    network.load_state_dict(run["weights"])
    measured = publish(
        network.eval(),
        plan,
        run["seconds"],
        read_class_names(names, classes),
        data,
        folder,
        ABOUT,
        0.915,
        machine,
    )
    met = sum(goal.met for goal in measured.goals)
    print(f"| {saved.stem} | {measured.top1:.2%} | {met} of {len(measured.goals)} |", flush=True)


ABOUT = (
    "Imagenette: ten ImageNet classes, 9,469 photos to train on and 3,925 to measure on, at a shorter side "
    "of 224 px. The photos are not redistributed."
)


def _pixels(file: Path) -> np.ndarray:
    with Image.open(file) as photo:
        return np.asarray(photo.convert("RGB"))


def _between(low: float, high: float, shape: tuple[int, ...], device: torch.device) -> Tensor:
    return low + (high - low) * torch.rand(shape, device=device)


def _rates(run: Run, steps: int) -> Iterator[float]:
    """The learning rate of every step."""
    for _ in range(steps):
        yield run.optimiser.param_groups[0]["lr"]
        run.optimiser.step()
        run.cycle.step()


def _plans(seeds: int) -> Iterator[tuple[str, TrainingPlan]]:
    """The four networks from every seed, and CBAM padded with zeros, as its paper has it."""
    for seed in range(seeds):
        for name, attention in NETWORKS.items():
            yield f"{name}-{seed}", TrainingPlan(attention=attention, seed=seed)
        yield f"cbam_resnet18-zeros-{seed}", TrainingPlan(attention="cbam", seed=seed, padding="zeros")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--schedule", help="SIDE:EPOCHS,… instead of the plan's")
    parser.add_argument("--cards", type=Path, help="write model folders of what was trained, train nothing")
    parser.add_argument("--labels", type=Path, help="as of attnviz train")
    parser.add_argument("--machine", default="a GPU", help="what it was trained on, for the cards")
    options = parser.parse_args()
    if options.cards:
        for saved in sorted(options.out.glob("*.pt")):
            write_card(saved, options.data, options.cards / saved.stem, options.labels, options.machine)
        return
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    options.out.mkdir(parents=True, exist_ok=True)
    photos = Photos(options.data / "train", torch.device(options.device))
    plans = list(_plans(options.seeds))
    if options.schedule:
        steps = [step.split(":") for step in options.schedule.split(",")]
        schedule = tuple((int(side), int(epochs)) for side, epochs in steps)
        plans = [(name, replace(plan, schedule=schedule)) for name, plan in plans]
    train([Training(name, plan, photos) for name, plan in plans], options.out)


if __name__ == "__main__":
    main()
