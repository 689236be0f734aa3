"""Which meter this is, as far as its address and its labels tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import gettext

from bridge.tic.catalogue import Mode
from bridge.tic.identity import Identity
from storage.web.line import Line
from storage.web.said import Said
from storage.web.shown import amount, personal
from storage.web.words import word


class Fact(NamedTuple):
    """One line of the sheet."""

    name: str
    text: str
    hint: str = ""


def facts(meter_id: str, identity: Identity | None, said: Said, mode: str, line: Line) -> tuple[Fact, ...]:
    """What is known; what is not is left out, or says why."""
    return (*_made(meter_id, identity), *_set(said, mode), *_read(line))


def _made(meter_id: str, identity: Identity | None) -> Iterator[Fact]:
    if identity is None:
        hint = gettext("Named in config.yaml: it tells no manufacturer.")
        yield Fact(gettext("Number"), meter_id, hint)
        return
    unknown = gettext("unknown to us")
    yield Fact(gettext("Manufacturer"), identity.maker or f"{unknown} ({meter_id[:2]})")
    yield Fact(gettext("Year of manufacture"), str(identity.year))
    model = f"{identity.model} {_generation(identity.generation)}".strip() or unknown
    yield Fact(gettext("Type"), f"{model} ({identity.code})")
    yield Fact(gettext("Number"), meter_id)


def _generation(generation: str) -> str:
    """A word of the catalogue of types, or G1, G3."""
    known = {"pilote": gettext("of the pilot series"), "essai": gettext("of a trial series")}
    return known.get(generation, generation)


def _set(said: Said, mode: str) -> Iterator[Fact]:
    yield Fact(gettext("Output"), word("tic_output", mode))
    version = said.text("vtic")
    if version:
        hint = gettext("The meter does not tell the version of its own program.")
        yield Fact(gettext("Version of the output"), version, hint)
    yield Fact(gettext("Phases"), "3" if said.three_phase else "1")
    if said.subscribed:
        yield Fact(gettext("Subscribed power"), amount(said.subscribed / 1000, "kVA"))
    contract = said.text("ngtf", "optarif")
    if contract:
        yield Fact(gettext("Contract, as the meter names it"), word("optarif", contract))
    if mode == Mode.STANDARD:
        yield _delivery_point(said)


def _delivery_point(said: Said) -> Fact:
    number = said.text("prm")
    if number is None:
        return Fact("PRM", gettext("not told"), gettext("The bridge keeps it to itself unless publish.personal is on."))
    shown = personal(number)
    return Fact(
        "PRM", shown, "" if settings.TICBRIDGE.publish.personal else gettext("publish.personal shows it whole.")
    )


def _read(line: Line) -> Iterator[Fact]:
    if line.bridge_id:
        yield Fact(gettext("Read by"), f"{line.bridge_id} (ticbridge {line.version})")
    if line.counts is not None and line.counts.source:
        yield Fact(gettext("Source"), line.counts.source)
