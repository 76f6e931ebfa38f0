from __future__ import annotations

import threading

from attnviz.server.memory_relief import AGAIN_AFTER, MemoryRelief


def test_room_is_made_in_another_thread_and_not_again_at_once():
    now, threads, made = [0.0], [], threading.Semaphore(0)

    def let_go() -> None:
        threads.append(threading.current_thread())
        made.release()

    relief = MemoryRelief(let_go, clock=lambda: now[0])
    relief.begin()
    assert made.acquire(timeout=60) and threads[0] is not threading.current_thread()
    relief.begin()
    now[0] = AGAIN_AFTER
    relief.begin()
    assert made.acquire(timeout=60) and len(threads) == 2
