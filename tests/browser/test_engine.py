"""The engine in the browser computes what PyTorch does, layer by layer and as a whole."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from helpers.engine_page import engine_page, in_base64, numbers, weights_file
from helpers.small_networks import stirred, with_spread_gates
from safetensors.torch import save as save_tensors
from torch import nn
from torch.nn.functional import max_pool2d

import attnviz
from attnviz.networks.attention import BAM, CBAM, SqueezeExcite
from attnviz.site.networks import engine_architecture

CASES = 24  # of a layer, of random shapes


@pytest.fixture(scope="module")
def engine(browser):
    page = engine_page(browser)
    yield page
    page.close()


@pytest.fixture
def shapes():
    """Random (channels, height, width), of which some are a single row, column or position."""
    random = np.random.default_rng(7)
    tiny = [(1, 1, 1), (5, 1, 9), (3, 17, 1), (4, 2, 2)]
    others = [tuple(map(int, random.integers(1, (40, 23, 23)))) for _ in range(CASES - len(tiny))]
    return [*tiny, *others]


def random_input(*shape: int) -> torch.Tensor:
    return torch.randn(1, *shape)


def error(found: np.ndarray, expected: torch.Tensor) -> float:
    """The greatest difference, of the greatest number where that is over one."""
    wanted = expected.detach().double().numpy().ravel()
    assert found.shape == wanted.shape
    return float(np.abs(found - wanted).max() / max(1.0, np.abs(wanted).max()))


CONVOLVED = """async ([weights, x, channels, height, width, about, rectified, added]) => {
  const room = await memory();
  const { Convolution } = modules['engine/convolution'];
  const layer = new Convolution(room, weightsOf(weights), 'one', about);
  const given = put(room, x, channels, height, width);
  const [, outputs, rows, columns] = added?.shape ?? [];
  const more = added && put(room, added.values, outputs, rows, columns);
  const y = layer.apply(given, { rectified, added: more });
  return [[y.channels, y.height, y.width], textOf(room.read(y))];
}"""


@pytest.mark.parametrize("padding", ["zeros", "replicate"])
@pytest.mark.parametrize("is_last", [False, True], ids=["plain", "normed, added and rectified"])
def test_a_convolution_is_pytorchs(engine, shapes, padding, is_last):
    random = np.random.default_rng(3)
    for channels, height, width in shapes:
        side, stride = int(random.choice([1, 3, 7])), int(random.choice([1, 2]))
        dilation, outputs = int(random.choice([1, 4])) if side == 3 else 1, int(random.integers(1, 30))
        layer = nn.Conv2d(
            *(channels, outputs, side, stride),
            padding=side // 2 * dilation,
            dilation=dilation,
            bias=bool(random.integers(2)),
            padding_mode=padding,
        )
        norm = with_spread_gates(nn.BatchNorm2d(outputs))
        both = nn.ModuleDict({"one": layer, "two": norm} if is_last else {"one": layer})
        x = random_input(channels, height, width)
        expected = layer(x)
        added = None
        if is_last:
            added = torch.randn_like(expected)
            expected = (norm(expected) + added).relu()
        about = {
            "stride": stride,
            "dilation": dilation,
            "padding": padding,
            "norm": "two" if is_last else None,
        }
        with_added = added is not None and {"shape": list(added.shape), "values": in_base64(added.numpy())}
        asked = [in_base64(weights_file(both)), in_base64(x.numpy()), channels, height, width, about]
        shape, values = engine.evaluate(CONVOLVED, [*asked, is_last, with_added or None])
        assert tuple(shape) == expected.shape[1:]
        assert error(numbers(values), expected) < 3e-6


POOLED = """async ([x, channels, height, width]) => {
  const room = await memory();
  const { poolWindows, poolPositions, poolChannels } = modules['engine/pooling'];
  const given = put(room, x, channels, height, width);
  const y = poolWindows(room, given);
  const { mean, maximum, sizes } = poolPositions(room, given);
  const maps = room.read(poolChannels(room, given));
  return [[y.height, y.width], ...[room.read(y), mean, maximum, sizes, maps].map(textOf)];
}"""


def test_pools_are_pytorchs(engine, shapes):
    for shape in shapes:
        x = random_input(*shape)
        expected = max_pool2d(x, 3, 2, padding=1)
        size, *found = engine.evaluate(POOLED, [in_base64(x.numpy()), *shape])
        assert tuple(size) == expected.shape[2:]
        maps = torch.cat([x.mean(1), x.amax(1)])
        wanted = [expected, x.mean((2, 3)), x.amax((2, 3)), x.abs().mean((2, 3)), maps]
        for values, of_torch in zip(found, wanted):
            assert error(numbers(values), of_torch) < 1e-6


def attention_of(kind: str, channels: int, bias: bool, padding: str) -> nn.Module:
    """A module of a kind, with a hidden layer of a third of its channels."""
    hidden = max(1, channels // 3)
    if kind == "se":
        return SqueezeExcite(channels, hidden=hidden, bias=bias)
    if kind == "cbam":
        return CBAM(channels, hidden=hidden, bias=bias, padding=padding)
    return BAM(channels, hidden=hidden, padding=padding)


ATTENDED = """async ([weights, x, channels, height, width, kind, padding]) => {
  const room = await memory();
  const Module = { se: 'SqueezeExcite', cbam: 'CBAM', bam: 'BAM' }[kind];
  const parts = { memory: room, weights: weightsOf(weights), padding };
  const module = new modules[`engine/${kind}`][Module](parts, 'one');
  const given = put(room, x, channels, height, width);
  const { steps, ...gates } = module.apply(given);
  const inText = (pairs) => pairs.map(([name, values]) => [name, textOf(values)]);
  const texts = Object.fromEntries(inText(Object.entries(gates)));
  return [textOf(room.read(given)), texts, inText(steps)];
}"""


@pytest.mark.parametrize("padding", ["zeros", "replicate"])
@pytest.mark.parametrize("bias", [False, True], ids=["no bias", "bias"])
@pytest.mark.parametrize("kind", ["se", "cbam", "bam"])
def test_attention_is_pytorchs_with_all_its_gates_and_steps(engine, shapes, kind, bias, padding):
    for channels, height, width in shapes:
        module = with_spread_gates(attention_of(kind, channels, bias, padding))
        x = random_input(channels, height, width)
        found = attnviz.trace(nn.Sequential(module, nn.Identity()), x)
        (layer,) = found.layers.values()
        file = weights_file(nn.ModuleDict({"one": module}))
        asked = [in_base64(file), in_base64(x.numpy()), channels, height, width, kind, padding]
        after, gates, steps = engine.evaluate(ATTENDED, asked)
        assert error(numbers(after), module(x)) < 3e-6
        for name, part in (("channel", "channel"), ("spatial", "spatial"), ("sizes", "sizes")):
            expected = getattr(layer, part)
            assert (expected is None) == (name not in gates), name
            if expected is not None:
                assert error(numbers(gates[name]), torch.from_numpy(expected)) < 3e-6, name
        assert [name for name, _ in steps] == [step.name for step in layer.steps]
        for (_, values), step in zip(steps, layer.steps):
            assert error(numbers(values), torch.from_numpy(np.asarray(step.values))) < 3e-6, step.name


RAN = """async ([weights, architecture, x, height, width]) => {
  const { Network } = modules['engine/network'];
  const network = new Network(await memory(), architecture, weightsOf(weights));
  const input = { values: floatsOf(x), height, width };
  const { logits, layers } = network.run(input);
  const again = network.run(input, { featuresOf: layers.at(-1)?.name });
  const text = (values) => values && textOf(values);
  const shown = ({ name, channel, spatial }) => [name, text(channel), text(spatial)];
  const { before, after } = again.layers.at(-1) ?? {};
  return [textOf(logits), textOf(again.logits), layers.map(shown), [text(before), text(after)]];
}"""


@pytest.mark.parametrize(
    ("depth", "attention", "more"),
    [
        (18, None, {}),
        (18, "se", {"bias": True}),
        (18, "cbam", {"bias": True, "least_hidden": 4, "padding": "replicate"}),
        (18, "bam", {"padding": "replicate", "width": 12}),
        (34, "cbam", {}),
        (50, "se", {"width": 6}),
        (50, "bam", {}),
        (101, "cbam", {}),
        (152, None, {}),
    ],
    ids=str,
)
def test_a_network_of_any_depth_and_design_is_pytorchs(engine, depth, attention, more):
    network = stirred(depth, attention, **more)
    file = weights_file(network, half=True)
    with torch.no_grad():  # the file's halves are the network's weights
        for values in network.state_dict().values():
            if values.is_floating_point():
                values.copy_(values.half())
    architecture = engine_architecture(network.plan)
    exact = copy.deepcopy(network).double()
    for height, width in ((65, 96), (33, 40)):
        x = random_input(3, height, width)
        asked = [in_base64(file), architecture, in_base64(x.numpy()), height, width]
        logits, again, layers, features = engine.evaluate(RAN, asked)
        assert logits == again
        assert_as_exact(numbers(logits), network(x), exact(x.double()))
        if attention is None:
            assert layers == []
            continue
        trace, wanted = attnviz.trace(network, x), attnviz.trace(exact, x.double())
        assert [name for name, *_ in layers] == list(trace.layers)
        for name, channel, spatial in layers:
            ours, theirs = trace.layers[name], wanted.layers[name]
            assert_as_exact(numbers(channel), ours.channel, theirs.channel)
            if spatial:
                assert_as_exact(numbers(spatial), ours.spatial, theirs.spatial)
        last = list(trace.layers)[-1]
        ours, theirs = attnviz.features(network, x, last), attnviz.features(exact, x.double(), last)
        for values, side in zip(features, ("before", "after")):
            assert_as_exact(numbers(values), getattr(ours, side), getattr(theirs, side))


def assert_as_exact(found: np.ndarray, in_single: Any, in_double: Any) -> None:
    """What the engine found is as near to double precision as PyTorch's single precision is: networks that
    are not trained amplify what is lost in each layer."""
    in_single, in_double = (torch.as_tensor(values) for values in (in_single, in_double))
    own = error(in_single.detach().numpy().ravel(), in_double)
    assert error(found, in_double) < max(3e-5, 5 * own)


def test_halves_are_numpys(engine):
    halves = np.arange(2**16, dtype=np.uint16)
    asked = in_base64(halves.tobytes())
    code = "(text) => textOf(modules['engine/safetensors'].widened(new Uint16Array(bytesOf(text).buffer)))"
    found, expected = numbers(engine.evaluate(code, asked)), halves.view(np.float16).astype(np.float32)
    np.testing.assert_array_equal(
        found.view(np.uint32)[~np.isnan(expected)], expected.view(np.uint32)[~np.isnan(expected)]
    )
    assert np.isnan(found[np.isnan(expected)]).all()


LAID_OUT = """async ([weights, outputs, depth]) => {
  const room = await memory();
  const { Convolution } = modules['engine/convolution'];
  const { weightsAt } = new Convolution(room, weightsOf(weights), 'one');
  return textOf(room.view(weightsAt, outputs * depth));
}"""


@pytest.mark.parametrize("half", [True, False], ids=["halves", "singles"])
@pytest.mark.parametrize("rest", range(4))
def test_a_convolutions_weights_are_numpys_by_fours_of_outputs(engine, half, rest):
    """Of every half that is a number, in rows of all lengths."""
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    numbers_only = halves[np.isfinite(halves)].astype(np.float32)
    outputs, depth = 8, len(numbers_only) // 8 - rest
    weights = numbers_only[: outputs * depth].reshape(outputs, depth)
    layer = nn.Conv2d(depth, outputs, 1)
    layer.weight.data = torch.from_numpy(weights)[:, :, None, None]
    file = weights_file(nn.ModuleDict({"one": layer}), half=half)
    found = numbers(engine.evaluate(LAID_OUT, [in_base64(file), outputs, depth]))
    np.testing.assert_array_equal(found, weights.reshape(2, 4, depth).transpose(0, 2, 1).ravel())


OPENED = """([weights, architecture]) => fault(async () => {
  const { Network } = modules['engine/network'];
  const network = new Network(await memory(), architecture, weightsOf(weights));
  network.run({ values: new Float32Array(3 * 40 * 40).fill(1), height: 40, width: 40 });
})"""


def damaged_files(whole: bytes) -> dict[str, bytes]:
    """Ways in which a file of weights comes apart, by name."""
    length = int.from_bytes(whole[:8], "little")
    return {
        "empty": b"",
        "cut short": whole[:-1],
        "cut in the header": whole[: length // 2],
        "no header": whole[:8] + b"x" * (len(whole) - 8),
        "a long header": (2**62).to_bytes(8, "little") + whole[8:],
        "something else": b"<!doctype html><title>Not found</title>",
    }


def test_a_damaged_file_of_weights_is_told(engine):
    network = stirred(18, "se")
    whole, architecture = weights_file(network), engine_architecture(network.plan)
    assert engine.evaluate(OPENED, [in_base64(whole), architecture]) is None
    for name, content in damaged_files(whole).items():
        found = engine.evaluate(OPENED, [in_base64(content), architecture])
        assert found == "fault_weights_damaged", name


@pytest.mark.parametrize("half", [True, False], ids=["halves", "singles"])
@pytest.mark.parametrize("name", ["layer3.0.conv2", "fc"])
@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_a_network_of_what_is_no_number_is_told(engine, value, name, half):
    network = stirred(18, "bam")
    network.get_submodule(name).weight.data.flatten()[-1] = value
    asked = [in_base64(weights_file(network, half=half)), engine_architecture(network.plan)]
    assert engine.evaluate(OPENED, asked) == "fault_weights_not_finite"


def test_a_network_whose_answer_overflows_is_told(engine):
    network = stirred(18, "cbam")
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data.fill_(1e30)
    asked = [in_base64(weights_file(network)), engine_architecture(network.plan)]
    assert engine.evaluate(OPENED, asked) == "fault_answer_not_finite"


@pytest.mark.parametrize(
    "other",
    [{"counts": [3, 4, 6, 3]}, {"isBottleneck": True}, {"attention": "se"}, {"attention": "bam"}],
    ids=str,
)
def test_weights_of_another_network_than_the_card_says_are_told(engine, other):
    network = stirred(18, "cbam")
    asked = [in_base64(weights_file(network)), {**engine_architecture(network.plan), **other}]
    assert engine.evaluate(OPENED, asked) == "fault_weights_of_another"


@pytest.mark.parametrize(
    ("attention", "name", "shape"),
    [
        ("se", "layer1.0.attention.fc2.weight", lambda rows, *more: (rows + 1, *more)),
        ("cbam", "layer1.0.attention.channel.fc2.weight", lambda rows, *more: (rows - 1, *more)),
        ("cbam", "layer2.0.attention.spatial.conv.weight", lambda _rows, *more: (2, *more)),
        ("bam", "bam1.channel.4.weight", lambda rows, *more: (rows - 1, *more)),
        ("se", "layer2.0.conv1.weight", lambda outputs, channels, *_: (outputs, channels, 3, 1)),
        ("se", "layer2.0.conv1.weight", lambda outputs, channels, *_: (outputs, channels, 2, 2)),
        ("se", "layer2.0.downsample.0.weight", lambda outputs, *more: (outputs - 4, *more)),
        ("se", "layer2.0.bn1.running_mean", lambda channels: (channels + 1,)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_weights_of_another_shape_than_belongs_there_are_told(engine, attention, name, shape):
    network = stirred(18, attention)
    tensors = {key: value.contiguous() for key, value in network.state_dict().items()}
    tensors[name] = torch.zeros(shape(*tensors[name].shape))
    if "downsample" in name:  # the norm behind it has as many channels
        for part in ("weight", "bias", "running_mean", "running_var"):
            tensors[f"layer2.0.downsample.1.{part}"] = torch.ones(len(tensors[name]))
    asked = [in_base64(save_tensors(tensors)), engine_architecture(network.plan)]
    assert engine.evaluate(OPENED, asked) == "fault_weights_of_another"


def test_memory_is_given_back_when_networks_are_let_go_of(engine):
    """A browser has room in its addresses for some hundred memories of WebAssembly at once."""
    network = stirred(18, "se", width=2, classes=2)
    asked = [in_base64(weights_file(network)), engine_architecture(network.plan), 150]
    opened = engine.evaluate(
        """async ([weights, architecture, count]) => {
          const { Network } = modules['engine/network'];
          let opened = 0;
          for (; opened < count; opened++) new Network(await memory(), architecture, weightsOf(weights));
          return opened;
        }""",
        asked,
    )
    assert opened == 150


def test_a_pass_takes_no_room_that_the_next_does_not_take_again(engine):
    network = stirred(18, "cbam")
    asked = [in_base64(weights_file(network)), engine_architecture(network.plan)]
    sizes = engine.evaluate(
        """async ([weights, architecture]) => {
          const { Network } = modules['engine/network'];
          const room = await memory();
          const network = new Network(room, architecture, weightsOf(weights));
          const input = { values: new Float32Array(3 * 200 * 300), height: 200, width: 300 };
          const sizes = [];
          for (let pass = 0; pass < 5; pass++) {
            network.run(input);
            sizes.push(room.bytes);
          }
          return sizes;
        }""",
        asked,
    )
    assert len(set(sizes)) == 1
