"""The viewer's script and words, and the files it makes, without a browser; tests/browser runs them."""

from __future__ import annotations

import base64
import json
import re

import numpy as np
import pytest
from helpers.checkout import ROOT
from helpers.small_networks import stirred
from matplotlib import colormaps

import attnviz
from attnviz.capture.layer_attention import KINDS
from attnviz.drawing.style import COLORMAPS
from attnviz.languages.catalogue import LANGUAGES, say, words
from attnviz.viewer.javascript import MODULES, in_markup, plain, script, style
from attnviz.viewer.standalone import frame, html

JS = ROOT / "attnviz" / "viewer" / "js"
SOURCES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(JS.glob("*.js"))}


def test_every_module_is_in_the_script_after_those_that_it_imports():
    assert set(MODULES) == set(SOURCES)
    for place, name in enumerate(MODULES):
        for other in re.findall(r"from '\./(\w+)\.js'", SOURCES[name]):
            assert MODULES.index(other) < place, f"{name}.js imports {other}.js, which comes later"


def test_no_name_is_declared_twice():
    everything = "\n".join(SOURCES.values())
    declared = re.findall(
        r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", everything, re.MULTILINE
    )
    assert len(declared) > 40 and sorted(declared) == sorted(set(declared))
    # One declaration a statement, as the linter demands, and nothing that unpacks, or a name could be missed
    assert not re.search(r"^(?:export )?(?:const|let) (?:[\[{]|[^;]*,\n  \w+ =)", everything, re.MULTILINE)


def test_imports_over_several_lines_are_left_out_of_the_script():
    module = "import {\n  a,\n  b,\n} from './x.js';\nimport { c } from './y.js';\n\nexport const d = a;\n"
    assert plain(module).strip() == "const d = a;"


def test_the_script_asks_for_nothing_and_makes_no_markup():
    everything = script() + style()
    outside = ("http:", "https:", "import(", "@import", "url(")
    for forbidden in (*outside, "innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval("):
        assert forbidden not in everything, forbidden
    for line in script().splitlines():
        assert not line.startswith(("import ", "export "))
    knows = [name for name in SOURCES if "radio" in SOURCES[name].lower() and name != "gradio"]
    assert knows == ["viewer"] and SOURCES["viewer"].count("gradio") == 1  # it asks where dark is said


def test_the_colours_are_matplotlibs():
    tables = json.loads(re.search(r"const LUTS = (\{.*?\});", script()).group(1))
    assert tuple(tables) == COLORMAPS
    for name, text in tables.items():
        expected = np.rint(colormaps[name](np.linspace(0, 1, 256))[:, :3] * 255)
        np.testing.assert_array_equal(
            np.frombuffer(base64.b64decode(text), np.uint8).reshape(256, 3), expected
        )


def test_both_languages_say_the_same_things_with_the_same_holes():
    english, chinese = (words(language) for language in LANGUAGES)
    assert list(english) == list(chinese)
    for key, text in english.items():
        assert text.strip() and chinese[key].strip(), key
        # Chinese may leave out a unit's count that its sentence does not need, but never names a hole that is
        # not filled
        assert set(re.findall(r"\{(\w+)\}", chinese[key])) == set(re.findall(r"\{(\w+)\}", text)), key
        assert text.count("**") == chinese[key].count("**"), key
        assert (
            key == "checkpoint_help"
            or re.search("[\u4e00-\u9fff]", chinese[key])
            or not re.search("[a-z]{3}", text)
        ), key


def test_every_text_that_is_asked_for_exists():
    known = set(words("en"))
    for name, source in SOURCES.items():
        for key in re.findall(r"\bsay\(\s*'(\w+)'", source):
            assert key in known, f"{name}.js says {key}"
    for kind in KINDS:
        assert f"mechanism_{kind}" in known
    steps = set(re.findall(r"made\('(\w+)'|gate\('(\w+)'|key: '(\w+)'", SOURCES["mechanism"]))
    for key in {part for each in steps for part in each if part}:
        assert f"step_{key}" in known and f"how_{key}" in known, key
    for group in ("scale", "choose"):
        assert {f"{group}_{scale}" for scale in ("fixed", "map", "stage", "network", "shown")} <= known
    for name in re.findall(r"QUESTIONS = \[(.*?)\]", SOURCES["guide"])[0].replace("'", "").split(", "):
        assert {f"ask_{name}", f"answer_{name}"} <= known


def test_words_are_filled_as_text():
    assert say("en", "example", photo="{x} & <b>") == "Example: {x} & <b>"
    assert say("xx", "photo") == "Photo" and say("zh", "photo") == "照片"


def test_what_is_shown_can_not_end_the_script_that_holds_it(noise):
    network = stirred(18, "cbam")
    trace = attnviz.trace(network, attnviz.Photo(noise, "</script><script>alert(1)</script><!--.png"))
    page = html([trace])
    assert page.count("</script>") == 2 and page.count("<script>") == 2 and "<!--" not in page
    assert in_markup("</SCRIPT><!-- x") == "<\\/SCRIPT><\\!-- x"
    assert "<title>&lt;/script&gt;" in page


def test_one_file_holds_everything(noise):
    traces = [attnviz.trace(stirred(18, attention), noise) for attention in ("se", "cbam")]
    page = html(traces)
    assert "Content-Security-Policy" in page and "default-src 'none'" in page
    assert not re.search(
        r"(src|href)=[\"']?(?!data:)\w+[:/]", re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    )
    with pytest.raises(ValueError, match="no trace"):
        html([])


def test_a_trace_shows_itself_in_a_notebook(noise):
    trace = attnviz.trace(stirred(18, "cbam"), noise)
    shown = trace._repr_html_()
    assert shown == frame(trace) and shown.startswith("<iframe srcdoc=") and "<script" not in shown
    assert "layer4.1" in shown and "sandbox" in shown
