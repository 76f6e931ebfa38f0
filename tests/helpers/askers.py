"""Visitors who ask a queue for work."""

from __future__ import annotations

from collections.abc import Callable

from attnviz.server.asker import Asker, asked_by
from attnviz.server.work_queue import WorkQueue

GREEDY, ONE, OTHER = Asker("1.1.1.1", "greedy"), Asker("2.2.2.2", "one"), Asker("2.2.2.2", "other")


async def ask(queue: WorkQueue, asker: Asker, work: Callable):
    with asked_by(asker):
        return await queue.run(work)
