"""Builds the page and serves it; what Hugging Face Spaces runs."""

from attnviz.serving import serve

if __name__ == "__main__":
    serve()
