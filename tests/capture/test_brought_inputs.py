"""Whatever a network is called with, and whatever is handed over as photos."""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers.brought_networks import CBAM, SE, C, Folded, OpenBlock, Small, alive, noise
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

import attnviz
from attnviz.capture.arguments import Arguments

X = noise(3, 64, 64)
PHOTO = np.random.default_rng(0).integers(0, 255, (96, 128, 3), np.uint8)


def recorded(network, *inputs, **named) -> attnviz.Recording:
    with attnviz.record(network) as trace, torch.no_grad():
        network(*inputs, **named)
    assert trace.error is None
    return trace


class WithNumbers(nn.Module):
    """Takes numbers about each image, before the image."""

    def __init__(self) -> None:
        super().__init__()
        self.base, self.about = Small(SE()), nn.Linear(4, 5)

    def forward(self, about, image, doubled=False):
        return (self.base(image) + self.about(about)) * (2 if doubled else 1)


class FromDict(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.base = Small(SE())

    def forward(self, batch):
        return {"loss": torch.tensor(0.5), "logits": self.base(batch["image"])}


class Detector(nn.Module):
    """Takes a list of photos of any size."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Small(SE())

    def forward(self, images, targets=None):
        assert isinstance(images, list)
        side = max(max(image.shape[-2:]) for image in images)
        padded = [F.pad(image, (0, side - image.shape[2], 0, side - image.shape[1])) for image in images]
        self.base(torch.stack(padded))
        return [{"boxes": torch.zeros(2, 4)} for _ in images]


class Difference(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.base = Small(SE())

    def forward(self, left, right):
        return self.base(left) - self.base(right)


TWO = noise(2, 3, 32, 32)


@dataclass(slots=True)
class Sample:
    """Photos and more, as a dataset may hand them over."""

    image: torch.Tensor
    extra: InitVar[int] = 0
    about: str = field(init=False)

    def __post_init__(self, extra):
        pass


@dataclass(frozen=True, slots=True)
class OpenedSample:
    """Photos that can be made of more than they keep."""

    image: torch.Tensor
    path: InitVar[str]

    def __post_init__(self, path):
        assert path


class FromSample(nn.Module):
    """Takes an object of a dataclass, and such a class to make others by."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Small(SE())

    def forward(self, sample, kind=Sample):
        return self.base(kind(sample.image).image)


@pytest.mark.parametrize(
    ("kind", "inputs", "named"),
    [
        (WithNumbers, (noise(2, 4), TWO), {}),
        (WithNumbers, (), {"about": noise(2, 4), "image": TWO, "doubled": True}),
        (FromDict, ({"image": TWO, "label": torch.arange(2), "name": ["a", "b"]},), {}),
        (Detector, ([TWO[0], noise(3, 48, 40)],), {}),
        (Detector, ([TWO[0], TWO[1]], [{"labels": torch.arange(1)}] * 2), {}),
        (Difference, (TWO, noise(2, 3, 32, 32, seed=1)), {}),
        (FromSample, (Sample(TWO), Sample), {}),
        (FromSample, (OpenedSample(TWO, "a file"),), {}),
    ],
)
def test_a_recording_takes_what_the_network_takes(kind, inputs, named):
    network = alive(kind())
    trace = recorded(network, *inputs, **named)
    assert trace.count == 2 and trace[0].source.shape == (3, 32, 32)
    if kind is not Detector:
        expected = attnviz.trace(network.base, TWO[1]).layers["att"].channel
        assert np.allclose(trace[1].layers["base.att"].channel, expected, atol=1e-5)


def test_a_detector_is_traced_with_a_list_of_one_photo():
    trace = attnviz.trace(alive(Detector()), PHOTO)
    assert list(trace.layers) == ["base.att"] and trace.scores == "none"


def test_a_network_of_two_inputs_is_traced_by_recording_and_the_others_say_so():
    network = alive(Difference())
    for refused in (attnviz.find, attnviz.fast, lambda network: attnviz.trace(network, X)):
        with pytest.raises(attnviz.TraceError, match=r"more than one input.*attnviz\.record"):
            refused(network)
    assert [row.layer for row in attnviz.find(network, (TWO, TWO))] == ["base.att", "base.att #2"]


class Mappings(Dataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return {"label": index, "image": noise(3, 64, 64)}


class Pictures(Mappings):
    def __getitem__(self, index):
        return Image.new("RGB", (80, 60), "red"), index


@pytest.mark.parametrize(
    "photos",
    [
        Mappings(),
        Pictures(),
        DataLoader(Mappings(), batch_size=2),
        TensorDataset(noise(3, 3, 64, 64), torch.arange(3)),
        DataLoader(TensorDataset(noise(3, 3, 64, 64), torch.arange(3)), batch_size=2),
    ],
)
def test_datasets_and_loaders_are_traced_photo_by_photo(photos):
    assert len(list(attnviz.traces(alive(Small(SE())), photos))) == 3


def test_an_item_of_a_dataset_is_traced_as_its_photo_and_several_photos_are_refused():
    network = alive(Small(SE()))
    assert attnviz.trace(network, Mappings()[0]).source.shape == (3, 64, 64)
    assert attnviz.trace(network, (X[None], 3)).source.shape == (3, 64, 64)
    with pytest.raises(attnviz.TraceError, match=r"\(2, 3, 64, 64\)"):
        attnviz.trace(network, torch.stack((X, X)))


class Repeats(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.base = Small(SE())

    def forward(self, x):
        return self.base(x.repeat(1, 3, 1, 1))


@pytest.mark.parametrize("network", [Small(SE(), channels=1), Repeats()])
def test_a_photo_for_a_network_of_one_channel_is_made_grey_and_that_is_said(network):
    trace = attnviz.trace(alive(network), PHOTO)
    assert "made grey" in str(trace.remarks[0]) and trace.photo.pixels.shape == (96, 128, 3)


def test_a_network_of_thirteen_bands_asks_for_a_tensor():
    network = alive(Small(SE(), channels=13))
    with pytest.raises(attnviz.TraceError, match=r"pass a normalised tensor of that form") as caught:
        attnviz.trace(network, PHOTO)
    assert "(13, height, width)" in str(caught.value)
    trace = attnviz.trace(network, noise(13, 64, 64))
    assert trace.photo.pixels.shape == (64, 64, 3) and list(trace.layers) == ["att"]


class OneSize(nn.Module):
    """For 32 × 32 pixels only."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.att, self.fc = nn.Conv2d(3, C, 3, 2, 1), SE(), nn.Linear(C * 16, 4)

    def forward(self, x):
        return self.fc(F.avg_pool2d(self.att(self.stem(x)), 4).flatten(1))


def test_a_network_for_one_size_is_found_copied_and_given_photos_at_its_size():
    network = alive(OneSize())
    assert [row.shape for row in attnviz.find(network)] == [(C, 16, 16)]
    for copied in (attnviz.fast(network), attnviz.fast(network, noise(1, 3, 32, 32))):
        assert copied is not network
    trace = attnviz.trace(network, PHOTO)
    assert trace.region.size == (32, 32) and "32 pixels a side" in str(trace.remarks[0])


def test_a_dataclass_that_is_made_of_more_than_its_fields_is_copied_with_other_inputs():
    sample = OpenedSample(TWO, "a file")
    (other,) = Arguments((sample,)).with_others([1], 1).inputs
    assert torch.equal(other.image[0], TWO[0]) and not torch.equal(other.image[1], TWO[1])
    assert sample.image is TWO


class NoSize(nn.Module):
    """Runs on no input, and keeps the sides of those that it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.base, self.sides = Small(SE()), []

    def forward(self, x):
        self.sides.append(x.shape[-1])
        raise RuntimeError("not this")


def test_a_network_that_takes_no_photo_is_tried_once_with_each_usual_size():
    network = NoSize().eval()
    with pytest.raises(attnviz.TraceError, match="no usual size"):
        attnviz.trace(network, PHOTO)
    assert network.sides.count(32) == network.sides.count(512) == 1


@pytest.mark.parametrize("seed", range(4))
def test_other_inputs_are_others_for_every_seed(seed):
    (others,) = Arguments((TWO,)).with_others([1], seed).inputs
    assert torch.equal(others[0], TWO[0])
    assert all((others[1] - x).std() > 0.3 and others[1].std() > 0.3 for x in TWO)


class OtherOrder(nn.Module):
    """The convolution that runs first stands last."""

    def __init__(self) -> None:
        super().__init__()
        self.att, self.second, self.first, self.fc = (
            CBAM(),
            nn.Conv2d(C, C, 3),
            nn.Conv2d(3, C, 3),
            nn.Linear(C, 2),
        )

    def forward(self, x):
        return self.fc(self.att(self.second(self.first(x))).mean((2, 3)))


class Focus(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.base = Small(SE(), channels=12)

    def forward(self, x):
        return self.base(F.pixel_unshuffle(x, 2))


@pytest.mark.parametrize("kind", [OtherOrder, Focus])
def test_the_channels_of_an_input_are_told_by_what_runs_first(kind):
    network = alive(kind())
    assert len(attnviz.trace(network, X).layers) == len(attnviz.find(network)) == 1
    assert attnviz.fast(network) is not network
    with pytest.raises(attnviz.TraceError, match=r"a photo is \(3, height, width\)"):
        attnviz.trace(network, noise(5, 64, 64))


@pytest.mark.parametrize(
    ("dimensions", "shape", "grid"), [(3, (1, 8, 12, 12), (6, 6)), (1, (2, 500), (1, 250))]
)
def test_channel_gates_of_volumes_and_signals_are_read_and_drawn_as_bars(dimensions, shape, grid):
    network = alive(Small(SE(dimensions), channels=shape[0], dimensions=dimensions))
    x = noise(*shape)
    trace = attnviz.trace(network, x)
    (layer,) = trace.layers.values()
    expected = network.att.gate(network.stem(x[None]))[0].detach().numpy()
    assert layer.kind == "channel" and np.allclose(layer.channel, expected, atol=1e-5)
    assert (layer.grid, layer.map, layer.factor().shape) == (grid, None, layer.shape)
    assert (
        recorded(network, noise(3, *shape)).count == len(list(attnviz.traces(network, noise(3, *shape)))) == 3
    )
    assert len(attnviz.find(network)) == 1 and "<iframe" in trace._repr_html_()


class SpatialOfVolumes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv3d(C, 1, 1)

    def forward(self, x):
        return x * self.conv(x).sigmoid()


def test_a_map_of_a_volume_is_kept_and_not_laid_over_a_photo():
    trace = attnviz.trace(alive(Small(SpatialOfVolumes(), channels=1, dimensions=3)), noise(1, 8, 12, 12))
    (layer,) = trace.layers.values()
    assert (layer.kind, layer.spatial.shape, layer.map) == ("spatial", (4, 6, 6), None)
    assert layer.factor().shape == (C, 4, 6, 6)


class Spectrogram(nn.Module):
    """Makes a picture of a wave."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Small(OpenBlock(), channels=1)

    def forward(self, wave):
        return self.base(torch.stft(wave, 64, window=torch.ones(64), return_complex=True).abs()[:, None])


@pytest.mark.parametrize(
    ("network", "x"), [(Spectrogram(), noise(4000)), (Folded(SE(), frames_first=False), noise(4, 3, 32, 32))]
)
def test_waves_and_videos_go_in_as_they_are(network, x):
    trace = attnviz.trace(alive(network), x)
    assert trace.layers and trace.source.shape == x.shape
    assert trace.layers.keys() == recorded(network, x[None])[0].layers.keys()
