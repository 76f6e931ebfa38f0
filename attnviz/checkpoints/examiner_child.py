"""The process that looks at checkpoints for others, under limits on its memory and on the time of each file.

It answers at its input until that closes. A question is a file's path, the most bytes that it may have, and
what is told of its network; an answer is an error's key and values, or null where the weights are understood.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from ..child_processes.channel import GREETING, plain_error
from ..child_processes.limits import limit_memory, limit_time, lower_priority, private_channel
from ..errors import NetworkError
from .opening import check_shapes
from .state_dict import stored_weights
from .told import Told


def main(arguments: list[str]) -> None:
    """Answer questions until there are no more; ``arguments`` are the megabytes and seconds allowed, and the
    niceness."""
    channel = private_channel()
    warnings.simplefilter("ignore")
    lower_priority(int(arguments[2]))
    limit_memory(int(arguments[0]) * 1_000_000)
    seconds = float(arguments[1])
    channel.write(GREETING)
    while True:
        try:
            question = channel.read_json()
        except (EOFError, OSError):
            return
        limit_time(seconds)
        answer = _answer(**question)
        limit_time(0)
        channel.write_json(answer)


def _answer(path: str, limit: int, told: dict[str, Any]) -> list[Any] | None:
    try:
        with stored_weights(path, limit) as weights:
            check_shapes(weights.shapes, Path(path).name, Told(**told))
    except NetworkError as error:
        return plain_error(error)
    except MemoryError:
        return plain_error(NetworkError("checkpoint_out_of_memory", name=Path(path).name))
    return None
