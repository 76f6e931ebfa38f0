"""The routes that are served, and the headers that each answer carries."""

from __future__ import annotations

from urllib.parse import unquote

API = "/gradio_api"
# All that the page, gradio_client and MCP ask for. Gradio has more routes: some fetch addresses, write files
# or resize pictures for anyone.
PAGES = ("/", "/config", "/theme.css", "/robots.txt", "/favicon.ico", "/manifest.json", "/healthz")
PAGES_BELOW = ("/assets/", "/static/", "/svelte/")
CALLS = (
    "/info",
    "/openapi.json",
    "/app_id",
    "/startup-events",
    "/theme.css",
    "/queue/join",
    "/queue/data",
    "/queue/status",
    "/cancel",
    "/reset",
    "/upload",
    "/upload_progress",
    "/component_server",
)
CALLS_BELOW = ("/heartbeat/", "/call/", "/file=")
AGENTS_CALLS_BELOW = "/mcp"
STATIC = ("assets", "static", "svelte", "/theme.css")  # some eighty a page, the same for all: not counted
WITH_QUESTION = ("queue/join", "call", "component_server", "mcp")  # routes whose body is a question in JSON
UNKNOWN = "unknown"
LONGEST_PART = 255  # bytes of one name in a path, by which a file system may still know a file
EXAMPLES = "examples"  # the folder of example photos, as browsers name it
# where a request's scope says whose it is, and from where, which nobody can choose
SESSION, ADDRESS = "attnviz.session", "attnviz.address"

# Nothing that the page shows comes from anywhere else; Gradio makes functions of text.
PAGE_POLICY = (
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'"
)
FILE_POLICY = "default-src 'none'; sandbox"  # an upload is never a page


def route_of(path: str) -> str:
    """The route of a path, without what the path names: the log holds it."""
    path = unquote(path)
    if any(len(part.encode(errors="replace")) > LONGEST_PART for part in path.split("/")):
        return UNKNOWN
    if path in PAGES:
        return path
    if path.startswith(PAGES_BELOW) and ".." not in path:
        return path.split("/")[1]
    if not path.startswith(API):
        return UNKNOWN
    call = path.removeprefix(API)
    if call.rstrip("/") in CALLS:
        return call.strip("/")
    if call.startswith(AGENTS_CALLS_BELOW):
        return "mcp"
    return next((below.strip("/=") for below in CALLS_BELOW if call.startswith(below)), UNKNOWN)


def headers_of(route: str, frame_policy: str) -> dict[str, str]:
    """The headers that every answer of a route carries; ``frame_policy`` says who may show it in a frame."""
    headers = {
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "content-security-policy": FILE_POLICY if route == "file" else f"{PAGE_POLICY}; {frame_policy}",
    }
    if route == "file":
        headers["cache-control"] = "private, no-store"
    return headers
