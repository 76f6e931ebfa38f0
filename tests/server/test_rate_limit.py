"""An address has so many requests a minute, whatever others do."""

from __future__ import annotations

from attnviz.server.rate_limit import MOST_ADDRESSES, RateLimit


def test_a_bucket_fills_as_the_minute_passes_and_never_beyond_its_brim():
    now = [0.0]
    limit = RateLimit(6, clock=lambda: now[0])
    assert [limit.allows("a") for _ in range(8)] == [True] * 6 + [False] * 2
    now[0] = 20  # two more, of which the last refusal took one
    assert [limit.allows("a") for _ in range(3)] == [True, False, False]
    now[0] = 10_000
    assert [limit.allows("a") for _ in range(7)] == [True] * 6 + [False]


def test_zero_is_as_many_as_anyone_likes():
    limit = RateLimit(0)
    assert all(limit.allows("a") for _ in range(10_000))


def test_of_endless_addresses_the_latest_are_counted():
    limit = RateLimit(1, clock=lambda: 0.0)
    assert limit.allows("first") and not limit.allows("first")
    for number in range(MOST_ADDRESSES):
        limit.allows(str(number))
    assert limit.allows("first") and not limit.allows(str(MOST_ADDRESSES - 1))
