"""The routes that are served, and the headers that each answer carries."""

from __future__ import annotations

from urllib.parse import unquote

from starlette.types import Scope

API = "/gradio_api"
# All that the page, gradio_client and MCP ask for. Gradio has more routes: some fetch addresses, write files
# or resize pictures for anyone.
PAGES = ("/", "/config", "/robots.txt", "/favicon.ico", "/healthz")
OWN_FILES = "/assets/"
CALLS = (
    "/info",
    "/openapi.json",
    "/app_id",
    "/startup-events",
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
STATIC = "assets"  # the same for all, and browsers keep it: not counted
WITH_QUESTION = ("queue/join", "call", "component_server", "mcp")  # routes whose body is a question in JSON
UNKNOWN = "unknown"
LONGEST_PART = 255  # bytes of one name in a path, by which a file system may still know a file
EXAMPLES = "examples"  # the folder of example photos, as browsers name it
# where a request's scope says whose it is, and from where, which nobody can choose
SESSION, ADDRESS = "attnviz.session", "attnviz.address"

# Nothing that the page shows comes from anywhere else, and no text becomes a script.
PAGE_POLICY = (
    "default-src 'self' data: blob:; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'"
)
FILE_POLICY = "default-src 'none'; sandbox"  # an upload is never a page


def below(scope: Scope, path: str) -> Scope:
    """A request as the app knows it: without the ``path`` that a proxy may leave in front of its own."""
    path, asked = path.rstrip("/"), scope["path"]
    if not path or not f"{asked}/".startswith(f"{path}/"):
        return scope
    return {**scope, "path": asked[len(path) :] or "/"}


def route_of(path: str) -> str:
    """The route of a path, without what the path names: the log holds it."""
    path = unquote(path)
    if any(len(part.encode(errors="replace")) > LONGEST_PART for part in path.split("/")):
        return UNKNOWN
    if path in PAGES:
        return path
    if path.startswith(OWN_FILES):
        return STATIC
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
