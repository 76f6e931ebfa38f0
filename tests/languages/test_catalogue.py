"""Every language says everything, with the same values; and every error that the package makes is one of the
catalogue's, with exactly the values of its sentence."""

from __future__ import annotations

import ast
import copy
import json
import pickle
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers.checkout import ROOT

from attnviz.checkpoints.fault import CheckpointFault
from attnviz.checkpoints.other_kinds import FURTHER_IN, PATTERNS
from attnviz.checkpoints.other_kinds import TEXTS as TEXT_KINDS
from attnviz.checkpoints.protobuf_kinds import ERRORS as PROTOBUF_ERRORS
from attnviz.errors import AttnvizError, NetworkError, PhotoError
from attnviz.languages.catalogue import FOLDER, HOLE, LANGUAGES, Catalogue, Phrase, catalogue, say
from attnviz.networks.card import ASSUMED
from attnviz.server.middleware import Refusal
from attnviz.zoo.registry import card, list_networks

PACKAGE = ROOT / "attnviz"
TEXTS = {
    language: json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8")) for language in LANGUAGES
}
ERRORS, PHRASES, PAGE = (TEXTS["en"][section] for section in ("errors", "phrases", "page"))
OTHERS = [language for language in LANGUAGES if language != "en"]
SECTIONS = ("page", "errors", "phrases")

CHINESE = re.compile("[\u4e00-\u9fff]")
ENGLISH = re.compile(r"(?:\b[a-z]+ ){2}[a-z]+\b")  # three words in a row, which no technical name has


def holes(text: str) -> list[str]:
    return HOLE.findall(text)


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("section", SECTIONS)
def test_every_language_has_the_keys_of_the_english_and_their_holes(language, section):
    english, other = TEXTS["en"][section], TEXTS[language][section]
    assert list(other) == list(english)
    for key, text in english.items():
        assert sorted(set(holes(other[key]))) == sorted(set(holes(text))), key


def test_no_hole_of_an_error_comes_twice():
    for language in LANGUAGES:
        for text in (*TEXTS[language]["errors"].values(), *TEXTS[language]["phrases"].values()):
            assert len(holes(text)) == len(set(holes(text))), text


def test_no_key_of_one_language_is_written_twice():
    for language in LANGUAGES:
        text = (FOLDER / f"{language}.json").read_text(encoding="utf-8")
        pairs = json.loads(text, object_pairs_hook=lambda pairs: [key for key, _ in pairs])
        assert len(set(pairs)) == len(pairs)
        for section in SECTIONS:
            keys = re.findall(
                r'^  "(\w+)":', text.partition(f' "{section}": {{')[2].partition("\n }")[0], re.M
            )
            assert keys == list(TEXTS[language][section])


def test_every_chinese_sentence_is_chinese():
    for text in TEXTS["zh"]["errors"].values():
        unquoted = HOLE.sub("", re.sub("“[^“”]*”", "", text))
        assert CHINESE.search(unquoted) and not ENGLISH.search(unquoted), text


def test_chinese_is_written_with_chinese_marks():
    for chinese in (*TEXTS["zh"]["errors"].values(), *TEXTS["zh"]["phrases"].values()):
        assert not re.search("[\u4e00-\u9fff”][,:;?!(]|}[:;?!(]|[,:;?!)][\u4e00-\u9fff“]", chinese), chinese


# Every error that the package makes


@dataclass(frozen=True)
class Made:
    """A call that makes an error or a phrase: where it stands, its key, and the values that it gives."""

    place: str
    kind: str  # the class that is called
    key: str
    values: frozenset[str]


# Calls whose key is not written there: each with the keys that it can have.
COMPUTED = {
    ("checkpoints/other_kinds.py", "CheckpointFault"): (
        *(*PATTERNS, *TEXT_KINDS, "checkpoint_is_json", "checkpoint_is_text", "checkpoint_unknown"),
        *(*PROTOBUF_ERRORS, *(key for key, _, _ in FURTHER_IN)),
    ),
    ("checkpoints/fault.py", "NetworkError"): (),  # those of every CheckpointFault
    ("photos/decoder_messages.py", "PhotoError"): (),  # as another process told it
    ("photos/decoder_messages.py", "PhotoRemark"): (),
    ("child_processes/channel.py", "Phrase"): (),
    ("checkpoints/examiner.py", "NetworkError"): (),
    ("networks/card.py", "Phrase"): tuple(ASSUMED.values()),
    ("languages/catalogue.py", "Phrase"): (),  # those that a hole is named after
}


def kinds() -> set[str]:
    """The names of AttnvizError and all its subclasses in the package."""
    found, bases = {"AttnvizError"}, {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = {ast.unparse(base).rsplit(".", 1)[-1] for base in node.bases}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return found


KINDS = {*kinds(), "CheckpointFault", "Phrase"}


def made_in(text: str, name: str) -> Iterator[Made]:
    """Every error and phrase that a file makes."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        kind = ast.unparse(node.func).rsplit(".", 1)[-1]
        if kind not in KINDS:
            continue
        place = f"{name}:{node.lineno}"
        key = node.args[1 if kind == "Refusal" else 0]
        if not isinstance(key, ast.Constant):
            assert (name, kind) in COMPUTED, f"{place} computes the key of an error"
            yield from (Made(place, kind, each, frozenset()) for each in COMPUTED[name, kind])
            continue
        yield Made(place, kind, key.value, frozenset(str(keyword.arg) for keyword in node.keywords))


MADE = [
    made
    for path in sorted(PACKAGE.rglob("*.py"))
    for made in made_in(path.read_text(encoding="utf-8"), path.relative_to(PACKAGE).as_posix())
]


def misfit(made: Made) -> str:
    """What is wrong with a call, or nothing."""
    texts = PHRASES if made.kind == "Phrase" else ERRORS
    if made.key not in texts:
        return f"there is no {made.key!r}"
    given = made.values | {"name"} if made.kind == "CheckpointFault" else made.values
    wanted = set(holes(texts[made.key]))
    if made.values & PHRASES.keys():
        return f"{sorted(made.values & PHRASES.keys())} is a phrase, and is given as a value"
    phrases = {hole for hole in wanted - given if hole in PHRASES}
    if given != wanted - phrases:
        return f"{made.key} has {sorted(wanted)}, and is given {sorted(given)}"
    return ""


def test_every_error_has_a_sentence_and_is_given_its_values():
    assert [f"{made.place}: {wrong}" for made in MADE if (wrong := misfit(made))] == []


def test_every_sentence_is_of_an_error_that_is_made():
    said = [text for section in ("errors", "phrases") for text in TEXTS["en"][section].values()]
    named = {hole for text in said for hole in holes(text)}
    used = {made.key for made in MADE} | named | {"list_separator"}
    assert {*ERRORS, *PHRASES} - used == set()


def test_errors_of_every_room_are_found():
    rooms = {made.place.split("/")[0].split(":")[0] for made in MADE}
    assert rooms >= {"capture", "checkpoints", "photos", "server", "zoo", "command", "deploy.py"}
    assert {"PhotoError", "NetworkError", "TraceError", "BusyError", "SettingsError", "Refusal"} <= KINDS
    assert len(MADE) > 150


@pytest.mark.parametrize(
    ("call", "wrong"),
    [
        ('PhotoError("photo_empty", name=name)', ""),
        ('errors.PhotoError("photo_empty", name=name)', ""),
        ('Refusal(404, "nothing_here")', ""),
        ('CheckpointFault("checkpoint_is_folder")', ""),
        ('NetworkError("checkpoint_is_folder")', "is given []"),
        ('PhotoError("photo_empty")', "is given []"),
        ('PhotoError("photo_empty", name=name, limit=3)', "is given ['limit', 'name']"),
        ('PhotoError("photo_empty", **values)', "is given ['None']"),
        ('PhotoError("photo_nothing", name=name)', "there is no"),
        ('Phrase("photo_empty", name=name)', "there is no"),
    ],
)
def test_a_call_that_does_not_fit_is_found(call, wrong):
    (made,) = made_in(call, "photos/photo.py")
    assert wrong in misfit(made) and bool(wrong) == bool(misfit(made))


def test_a_key_that_is_computed_is_found():
    with pytest.raises(AssertionError, match="computes the key"):
        list(made_in("PhotoError(key, name=name)", "photos/photo.py"))


# Sentences


def test_an_error_is_its_english_sentence_and_has_others():
    error = PhotoError("photo_empty", name="a.png")
    assert str(error) == error.sentence() == error.sentence("en") == "“a.png” is empty: choose another file."
    assert error.sentence("zh") == "“a.png”是空文件：请选择其他文件。"


@pytest.mark.parametrize("language", ["", "fr", "../../etc/passwd", "zh/../zh", "None"])
def test_other_languages_get_english(language):
    assert PhotoError("photo_empty", name="a").sentence(language) == "“a” is empty: choose another file."
    assert say(language, "examples") == say("en", "examples")


@pytest.mark.parametrize(
    "name", ["text", "{name}", "{save_alone}", "{0}{", "\\1\\g<0>", "a\nb", "%s", "照片", "”", "{" * 10_000]
)
def test_a_value_stays_what_it_is_whatever_it_holds(name):
    assert PhotoError("photo_empty", name=name).sentence("zh") == f"“{name}”是空文件：请选择其他文件。"
    said = CheckpointFault("checkpoint_tensor_size_differs", tensor=name).error(name).sentence("zh")
    assert said == f"“{name}”声明的内容与实际内容不符（“{name}”）：请重新复制或下载。"
    assert say("en", "weights_file", megabytes=name) == f"Weights, at most {name} MB"


def test_phrases_are_said_in_the_sentences_language():
    what = Phrase("an_object", type="text.nothing")
    error = NetworkError("checkpoint_entry_no_tensor", name="a.pth", what=what, tensor="a list")
    assert str(error) == (
        "“a.pth” holds an object (text.nothing) where a tensor is expected (“a list”): save the weights "
        "alone with torch.save(model.state_dict(), “weights.pth”)."
    )
    assert error.sentence("zh") == (
        "“a.pth”中本应是张量的地方（“a list”）是对象（text.nothing）："
        "请用 torch.save(model.state_dict(), “weights.pth”) 单独保存权重。"
    )


def test_lists_are_said_with_the_languages_commas():
    values = {"name": "a.pth", "title": "SE ResNet-50", "more": Phrase("and_more", count=7)}
    error = NetworkError("layout_has_unknown_keys", tensors=("“k1”", "“k2”", "“k3”"), **values)
    assert "no place in it: “k1”, “k2”, “k3” and 7 more. In Python" in str(error)
    assert "：“k1”、“k2”、“k3” 等，另有 7 个。" in error.sentence("zh")


def test_what_is_unknown_or_not_given_stands_as_it_is():
    assert str(AttnvizError("nobody_wrote_this")) == "nobody_wrote_this"
    assert str(PhotoError("photo_empty")) == "“{name}” is empty: choose another file."


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
@pytest.mark.parametrize(
    "error",
    [
        AttnvizError("pass_failed"),
        NetworkError("checkpoint_not_state_dict", name="a", what=Phrase("an_object", type="b")),
        Refusal(413, "request_too_large", limit=3),
    ],
    ids=lambda error: error.key,
)
def test_an_error_can_be_copied_and_pickled(error, twin):
    other = twin(error)
    assert type(other) is type(error) and other.key == error.key
    assert [other.sentence(language) for language in LANGUAGES] == [
        error.sentence(language) for language in LANGUAGES
    ]
    assert getattr(other, "status", None) == getattr(error, "status", None)


# Languages


def test_the_languages_are_those_that_have_a_file_english_first():
    assert LANGUAGES[0] == "en" and set(LANGUAGES) == {path.stem for path in FOLDER.glob("*.json")}
    assert {language: catalogue().name(language) for language in ("en", "zh")} == {
        "en": "English",
        "zh": "中文",
    }


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("zh", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (" ZH-tw", "zh"),
        ("de,zh;q=0.9", "en"),
        ("en-GB,zh", "en"),
        ("zhuang", "en"),
        ("../zh", "en"),
    ],
)
def test_the_language_that_a_browser_prefers(header, language):
    assert catalogue().preferred(header) == language


def test_chinese_names_the_classes_of_the_networks_that_come_with_attnviz_and_no_others():
    labels = {label for name in list_networks() for label in card(name).labels}
    classes = catalogue().classes("zh")
    assert set(classes) == labels and len(set(classes.values())) == len(classes)
    assert catalogue().classes("en") == {}


@pytest.fixture
def folder(tmp_path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "languages", ignore=shutil.ignore_patterns("*.py")))


def test_a_third_language_is_one_file(folder):
    third = {"name": "Tlhingan"} | {
        section: {key: f"tlh {text}" for key, text in TEXTS["en"][section].items()} for section in SECTIONS
    }
    (folder / "tlh.json").write_text(json.dumps(third), encoding="utf-8")
    texts = Catalogue(folder)
    assert texts.languages == ("en", "tlh", "zh") and texts.name("tlh") == "Tlhingan"
    assert texts.tag("tlh") == "tlh" and texts.tag("zh") == "zh-CN"
    assert texts.preferred("tlh-KL,en") == "tlh"
    assert texts.page("tlh") == third["page"]
    values = {"name": "a", "what": Phrase("plain_text")}
    assert texts.error("tlh", "checkpoint_not_state_dict", values).startswith("tlh “a” holds tlh text, not")
    assert texts.error("zh", "photo_empty", {"name": "a"}) == "“a”是空文件：请选择其他文件。"


def test_what_a_language_does_not_say_is_said_in_english(folder):
    third = {"name": "Esperanto", "errors": {"photo_empty": "“{name}” estas malplena."}}
    (folder / "eo.json").write_text(json.dumps(third), encoding="utf-8")
    texts = Catalogue(folder)
    assert texts.error("eo", "photo_empty", {"name": "a"}) == "“a” estas malplena."
    assert texts.error("eo", "nothing_here", {}) == "There is nothing here."
    assert texts.page("eo") == TEXTS["en"]["page"]
