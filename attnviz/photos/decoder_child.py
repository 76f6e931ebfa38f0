"""The process that decodes pictures for others, under limits on its memory and on the time of each picture.

It answers requests at its input until that closes. A request is a picture's name and bytes; an answer is its
pixels and what was assumed of them, or an error's key and values."""

from __future__ import annotations

import warnings

from PIL import AvifImagePlugin, Image

from ..child_processes.channel import GREETING
from ..child_processes.limits import limit_memory, limit_time, lower_priority, private_channel
from ..errors import AttnvizError
from .decoder_messages import read_request, send_error, send_photo
from .heic import prepare_heic
from .picture_file import checked, decoded


def main(arguments: list[str]) -> None:
    """Answer requests until there are no more; ``arguments`` are the megabytes and seconds allowed, and the
    niceness."""
    channel = private_channel()
    warnings.simplefilter("ignore")  # Pillow's, of sizes that are refused here anyway
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each reserves memory
    Image.preinit()
    prepare_heic()
    limit_memory(int(arguments[0]) * 1_000_000)
    seconds = float(arguments[1])
    lower_priority(int(arguments[2]))
    channel.write(GREETING)
    while request := read_request(channel):
        limit_time(seconds)
        try:
            photo = decoded(checked(request.content, request.name), request.name)
        except AttnvizError as error:
            limit_time(0)
            send_error(channel, error)
        else:
            limit_time(0)
            send_photo(channel, photo)
