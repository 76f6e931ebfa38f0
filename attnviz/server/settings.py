"""How the page is served: every ``ATTNVIZ_…`` variable of the environment, typed, with its rule. A wrong one
is refused at start."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from ..errors import SettingsError
from ..processors import cores

PREFIX = "ATTNVIZ_"
GRADIO_NAMES = {"GRADIO_SERVER_NAME": "host", "GRADIO_SERVER_PORT": "port"}
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SPACE_FRAMES = "https://huggingface.co https://*.huggingface.co https://*.hf.space"
SPACE_NETWORKS = ("cbam_resnet50", "seresnet50", "bam_resnet50")  # one of each attention, ImageNet's
RESULTS_MB = 700  # memory for all visitors' results
SWITCH = {
    "1": True,
    "yes": True,
    "true": True,
    "on": True,
    "0": False,
    "no": False,
    "false": False,
    "off": False,
}


def _whole(default: int | None, least: int, most: int, about: str) -> Any:
    """A setting that is a whole number within these limits."""
    return Field(default=default, ge=least, le=most, description=about)


class Settings(BaseModel):
    """One field a variable: ATTNVIZ_ and its name in capitals. The values are checked by pydantic;
    pydantic-settings would only read the environment, which is one line here."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    host: str | None = Field(
        default=None, min_length=1, description="address to listen on; unset: this machine only"
    )
    port: int | None = _whole(None, 1, 65535, "port to listen on; unset: the first free one from 7860 on")
    public: bool = Field(
        default=False,
        description="strangers use the page: smaller checkpoints; yes where the address is not this "
        "machine's own",
    )
    checkpoints: bool = Field(default=True, description="visitors may upload checkpoints of their own")
    photo_mb: int = _whole(20, 1, 20, "largest photo, MB")
    checkpoint_mb: int = _whole(1000, 1, 1000, "largest checkpoint, MB; 300 where the page is public")
    waiting: int = _whole(80, 1, 10_000, "forward passes that may wait; who comes then is told to try again")
    each: int = _whole(4, 1, 1000, "of these, those of one visitor")
    each_address: int = _whole(
        60, 1, 10_000, "of these, those of one address, behind which there may be a class"
    )
    rate: int = _whole(3000, 0, 1_000_000, "requests a minute from one address; 0: as many as it likes")
    path: str | None = Field(
        default=None,
        pattern=r"^(/[\w.~-]+)+/?$",
        description="path that a proxy leaves in front of what it asks for, as /attnviz; unset: none",
    )
    proxies: int = _whole(0, 0, 10, "proxies in front, whose X-Forwarded-For is believed")
    hosts: str | None = Field(
        default=None,
        min_length=1,
        description="names by which the page is called; unset: numbers, this machine's and local networks' "
        "names, and any behind a proxy",
    )
    origins: str | None = Field(
        default=None,
        min_length=1,
        description="other websites whose scripts may send to it, as https://example.org; unset: none",
    )
    frames: str | None = Field(
        default=None,
        pattern=r"^[\w.:/*, -]+$",
        description="other websites that may show it in a frame, as https://example.org; unset: none, and "
        "Hugging Face on a Space",
    )
    passes: int = _whole(
        0, 0, 64, "forward passes at a time, which share the processor's cores; 0: one a core, at most 4"
    )
    seconds: int = _whole(30, 1, 3600, "longest forward pass, seconds")
    keep: int = _whole(
        60, 1, 60, "minutes that photos, checkpoints and results are kept after their last use"
    )
    memory_mb: int = _whole(
        4000,
        1000,
        10_000_000,
        "memory of the process: above 85 % of it uploads wait, and networks that don't fit aren't opened",
    )
    free_mb: int = _whole(500, 0, 10_000_000, "room on the disk below which nothing is taken in")
    quota_mb: int = _whole(3000, 10, 10_000_000, "room on the disk for what one visitor sends and saves, MB")
    results_mb: int = _whole(
        350,
        10,
        RESULTS_MB,
        f"memory for what was computed for one visitor, MB of the {RESULTS_MB} for all; above it hers goes "
        "that was not used for longest",
    )
    sessions: int = _whole(500, 1, 100_000, "visitors whose choices are remembered")
    log: Literal["json", "text", "off"] = Field(
        default="json", description="a line a request, on standard error"
    )
    networks: tuple[str, ...] = Field(
        default=(),
        description="networks that the page opens first, once they are fetched; unset: those that come with "
        "attnviz, and on a Space cbam_resnet50,seresnet50,bam_resnet50",
    )
    mcp: bool = Field(default=False, description="offer the API as tools for agents too; needs attnviz[mcp]")

    @field_validator("*", mode="before")
    @classmethod
    def _from_text(cls, value: Any, info: ValidationInfo) -> Any:
        """Numbers and switches are written in one way only; pydantic alone takes "1.0" and "y" too."""
        field = cls.model_fields[str(info.field_name)]
        if not isinstance(value, str):
            return value
        if _is_list(field):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        if field.annotation is bool:
            if value.lower() not in SWITCH:
                raise ValueError("neither yes nor no")
            return SWITCH[value.lower()]
        return int(value) if _bounds(field) else value

    @property
    def photo_bytes(self) -> int:
        """The largest photo that is taken."""
        return self.photo_mb * 1_000_000

    @property
    def checkpoint_bytes(self) -> int:
        """The largest checkpoint that is taken; 0 where none are."""
        return self.checkpoint_mb * 1_000_000 if self.checkpoints else 0

    @property
    def at_once(self) -> int:
        """Forward passes at a time. Of passes with a thread each, as many as cores, more are done in all than
        of one with all threads, most of which are too short to be shared."""
        return self.passes or min(cores(), 4)


def from_environment(
    environment: Mapping[str, str] | None = None,
    host: str | None = None,
    port: int | None = None,
    networks: Sequence[str] | None = None,
) -> Settings:
    """The settings; ``host``, ``port`` and ``networks``, where given, go before the environment's, and
    Gradio's own two count after ours.

    Raises SettingsError for a variable that can't be read or that does not exist.
    """
    environment = os.environ if environment is None else environment
    fields = {_variable(name): name for name in Settings.model_fields}
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in fields:
            raise SettingsError("setting_unknown", name=name, names=", ".join(fields))
    texts = {field: environment[name] for name, field in GRADIO_NAMES.items() if environment.get(name)}
    texts |= {field: environment[name] for name, field in fields.items() if name in environment}
    read = _checked(texts)
    values = {name: getattr(read, name) for name in read.model_fields_set}
    said = {"host": host, "port": port, "networks": networks and tuple(networks)}
    values |= {name: value for name, value in said.items() if value is not None}
    on_a_space = bool(environment.get("SPACE_ID"))
    values.setdefault("public", on_a_space or values.get("host") not in (None, *LOOPBACK))
    values.setdefault("checkpoint_mb", 300 if values["public"] else 1000)
    values.setdefault("proxies", int(on_a_space))  # a Space stands behind its platform's
    if on_a_space:
        values.setdefault("frames", SPACE_FRAMES)
        values.setdefault("networks", SPACE_NETWORKS)
    return Settings(**values)


def _checked(texts: dict[str, str]) -> Settings:
    try:
        return Settings.model_validate(texts)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
    field = Settings.model_fields[name]
    raise SettingsError(
        "setting_wrong",
        name=_variable(name),
        text=texts[name],
        rule=_rule(field),
        about=str(field.description),
    )


def table() -> list[tuple[str, str, str]]:
    """(variable, default, what it says and its rule), for people."""
    return [
        (_variable(name), _default(field.default), f"{field.description}; {_rule(field)}")
        for name, field in Settings.model_fields.items()
    ]


def _variable(field: str) -> str:
    return PREFIX + field.upper()


def _bounds(field: FieldInfo) -> tuple[int, int] | None:
    least = [rule.ge for rule in field.metadata if hasattr(rule, "ge")]
    most = [rule.le for rule in field.metadata if hasattr(rule, "le")]
    return (least[0], most[0]) if least and most else None


def _is_list(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is tuple


def _rule(field: FieldInfo) -> str:
    bounds = _bounds(field)
    if bounds:
        return f"a whole number from {bounds[0]:,} to {bounds[1]:,}"
    if field.annotation is bool:
        return "yes or no"
    if get_origin(field.annotation) is Literal:
        return " or ".join(get_args(field.annotation))
    return "names with commas between them" if _is_list(field) else "text that is not empty"


def _default(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "unset" if value in (None, ()) else str(value)
