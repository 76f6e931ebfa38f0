"""The class activation map of a photo, by a network's own gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..capture.exclusive import exclusive_eval
from ..capture.hooks import Hooks
from ..capture.inputs import as_parameters


def grad_cam(network: nn.Module, x: Tensor, answer: int) -> np.ndarray | None:
    """Where the last features of a network speak for a class, on one input (3, H, W): float64 (h, w), from 0
    on (Selvaraju et al., ICCV 2017, equations 1 and 2). None if no module gives features of more than one
    position.

    With A_k channel k of the last features (K, h, w) that a module gives, and s the score of the class: the
    weight of a channel is a_k = mean over positions of ∂s/∂A_k, and the map is max(0, Σ_k a_k A_k)."""
    features: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: tuple, output: Any) -> None:
        if isinstance(output, Tensor) and output.ndim == 4 and output.shape[2:].numel() > 1:
            features[:] = [output]

    modules = list(network.modules())
    given = as_parameters(network, x[None]).detach().requires_grad_()
    with exclusive_eval(network, modules), torch.enable_grad(), Hooks() as hooks:
        for module in modules:
            hooks.after(module, keep)
        score = network(given)[0, answer]
        if not features or not features[0].requires_grad:
            return None
        (slopes,) = torch.autograd.grad(score, features)
    weights = slopes[0].double().mean((1, 2))  # (K,)
    return torch.einsum("k,khw->hw", weights, features[0][0].detach().double()).relu().numpy()
