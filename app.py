"""Builds the page and serves it; what Hugging Face Spaces runs."""

from attnviz.cli import main

if __name__ == "__main__":
    raise SystemExit(main(["app"]))
