"""Weights as a page without a server fetches them: two thirds of their size."""

from __future__ import annotations

import zlib

GZIP = 16 + zlib.MAX_WBITS


def packed(weights: bytes) -> bytes:
    """A file of half-precision weights, its even bytes before its odd ones, by gzip: all that numbers have in
    common, their signs, exponents and last bits, lies together then. Nothing repeats, so gzip only counts how
    often each byte is there, which makes files smaller and quicker to read. host/packing.js undoes it.

    Servers that compress what they send leave files of weights alone, so it is done here."""
    packer = zlib.compressobj(wbits=GZIP, strategy=zlib.Z_HUFFMAN_ONLY)
    return packer.compress(weights[::2] + weights[1::2]) + packer.flush()
