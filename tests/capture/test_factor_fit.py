"""What kind of factor is between two tensors, made by multiplying by one."""

from __future__ import annotations

import pytest
import torch

from attnviz.capture.factor_fit import TOLERANCE, fit, fitted_factor, is_elementwise, is_nearly_one

N, C, H, W = 2, 6, 5, 7
GATES = {"channel": (N, C, 1, 1), "spatial": (N, 1, H, W), "joint": (N, C, H, W)}


def gate(kind: str) -> torch.Tensor:
    return torch.rand(GATES[kind])


@pytest.mark.parametrize("kind", GATES)
def test_a_factor_is_found_again_and_so_is_its_kind(kind):
    x, factor = torch.randn(N, C, H, W), gate(kind)
    found = fit(x, x * factor)
    assert found.kind == kind
    torch.testing.assert_close(found.factor, factor.view(found.factor.shape), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("kind", ["channel", "spatial"])
def test_the_residual_of_a_wrong_kind_is_beyond_the_tolerance_in_every_precision(kind, dtype):
    x = torch.randn(N, C, H, W).to(dtype)
    y = x * gate(kind).to(dtype)
    assert fitted_factor(x, y, kind) is not None
    assert fitted_factor(x, y, "spatial" if kind == "channel" else "channel") is None


def test_where_the_input_is_zero_the_factor_is_undefined():
    x = torch.randn(N, C, H, W)
    x[:, 2] = 0
    found = fit(x, x * gate("channel"))
    assert found.factor.isnan().nonzero()[:, 1].tolist() == [2, 2]


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x + 1,
        lambda x: x * -gate("joint"),
        lambda x: x * 9 * (1 + gate("joint")),
        lambda x: x[:, :3],
        lambda x: x * torch.inf,
        lambda x: x * 0,
        lambda x: x.int(),
    ],
    ids=["a sum", "negative", "too great", "another shape", "infinite", "all zero", "whole numbers"],
)
def test_what_could_be_no_gate_is_none(change):
    x = torch.rand(N, C, H, W) + 0.1
    assert fit(x, change(x)) is None


def test_functions_of_each_element_are_told_from_gates():
    x = torch.randn(N, C, H, W)

    def squeezed(x: torch.Tensor) -> torch.Tensor:
        return x * x.mean((2, 3), keepdim=True).sigmoid()

    assert is_elementwise(torch.nn.functional.silu, x, torch.nn.functional.silu(x))
    assert not is_elementwise(squeezed, x, squeezed(x))


def test_a_factor_of_nearly_one_is_told_of():
    assert is_nearly_one(torch.full((N, C), 1.005))
    assert not is_nearly_one(gate("channel"))
    undefined = torch.full((N, 20), 1.0)
    undefined[:, ::2] = torch.nan
    assert is_nearly_one(undefined)
