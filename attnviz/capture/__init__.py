"""A network runs once and every gate is kept: hooks, recognition of gates, traces.

Here: all that listens to a network; only ``hooks`` registers hooks. Not here: opening networks, numbers about
gates, drawing."""
