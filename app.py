"""Builds the page and serves it; what Hugging Face Spaces runs."""

import os

# Threads that wait for each other must not spin: on a busy machine that takes five times the processor. Read
# when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from attnviz.command.main import main

if __name__ == "__main__":
    raise SystemExit(main(["app"]))
