from __future__ import annotations

from attnviz.naming import free_name


def test_a_name_stays_as_it_is_until_it_is_taken():
    assert free_name("layer", []) == "layer"
    assert free_name("layer", ["layer"]) == "layer-2"
    assert free_name("layer", {"layer", "layer-2", "layer-4"}) == "layer-3"


def test_the_number_stands_where_it_is_wanted_and_braces_are_letters():
    assert free_name("{0}", {"{0}"}, "{name} #{number}") == "{0} #2"


def test_names_that_the_key_makes_alike_are_taken():
    assert free_name("Cat", ["cat"]) == "Cat"
    assert free_name("Cat", ["cat"], key=str.casefold) == "Cat-2"
