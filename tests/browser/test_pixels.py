"""In the browser photos are made smaller, cut and normalised as by Pillow and attnviz.photos, bit for bit."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from helpers.engine_page import engine_page, in_base64, numbers
from PIL import Image

from attnviz import Photo
from attnviz.photos.decoding import shrunk
from attnviz.photos.geometry import VIEWS, Recipe, map_box, network_input
from attnviz.photos.opening import open_photo

CASES = 24


@pytest.fixture(scope="module")
def engine(browser):
    page = engine_page(browser)
    yield page
    page.close()


def picture(random: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Noise with smooth parts and hard edges, where filters overshoot."""
    pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    pixels[: height // 2] = np.where(pixels[: height // 2] > 127, 255, 0)
    return pixels


MADE = """([pixels, width, height, bands, name, more]) => {
  const given = { pixels: bytesOf(pixels), width, height, bands };
  const [module, action] = name.split('.');
  const made = modules[`pixels/${module}`][action](given, ...more);
  return [made.width, made.height, textOf(made.pixels)];
}"""


def made(engine, pixels: np.ndarray, name: str, *more) -> np.ndarray:
    """What a function of the pixels' modules makes of a picture with three or four bands."""
    height, width, bands = pixels.shape
    asked = [in_base64(pixels.tobytes()), width, height, bands, name, list(more)]
    columns, rows, values = engine.evaluate(MADE, asked)
    return numbers(values, "u1").reshape(rows, columns, 3)


@pytest.mark.parametrize("method", ["bilinear", "bicubic", "box"])
@pytest.mark.parametrize("bands", [3, 4])
def test_resampling_is_pillows_at_random_sizes_and_boxes(engine, method, bands):
    random = np.random.default_rng(5)
    for _ in range(CASES):
        width, height, wide, high = map(int, random.integers(1, 200, 4))
        pixels = picture(random, width, height)
        left, right = sorted(random.uniform(0, width, 2))
        top, bottom = sorted(random.uniform(0, height, 2))
        boxes = [(0, 0, width, height), (left, top, right, bottom), (0, top, width, height)]
        for box in boxes:
            expected = Image.fromarray(pixels).resize((wide, high), Image.Resampling[method.upper()], box)
            given = np.dstack([pixels, np.full((height, width), 255, np.uint8)])[:, :, :bands]
            found = made(engine, given, "resampling.resized", wide, high, method, list(map(float, box)))
            np.testing.assert_array_equal(
                found, np.asarray(expected), f"{width}×{height} {box} {wide}×{high}"
            )


def test_means_of_blocks_are_pillows(engine):
    random = np.random.default_rng(6)
    for _ in range(CASES):
        width, height = map(int, random.integers(1, 120, 2))
        across, down = (min(int(random.integers(1, 14)), side) for side in (width, height))
        pixels = picture(random, width, height)
        expected = Image.fromarray(pixels).reduce((across, down))
        found = made(engine, pixels, "shrinking.reduced", across, down)
        np.testing.assert_array_equal(found, np.asarray(expected), f"{width}×{height} by {across}×{down}")


@pytest.mark.parametrize(
    ("width", "height"), [(1800, 1300), (1300, 3300), (150_000, 14), (1, 2_100_000), (3, 5)]
)
def test_large_photos_shrink_as_the_server_shrinks_them(engine, width, height):
    pixels = picture(np.random.default_rng(8), width, height)
    expected = shrunk(Image.fromarray(pixels))
    np.testing.assert_array_equal(made(engine, pixels, "shrinking.shrunk"), np.asarray(expected))


INPUT = """([pixels, width, height, recipe, view]) => {
  const { regionOf, mapBox } = modules['pixels/geometry'];
  const region = regionOf({ width, height }, recipe, view);
  const picture = { pixels: bytesOf(pixels), width, height, bands: 3 };
  const { values } = modules['pixels/input'].networkInput(picture, region, recipe);
  const boxes = [[8, 11], [16, 24], [3, 3]].map((grid) => mapBox(region, ...grid));
  return [region.box, region.size, textOf(values), boxes];
}"""


@pytest.mark.parametrize("view", VIEWS)
def test_the_input_of_a_network_is_that_of_the_library(engine, view):
    random = np.random.default_rng(9)
    recipes = [Recipe(), Recipe(96, 64, interpolation="bicubic"), Recipe(33, 33, (0.5,) * 3, (0.25,) * 3)]
    sizes = [(640, 427), (41, 900), (33, 33), (1, 1), *map(tuple, random.integers(2, 400, (8, 2)).tolist())]
    for number, (width, height) in enumerate(sizes):
        photo, recipe = Photo(picture(random, width, height), "x.png"), recipes[number % len(recipes)]
        about = {name: getattr(recipe, name) for name in recipe.__dataclass_fields__}
        asked = [in_base64(photo.pixels.tobytes()), width, height, about, view]
        box, size, values, boxes = engine.evaluate(INPUT, asked)
        region = VIEWS[view](photo, recipe)
        assert (tuple(box), tuple(size)) == (region.box, region.size)
        expected = network_input(photo, region, recipe).contiguous().numpy().ravel()
        np.testing.assert_array_equal(numbers(values), expected)
        assert boxes == [list(map_box(region, grid)) for grid in ((8, 11), (16, 24), (3, 3))]


DEEP = """async (text) => {
  const { deepParts, deepPicture } = modules['pixels/deep_png'];
  const parts = deepParts(bytesOf(text));
  if (!parts) return null;
  const { picture, remark } = await deepPicture(parts, 'x.png');
  return [picture.width, picture.height, textOf(picture.pixels), remark?.bitsTaken ?? null];
}"""


def png_of(samples: np.ndarray, sbit: int = 0) -> bytes:
    """A PNG of 16 bits a sample, (h, w, channels), which can say how many are used."""
    height, width, channels = samples.shape
    rows = [row.astype(">u2").tobytes() for row in samples]
    step = 2 * channels
    packed = b""
    before = bytes(len(rows[0]))
    for number, row in enumerate(rows):
        kind = number % 5
        packed += bytes([kind]) + filtered(row, before, step, kind)
        before = row
    colour = {1: 0, 3: 2, 2: 4, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    told = [(b"sBIT", bytes([sbit] * channels))] if sbit else []
    chunks = [(b"IHDR", header), *told, (b"IDAT", zlib.compress(packed)), (b"IEND", b"")]
    content = b"\x89PNG\r\n\x1a\n"
    for name, data in chunks:
        content += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return content


def filtered(row: bytes, above: bytes, step: int, kind: int) -> bytes:
    """A row by one of PNG's five filters."""
    made = bytearray()
    for place, byte in enumerate(row):
        left, up = (row[place - step], above[place]) if place >= step else (0, above[place])
        corner = above[place - step] if place >= step else 0
        guess = left + up - corner
        nearest = min((left, up, corner), key=lambda value: abs(guess - value))
        added = (0, left, up, (left + up) // 2, nearest)[kind]
        made.append((byte - added) % 256)
    return bytes(made)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("bits", [0, 8, 9, 12, 14, 16])
@pytest.mark.parametrize("sbit", [0, 12, 16])
def test_pictures_of_sixteen_bits_are_scaled_as_the_library_scales_them(engine, channels, bits, sbit):
    random = np.random.default_rng(bits)
    samples = random.integers(0, 2**bits, (13, 17, channels), dtype=np.uint16)
    content = png_of(samples, sbit)
    expected = open_photo(content, "x.png")
    width, height, pixels, taken = engine.evaluate(DEEP, in_base64(content))
    found = numbers(pixels, "u1").reshape(height, width, 3)
    np.testing.assert_array_equal(found, expected.pixels)
    assert [taken] == [remark.values["bits_taken"] for remark in expected.remarks] or (
        taken is None and not expected.remarks
    )
