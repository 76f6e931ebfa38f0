"""The viewer's JavaScript as scripts: its modules, and the constants that Python and JavaScript share. The
page's defines ``window.attnviz`` and fetches nothing."""

from __future__ import annotations

import base64
import json
import posixpath
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
from matplotlib import colormaps

from .._paths import SCRIPTS, STYLES
from ..analysis import HIGH, LOW, ORDERS, SCALES
from ..choices import WAYS
from ..drawing.style import COLORMAPS
from ..languages.catalogue import catalogue

EXPORTS = {
    "mount": "app/viewer",
    "servedPage": "host/gradio",
    "savedFile": "host/file",
    "HostError": "host/host",
}  # function of window.attnviz -> module
FETCHING = "app/fetching"  # the module that takes a script from its address
SITE_EXPORTS = {  # of a page without a server
    "mount": "app/viewer",
    "sitePage": "host/alone",
    "LiveCamera": "live/panel",
    "savedFile": "host/file",
    "HostError": "host/host",
}
LATER_WORDS = ("edit_", "learn_")  # begin the texts that only modules need which come later
# in css/
STYLE_SHEETS = (
    *("theme", "frame", "choosing", "strip", "cards", "mechanism", "present", "tables", "comparison"),
    *("taking", "changes", "help", "learn", "live", "touch"),
)
SITE_SHEETS = ("live",)  # those that only a page without a server needs
LATER_SHEETS = ("changes",)  # those that only modules need which come later
VENDOR = "vendor/"  # folder of what others wrote, byte for byte as it was published

IMPORT = re.compile(r"^import (\{[^}]*\}) from '(\.{1,2}/[\w/.-]+)\.js';\n", re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) (\w+))", re.MULTILINE)
LATER = re.compile(r"\bimport\('(\.{1,2}/[\w/.-]+)\.js'\)")  # of a module that is needed now and then
COMMENT = re.compile(r"^ *(?://[^\n]*|/\*\*.*?\*/)\n", re.MULTILINE | re.DOTALL)
REMARK = re.compile(r" // [^'\"`\n]*$", re.MULTILINE)  # after code; in a string a quote would follow
INDENT = re.compile(r"^ +", re.MULTILINE)
# as a minifier writes them
VENDOR_IMPORT = re.compile(r"import\{([^}]*)\}from\"(\w+)\";")
VENDOR_EXPORT = re.compile(r"export\{([^}]*)\};")
SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)


@cache
def script() -> str:
    """The whole script of a page, without ``<script>`` around it."""
    return _app_script(EXPORTS)


@cache
def site_script() -> str:
    """The same of a page without a server."""
    return _app_script(SITE_EXPORTS)


@cache
def first_script() -> str:
    """The page's script without what is needed now and then, the modules that come later. These it takes from
    ``later_script``, whose address its own element has as ``data-later``."""
    constants = shared_constants()
    words = {code: _sorted_out(texts)[0] for code, texts in _words().items()}
    later = (
        "const address = document.currentScript.dataset.later;\n"
        "const later = async (name) => {\n"
        f"if (!(name in modules)) await modules['{FETCHING}'].fetchedOnce(address);\n"
        "return modules[name];\n};"
    )
    inside = f"inside: {{ modules, later, {', '.join(constants)} }}"
    modules = bundled((*EXPORTS.values(), FETCHING), with_later=False)
    return _defining({**constants, "WORDS": words}, later, modules, (*_exports(EXPORTS), inside))


@cache
def later_script() -> str:
    """The modules, texts and styles that a page does without at first."""
    sources, names = _sources(), EXPORTS.values()
    first = _in_order(sources, names, with_later=False)
    added = (pair for pair in _in_order(sources, names).items() if pair[0] not in first)
    words = {code: _sorted_out(texts)[1] for code, texts in _words().items()}
    lines = (
        "(() => {",
        "'use strict';",
        f"const {{ modules, later, {', '.join(shared_constants())} }} = window.attnviz.inside;",
        "const look = document.createElement('style');",
        f"look.textContent = {_json(_joined(LATER_SHEETS))};",
        "document.head.append(look);",
        *(f"Object.assign(WORDS.{code}, {_json(texts)});" for code, texts in words.items()),
        *(in_own_scope(name, source) for name, source in added),
        "})();",
    )
    return "\n".join(lines)


@cache
def worker_script() -> str:
    """What computes beside a page without a server."""
    return _own_script("worker/answering", "answerMessages(self)")


def offline_script(page: list[str], files: list[str]) -> str:
    """What serves a page without a server where there is no network: a ``page`` of these files, of all that
    there are."""
    return _own_script("offline/serving", f"serveOffline(self, {_json({'page': page, 'files': files})})")


def _app_script(functions: dict[str, str]) -> str:
    """A script that defines ``window.attnviz`` with these functions of modules."""
    later = "const later = async (name) => modules[name];"
    return _defining(shared_constants(), later, bundled(functions.values()), _exports(functions))


def _defining(constants: Mapping[str, object], later: str, modules: str, entries: Iterable[str]) -> str:
    """A script that defines ``window.attnviz`` with some entries; ``later`` says where modules come from that
    are not imported at once."""
    lines = (f"const {name} = {_json(value)};" for name, value in constants.items())
    text = "\n".join(("'use strict';", *lines, later, modules, f"return {{ {', '.join(entries)} }};"))
    return f"window.attnviz = (() => {{\n{text}\n}})();"


def _exports(functions: dict[str, str]) -> list[str]:
    return [f"{function}: modules['{module}'].{function}" for function, module in functions.items()]


def _sorted_out(texts: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The texts that a page needs at first, and those that come later."""
    parts: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for key, text in texts.items():
        parts[key.startswith(LATER_WORDS)][key] = text
    return parts


def _own_script(name: str, call: str) -> str:
    """A script that calls a function of a module and defines nothing."""
    return f"(() => {{\n'use strict';\n{bundled((name,))}\nmodules['{name}'].{call};\n}})();"


def bundled(names: Iterable[str], with_later: bool = True) -> str:
    """Modules and all that they import, at once or later, by name in one object, ``modules``."""
    ordered = _in_order(_sources(), names, with_later)
    return "\n".join(
        ("const modules = {};", *(in_own_scope(name, source) for name, source in ordered.items()))
    )


@cache
def style() -> str:
    """The viewer's CSS."""
    return _joined(name for name in STYLE_SHEETS if name not in SITE_SHEETS)


@cache
def first_style() -> str:
    """The same without what comes with ``later_script``."""
    return _joined(name for name in STYLE_SHEETS if name not in (*SITE_SHEETS, *LATER_SHEETS))


@cache
def site_style() -> str:
    """The same of a page without a server."""
    return _joined(STYLE_SHEETS)


def _joined(names: Iterable[str]) -> str:
    """These style sheets as one."""
    return "\n".join((STYLES / f"{name}.css").read_text(encoding="utf-8") for name in names)


def in_markup(text: str) -> str:
    """JSON or a script, so that nothing in it can end the ``<script>`` that holds it."""
    return text.replace("</", "<\\/").replace("<!--", "<\\!--")


def shared_constants() -> dict[str, object]:
    """What Python and JavaScript both know, by its name in JavaScript."""
    texts = catalogue()
    languages = {code: {"name": texts.name(code), "tag": texts.tag(code)} for code in texts.languages}
    return {
        "LANGUAGES": languages,
        "CLASSES": {code: texts.classes(code) for code in languages},
        "WORDS": _words(),
        "LUTS": {name: _colours(name) for name in COLORMAPS},
        "HIGH": HIGH,
        "LOW": LOW,
        "SCALES": list(SCALES),
        "ORDERS": list(ORDERS),
        "WAYS": list(WAYS),
    }


def _words() -> dict[str, dict[str, str]]:
    """The page's texts by language."""
    texts = catalogue()
    return {code: texts.page(code) for code in texts.languages}


def in_own_scope(name: str, source: str) -> str:
    """An ES module as an entry of ``modules``: its names are its own, its imports come from other entries.
    Comments and indentation are left out."""
    if name.startswith(VENDOR):
        return _vendored(name, source)
    exported = EXPORT.findall(source)

    def taken(found: re.Match[str]) -> str:
        return f"const {_with_colons(found[1])} = modules['{_resolved(name, found[2])}'];\n"

    def asked(found: re.Match[str]) -> str:
        return f"later('{_resolved(name, found[1])}')"

    body = LATER.sub(asked, IMPORT.sub(taken, EXPORT.sub("", source)))
    body = INDENT.sub("", REMARK.sub("", COMMENT.sub("", body)))
    return f"modules['{name}'] = (() => {{\n{body}return {{ {', '.join(exported)} }};\n}})();"


def imports_of(name: str, source: str) -> list[str]:
    """The modules that one imports at once, by name."""
    if name.startswith(VENDOR):
        return [f"{VENDOR}{package}" for _, package in VENDOR_IMPORT.findall(source)]
    return [_resolved(name, path) for _, path in IMPORT.findall(source)]


def _vendored(name: str, source: str) -> str:
    """A minified module, whose imports name packages, as an entry of ``modules``."""

    def taken(found: re.Match[str]) -> str:
        return f"const{{{found[1].replace(' as ', ':')}}}=modules['{VENDOR}{found[2]}'];"

    def given(found: re.Match[str]) -> str:
        pairs = (pair.split(" as ") for pair in found[1].split(","))
        return "return{" + ",".join(f"{pair[-1]}:{pair[0]}" for pair in pairs) + "};"

    body = SOURCE_MAP.sub("", VENDOR_EXPORT.sub(given, VENDOR_IMPORT.sub(taken, source))).strip()
    return f"modules['{name}'] = (() => {{\n{body}\n}})();"


def _with_colons(names: str) -> str:
    """The names of an import as those of a destructuring."""
    return re.sub(r"(\w+) as (\w+)", r"\1: \2", names)


def _resolved(name: str, path: str) -> str:
    """The name of the module at a path relative to another module."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))


def _sources() -> dict[str, str]:
    """The modules of ``js/``, by their paths in it, without the ending."""
    folder = Path(SCRIPTS)
    files = sorted(folder.rglob("*.js"))
    return {
        file.relative_to(folder).with_suffix("").as_posix(): file.read_text(encoding="utf-8")
        for file in files
    }


def _in_order(sources: dict[str, str], names: Iterable[str], with_later: bool = True) -> dict[str, str]:
    """The modules by name and those that they import, each after those that it imports at once."""
    ordered: dict[str, str] = {}
    waiting = list(names)

    def add(name: str) -> None:
        for imported in imports_of(name, sources[name]):
            if imported not in ordered:
                add(imported)
        ordered.setdefault(name, sources[name])
        if with_later:
            waiting.extend(_resolved(name, path) for path in LATER.findall(sources[name]))

    while waiting:
        name = waiting.pop(0)
        if name not in ordered:
            add(name)
    return ordered


def _colours(name: str) -> str:
    """A colormap's 256 colours, RGB bytes in base64."""
    colours = colormaps[name](np.linspace(0, 1, 256))[:, :3]
    return base64.b64encode(np.rint(colours * 255).astype(np.uint8).tobytes()).decode()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
