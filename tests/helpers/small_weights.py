"""Networks of the three libraries that are small enough to be made and sent in a test."""

from __future__ import annotations

import io
from dataclasses import dataclass

import timm
import torch
import torchvision
from safetensors.torch import save as save_tensors
from torch import nn

# Small ones: the first two are in the table for these tests alone, and the last one comes from an address
# with a checksum, like the first.
KEYS = [
    "torchvision/mobilenet_v3_small",
    "pytorchcv/mobilenet_wd4",
    "timm/mobilenetv3_small_050.lamb_in1k",
    "timm/legacy_seresnet18.in1k",
]
ONE_EACH = KEYS[:3]
SIZES = {"torchvision/mobilenet_v3_small": 10.3, "pytorchcv/mobilenet_wd4": 2.0}  # MB


@dataclass(eq=False)
class Weights:
    """A network with random weights, and the file in which its library expects them."""

    network: nn.Module
    content: bytes


def random_network(key: str) -> nn.Module:
    library, name = key.split("/")
    if library == "torchvision":
        return torchvision.models.get_model(name).eval()
    if library == "timm":
        return timm.create_model(name).eval()
    from pytorchcv.model_provider import get_model

    return get_model(name).eval()


def saved(network: nn.Module, key: str) -> bytes:
    if key == "timm/mobilenetv3_small_050.lamb_in1k":
        return save_tensors(network.state_dict())
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    return file.getvalue()


def same(ours: nn.Module, theirs: nn.Module) -> bool:
    x = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        return torch.equal(ours(x), theirs(x))


def same_weights(ours: nn.Module, theirs: nn.Module) -> bool:
    values = ours.state_dict()
    return all(torch.equal(values[key], value) for key, value in theirs.state_dict().items())
