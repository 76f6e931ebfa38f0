"""A capture as it travels to the browser, read back."""

from __future__ import annotations

import base64
import zlib

import numpy as np


def unpacked(arrays: dict) -> list[np.ndarray]:
    """The arrays of a capture, decoded as js/decoding.js decodes them."""
    content = zlib.decompress(base64.b64decode(arrays["data"]))
    offset = 0
    decoded = []
    for shape, low, high, size in arrays["about"]:
        count, greatest = int(np.prod(shape)), 65534 if size == 2 else 254
        planes = np.frombuffer(content, np.uint8, count * size, offset).reshape(size, count).astype(np.int64)
        codes = (planes[0] * 256 + planes[1] if size == 2 else planes[0]).reshape(shape)
        offset += count * size
        if codes.ndim == 2 and len(codes) > 1:
            codes[:, 0] = np.cumsum(codes[:, 0])
            codes = np.cumsum(codes, 1) % (greatest + 2)
        decoded.append(np.where(codes > greatest, np.nan, low + codes / greatest * (high - low)))
    assert offset == len(content)
    return decoded
