"""What does a decoder's process cost an honest photo? ``python benchmarks/decoding.py`` opens photos of three
kinds and four sizes in this process and in a decoder's, in turn, on one processor. It prints a Markdown table
of milliseconds of the processor, of both together: medians, and the median of the differences, pair by pair.
Linux only."""

from __future__ import annotations

import argparse
import io
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from PIL import Image

from attnviz.photos.decoder import Decoder
from attnviz.photos.picture_file import checked, decoded

MEGAPIXELS = (0.1, 1, 12, 24)
KINDS = {"JPEG": {"quality": 90}, "PNG": {"compress_level": 6}, "WEBP": {"quality": 85, "method": 0}}
MOST_OF_WEBP = 16  # megapixels that are opened of a WebP


def photo(kind: str, megapixels: float) -> bytes:
    """A picture with smooth parts and rough ones, as a file's bytes."""
    height = round((megapixels * 1e6 * 0.75) ** 0.5)
    size = round(height / 0.75), height
    rough = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    picture = Image.fromarray(rough).resize(size, Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    picture.save(buffer, kind, **KINDS[kind])
    return buffer.getvalue()


def milliseconds(work: Callable[[], object], decoder: Decoder) -> float:
    """How long it computes, here and in the decoder's process."""
    began = time.process_time_ns() + computed(decoder)
    work()
    return (time.process_time_ns() + computed(decoder) - began) / 1e6


def computed(decoder: Decoder) -> int:
    """Nanoseconds that the decoder's process has computed."""
    return int(Path(f"/proc/{decoder.process_id}/schedstat").read_text(encoding="ascii").split()[0])


def row(kind: str, megapixels: float, decoder: Decoder, rounds: int) -> str:
    """A row of the table."""
    content = photo(kind, megapixels)

    def here() -> object:
        return decoded(checked(content, "a"), "a")

    def apart() -> object:
        return decoder.open(content, "a")

    here(), apart()
    pairs = [(milliseconds(here, decoder), milliseconds(apart, decoder)) for _ in range(rounds)]
    one, other = (statistics.median(spent) for spent in zip(*pairs))
    more = statistics.median(apart - here for here, apart in pairs)
    size = f"{len(content) / 1e6:.1f}"
    return f"| {kind}, {megapixels:g} megapixels | {size} | {one:.1f} | {other:.1f} | {more:+.1f} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=25)
    options = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # the decoder's process inherits it
    decoder = Decoder()
    decoder.start()
    print("| photo | file, MB | here, ms | apart, ms | more, ms |\n|---|---|---|---|---|")
    for kind in KINDS:
        for megapixels in MEGAPIXELS:
            if kind != "WEBP" or megapixels <= MOST_OF_WEBP:
                print(row(kind, megapixels, decoder, options.rounds), flush=True)
    decoder.close()


if __name__ == "__main__":
    main()
