"""Upload of a page to a Hugging Face Space in one commit; and of the page on a server, which files of a
checkout it needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from ._paths import ROOT
from ._version import __version__
from .errors import AttnvizError

ROOT_FILES = ("app.py", "requirements.txt", "README.md", "LICENSE")  # README.md is the Space's card too
FOLDERS = {  # name -> the endings of the files that a Space needs of it
    "assets": (".jpg", ".png", ".md"),
    "attnviz": (".py", ".js", ".css", ".json", ".txt", ".md", "LICENSE"),
    "models": (".safetensors", ".npz", ".json", ".txt", ".md"),
}


def files() -> list[str]:
    """The files of this checkout that a Space needs, as paths from its root with “/”. Raises AttnvizError if
    this is no checkout."""
    missing = [name for name in (*ROOT_FILES, *FOLDERS) if not (ROOT / name).exists()]
    if missing:
        raise AttnvizError("checkout_missing", name=missing[0])
    names = list(ROOT_FILES)
    for folder, endings in FOLDERS.items():
        for path in (ROOT / folder).rglob("*"):
            parts = path.relative_to(ROOT).parts
            hidden = any(part.startswith(".") for part in parts)
            if path.is_file() and path.name.endswith(endings) and not hidden:
                names.append("/".join(parts))
    return sorted(names)


@dataclass(frozen=True, eq=False)
class Space:
    """What a Space is to hold: ``files`` by their paths in it, which ``sdk`` shows them ("gradio" or
    "static"), and which folders and files at its top are ``ours``: what is there and not in ``files`` is
    deleted, all else stays."""

    sdk: str
    files: Mapping[str, Path | bytes]
    ours: Collection[str]

    def sizes(self) -> dict[str, int]:
        """Bytes of each file."""
        return {
            name: len(content) if isinstance(content, bytes) else content.stat().st_size
            for name, content in self.files.items()
        }


def gradio_space() -> Space:
    """The page on a server, of this checkout. Raises AttnvizError if this is none."""
    return Space("gradio", {name: ROOT / name for name in files()}, FOLDERS)


def upload(name: str, space: Space) -> str:
    """Bring the Space USER/NAME up to date in one commit, making it if there is none; gives back its address.

    The token and the hub's address are those of the hub's library: HF_TOKEN, or that of ``hf auth login``,
    and HF_ENDPOINT. Raises AttnvizError."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, get_token
    from huggingface_hub.errors import HfHubHTTPError, HTTPError

    check(name)
    if not get_token():
        raise AttnvizError("hub_login_missing")
    hub = HfApi()
    try:
        address = hub.create_repo(name, repo_type="space", space_sdk=space.sdk, exist_ok=True)
        there = hub.list_repo_files(name, repo_type="space")
        outdated = [path for path in there if path.split("/")[0] in space.ours and path not in space.files]
        operations: list[CommitOperationAdd | CommitOperationDelete] = [
            *(CommitOperationDelete(path) for path in outdated),
            *(CommitOperationAdd(path, content) for path, content in space.files.items()),
        ]
        hub.create_commit(name, operations, commit_message=f"attnviz {__version__}", repo_type="space")
    except HfHubHTTPError as error:
        raise _refusal(error.response.status_code, error.server_message) from error
    except ValueError as error:  # the card's front matter
        raise AttnvizError("hub_refused_card", reason=_line(error)) from error
    except (
        HTTPError,
        OSError,
        RuntimeError,
    ) as error:  # the first is httpx's or httpx2's, whichever the library stands on
        raise AttnvizError("hub_upload_failed", hub=hub.endpoint, reason=_line(error)) from error
    return str(address)


def check(space: str) -> None:
    """Raise AttnvizError unless this can be the name of a Space."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        if space.count("/") != 1:
            raise HFValidationError
        validate_repo_id(space)
    except HFValidationError:
        raise AttnvizError("space_name_impossible", name=space) from None


def _refusal(status: int, reason: str | None) -> AttnvizError:
    if status == 401:
        return AttnvizError("hub_token_unknown")
    if not reason:
        return AttnvizError("hub_refused_without_reason", status=status)
    return AttnvizError("hub_refused", status=status, reason=_line(reason))


def _line(said: object) -> str:
    return " ".join(str(said).split())
