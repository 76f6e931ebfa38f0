"""What is read of an attention module: outputs of its children that are parts of the gate, and steps on the
way to it.

The roles that an output can have:

    "channel", "spatial"                  the factor on each channel (N, C), at each position (N, 1, h, w)
    "joint"                               a gate in [0, 1] (N, C, h, w); the factor is 1 + gate
    "channel_logits", "spatial_logits"    the signed branches of a joint gate
    "factor"                              any part of the factor that can be broadcast to (N, C, h, w)
    "paths"                               each path's share of each channel (N, P, C)
    "pooling"                             logits over positions (N, 1, h, w), whose softmax pools"""

from __future__ import annotations

from dataclasses import dataclass

from ..languages.catalogue import Phrase


@dataclass(frozen=True)
class Read:
    """One part of the attention: the output of a child, how often it runs in one call, and what still happens
    to it."""

    role: str
    child: str
    calls: int = 1
    then: str = ""  # "sigmoid" where the gate's last step is a function, not a module
    optional: bool = False  # it runs only in some forms of the module


@dataclass(frozen=True)
class StepRead:
    """Something that is computed on the way to a gate: the input or the output of a child, in one of its
    calls."""

    name: str
    child: str
    side: str  # "input" or "output"
    call: int = 1
    map: int | None = None  # which one, of an input of several maps


def role_phrase(*reads: Read) -> Phrase:
    """The roles of what is read, for a sentence."""
    roles = tuple(read.role for read in reads)
    return ROLE_PHRASES.get(roles) or Phrase("other_role", roles=" and ".join(roles))


ROLE_PHRASES = {
    ("channel",): Phrase("channel_role"),
    ("spatial",): Phrase("spatial_role"),
    ("channel", "spatial"): Phrase("channel_and_spatial_role"),
}
