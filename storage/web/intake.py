"""What became of a sent file, in the reader's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from storage.exchange.intake import Intake, Job, State
from storage.web.sentences import in_words, marked
from storage.web.shown import amount, moment, number

_LAYOUTS: Final[Mapping[str, Promise]] = {
    "CURVE": _("load curve (CSV)"),
    "FLAT": _("load curve (CSV, one line a step)"),
    "INDEXES": _("indexes (CSV)"),
    "PEAKS": _("highest power of each day"),
    "DAYS": _("energy of each day"),
    "SPANS": _("load curve (from, to)"),
    "INDEX_VIEW": _("daily indexes by period"),
    "STAMPS": _("load curve (workbook)"),
}
_WAYS: Final[Mapping[str, Promise]] = {"DRAWN": _("consumption"), "INJECTED": _("production")}
_STEPS: Final[Mapping[int, Promise]] = {1800: _("Half hours"), 3600: _("Hours"), 86_400: _("Days")}
_CLOCKS: Final[Mapping[str, Promise]] = {"UTC": _("UTC"), "LOCAL": _("local time")}
_STATES: Final[Mapping[State, Promise]] = {
    State.LOOKING: _("The file is being looked at"),
    State.READY: _("The file was looked at: nothing is written yet"),
    State.TAKING: _("The file is being taken in"),
    State.DONE: _("The file was taken in"),
    State.FAILED: _("The file was not taken in"),
    State.STOPPED: _("The work was stopped"),
}
# What a refusal says to who types commands, and where it is on the page.
_ON_THE_PAGE: Final[Mapping[str, Promise]] = {
    "say --as": _("choose it under “It holds”"),
    "say --clock utc": _("choose under “Its times are”: UTC"),
    "--clock local": _("local time"),
}


@cache
def intake() -> Intake:
    """Where this installation's file waits."""
    return Intake(Path(settings.TICBRIDGE.bridge.state_dir) / "import")


@dataclass(frozen=True, slots=True)
class Part:
    """A table of the file: what it is, and what becomes of it."""

    title: str
    facts: tuple[str, ...] = ()
    refusals: tuple[str, ...] = field(default=())


def title(job: Job) -> str:
    """Where it stands."""
    return str(_STATES[job.state])


def refusal(job: Job) -> str:
    """Why it was refused."""
    known = in_words(job.error)
    text = job.error if known is None else known
    for typed, shown in _ON_THE_PAGE.items():
        text = text.replace(typed, str(shown))
    text = text[:1].upper() + text[1:]
    return text if known is not None else marked(text)


def parts(job: Job, zone: tzinfo) -> list[Part]:
    """Block by block."""
    report, is_done = job.report, job.state is State.DONE
    if not report:
        return []
    if report["kind"] == "tutorial":
        return [_tutorial(report, zone, is_done)]
    return [_block(block, zone, is_done) for block in report["blocks"]]


def _tutorial(said: dict[str, Any], zone: tzinfo, is_done: bool) -> Part:
    facts = [gettext("{rows} rows, times in {clock}").format(rows=number(said["rows"]), clock=_CLOCKS[said["clock"]])]
    if said["begins"]:
        facts.append(_period(said, zone))
    facts.append(_stored(said, is_done))
    return Part(gettext("The tutorial's database"), tuple(facts), tuple(_counted(said["refused"], said["emptied"])))


def _block(said: dict[str, Any], zone: tzinfo, is_done: bool) -> Part:
    head = f"{_LAYOUTS[said['layout']]}, {_WAYS[said['way']]}"
    facts = [gettext("{n} values").format(n=number(said["values"]))]
    if said["prm"]:
        facts[0] += ", " + gettext("delivery point (PRM) …{digits}").format(digits=said["prm"])
    if said["step"]:
        facts[0] += ", " + gettext("steps of {minutes}").format(minutes=amount(said["step"] // 60, "min"))
    if said["gaps"]:
        facts.append(gettext("Rows without a value: {n}").format(n=number(said["gaps"])))
    if said["doubtful"]:
        text = gettext("Rows left out, in the hour that comes twice in October: {n}")
        facts.append(text.format(n=number(said["doubtful"])))
    if said["periods"]:
        facts.append(", ".join(f"{name} = {text}" for name, text in said["periods"].items()))
    for one in said["written"]:
        facts += _written(one, zone, is_done)
    stored = said["stored"]
    if stored is not None:
        if stored["begins"]:
            facts.append(_period(stored, zone))
        facts.append(_stored(stored, is_done))
        if stored["heard"]:
            text = gettext("Left out, as the meter was heard itself: {n}; the file differs by {most} at most.")
            facts.append(text.format(n=number(stored["heard"]), most=amount(stored["most"], "Wh")))
    refused = tuple(_counted(stored["refused"], {})) if stored is not None else ()
    return Part(head[:1].upper() + head[1:], tuple(facts), refused)


def _written(said: dict[str, Any], zone: tzinfo, is_done: bool) -> Iterator[str]:
    pattern = (
        gettext("{what}, {period}: {new} new, {changed} changed, {same} as they were.")
        if is_done
        else gettext("{what}, {period}: {new} would be new, {changed} would change, {same} stay as they are.")
    )
    yield pattern.format(
        what=_STEPS[said["step"]], period=_period(said, zone), new=number(said["new"]),
        changed=number(said["changed"]), same=number(said["same"]),
    )  # fmt: skip
    if said["conflicts"]:
        text = gettext("The meter itself has {n} of them, and its values stand; the two differ by {most} at most.")
        yield text.format(n=number(said["conflicts"]), most=amount(said["most"], said["unit"]))
    if said["weaker"]:
        text = gettext("Of these, {n} were only estimated: there the file's value is shown.")
        yield text.format(n=number(said["weaker"]))


def _period(said: dict[str, Any], zone: tzinfo) -> str:
    begins, ends = (moment(datetime.fromisoformat(said[name]), zone) for name in ("begins", "ends"))
    return gettext("from {begins} to {ends}").format(begins=begins, ends=ends)


def _stored(said: dict[str, Any], is_done: bool) -> str:
    pattern = (
        gettext("Readings stored: {n}; there already: {there}.")
        if is_done
        else gettext("Readings that would be stored: {n}; there already: {there}.")
    )
    return pattern.format(n=number(said["stored"]), there=number(said["there"]))


def _counted(refused: Mapping[str, int], emptied: Mapping[str, int]) -> Iterator[str]:
    said = {**refused, **{f"column {name} left out": n for name, n in emptied.items()}}
    yield from (format_html("{} × {}", number(n), marked(reason)) for reason, n in sorted(said.items()))
