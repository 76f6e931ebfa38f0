"""Hugging Face's Spaces on ZeroGPU, which are stopped at the start if no function says that it may ask for a
GPU.

attnviz asks for none: a forward pass takes some tens of milliseconds on the processor, a GPU would first have
to be waited for, and every second of it is taken from the visitor's daily quota."""

from __future__ import annotations

import os
from importlib.util import find_spec

TRUE = ("1", "t", "true")  # what the package ``spaces`` takes for yes


def declare() -> None:
    """Mark a function that nobody calls as one for the GPU, before the page is launched; where there is no
    ZeroGPU, do nothing."""
    if os.environ.get("SPACES_ZERO_GPU", "").lower() in TRUE and find_spec("spaces"):
        import spaces

        spaces.GPU(_uncalled)


def _uncalled() -> None:
    """Nothing."""
