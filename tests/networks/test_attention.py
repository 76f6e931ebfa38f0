"""The modules against the formulas, written out as in the short public PyTorch versions."""

from __future__ import annotations

import pytest
import torch
from helpers.small_networks import with_spread_gates
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear, relu

from attnviz.networks import BAM, CBAM, SqueezeExcite
from attnviz.networks.attention import RectifiedBAM, ReleasedBAM

SIZES = [(7, 7), (5, 12), (13, 4), (1, 1)]


def se_layer(x: Tensor, fc0: Tensor, fc2: Tensor) -> Tensor:
    """``SELayer``: y = avg_pool(x); y = sigmoid(fc.2(relu(fc.0(y)))); x * y."""
    pooled = torch.nn.functional.adaptive_avg_pool2d(x, 1).flatten(1)
    return x * torch.sigmoid(linear(relu(linear(pooled, fc0)), fc2)).view(len(x), -1, 1, 1)


def channel_attention(x: Tensor, fc0: Tensor, fc2: Tensor) -> Tensor:
    """``ChannelAttention``: sigmoid(fc(avg_pool(x)) + fc(max_pool(x))) with fc.0 and fc.2 as 1×1
    convolutions."""

    def fc(pooled: Tensor) -> Tensor:
        return conv2d(relu(conv2d(pooled, fc0)), fc2)

    average = torch.nn.functional.adaptive_avg_pool2d(x, 1)
    maximum = torch.nn.functional.adaptive_max_pool2d(x, 1)
    return torch.sigmoid(fc(average) + fc(maximum))


def spatial_attention(x: Tensor, conv1: Tensor) -> Tensor:
    """``SpatialAttention``: sigmoid(conv1(cat([mean, max])))."""
    pooled = torch.cat([torch.mean(x, dim=1, keepdim=True), torch.max(x, dim=1, keepdim=True)[0]], dim=1)
    return torch.sigmoid(conv2d(pooled, conv1, padding=3))


@pytest.mark.parametrize("size", SIZES)
def test_se_is_the_public_formula(size):
    module, x = SqueezeExcite(32, 8), torch.randn(3, 32, *size)
    torch.testing.assert_close(
        module(x), se_layer(x, module.fc1.weight, module.fc2.weight), rtol=1e-6, atol=1e-6
    )


@pytest.mark.parametrize("size", SIZES)
def test_cbam_is_the_public_formula(size):
    module, x = CBAM(32, 8), torch.randn(3, 32, *size)
    fc0, fc2 = (layer.weight[:, :, None, None] for layer in (module.channel.fc1, module.channel.fc2))
    refined = channel_attention(x, fc0, fc2) * x
    torch.testing.assert_close(
        module(x), spatial_attention(refined, module.spatial.conv.weight) * refined, rtol=1e-6, atol=1e-6
    )


@pytest.mark.parametrize("size", SIZES)
def test_a_spatial_gate_padded_by_replicates_is_one_on_features_with_more_of_their_edges(size):
    module, x = CBAM(16, 8, padding="replicate"), torch.randn(3, 16, *size)
    weighed = x * module.channel(x)[:, :, None, None]
    pooled = torch.cat([weighed.mean(1, keepdim=True), weighed.amax(1, keepdim=True)], 1)
    logits = conv2d(with_edges(pooled, 3), module.spatial.conv.weight)
    torch.testing.assert_close(module(x), weighed * torch.sigmoid(logits), rtol=1e-6, atol=1e-6)


def with_edges(x: Tensor, count: int) -> Tensor:
    """Features with so many more rows and columns on each side, each that of the edge."""
    rows = [x[:, :, :1]] * count + [x] + [x[:, :, -1:]] * count
    x = torch.cat(rows, 2)
    return torch.cat([x[..., :1]] * count + [x] + [x[..., -1:]] * count, 3)


@pytest.mark.parametrize("kind", [CBAM, BAM, ReleasedBAM, RectifiedBAM])
def test_only_with_zeros_do_even_features_show_where_the_edge_is(kind):
    x = torch.randn(1, 16, 1, 1).expand(1, 16, 9, 9).contiguous()
    for padding, is_even in (("zeros", False), ("replicate", True)):
        module = with_spread_gates(kind(16, 4, padding=padding))
        with torch.inference_mode():
            differences = module(x)[0].flatten(1).std(1)
        assert bool((differences < 1e-6).all()) == is_even


@pytest.mark.parametrize("size", SIZES)
def test_bam_adds_its_branches(size):
    module = BAM(32, 8).eval()
    x = torch.randn(3, 32, *size)
    _, _, fc1, _, fc2, norm = module.channel
    channel = norm(linear(relu(linear(x.mean((2, 3)), fc1.weight, fc1.bias)), fc2.weight, fc2.bias))
    reduce, _, first, _, second, _, last, spatial_norm = module.spatial
    hidden = relu(conv2d(x, reduce.weight, reduce.bias))
    for layer in (first, second):
        hidden = relu(conv2d(hidden, layer.weight, layer.bias, padding=4, dilation=4))
    spatial = spatial_norm(conv2d(hidden, last.weight, last.bias))
    expected = x + x * torch.sigmoid(channel[:, :, None, None] + spatial)
    torch.testing.assert_close(module(x), expected, rtol=1e-6, atol=1e-6)


def test_bam_with_opposite_branches_is_a_half_and_a_product_would_not_be():
    module = BAM(16, 8).eval()
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    nn.init.constant_(module.channel[-1].bias, -1.0)
    nn.init.constant_(module.spatial[-1].bias, 1.0)
    x = torch.randn(2, 16, 6, 6)
    torch.testing.assert_close(module(x), 1.5 * x)


def test_with_zero_weights_se_halves_cbam_quarters_and_bam_adds_a_half():
    x = torch.randn(2, 16, 6, 6)
    for module, factor in ((SqueezeExcite(16, 8), 0.5), (CBAM(16, 8), 0.25), (BAM(16, 8).eval(), 1.5)):
        for parameter in module.parameters():
            nn.init.zeros_(parameter)
        assert torch.equal(module(x), factor * x)


@pytest.mark.parametrize("kind", [SqueezeExcite, CBAM, BAM])
def test_every_declared_tap_is_a_child_module(kind):
    module = kind(16, 8)
    assert module.attention_kind in ("se", "cbam", "bam")
    for path in module.attention_taps:
        assert isinstance(module.get_submodule(path), nn.Module)


def test_se_and_cbam_have_no_biases():
    for module in (SqueezeExcite(16, 8), CBAM(16, 8)):
        assert not [name for name, _ in module.named_parameters() if name.endswith("bias")]


def test_swapping_the_inputs_of_the_spatial_convolution_changes_the_map():
    module, x = CBAM(16, 8), torch.randn(1, 16, 9, 9)
    before = module(x)
    module.spatial.conv.weight.data = module.spatial.conv.weight.data.flip(1)
    assert (module(x) - before).abs().max() > 1e-3
