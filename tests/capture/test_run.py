from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from helpers.small_networks import stirred
from PIL import Image
from torch import nn

import attnviz
from attnviz.capture.taps import find_taps

ALL = [(18, "se"), (18, "cbam"), (18, "bam"), (50, "se"), (50, "cbam"), (50, "bam")]


def inside(network: nn.Module, x: torch.Tensor) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """What went into and came out of every attention module, seen by hooks of the test's own."""
    seen, handles = {}, []
    for tap in find_taps(dict(network.named_modules())):

        def hook(_module, inputs, output, layer=tap.layer):
            seen[layer] = inputs[0].clone(), output.clone()

        handles.append(tap.module.register_forward_hook(hook))
    with torch.inference_mode():
        network(x)
    for handle in handles:
        handle.remove()
    return seen


def check_reconstruction(network: nn.Module, x: torch.Tensor) -> None:
    seen = inside(network, x)
    for row, trace in enumerate(attnviz.traces(network, x)):
        assert list(trace.layers) == list(seen)
        for name, layer in trace.layers.items():
            before, after = (side[row].numpy() for side in seen[name])
            assert layer.factor().dtype == np.float32
            assert layer.factor().shape == layer.shape == before.shape
            np.testing.assert_allclose(
                before * layer.factor(), after, rtol=1e-5, atol=1e-6 * np.abs(after).max()
            )


@pytest.mark.parametrize(("depth", "attention"), ALL)
def test_block_input_times_factor_is_block_output(depth, attention):
    check_reconstruction(stirred(depth, attention), torch.randn(2, 3, 70, 101))


@pytest.mark.parametrize("name", ["se_resnet18", "cbam_resnet18", "bam_resnet18"])
def test_block_input_times_factor_is_block_output_in_the_trained_networks(name):
    check_reconstruction(attnviz.load(name), torch.randn(2, 3, 96, 130))


@pytest.mark.parametrize(("depth", "attention"), ALL)
def test_a_photo_alone_and_in_a_batch_agree(depth, attention):
    # In double precision, so that only a real difference shows: float32 kernels round differently for other
    # batch sizes.
    network, x = stirred(depth, attention).double(), torch.randn(4, 3, 64, 80).double()
    for index, together in enumerate(attnviz.traces(network, x, batch_size=4)):
        alone = attnviz.trace(network, x[index])
        np.testing.assert_allclose(alone.logits, together.logits, atol=1e-6)
        for name, layer in alone.layers.items():
            np.testing.assert_allclose(layer.factor(), together.layers[name].factor(), atol=1e-6)


@pytest.mark.parametrize(("depth", "attention"), ALL)
def test_logits_with_capture_are_those_without_bit_for_bit(depth, attention):
    network, x = stirred(depth, attention), torch.randn(3, 3, 64, 64)
    with torch.inference_mode():
        bare = network(x).numpy()
    assert np.array_equal(np.stack([trace.logits for trace in attnviz.traces(network, x)]), bare)


def test_se_weighs_channels_only_and_bam_has_branches():
    x = torch.randn(3, 64, 64)
    se = attnviz.trace(stirred(18, "se"), x).layers["layer2.0"]
    assert se.spatial is None and se.channel.shape == (16,) and se.channel_logits is None
    bam = attnviz.trace(stirred(18, "bam"), x).layers["bam2"]
    assert bam.channel_logits.shape == (16,) and bam.spatial_logits.shape == (8, 8)
    np.testing.assert_allclose(bam.channel, bam.factor().mean((1, 2)), atol=1e-5)
    np.testing.assert_allclose(bam.spatial, bam.factor().mean(0), atol=1e-5)


def test_gates_stay_in_their_closed_ranges():
    x = 50 * torch.randn(3, 64, 64)
    for attention, (low, high) in {"se": (0, 1), "cbam": (0, 1), "bam": (1, 2)}.items():
        for layer in attnviz.trace(stirred(18, attention), x).layers.values():
            for values in (layer.channel, layer.spatial, layer.factor()):
                assert values is None or (values.min() >= low and values.max() <= high)


def test_the_gates_know_no_class():
    network, x = stirred(18, "cbam"), torch.randn(3, 64, 64)
    before = attnviz.trace(network, x)
    for parameter in (*network.layer4.parameters(), *network.fc.parameters()):
        nn.init.normal_(parameter)
    after = attnviz.trace(network, x)
    assert not np.array_equal(before.logits, after.logits)
    for name in ("layer1.0", "layer2.1", "layer3.1"):
        assert np.array_equal(before.layers[name].factor(), after.layers[name].factor())


def hooks_of(network: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules())


def test_no_hook_is_left_and_modes_come_back():
    network = stirred(18, "cbam").train()
    network.layer2.eval()
    modes = [module.training for module in network.modules()]
    attnviz.trace(network, torch.randn(3, 64, 64))
    assert hooks_of(network) == 0
    assert [module.training for module in network.modules()] == modes


def test_no_hook_is_left_and_modes_come_back_after_a_failure():
    network = stirred(18, "cbam").train()
    network.fc = nn.Linear(3, 3)  # does not fit: the pass fails at its very end
    with pytest.raises(RuntimeError):
        attnviz.trace(network, torch.randn(3, 64, 64))
    assert hooks_of(network) == 0
    assert all(module.training for module in network.modules())


def test_eight_threads_on_one_network_agree_with_one():
    network = stirred(18, "cbam")
    inputs = [torch.randn(3, 64, 64) for _ in range(24)]
    alone = [attnviz.trace(network, x) for x in inputs]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda x: attnviz.trace(network, x), inputs))
    for one, other in zip(alone, together):
        assert np.array_equal(one.logits, other.logits)
        for name in one.layers:
            assert np.array_equal(one.layers[name].factor(), other.layers[name].factor())
    assert hooks_of(network) == 0


def test_a_bare_pass_in_another_thread_does_not_mix_in():
    network, x, other = stirred(18, "se"), torch.randn(3, 64, 64), torch.randn(1, 3, 64, 64)
    expected = attnviz.trace(network, x)

    def passes(_):
        with torch.inference_mode():
            return network(other)

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(passes, index) for index in range(60)]
        traced = [attnviz.trace(network, x) for _ in range(10)]
        for future in running:
            future.result()
    for trace in traced:
        assert np.array_equal(trace.layers["layer4.1"].channel, expected.layers["layer4.1"].channel)


def test_what_leaves_is_copied():
    network, x = stirred(18, "cbam"), torch.randn(3, 64, 64)
    first = attnviz.trace(network, x)
    kept = first.layers["layer3.0"].spatial.copy()
    again = attnviz.trace(network, x)
    again.layers["layer3.0"].spatial[:] = -1
    again.layers["layer3.0"].factor()[:] = -1
    x.zero_()
    assert np.array_equal(first.layers["layer3.0"].spatial, kept)
    assert first.photo.pixels.std() > 0  # made from the input as it was


def test_photos_of_any_kind_and_size_come_back_in_order(noise, noise_file):
    network = stirred(18, "cbam")
    tall, wide = Image.new("RGB", (50, 120), "red"), Image.new("RGB", (120, 50), "blue")
    sources = [noise_file, tall, noise, str(noise_file), wide, tall]
    traced = list(attnviz.traces(network, sources, batch_size=4))
    for source, trace in zip(sources, traced):
        np.testing.assert_allclose(trace.logits, attnviz.trace(network, source).logits, rtol=1e-4, atol=1e-5)
    assert [trace.photo.width > trace.photo.height for trace in traced] == [
        True,
        False,
        True,
        True,
        True,
        False,
    ]


def test_the_photos_before_a_bad_one_come_first(noise):
    running = attnviz.traces(stirred(18, "se"), [noise, noise, "gone.png", noise])
    assert len([next(running), next(running)]) == 2
    with pytest.raises(attnviz.PhotoError, match="“gone"):
        next(running)


def test_one_photo_in_place_of_many_is_refused():
    with pytest.raises(TypeError, match="one photo"):
        attnviz.traces(stirred(18, "se"), "dog.jpg")


def test_labels_of_another_head_are_not_used():
    network = attnviz.load("se_resnet18")
    network.fc = nn.Linear(network.fc.in_features, 3)
    assert {label for label, _ in attnviz.trace(network, torch.randn(3, 64, 64)).top()} == {
        "class 0",
        "class 1",
        "class 2",
    }


def test_top_is_sorted_and_names_the_classes(cbam, examples):
    trace = attnviz.trace(cbam, examples / "temple.jpg")
    best = trace.top(10)
    assert [value for _, value in best] == sorted((value for _, value in best), reverse=True)
    assert sum(value for _, value in best) == pytest.approx(1)
    assert {label for label, _ in best} == set(cbam.card.labels)
    assert trace.logits.dtype == np.float32 and trace.logits.shape == (10,)


def test_a_network_without_attention_is_refused_but_our_plain_one_is_there_to_compare():
    with pytest.raises(attnviz.TraceError, match="no attention"):
        attnviz.trace(
            nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()), torch.randn(3, 32, 32)
        )
    assert attnviz.trace(attnviz.load("resnet18"), torch.randn(3, 64, 64)).layers == {}


def test_a_declared_gate_that_does_not_run_is_an_error():
    network = stirred(18, "se")
    network.layer2[0].attention = nn.Identity()
    network.add_module(
        "spare", stirred(18, "se").layer2[0].attention
    )  # declared, but no part of the forward pass
    with pytest.raises(attnviz.TraceError, match="spare did not run"):
        attnviz.trace(network, torch.randn(3, 64, 64))


def test_a_sigmoid_that_two_modules_share_is_read_in_its_own_place():
    network, x = stirred(18, "se"), torch.randn(3, 64, 64)
    expected = attnviz.trace(network, x)
    network.layer1[1].attention.gate = network.layer1[0].attention.gate
    shared = attnviz.trace(network, x)
    for name, layer in expected.layers.items():
        assert np.array_equal(shared.layers[name].channel, layer.channel)


def test_a_module_that_runs_twice_is_two_layers():
    network, x = stirred(18, "se"), torch.randn(3, 64, 64)
    network.layer1[1].attention = network.layer1[0].attention
    layers = attnviz.trace(network, x).layers
    assert list(layers)[:3] == ["layer1.0", "layer1.0 #2", "layer2.0"]
    assert not np.array_equal(layers["layer1.0"].channel, layers["layer1.0 #2"].channel)


class TwiceInOne(nn.Module):
    """Declares one gate, and runs it twice in a call."""

    attention_kind = "se"
    attention_taps = {"gate": "channel"}

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Sigmoid()

    def forward(self, x):
        return x * self.gate(self.gate(x.mean((2, 3))))[:, :, None, None]


def test_a_declared_gate_that_runs_twice_in_one_call_is_an_error():
    with pytest.raises(attnviz.TraceError, match="twice"):
        attnviz.trace(
            nn.Sequential(TwiceInOne(), nn.AdaptiveAvgPool2d(1), nn.Flatten()), torch.randn(3, 8, 8)
        )


@pytest.mark.parametrize(
    "wrong",
    [
        torch.zeros(1, 32, 32),
        torch.zeros(3, 32, 32, dtype=torch.uint8),
        torch.zeros(3, 32),
        torch.zeros(3, 0, 5),
    ],
)
def test_a_tensor_of_another_form_is_refused(wrong):
    with pytest.raises(attnviz.TraceError, match="photo is"):
        attnviz.trace(stirred(18, "se"), wrong)


def test_a_view_that_does_not_exist_is_refused_at_the_call():
    with pytest.raises(ValueError, match="left half"):
        attnviz.traces(stirred(18, "se"), [], view="left half")


def test_photos_are_asked_for_a_window_ahead_but_never_where_one_waits_for_the_other(cbam, noise):
    given: list[int] = []

    def photos(count: int):
        for number in range(count):
            given.append(number)
            yield noise
        raise RuntimeError("no more film")

    found = attnviz.traces(cbam, photos(8), batch_size=2)
    next(found)
    assert given == [0, 1, 2, 3]
    with pytest.raises(RuntimeError, match="film"):
        for _ in range(8):
            next(found)
    given.clear()
    found = attnviz.traces(cbam, photos(8), batch_size=1)
    next(found)
    assert given == [0]


def test_a_generator_that_is_left_leaves_no_thread(cbam, noise):
    found = attnviz.traces(cbam, (noise for _ in range(100)), batch_size=2)
    next(found)
    found.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("attnviz-photos")]
