from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from attnviz import Photo, Recipe, Region
from attnviz.photos.geometry import crop, map_box, network_input, photo_of, whole

RECIPE = Recipe()


def blank(width: int, height: int) -> Photo:
    return Photo(np.zeros((height, width, 3), np.uint8), "blank")


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        (640, 480, (256, 341)),
        (480, 640, (341, 256)),
        (100, 100, (256, 256)),
        (1, 1, (256, 256)),
        (3000, 120, (41, 1024)),
        (8, 240, (1024, 34)),
    ],
)
def test_the_whole_photo_is_seen_at_its_shape(width, height, size):
    region = whole(blank(width, height), RECIPE)
    assert region == Region((0, 0, width, height), size)


def test_the_crop_is_torchvisions_resize_and_centre_crop():
    from torchvision.transforms import v2

    across, down = np.meshgrid(np.linspace(0, 255, 500), np.linspace(0, 255, 375))
    ramp = np.stack((across, down, np.full_like(across, 90)), -1).astype(np.uint8)
    photo = Photo(ramp, "ramp")
    theirs = v2.Compose(
        [
            v2.Resize(256),
            v2.CenterCrop(224),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(RECIPE.mean, RECIPE.std),
        ]
    )(Image.fromarray(ramp))
    region = crop(photo, RECIPE)
    assert region.size == (224, 224)
    assert region.box == pytest.approx((85.9375, 23.4375, 414.0625, 351.5625))
    # Ours resamples once, from the very box; theirs rounds to 8 bits and to whole pixels in between.
    assert (network_input(photo, region, RECIPE) - theirs).abs().max() < 0.06


def test_an_input_goes_back_to_the_photo_it_came_from(noise):
    photo = Photo(noise, "noise")
    region = Region((0.0, 0.0, 140.0, 90.0), (90, 140))
    assert np.array_equal(photo_of(network_input(photo, region, RECIPE), RECIPE, "back").pixels, noise)


@pytest.mark.parametrize(
    ("size", "grid", "covered"),
    [
        ((224, 224), (7, 7), (224, 224)),
        ((256, 341), (8, 11), (256, 352)),  # 341 / 32 = 10.66: the last column hangs over
        ((256, 341), (64, 86), (256, 344)),
        ((41, 1024), (2, 32), (64, 1024)),
        ((224, 224), (10, 7), (224, 224)),  # no power of two explains ten rows: they share the input
        ((30, 30), (30, 30), (30, 30)),
    ],
)
def test_cells_are_as_large_as_their_stride(size, grid, covered):
    box = map_box(Region((0.0, 0.0, float(size[1]), float(size[0])), size), grid)
    assert box == pytest.approx((0, 0, covered[1], covered[0]))


def test_a_crops_map_lies_on_the_crop():
    region = crop(blank(500, 375), RECIPE)
    assert map_box(region, (7, 7)) == pytest.approx(region.box)


@pytest.mark.parametrize("size", [(256, 341), (224, 224), (97, 130), (40, 1024)])
def test_the_grid_of_our_networks_is_the_input_halved_and_rounded_up(size):
    from helpers.small_networks import stirred

    import attnviz

    trace = attnviz.trace(stirred(18, "cbam"), torch.zeros(3, *size))
    for name, stride in {"layer1.0": 4, "layer2.1": 8, "layer3.0": 16, "layer4.1": 32}.items():
        assert trace.layers[name].shape[1:] == (-(-size[0] // stride), -(-size[1] // stride))
        left, top, right, bottom = trace.box(name)
        height, width = trace.layers[name].shape[1:]
        assert ((right - left) / width, (bottom - top) / height) == pytest.approx((stride, stride))
