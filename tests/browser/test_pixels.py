"""In the browser photos are made smaller, cut and normalised as by Pillow and attnviz.photos, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.engine_page import engine_page, in_base64, numbers
from PIL import Image

from attnviz import Photo
from attnviz.photos.decoding import shrunk
from attnviz.photos.geometry import VIEWS, Recipe, map_box, network_input

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
