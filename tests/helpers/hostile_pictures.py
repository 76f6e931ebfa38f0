"""Small pictures that would take much memory or time: one or more of each kind of file and trick."""

from __future__ import annotations

import io
import lzma
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

from helpers.tiff_files import Kind, directory, tiff_file

WIDE, HIGH = 8160, 6120  # 50 megapixels
MEDIUM = 5700, 4300  # 24.5 megapixels


def saved(kind: str, picture: Image.Image, **options) -> bytes:
    """A picture as a file's bytes."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def noise(width: int = 80, height: int = 60) -> Image.Image:
    """A picture of random colours."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def segment(code: int, content: bytes) -> bytes:
    """A segment of a JPEG."""
    return bytes((0xFF, code)) + struct.pack(">H", 2 + len(content)) + content


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def jpeg(frame: int, width: int, height: int, components: int, scans: list[bytes]) -> bytes:
    """A JPEG of these scans, whose tables hold the codes for nothing and for a run of nothing."""
    told = b"".join(bytes((number + 1, 0x11, 0)) for number in range(components))
    quantisation = segment(0xDB, b"\0" + bytes(64 * [1]))
    start = segment(frame, struct.pack(">BHHB", 8, height, width, components) + told)
    huffman = segment(0xC4, b"\0" + bytes([1] + 15 * [0]) + b"\0")
    huffman += segment(0xC4, b"\x10" + bytes([0, 2] + 14 * [0]) + b"\0\xe0")
    return b"\xff\xd8" + quantisation + start + huffman + b"".join(scans) + b"\xff\xd9"


def scan(components: list[int], first: int, last: int, before: int = 0, data: bytes = bytes(8)) -> bytes:
    """A scan of these components, from the first to the last coefficient; ``before`` are refined bits."""
    told = bytes([len(components)]) + b"".join(bytes((number, 0)) for number in components)
    return segment(0xDA, told + bytes((first, last, before << 4))) + data


def png(width: int, height: int, bits: int, colour: int, data: bytes, before: bytes = b"") -> bytes:
    """A PNG with this data, packed already, and chunks before them."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + before + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def bmp(width: int, height: int, compression: int, data: bytes) -> bytes:
    """A BMP of 8 bits with this data."""
    colours = bytes(number * 7 % 256 for number in range(1024))
    start = 54 + len(colours)
    header = struct.pack("<IHHI", start + len(data), 0, 0, start)
    header += struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, compression, len(data), 0, 0, 256, 0)
    return b"BM" + header + colours + data


def tiff(size: tuple[int, int], compression: int, data: bytes, strips: int, side: int = 0) -> bytes:
    """A colour TIFF whose strips, or tiles of this side, all are the same data."""
    tags = {256: size[0], 257: size[1], 259: compression, 262: 2, 277: 3}
    offsets = struct.pack("<I", 8) * strips
    counts = struct.pack("<I", len(data)) * strips
    at = 8 + len(data)
    arrays = offsets + counts + struct.pack("<HHH", 8, 8, 8)
    entries = [(tag, 4, 1, value) for tag, value in tags.items()]
    entries += [(258, 3, 3, at + 8 * strips)]
    if side:
        entries += [(322, 4, 1, side), (323, 4, 1, side)]
    else:
        entries += [(278, 4, 1, -(-size[1] // strips))]
    first, second = (324, 325) if side else (273, 279)
    one = struct.unpack("<I", offsets)[0] if strips == 1 else at
    other = struct.unpack("<I", counts)[0] if strips == 1 else at + 4 * strips
    entries += [(first, 4, strips, one), (second, 4, strips, other)]
    packed = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    directory = struct.pack("<H", len(entries)) + packed + bytes(4)
    return b"II*\0" + struct.pack("<I", at + len(arrays)) + data + arrays + directory


def profile(*more: tuple[bytes, bytes]) -> bytes:
    """A colour profile like sRGB's with more tags."""
    curve = b"curv" + bytes(4) + struct.pack(">IHH", 1, 0x0233, 0)
    colours = {b"r": (0.436, 0.222, 0.014), b"g": (0.385, 0.717, 0.097), b"b": (0.143, 0.06, 0.714)}
    tags = [(b"wtpt", _xyz(0.9642, 1.0, 0.8249))]
    tags += [(letter + b"XYZ", _xyz(*xyz)) for letter, xyz in colours.items()]
    tags += [(letter + b"TRC", curve) for letter in colours] + list(more)
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for name, data in tags:
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data
    header = struct.pack(">I4sI4s4s4s", start + len(body), b"lcms", 0x04300000, b"mntr", b"RGB ", b"XYZ ")
    header = (header + struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp").ljust(68, b"\0")
    header = (header + _xyz(0.9642, 1.0, 0.8249)[8:]).ljust(128, b"\0")
    return header + struct.pack(">I", len(tags)) + table + body


def _xyz(*numbers: float) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)


def chain(steps: int) -> bytes:
    """A profile's chain of so many steps, which are all the same one."""
    matrix = struct.pack(">12f", 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0)
    step = b"matf" + bytes(4) + struct.pack(">HH", 3, 3) + matrix
    places = steps * struct.pack(">II", 16 + 8 * steps, len(step))
    return b"mpet" + bytes(4) + struct.pack(">HHI", 3, 3, steps) + places + step


def pictures() -> Iterator[tuple[str, bytes]]:
    """The name and the bytes of each."""
    yield from _jpegs()
    yield from _pngs()
    yield from _others()
    yield from _tiffs()


def _jpegs() -> Iterator[tuple[str, bytes]]:
    empty, whole = b"\x55" * 40, scan([1], 0, 63)
    many = [scan([1], 0, 0), *(98 * [scan([1], 1, 63, data=empty)])]
    refined = [scan([1], 0, 0), *(98 * [scan([1], 0, 0, 1)])]
    yield "scans.jpg", jpeg(0xC2, WIDE, HIGH, 1, many)
    yield "refined.jpg", jpeg(0xC2, WIDE, HIGH, 1, refined)
    yield "apart.jpg", jpeg(0xC0, WIDE, HIGH, 3, [scan([number], 0, 63) for number in (1, 2, 3)])
    yield "one-of-three.jpg", jpeg(0xC0, WIDE, HIGH, 3, [whole])
    yield "arithmetic.jpg", jpeg(0xCA, WIDE, HIGH, 1, many)
    yield "lossless.jpg", jpeg(0xC3, WIDE, HIGH, 3, [scan([1, 2, 3], 1, 0)])
    yield "hidden-lossless.jpg", b"\xff\xd8\xff\x01" + jpeg(0xC3, 800, 600, 3, [scan([1, 2, 3], 1, 0)])[2:]
    plain = saved("JPEG", noise())
    yield "fill.jpg", plain[:-2] + 15_000_000 * b"\xff" + b"\0"
    yield "fill-before.jpg", plain[:2] + 15_000_000 * b"\xff" + b"\0" + plain[2:]
    yield "chain.jpg", saved("JPEG", noise(1600, 1200), icc_profile=profile((b"D2B0", chain(3_000))))
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 1000) + bytes(12_000)
    yield "exifs.jpg", plain[:2] + 1_500 * segment(0xE1, exif) + plain[2:]


def _pngs() -> Iterator[tuple[str, bytes]]:
    row = b"\4" + bytes(8 * WIDE)
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(row) for _ in range(HIGH)) + packer.flush()
    yield "deep.png", png(WIDE, HIGH, 16, 6, rows)
    yield "dark.png", _dark(7400, 5600, 2)
    yield "dark-alpha.png", _dark(6400, 4850, 6)
    yield "dark-grey-alpha.png", _dark(9000, 5500, 4)
    little = zlib.compress(10 * (b"\0" + bytes(30)))
    zeros = zlib.compress(bytes(100_000_000))
    profiles = chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(1_000_000)))
    yield "profiles.png", png(10, 10, 8, 2, little, 15_000 * profiles)
    yield (
        "profile.png",
        png(10, 10, 8, 2, little, chunk(b"iCCP", b"a\0\0" + zeros)),
    )
    yield "text.png", png(10, 10, 8, 2, little, chunk(b"zTXt", b"a\0\0" + zeros))
    yield "beyond.png", png(10, 10, 8, 2, zeros)
    yield "chain.png", saved("PNG", noise(1600, 1200), icc_profile=profile((b"D2B0", chain(30_000))))


def _dark(width: int, height: int, colour: int) -> bytes:
    """A PNG of 16 bits that uses few of them, which is decoded twice."""
    samples = {2: 3, 4: 2, 6: 4}[colour]
    packer = zlib.compressobj(6)
    first = packer.compress(b"\1" + samples * b"\0\x11" + bytes(2 * (width - 1) * samples))
    others = b"".join(packer.compress(b"\2" + bytes(2 * width * samples)) for _ in range(height - 1))
    return png(width, height, 16, colour, first + others + packer.flush())


def _others() -> Iterator[tuple[str, bytes]]:
    yield "runs-of-nothing.bmp", bmp(WIDE, HIGH, 1, 5_000_000 * b"\xff\x01")
    yield "ends-of-lines.bmp", bmp(WIDE, HIGH, 1, HIGH * b"\1\1\0\0")
    header = b"GIF89a" + struct.pack("<HHBBB", WIDE, HIGH, 0, 0, 0)
    yield "zeros.gif", header + bytes(15_000_000)
    yield "comments.gif", header + 5_000_000 * b"!\xfe\0"
    yield "screen.gif", header + b",\0\0\0\0\1\0\1\0\x80\0\0\0\xff\xff\xff\x02\x02\x4c\x01\0;"
    yield "outside.gif", header + b"," + struct.pack("<HHHHB", 60_000, 60_000, 9, 9, 0) + b"\x02\x01\0\0;"
    exif = b"II*\0\x08\0\0\0" + struct.pack("<H", 400)
    exif += b"".join(struct.pack("<HHII", 40_000 + tag, 7, 3_000_000, 8) for tag in range(400))
    yield "tags.avif", saved("AVIF", noise(), exif=exif + bytes(3_000_004))
    told = b"ispe" + bytes(4)
    large = saved("AVIF", Image.new("RGB", (12_000, 9_000)), speed=10)
    said = struct.pack(">II", 12_000, 9_000), struct.pack(">II", 64, 64)
    yield "lie.avif", large.replace(told + said[0], told + said[1])
    yield "large.webp", saved("WEBP", Image.new("RGB", (4_600, 3_450)), method=0)
    yield "chain.webp", saved("WEBP", noise(1600, 1200), icc_profile=profile((b"D2B0", chain(30_000))))


def _tiffs() -> Iterator[tuple[str, bytes]]:
    rows = zlib.compress(bytes(3 * MEDIUM[0]))
    yield "strips.tif", tiff(MEDIUM, 8, rows + bytes(10_000_000), MEDIUM[1])
    yield "tiles.tif", tiff((2_200, 2_200), 8, zlib.compress(bytes(16 * 16 * 3)), 138 * 138, 16)
    yield "tile.tif", tiff((64, 64), 8, zlib.compress(bytes(3 * 7600 * 7600)), 1, 7600)
    yield "jpeg.tif", tiff(MEDIUM, 7, jpeg(0xC2, *MEDIUM, 3, 8_000 * [scan([1], 1, 63)]), 1)
    xz = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30}]
    packed = lzma.compress(bytes(3 * 64 * 64), lzma.FORMAT_XZ, filters=xz)
    dark = np.full((4_300, 5_700, 3), 17, np.uint16)
    yield "dark.tif", tiff_file(dark, Kind(packing="deflate"))
    yield "planes.tif", tiff_file(dark[:450], Kind(apart=True))
    yield "planes-packed.tif", tiff_file(dark, Kind(apart=True, packing="deflate"))
    directories = b"".join(
        directory("<", {330: (8, 8_000_000), 256: (number,)}, 8, 8) for number in range(20_000)
    )
    yield "directories.tif", b"II*\0\x08\0\0\0" + directories
    yield "dictionary.tif", tiff((64, 64), 34925, packed, 1)
