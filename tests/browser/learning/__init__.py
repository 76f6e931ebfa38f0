"""Tests of the lesson: pages beside the page, each of which sets and marks what it speaks of, and asks a
question that the numbers on the page answer."""
