"""The viewer's script and words, and the files it makes, without a browser; tests/browser runs them."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import numpy as np
import pytest
from helpers.checkout import ROOT
from helpers.small_networks import stirred
from matplotlib import colormaps

import attnviz
from attnviz.analysis import ORDERS, SCALES
from attnviz.capture.layer_attention import KINDS
from attnviz.drawing.style import COLORMAPS
from attnviz.languages.catalogue import LANGUAGES, say, words
from attnviz.viewer.javascript import (
    STYLE_SHEETS,
    first_script,
    in_markup,
    in_own_scope,
    later_script,
    offline_script,
    script,
    site_script,
    site_style,
    style,
    worker_script,
)
from attnviz.viewer.standalone import frame, html

JS = ROOT / "attnviz" / "viewer" / "js"
ALL = {
    path.relative_to(JS).with_suffix("").as_posix(): path.read_text(encoding="utf-8")
    for path in sorted(JS.rglob("*.js"))
}
SOURCES = {name: source for name, source in ALL.items() if not name.startswith("vendor/")}
VENDORED = {  # by their SHA-256, as vendor/README.md says where they are from
    "vendor/LICENSE": "1fe6958409c8c257a70c587a18b6f7f412b179b456630790d30b2ec9a8e4b7d4",
    "vendor/preact-hooks.js": "e862ab2973aa6455eaa0f77c5d832d2157d6be59a17c8ba546550a575b58c6b4",
    "vendor/preact.js": "bdcbd9abdf2c77c5c45326eab42191e949222d479d0d5f69467387a77040cb55",
}


def modules_in(text: str) -> list[str]:
    """The modules that a script holds, in order."""
    return re.findall(r"^modules\['([\w/-]+)'\] = \(\(\) => \{", text, re.MULTILINE)


SCRIPTS = {
    "page": script(),
    "page that fetches the rest": first_script(),
    "page without a server": site_script(),
    "worker": worker_script(),
    "offline": offline_script(["./"], ["index.html"]),
}


def test_every_module_is_in_one_of_the_scripts():
    modules = {name: modules_in(text) for name, text in SCRIPTS.items()}
    assert {each for held in modules.values() for each in held} == {*ALL}
    without_a_server = ("engine/", "pixels/", "worker/", "offline/", "live/")
    assert not [name for name in modules["page"] if name.startswith(without_a_server)]
    assert {name.split("/")[0] for name in modules["worker"]} == {"engine", "pixels", "worker"}
    assert modules["offline"] == ["host/receiving", "offline/sums", "offline/fetching", "offline/serving"]


def test_what_a_page_fetches_later_is_all_that_it_lacks_at_first():
    first, later = (modules_in(text) for text in (first_script(), later_script()))
    assert {*first, *later} == {*modules_in(script())} | {"app/fetching"} and not {*first} & {*later}
    assert {"changes/tools", "learn/whole"} <= {*later}
    assert {name.split("/")[0] for name in later} == {"changes", "files", "learn"}
    word = words("en")["edit_brush_on"]
    assert word in later_script() and word in script() and word not in first_script()


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_every_module_stands_in_a_script_after_those_that_it_imports(text):
    order = modules_in(text)
    for place, name in enumerate(order):
        for other in re.findall(r"from '(\.[\w./-]+)\.js'", ALL[name]):
            imported = (JS / name).parent.joinpath(other).resolve().relative_to(JS.resolve()).as_posix()
            assert order.index(imported) < place, f"{name}.js imports {imported}.js, which comes later"


def test_what_others_wrote_is_as_it_was_published():
    for name, expected in VENDORED.items():
        assert hashlib.sha256((JS / name).read_bytes()).hexdigest() == expected, name
    assert {name for name in ALL if name.startswith("vendor/")} == {
        name.removesuffix(".js") for name in VENDORED if name.endswith(".js")
    }
    readme = (JS / "vendor" / "README.md").read_text(encoding="utf-8")
    assert "MIT" in readme and re.search(r"\d+\.\d+\.\d+", readme)


def test_a_minified_module_keeps_its_names_and_gives_its_exports():
    source = 'import{options as n,h}from"preact";var t=n;function d(){}export{d as useState,t};\n'
    assert (
        in_own_scope("vendor/preact-hooks", source + "//# sourceMappingURL=hooks.mjs.map\n")
        == """modules['vendor/preact-hooks'] = (() => {
const{options:n,h}=modules['vendor/preact'];var t=n;function d(){}return{useState:d,t:t};
})();"""
    )


def test_a_module_keeps_its_names_and_gives_its_exports():
    source = """// What it is.
import { one } from '../small.js';
import {
  two,
  three,
} from './large_one.js';

/**
 * What it gives.
 */
export async function four(text) {
  // why
  return one(two, three, text); // and why
}

const five = '// stays'; // don't
export const six = five;
export class Seven {}
"""
    assert (
        in_own_scope("deep/numbers", source)
        == """modules['deep/numbers'] = (() => {
const { one } = modules['small'];
const {
two,
three,
} = modules['deep/large_one'];

async function four(text) {
return one(two, three, text);
}

const five = '// stays'; // don't
const six = five;
class Seven {}
return { four, six, Seven };
})();"""
    )


@pytest.mark.parametrize("name", SOURCES)
def test_a_module_is_written_so_that_the_script_can_hold_it(name):
    for line in SOURCES[name].splitlines():
        assert line.count("`") % 2 == 0, f"a text over several lines would lose its indentation: {line}"
        assert not re.match(r"export (?!(async )?function|const|class)", line), line
    for place in re.finditer(r"^(import|export) ", in_own_scope(name, SOURCES[name]), re.MULTILINE):
        pytest.fail(f"{name}.js: {place.string[place.start() :][:80]} is no form that the script takes")


def same_branches(source: str) -> list[str]:
    flat = re.sub(r"\s+", " ", source)
    return re.findall(r"(?<!\?)\? ([^?:]+?) : \1(?=[;,)}\]])", flat)


@pytest.mark.parametrize("name", SOURCES)
def test_no_condition_chooses_between_the_same(name):
    assert same_branches("const top = one.range ? y(value) : y(value), from = 1;") == ["y(value)"]
    assert same_branches(SOURCES[name]) == []


def test_the_script_asks_for_nothing_from_elsewhere_and_makes_no_markup():
    own = [in_own_scope(name, source) for name, source in SOURCES.items()]
    everything = "".join(own) + site_style()
    outside = ("http:", "https:", "import(", "@import", "url(")
    for forbidden in (
        *outside,
        "innerHTML",
        "InnerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
    ):
        assert forbidden not in everything, forbidden


def test_the_colour_of_what_was_chosen_is_no_other_things():
    """Orange once was both what was chosen and what is below zero."""
    inks = re.findall(r"(\w+): '(#[0-9a-f]{6})'", SOURCES["drawing/canvas"])
    mine = {colour for name, colour in inks if name == "mine"}
    assert len(mine) == 2 and not mine & {colour for name, colour in inks if name != "mine"}
    variables = re.findall(r"--av-(\w+): (#[0-9a-f]{6});", style())
    assert mine == {colour for name, colour in variables if name == "mine"}
    assert "#e69f00" not in script() + style()


def test_only_its_own_host_knows_gradio():
    known = {name for name, source in SOURCES.items() if re.search("gradio", source, re.IGNORECASE)}
    assert known == {"host/gradio", "host/host"}  # the latter names the hosts that there are
    assert "radio" not in re.sub(r"^ *(//|/?\*).*$", "", SOURCES["host/host"], flags=re.MULTILINE)


def test_only_hosts_and_the_browsers_storage_reach_outside_of_the_app():
    for name, source in SOURCES.items():
        if not name.startswith(("host/", "offline/")):
            assert not re.search(r"\bfetch\(|XMLHttpRequest|EventSource|WebSocket", source), name


def test_the_style_sheets_are_all_there():
    assert {path.stem for path in (JS.parent / "css").glob("*.css")} == set(STYLE_SHEETS)
    for text in (style(), site_style()):
        assert text.count("{") == text.count("}")


def test_only_a_page_without_a_server_has_the_style_of_the_live_camera():
    assert ".av-live-cards" in site_style() and ".av-live-" not in style()


def test_the_colours_are_matplotlibs():
    tables = json.loads(re.search(r"^const LUTS = (.*);$", script(), re.MULTILINE).group(1))
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
    for key in re.findall(r"\bcontrol\(\s*\w+,\s*'(\w+)'", SOURCES["where/card"]):
        assert key in known
    for kind in KINDS:
        assert f"mechanism_{kind}" in known
    for scale in SCALES:
        assert f"scale_{scale}" in known and f"choose_{scale}" in known
    for order in ORDERS:
        assert f"order_{order}" in known and f"axis_{order}" in known
    for key in re.findall(r"'(key_\w+)'", SOURCES["app/help"]):
        assert key in known, key
    for name in re.findall(r"QUESTIONS = \[(.*?)\]", SOURCES["app/help"])[0].replace("'", "").split(", "):
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
