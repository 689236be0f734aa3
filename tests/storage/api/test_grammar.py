"""Text in, trees out; and whatever the text is, a tree or a GrammarError, in bounded time."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.api.grammar import (
    DEEPEST,
    LONGEST,
    MOST,
    Asked,
    Call,
    Condition,
    GrammarError,
    Group,
    Name,
    Value,
    parse_filters,
    parse_terms,
)


def test_conditions_nest() -> None:
    assert parse_filters("mode:standard,or(power__gte:9,not(name:x))") == (
        Condition("mode", "standard"),
        Group("or", (Condition("power__gte", "9"), Group("not", (Condition("name", "x"),)))),
    )


def test_a_value_in_quotes_may_hold_anything() -> None:
    assert parse_filters(r'name:"a, (b) \"c\" \\",mode:') == (
        Condition("name", 'a, (b) "c" \\', is_quoted=True),
        Condition("mode", ""),
    )


def test_a_value_may_hold_colons_and_a_field_may_be_called_as_a_word() -> None:
    assert parse_filters("start__gte:2026-01-01T00:00,not:1") == (
        Condition("start__gte", "2026-01-01T00:00"),
        Condition("not", "1"),
    )


def test_terms_have_functions_directions_nulls_and_names() -> None:
    assert parse_terms('-meter.power>,round(coalesce(a,1.5,"x"),2)<:b') == (
        Asked(Name("meter.power"), is_descending=True, nulls="last"),
        Asked(
            Call("round", (Call("coalesce", (Name("a"), Value("1.5", True), Value("x", False))), Value("2", True))),
            alias="b",
            nulls="first",
        ),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a name at character 1"),
        ("a", "expected a colon and a value at character 2"),
        ("a:1,", "expected a name at character 5"),
        ("and(a:1", "expected a comma or a closing bracket at character 8"),
        ("and()", "expected a name at character 5"),
        ("a:1)", "expected a comma or the end at character 4"),
        ('a:"x', "the quote is not closed at character 3"),
        ('a:"x"y', "expected a comma or the end at character 6"),
        ("é:1", "expected a name at character 1"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(GrammarError) as caught:
        parse_filters(text)
    assert str(caught.value) == said


@pytest.mark.parametrize("text", ["a:", "a:_b", "a(", "1a", "a:b__c", "a b"])
def test_terms_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(GrammarError):
        parse_terms(text)


def test_depth_length_and_number_are_bounded() -> None:
    assert parse_filters("not(" * DEEPEST + "a:1" + ")" * DEEPEST)
    for text in ("not(" * (DEEPEST + 1) + "a:1" + ")" * (DEEPEST + 1), "a:" + "1" * LONGEST, "a:1," * MOST + "a:1"):
        with pytest.raises(GrammarError):
            parse_filters(text)
    assert len(parse_terms(",".join("a" * MOST))) == MOST


@given(st.text(alphabet='and(or)t:,.-<>"\\[]1_ aé\0', max_size=60) | st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_filters, parse_terms):
        with suppress(GrammarError):
            assert isinstance(parse(text), tuple)
