"""Tests that drive a browser; a package, so that all share one browser and one server."""
