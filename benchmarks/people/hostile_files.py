"""The worst files that could be thought of. ``python benchmarks/people/hostile_files.py FOLDER PICTURES``
writes pictures and checkpoints into folders of the first; the second has more pictures."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from helpers.hostile_checkpoints import WORST

from attnviz.networks import ResNet

HEAVY: dict[
    str, tuple[str, tuple[int, int], dict[str, Any]]
] = {  # as costly as a picture may be: name, mode, size, options of Pillow
    "heavy.png": ("RGBA", (8000, 6000), {"compress_level": 1}),
    "heavy.jpg": ("RGB", (8000, 6000), {"progressive": True, "quality": 50}),
    "heavy.webp": ("RGB", (4800, 3600), {"quality": 10, "method": 0}),
    "heavy.tif": ("RGBA", (6500, 4300), {"compression": "tiff_deflate"}),
    "too-heavy.gif": ("P", (9000, 9000), {}),
}


def write_pictures(folder: Path, more: Path | None) -> None:
    """Write pictures that are as costly as is allowed, and copy more."""
    folder.mkdir()
    for name, (mode, size, options) in HEAVY.items():
        noise = Image.effect_noise((size[0] // 20, size[1] // 20), 80)
        noise.resize(size, Image.Resampling.NEAREST).convert(mode).save(folder / name, **options)
    for path in sorted(more.iterdir()) if more else ():
        shutil.copyfile(path, folder / path.name)


def write_checkpoints(folder: Path) -> None:
    """Write those that must be refused, and two that open, in half precision, of 18 and 50 layers."""
    folder.mkdir()
    for number, write in enumerate(WORST.values()):
        write(folder / f"worst-{number:02}.pth")
    for depth in (18, 50):
        torch.save(ResNet(depth, "cbam").half().state_dict(), folder / f"honest-{depth}.pth")


if __name__ == "__main__":
    write_pictures(Path(sys.argv[1]) / "pictures", Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    write_checkpoints(Path(sys.argv[1]) / "checkpoints")
