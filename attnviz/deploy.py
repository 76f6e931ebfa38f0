"""The page as a Hugging Face Space: which files of a checkout it needs, and their upload in one commit."""

from __future__ import annotations

from itertools import chain

from ._paths import ROOT
from ._version import __version__
from .errors import AttnvizError

ALONE = ("app.py", "requirements.txt", "README.md", "LICENSE")  # README.md is the Space's card too
BELOW = {  # folder: the endings of what is needed of it
    "assets": (".jpg", ".png", ".md"),
    "attnviz": (".py", ".js", ".css", ".json", ".txt"),
    "models": (".safetensors", ".json", ".txt", ".md"),
}


def files() -> list[str]:
    """The files of this checkout that a Space needs, as paths from its root with “/”. Raises AttnvizError if
    this is no checkout."""
    missing = [name for name in (*ALONE, *BELOW) if not (ROOT / name).exists()]
    if missing:
        raise AttnvizError("checkout_missing", name=missing[0])
    below = (
        path
        for folder, endings in BELOW.items()
        for path in (ROOT / folder).rglob("*")
        if path.name.endswith(endings)
    )
    names = [path.relative_to(ROOT).as_posix() for path in below if path.is_file()]
    return sorted(
        [*ALONE, *(name for name in names if not any(part.startswith(".") for part in name.split("/")))]
    )


def size(name: str) -> int:
    """Bytes of one of ``files``."""
    return (ROOT / name).stat().st_size


def upload(space: str) -> str:
    """The address of the Space USER/NAME, made if there is none, after one commit that brings its files up to
    date.

    What an earlier upload left in the folders that are ours is deleted; what else lies in the Space stays.
    The token and the hub's address are those of the hub's library: HF_TOKEN, or that of ``hf auth login``,
    and HF_ENDPOINT. Raises AttnvizError."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, get_token
    from huggingface_hub.errors import HfHubHTTPError, HTTPError

    names = files()
    check(space)
    if not get_token():
        raise AttnvizError("hub_login_missing")
    hub = HfApi()
    try:
        address = hub.create_repo(space, repo_type="space", space_sdk="gradio", exist_ok=True)
        there = hub.list_repo_files(space, repo_type="space")
        left = [name for name in there if name.split("/")[0] in BELOW and name not in names]
        gone, new = (
            map(CommitOperationDelete, left),
            (CommitOperationAdd(name, ROOT / name) for name in names),
        )
        hub.create_commit(space, chain(gone, new), commit_message=f"attnviz {__version__}", repo_type="space")
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
