"""What modules compute on the way to their gates, beside the same thing computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
import torchvision
from helpers.small_networks import stirred
from torch import nn

import attnviz
from attnviz.networks.attention import BAM, CBAM, RectifiedBAM, ReleasedBAM

SE = ("squeezed", "hidden", "channel_logits")


CBAM_STEPS = (
    "average",
    "average_hidden",
    "average_logits",
    "maximum",
    "maximum_hidden",
    "maximum_logits",
    "mean_map",
    "maximum_map",
    "spatial_logits",
)


def inside(layer) -> dict[str, np.ndarray]:
    return {step.name: step.values for step in layer.steps}


def close(actual, expected) -> None:
    np.testing.assert_allclose(actual, np.asarray(expected), atol=2e-6, rtol=1e-5)


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(3, 64, 96)


def test_the_steps_of_se_make_its_gate(x):
    network = stirred(18, "se")
    trace = attnviz.trace(network, x)
    for name, layer in trace.layers.items():
        steps, module = inside(layer), network.get_submodule(f"{name}.attention")
        assert tuple(steps) == SE
        close(steps["squeezed"], attnviz.features(network, x, name).before.mean((1, 2)))
        close(steps["hidden"], torch.relu(module.fc1(torch.from_numpy(steps["squeezed"]))).detach())
        close(steps["channel_logits"], module.fc2(torch.from_numpy(steps["hidden"])).detach())
        close(layer.channel, torch.sigmoid(torch.from_numpy(steps["channel_logits"])))


@pytest.mark.parametrize("padding", ["zeros", "replicate"])
@pytest.mark.parametrize("maximum_first", [False, True])
def test_the_steps_of_cbam_make_its_gates(x, maximum_first, padding):
    cbam = CBAM(16, 4, maximum_first=maximum_first, norm=True, padding=padding)
    network = nn.Sequential(nn.Conv2d(3, 16, 3), cbam).eval()
    layer = attnviz.trace(network, x).layers["1"]
    steps, seen, module = inside(layer), attnviz.features(network, x, "1"), network[1]
    assert tuple(steps) == CBAM_STEPS
    close(steps["average"], seen.before.mean((1, 2)))
    close(steps["maximum"], seen.before.max((1, 2)))
    for path in ("average", "maximum"):
        pooled = torch.from_numpy(steps[path])
        close(steps[f"{path}_hidden"], torch.relu(module.channel.fc1(pooled)).detach())
        close(steps[f"{path}_logits"], module.channel.excite(pooled).detach())
    close(layer.channel, torch.sigmoid(torch.from_numpy(steps["average_logits"] + steps["maximum_logits"])))
    refined = seen.before * layer.channel[:, None, None]
    close(steps["mean_map"], refined.mean(0))
    close(steps["maximum_map"], refined.max(0))
    maps = [torch.from_numpy(steps[name]) for name in ("mean_map", "maximum_map")]
    convolved = module.spatial.conv(torch.stack(maps[::-1] if maximum_first else maps)[None])
    close(steps["spatial_logits"], module.spatial.norm(convolved)[0, 0].detach())
    close(layer.spatial, torch.sigmoid(torch.from_numpy(steps["spatial_logits"])))
    close(seen.after, seen.before * layer.factor())


@pytest.mark.parametrize("kind", [BAM, ReleasedBAM, RectifiedBAM])
def test_the_steps_of_bam_lead_to_its_channel_branch(x, kind):
    network = nn.Sequential(nn.Conv2d(3, 16, 3), kind(16, 4)).eval() if kind != BAM else stirred(18, "bam")
    trace = attnviz.trace(network, x)
    for name, layer in trace.layers.items():
        steps, seen = inside(layer), attnviz.features(network, x, name)
        branch = network.get_submodule(name)
        assert tuple(steps) == ("squeezed", "hidden")
        close(steps["squeezed"], seen.before.mean((1, 2)))
        close(layer.channel_logits, branch.channel(torch.from_numpy(seen.before)[None])[0].detach())
        np.testing.assert_allclose(seen.after, seen.before * layer.factor(), atol=1e-5)


LIBRARIES = {
    "torchvision": (SE, lambda: torchvision.models.mobilenet_v3_small(weights=None)),
    "timm se": (SE, lambda: timm.create_model("seresnet18", pretrained=False)),
    "timm senet": (SE, lambda: timm.create_model("legacy_seresnet18", pretrained=False)),
    "timm efficientnet": (SE, lambda: timm.create_model("efficientnet_b0", pretrained=False)),
    "timm cbam": (
        CBAM_STEPS,
        lambda: nn.Sequential(nn.Conv2d(3, 16, 3), timm.layers.cbam.CbamModule(16)),
    ),
    "pytorchcv se": (SE, lambda: cv("seresnet18")),
    "pytorchcv cbam": (CBAM_STEPS, lambda: cv("cbam_resnet18")),
    "pytorchcv bam": (("squeezed", "hidden"), lambda: cv("bam_resnet18")),
}


def cv(name: str) -> nn.Module:
    from pytorchcv.model_provider import get_model

    return get_model(name, pretrained=False)


@pytest.mark.slow
@pytest.mark.parametrize("library", LIBRARIES)
def test_the_steps_of_the_libraries_modules_are_read_where_they_are(library):
    x = torch.randn(3, 224, 224)
    names, make = LIBRARIES[library]
    network = make().eval()
    trace = attnviz.trace(network, x)
    known = [layer for layer in trace.layers.values() if layer.kind in ("se", "cbam", "bam")]
    assert known
    for layer in known:
        steps = inside(layer)
        assert tuple(steps) == names
    layer = known[-1]
    before = attnviz.features(network, x, layer.name).before
    close(inside(layer)[names[0]], before.mean((1, 2)))
    if "spatial_logits" in names:
        close(layer.spatial, torch.sigmoid(torch.from_numpy(inside(layer)["spatial_logits"])))
        close(inside(layer)["maximum_map"], (before * layer.channel[:, None, None]).max(0))
        close(
            layer.channel,
            torch.sigmoid(
                torch.from_numpy(inside(layer)["average_logits"] + inside(layer)["maximum_logits"])
            ),
        )


def test_each_photo_of_a_batch_has_its_own_steps():
    network, batch = stirred(18, "cbam"), torch.randn(3, 3, 64, 64)
    for x, trace in zip(batch, attnviz.traces(network, batch, steps=True)):
        alone = attnviz.trace(network, x)
        for name in trace.layers:
            for step, other in zip(trace.layers[name].steps, alone.layers[name].steps, strict=True):
                assert step.name == other.name
                np.testing.assert_allclose(step.values, other.values, atol=1e-4)
