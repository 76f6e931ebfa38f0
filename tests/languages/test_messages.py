from __future__ import annotations

import ast
import json
import re
import time
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoints.test_formats import BAD as NO_CHECKPOINTS
from checkpoints.test_state_dict import BAD
from helpers.checkout import ROOT, SHARED

import attnviz
from attnviz.checkpoints.layouts import open_state_dict
from attnviz.checkpoints.state_dict import read_checkpoint
from attnviz.errors import AttnvizError
from attnviz.languages.messages import FOLDER, LANGUAGES, messages, original, translated

PACKAGE = ROOT / "attnviz"
PROGRAMS = (  # what they say is read by programs and in terminals
    "api.py",
    "deploy.py",
    "settings.py",
    "cli.py",
    "__main__.py",
    "networks/train.py",
    "networks/evaluate.py",
    "networks/publish.py",
    "networks/folder.py",
)
AWKWARD = SHARED / "awkward-images"
ERRORS = {"AttnvizError", "BusyError", "PhotoError", "NetworkError", "TraceError"}

HOLE = "\0"  # stands for what is known only when the program runs
CHINESE = re.compile("[\u4e00-\u9fff]")
ENGLISH = re.compile(r"(?:\b[a-z]+ ){2}[a-z]+\b")  # three words in a row, which no technical name has


class Source:
    """What the strings of a file can be, told from its syntax: every alternative, with holes for what is
    known only at run time."""

    def __init__(self, path: Path) -> None:
        self.path, self.tree = path, ast.parse(path.read_text(encoding="utf-8"))
        self.functions = {
            node.name: node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef)
        }
        self.constants = dict(assigned(self.tree.body))
        self.imports = {
            alias.asname or alias.name: (node, alias.name)
            for node in self.tree.body
            if isinstance(node, ast.ImportFrom) and node.level
            for alias in node.names
        }

    def errors(self) -> Iterator[tuple[int, set[str]]]:
        """The line of everything that makes an error, and what its text can be; empty for the text of another
        error alone."""
        for call, scope in calls(self.tree, ()):
            named = call.func.id if isinstance(call.func, ast.Name) else ast.unparse(call.func)
            if named in {*ERRORS, "gr.Error"}:
                yield call.lineno, self.texts(call.args[0], scope)
            if named == "Refusal":  # after its status
                yield call.lineno, self.texts(call.args[1], scope)

    def texts(self, node: ast.expr | None, scope: tuple[ast.AST, ...]) -> set[str]:
        match node:
            case None | ast.Constant(value=None):
                return set()
            case ast.Constant(value=str(text)):
                return {text}
            case ast.JoinedStr(values=parts):
                return {"".join(chosen) for chosen in product(*(self.texts(part, scope) for part in parts))}
            case ast.FormattedValue(value=value) | ast.NamedExpr(value=value):
                return self.texts(value, scope)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return {
                    "".join(chosen) for chosen in product(self.texts(left, scope), self.texts(right, scope))
                }
            case ast.IfExp(body=one, orelse=other):
                return self.texts(one, scope) | self.texts(other, scope)
            case ast.BoolOp(op=ast.Or(), values=values):
                return set().union(*(self.texts(value, scope) for value in values))
            case ast.Name(id=name):
                return self.named(name, scope)
            case ast.Call(func=ast.Name(id="str" | "translated" | "_shown"), args=[text, *_]):
                return self.texts(text, scope)
            case ast.Call(func=ast.Name(id="next"), args=[ast.GeneratorExp(elt=element), default]):
                return self.texts(element, scope) | self.texts(default, scope)
            case ast.Call(func=ast.Name(id=name)) if name in self.functions:
                function = self.functions[name]
                returned = [each.value for each in ast.walk(function) if isinstance(each, ast.Return)]
                return set().union(*(self.texts(value, (function,)) for value in returned))
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get"), args=[_, default]) if (
                name in self.constants
            ):
                return self.table(self.constants[name]) | self.texts(default, scope)
        return {HOLE}

    def named(self, name: str, scope: tuple[ast.AST, ...]) -> set[str]:
        for function in scope:
            inside = list(ast.walk(function))
            if any(isinstance(node, ast.ExceptHandler) and node.name == name for node in inside):
                return set()
            values = [value for target, value in assigned(inside) if target == name]
            if values:
                return set().union(*(self.texts(value, scope) for value in values))
            loops = [node for node in inside if isinstance(node, ast.For | ast.comprehension)]
            tables = [
                loop.iter
                for loop in loops
                if isinstance(loop.target, ast.Tuple) and ast.unparse(loop.target.elts[-1]) == name
            ]
            found = [
                self.table(self.constants[each])
                for table in tables
                if (each := ast.unparse(table).split(".")[0]) in self.constants
            ]
            if found:
                return set().union(*found)
        if name in self.constants:
            return self.texts(self.constants[name], ())
        if name in self.imports:
            node, original = self.imports[name]
            other = (self.path.parents[node.level - 1] / (node.module or "").replace(".", "/")).with_suffix(
                ".py"
            )
            if other.is_file():
                return source(other).named(original, ())
        return {HOLE}

    def table(self, node: ast.expr) -> set[str]:
        """The texts in a dict's values, or at the ends of a tuple's tuples."""
        values = node.values if isinstance(node, ast.Dict) else [row.elts[-1] for row in node.elts]
        return set().union(*(self.texts(value, ()) for value in values))


def assigned(nodes: list) -> Iterator[tuple[str, ast.expr]]:
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr):
            for target in getattr(node, "targets", None) or [node.target]:
                if isinstance(target, ast.Name) and node.value is not None:
                    yield target.id, node.value


def calls(node: ast.AST, scope: tuple[ast.AST, ...]) -> Iterator[tuple[ast.Call, tuple[ast.AST, ...]]]:
    """Every call below, and the functions that it stands in, the innermost first."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield child, scope
        yield from calls(child, (child, *scope) if isinstance(child, ast.FunctionDef) else scope)


@cache
def source(path: Path) -> Source:
    return Source(path)


def raised() -> Iterator[tuple[str, str]]:
    """Where an error is made, and a text of it."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name not in PROGRAMS:
            for line, texts in source(path).errors():
                yield from ((f"{name}:{line}", text) for text in sorted(texts))


RAISED = list(raised())
FILLED = "‹{}›"


def filled(text: str) -> str:
    """The text with something different in every hole; what goes on from a file's name has a name before
    it."""
    first, *others = text.split(HOLE)
    whole = first + "".join(FILLED.format(number) + literal for number, literal in enumerate(others))
    return (
        whole
        if translated(whole, "zh") != whole or not first[:1].islower()
        else f"“{FILLED.format('file')}” {whole}"
    )


def assert_chinese(said: str, chinese: str) -> None:
    unquoted = re.sub("“[^“”]*”", "", chinese)
    assert CHINESE.search(unquoted) and not ENGLISH.search(unquoted), (
        f"has no Chinese in languages/messages.zh.json: {said!r}"
    )


@pytest.mark.parametrize(
    ("place", "text"), RAISED, ids=[f"{place}-{number}" for number, (place, _) in enumerate(RAISED)]
)
def test_every_error_has_a_translation_that_keeps_what_it_tells_of(place, text):
    assert text != HOLE, f"{place}: nothing tells here what the error says"
    said = filled(text)
    chinese = translated(said, "zh")
    assert_chinese(f"{place} {said}", chinese)
    fillers = re.findall("‹.*?›", said)
    assert sorted(re.findall("‹.*?›", chinese)) == sorted(fillers)


def test_errors_of_every_kind_of_place_were_found():
    files = {place.split(":")[0] for place, _ in RAISED}
    assert (
        files >= {"images.py", "containers.py", "downloads.py", "page.py", "viewer/inputs.py"}
        and len(RAISED) > 100
    )
    texts = {text for _, text in RAISED}
    assert (
        f"“{HOLE}” is a PDF document, not a picture: choose one of JPEG, PNG, WebP, AVIF, GIF, BMP and "
        "TIFF pictures." in texts
    )
    assert any(text.startswith("holds a sparse tensor where") for text in texts)
    assert any("and \0 more; in Python" in text for text in texts)


def test_every_translation_is_of_an_error_that_is_raised():
    used = set()
    for _, text in RAISED:
        said = filled(text)
        used.add(next((message.source for message in messages("zh") if message.read(said) is not None), ""))
    assert {message.source for message in messages("zh")} - used == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_holes_of_the_english_each_once(language):
    for message in messages(language):
        holes = message.english[1::2]
        assert len(set(holes)) == len(holes) and sorted(message.translated[1::2]) == sorted(holes), (
            message.source
        )


def test_every_language_has_its_file_and_every_file_its_language():
    assert {path.name for path in FOLDER.glob("messages.*")} == {
        f"messages.{language}.json" for language in LANGUAGES
    }


def test_chinese_is_written_with_chinese_marks():
    content = json.loads((FOLDER / "messages.zh.json").read_text(encoding="utf-8"))
    for group in (content["messages"], *content["phrases"].values()):
        for chinese in group.values():
            assert not re.search("[\u4e00-\u9fff”][,:;?!(]|}[:;?!(]|[,:;?!)][\u4e00-\u9fff“]", chinese), (
                chinese
            )


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Nobody wrote this.",
        "“a” is",
        "is empty: choose another file.",
        "“a.png” is empty: choose another file. ",
    ],
)
def test_what_is_unknown_stays_as_it_is(said):
    assert translated(said, "zh") == said


@pytest.mark.parametrize("language", ["en", "", "fr", "../../etc/passwd", "zh/../zh"])
def test_other_languages_get_english(language):
    said = "“a.png” is empty: choose another file."
    assert translated(said, language) == said


@pytest.mark.parametrize(
    "name",
    [
        "text",
        "{name}",
        "{0}{",
        "(a+)+$",
        "\\1\\g<0>",
        "a\nb",
        "%s",
        "a video",
        "照片",
        "a” is a folder: choose the checkpoint file in it.",
        "a” holds text, not a state dict: ",
        "”",
        "“",
        "“”" * 5_000,
        "{" * 10_000,
        "(a+)+" * 2_000,
        "” has 1 megapixels, more than " * 350,
        "a” looks like a timm ResNet, but has keys that none has: “b”, “c”" * 150,
    ],
    ids=lambda name: name[:20],
)
def test_a_name_stays_what_it_is_whatever_it_holds(name):
    began = time.perf_counter()
    assert (
        translated(f"“{name}” is empty: choose another file.", "zh") == f"“{name}”是空文件：请选择其他文件。"
    )
    for said in (
        f"“{name}” holds complex weights (“{name}”): {name}.",
        f"There is no network called “{name}”: {name}",
        name,
    ):
        assert translated(said, "zh").count(name) >= said.count(name)
    assert time.perf_counter() - began < 0.5


def test_phrases_are_translated_and_their_holes_kept():
    said = "“a.pth” holds an object (text.nothing) where a tensor is expected (“a list”): save the weights alone with torch.save("
    said += "model.state_dict(), “weights.pth”)."
    assert translated(said, "zh") == (
        "“a.pth”中本应是张量的地方（“a list”）是对象（text.nothing）：请用 torch.save(model.state_dict(), “weights.pth”) 单独保存权重。"
    )
    said = "“a.pth” looks like a timm ResNet, but has keys that none has: “k1”, “k2”, “k3” and 7 more; "
    said += "in Python, attnviz.trace opens any network."
    assert "“k1”、“k2”、“k3” 等，另有 7 个；" in translated(said, "zh")
    assert (
        translated("The channel gate of layer1.0 ran twice in one call.", "zh")
        == "layer1.0 的通道门控在一次调用中运行了两次。"
    )


if AWKWARD.is_dir():
    REFUSED = [
        entry["file"]
        for entry in json.loads((AWKWARD / "manifest.json").read_text(encoding="utf-8"))["files"]
        if entry["expect"] == "clear_error"
    ]

    @pytest.mark.parametrize("name", REFUSED)
    def test_every_awkward_file_is_refused_in_chinese(name):
        with pytest.raises(AttnvizError) as caught:
            attnviz.open_photo(AWKWARD / "files" / name)
        said = translated(str(caught.value), "zh")
        assert_chinese(str(caught.value), said)
        assert f"“{name}”" in said and said.endswith("。")


@pytest.mark.parametrize(
    "write", [write for write, _ in (*BAD.values(), *NO_CHECKPOINTS.values())], ids=[*BAD, *NO_CHECKPOINTS]
)
@pytest.mark.filterwarnings("ignore")
def test_every_bad_checkpoint_is_refused_in_chinese(write, tmp_path):
    path = tmp_path / "weights.pth"
    write(path)
    with pytest.raises(AttnvizError) as caught:
        read_checkpoint(path)
    said = translated(str(caught.value), "zh")
    assert_chinese(str(caught.value), said)
    assert said.startswith("“weights.pth”") and said.endswith("。")


@pytest.mark.parametrize(
    "change",
    [
        lambda weights: {key: value for key, value in weights.items() if not key.startswith("fc.")},
        lambda weights: {key: value for key, value in weights.items() if "attention" not in key},
        lambda weights: {key: value for key, value in weights.items() if "layer4" not in key},
        lambda weights: {key: value for key, value in weights.items() if "layer2.0.bn1" not in key},
        lambda weights: weights | {f"more.{number}": torch.ones(1) for number in range(9)},
        lambda weights: weights | {"conv1.weight": torch.ones(3)},
        lambda weights: weights | {"layer2.0.conv1.weight": torch.ones(3)},
        lambda weights: {"one": torch.ones(1), "two": torch.ones(1)},
    ],
)
def test_weights_of_no_known_network_are_refused_in_chinese(change, cbam):
    with pytest.raises(AttnvizError) as caught:
        open_state_dict(change(dict(cbam.state_dict())), "mine.pth")
    said = translated(str(caught.value), "zh")
    assert_chinese(str(caught.value), said)
    assert said.startswith("“mine.pth”") and said.endswith(("。", "？"))


@pytest.mark.parametrize(
    "ask",
    [
        lambda: attnviz.load("nothing"),
        lambda: attnviz.load("timm/nothing at all"),
        lambda: attnviz.load("cbam_resnet18", labels=["one"]),
        lambda: attnviz.trace(torch.nn.Identity(), np.zeros((64, 64, 3), np.uint8)),
        lambda: attnviz.trace("a name", "a.png"),
        lambda: attnviz.open_photo(np.zeros((3, 3))),
        lambda: attnviz.open_photo("gone.png"),
    ],
)
def test_other_real_errors_are_told_in_chinese(ask):
    with pytest.raises(AttnvizError) as caught:
        ask()
    assert_chinese(str(caught.value), translated(str(caught.value), "zh"))


def test_the_original_of_every_translation_is_found_again():
    for language in LANGUAGES:
        for message in messages(language):
            english = "".join(
                f"{part} 9.5" if index % 2 else part for index, part in enumerate(message.english)
            )
            assert original(translated(english, language)) == original(english) == english
    assert original("nobody’s message") == "nobody’s message"
