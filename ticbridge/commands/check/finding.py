"""What a check can say: each case once, in both languages, with its likely cause and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

Language = Literal["en", "fr"]


class State(StrEnum):
    """How bad a finding is; one that failed makes the exit code 1."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class Words(NamedTuple):
    """What the owner reads. Facts stand in braces, and are the same in each language."""

    sentence: str
    cause: str = ""
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """Something that may be found. Called with the facts of a machine, it is a finding."""

    name: str
    state: State
    en: Words
    fr: Words

    def __call__(self, **facts: object) -> Finding:
        return Finding(self, facts)


@dataclass(frozen=True, slots=True)
class Finding:
    """A case, with the facts of this machine."""

    case: Case
    facts: Mapping[str, object]

    def words(self, language: Language) -> Words:
        """What to tell the owner."""
        words = self.case.fr if language == "fr" else self.case.en
        return Words(*(text.format(**self.facts) for text in words))


def ok(name: str, en: str, fr: str) -> Case:
    """All is well: a sentence is enough."""
    return Case(name, State.OK, Words(en), Words(fr))


def skipped(name: str, en: str, fr: str) -> Case:
    """Not looked at, and why."""
    return Case(name, State.SKIPPED, Words(en), Words(fr))


def warning(name: str, en: Words, fr: Words) -> Case:
    """It works, and may not for long, or not wholly."""
    return Case(name, State.WARNING, en, fr)


def failed(name: str, en: Words, fr: Words) -> Case:
    """It does not work."""
    return Case(name, State.FAILED, en, fr)
