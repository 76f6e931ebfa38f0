"""The names that people give to the weights of the same network, and what they save beside it."""

from __future__ import annotations

import re
from collections.abc import Callable

import torch
from torch import Tensor


def renamed(*patterns: tuple[str, str]) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    """A function that gives the weights of a state dict other names."""

    def change(state: dict[str, Tensor]) -> dict[str, Tensor]:
        names = {}
        for key in state:
            name = key
            for pattern, ours in patterns:
                name = re.sub(pattern, ours, name)
            names[key] = name
        return {names[key]: value for key, value in state.items()}

    return change


def with_buffers(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """As Lightning saves a module with a loss beside the network."""
    named = {f"model.{key}": value for key, value in state.items()}
    return {**named, "criterion.pos_weight": torch.ones(5), "loss_fn.weight": torch.ones(5)}


def with_average(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A network and its moving average, as some trainers save both."""
    own = {f"model.{key}": value for key, value in state.items()}
    return {**{f"model_ema.{key}": value + 1 for key, value in state.items()}, **own}


def with_a_twin(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """As contrastive training saves a network, its slow twin and its queue."""
    own = {f"module.encoder_q.{key}": value for key, value in state.items()}
    twin = {f"module.encoder_k.{key}": value + 1 for key, value in state.items()}
    return {**twin, **own, "module.queue": torch.ones(5, 7), "module.queue_ptr": torch.ones(1)}


HEADS = (
    "classifier",
    "linear",
    "head",
    "head.fc",
    "last_linear",
    "output",
    "logits",
    "fc.1",
    "cls",
    "model_fc",
)
NAMES = {  # what people call the weights of a torchvision ResNet with attention
    "blocks that are compiled": renamed((r"^(layer\d\.\d)\.", r"\1._orig_mod.")),
    "blocks of FSDP": renamed(
        (r"^layer2\.0\.", "layer2.0._fsdp_wrapped_module."), (r"^", "_forward_module.")
    ),
    **{
        f"{prefix}…": renamed((r"^", prefix))
        for prefix in (
            "resnet.",
            "encoder.",
            "timm_model.",
            "model.0.",
            "net.res18.",
            "module.backbone.",
            "0.",
        )
    },
    **{f"…{head}": renamed((r"^fc\.", f"{head}.")) for head in HEADS},
    "backbone and head.fc": renamed((r"^fc\.", "head.fc."), (r"^(?!head)", "backbone.")),
    "features of a list of children": renamed(
        (r"^conv1\.", "features.0."),
        (r"^bn1\.", "features.1."),
        (r"^layer(\d)\.", lambda found: f"features.{int(found[1]) + 3}."),
        (r"^fc\.", "classifier."),
    ),
    "fastai": renamed(
        (r"^conv1\.", "0.0."),
        (r"^bn1\.", "0.1."),
        (r"^layer(\d)\.", lambda found: f"0.{int(found[1]) + 3}."),
        (r"^fc\.", "1.8."),
    ),
    "stages, units and shortcuts": renamed(
        (r"^layer(\d)\.(\d)\.", r"stage\1.unit\2."), (r"downsample", "shortcut"), (r"^conv1\.", "stem.conv.")
    ),
    "conv2_x": renamed(
        (r"^layer(\d)\.", lambda found: f"conv{int(found[1]) + 1}_x."),
        (r"\.conv1\.", ".residual_function.0."),
        (r"\.bn1\.", ".residual_function.1."),
        (r"\.conv2\.", ".residual_function.3."),
        (r"\.bn2\.", ".residual_function.4."),
        (r"^conv1\.", "conv1.0."),
        (r"^bn1\.", "conv1.1."),
    ),
    "stages.0.1": renamed((r"^layer(\d)\.(\d)\.", lambda found: f"stages.{int(found[1]) - 1}.{found[2]}.")),
    "norm1": renamed(
        (r"\bbn(\d)\b", r"norm\1"), (r"downsample\.0", "skip.conv"), (r"downsample\.1", "skip.norm")
    ),
    "a loss beside it": with_buffers,
    "a moving average beside it": with_average,
    "a twin and a queue beside it": with_a_twin,
}
