"""The query language's text, made trees. Pure: names are only read here, `scope` says which of them exist.

filters   and(cover:hard,or(pages__gte:300,not(title:"War, Peace")))
terms     -trunc_month(printed):month,title  (a name, or a function of terms; an alias after the colon)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeVar

LONGEST: Final = 4000  # characters of one parameter
DEEPEST: Final = 8  # brackets inside brackets
MOST: Final = 60  # conditions, or names and functions, of one parameter

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.]*")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE: Final = re.compile(r'[^,()"]*')
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,12})?")
_ALIAS: Final = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9]){0,39}")

T = TypeVar("T")


class GrammarError(ValueError):
    """The text is not of the language; it says where."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A name (with its lookup) and a value."""

    name: str
    value: str
    is_quoted: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """All of them hold, any of them, or not all of them."""

    kind: Literal["and", "or", "not"]
    parts: tuple[Filter, ...]


Filter: TypeAlias = Condition | Group


@dataclass(frozen=True, slots=True)
class Name:
    """Of a field, maybe of a related row."""

    text: str


@dataclass(frozen=True, slots=True)
class Value:
    """Written out: a number, or a text in quotes."""

    text: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A function of terms."""

    function: str
    arguments: tuple[Term, ...]


Term: TypeAlias = Name | Value | Call


@dataclass(frozen=True, slots=True)
class Asked:
    """One term of a list, with what is written around it."""

    term: Term
    alias: str | None = None
    is_descending: bool = False
    nulls: Literal["first", "last"] | None = None


def parse_filters(text: str) -> tuple[Filter, ...]:
    """Conditions that must all hold."""
    return _Reader(text).whole(_Reader.filter)


def parse_terms(text: str) -> tuple[Asked, ...]:
    """Of `fields`, `annotate`, `group_by`, `distinct`, `order_by` and the aggregates."""
    return _Reader(text).whole(_Reader.asked)


class _Reader:
    """Reads from left to right and never back; counts what it makes, so that the cost of a text is bounded."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise GrammarError(f"it is longer than {LONGEST} characters")
        self._text, self._at, self._made, self._depth = text, 0, 0, 0

    def whole(self, read: Callable[[_Reader], T]) -> tuple[T, ...]:
        found = self._list(read)
        if self._at < len(self._text):
            raise self._error("expected a comma or the end")
        return found

    def filter(self) -> Filter:
        name = self._name()
        if name in ("and", "or", "not") and self._take("("):
            return Group(name, self._inside(_Reader.filter))  # type: ignore[arg-type]  # one of the three
        if not self._take(":"):
            raise self._error("expected a colon and a value")
        quoted = self._quoted()
        return Condition(name, self._match(_BARE) if quoted is None else quoted, quoted is not None)

    def asked(self) -> Asked:
        is_descending = self._take("-")
        term = self._term()
        nulls: Literal["first", "last"] | None = "first" if self._take("<") else "last" if self._take(">") else None
        alias = self._match(_ALIAS) if self._take(":") else None
        if alias == "":
            raise self._error("expected a name of letters and digits")
        return Asked(term, alias, is_descending, nulls)

    def _term(self) -> Term:
        if (quoted := self._quoted()) is not None:
            return Value(quoted, is_number=False)
        if number := self._match(_NUMBER):
            return Value(number, is_number=True)
        name = self._name()
        return Call(name, self._inside(_Reader._term)) if self._take("(") else Name(name)

    def _inside(self, read: Callable[[_Reader], T]) -> tuple[T, ...]:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(f"more than {DEEPEST} brackets inside each other")
        found = self._list(read)
        if not self._take(")"):
            raise self._error("expected a comma or a closing bracket")
        self._depth -= 1
        return found

    def _list(self, read: Callable[[_Reader], T]) -> tuple[T, ...]:
        found = [read(self)]
        while self._take(","):
            found.append(read(self))
        return tuple(found)

    def _name(self) -> str:
        self._made += 1
        if self._made > MOST:
            raise self._error(f"more than {MOST} names")
        return self._match(_NAME) or self._refuse("expected a name")

    def _quoted(self) -> str | None:
        if not self._text.startswith('"', self._at):
            return None
        found = _QUOTED.match(self._text, self._at)
        if found is None:
            raise self._error("the quote is not closed")
        self._at = found.end()
        return re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL)

    def _take(self, sign: str) -> bool:
        taken = self._text.startswith(sign, self._at)
        self._at += len(sign) * taken
        return taken

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return found[0] if found else ""

    def _refuse(self, why: str) -> str:
        raise self._error(why)

    def _error(self, why: str) -> GrammarError:
        return GrammarError(f"{why} at character {self._at + 1}")
