"""Sentences that are said in English elsewhere, in the reader's language: what bridge, import and comparison tell.

Words on the wire, in logs and on the command line never depend on a language. The page knows their patterns; what it
does not know it shows as it is, marked as English.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

__all__ = ["in_words", "marked"]

_DEEPEST: Final = 4  # a place in a file, the sentence, what it quotes


def in_words(text: str) -> str | None:
    """The sentence in the language that is spoken now; None if it is not known."""
    return _known(text, _DEEPEST)


def marked(text: str) -> SafeString:
    """As `in_words`; what is not known stands there as English."""
    found = in_words(text)
    return format_html("{}", found) if found is not None else format_html('<span lang="en">{}</span>', text)


def _known(text: str, depth: int) -> str | None:
    for english, pattern in _patterns():
        found = pattern.fullmatch(text) if depth else None
        if found is not None:
            quoted = {name: _known(value, depth - 1) or value for name, value in found.groupdict().items()}
            return gettext(english).format(**quoted)
    return None


@cache
def _patterns() -> Sequence[tuple[str, re.Pattern[str]]]:
    """Where something stands comes first; then the more a sentence says itself, the earlier it is tried."""
    with override(None):
        places, sentences = ([str(text) for text in texts] for texts in (_PLACES, _SENTENCES))
    sentences.sort(key=lambda text: -len(re.sub(r"\{\w+\}", "", text)))
    return [(text, _pattern(text)) for text in (*places, *sentences)]


def _pattern(text: str) -> re.Pattern[str]:
    pieces = re.split(r"\{(\w+)\}", text)
    return re.compile(
        "".join(f"(?P<{piece}>{_shape(piece)})" if n % 2 else re.escape(piece) for n, piece in enumerate(pieces)),
        re.DOTALL,
    )


def _shape(name: str) -> str:
    return r"\d+" if name == "n" else ".+?"


_PLACES: Final[tuple[Promise, ...]] = (
    _("line {n}: {what}"),
    _("row {n}: {what}"),
    _("sheet {name}, row {n}: {what}"),
    _("sheet {name}: {what}"),
)
_SENTENCES: Final[tuple[Promise, ...]] = (
    _("consumption"),
    _("production"),
    _("No signal on {port}: are I1 and I2 connected, and not A?"),
    _(
        "Bytes arrive on {port}, but no valid group at any speed (tried {speeds} baud): noise, or an "
        "inverted line: check the wires, shorten the cable, or try another adapter"
    ),
    _(
        "Bytes arrive on {port}, but no valid group at {speed} baud: the wrong speed, noise, or an inverted "
        "line: set mode: auto, or check the wires"
    ),
    _(
        "Bytes arrive on {port}, but no valid group: noise, or the wrong speed at the other end: have it "
        "read 1200 baud (historique) or 9600 (standard), 7 bits, even parity, and check the wires"
    ),
    _(
        "No valid group came on {port}, and every character is damaged, as when the line is slower: the "
        "meter seems to speak {mode}: set mode: auto or mode: {set}"
    ),
    _("The meter on {port} speaks {mode}, not {wanted}: set mode: auto or mode: {set}"),
    _(
        "The terminal is not raw: on {port} CR and LF are exchanged or ETX is swallowed. Another program set "
        "it so (a login shell on the port, cat, a serial server): stop it, or set the terminal raw (stty -F "
        "PORT raw)"
    ),
    _("No port speaks TIC ({found}): connect I1 and I2 to one of them, or name the port"),
    _("source: auto found no serial adapter: plug it in, or name the port"),
    _("{port} cannot be set to {speed} baud ({why}): is it unplugged, or unable to?"),
    _("The port {port} is gone ({why}): is the adapter unplugged?"),
    _("{address} is gone ({why}): is the serial server running there?"),
    _("The port {port} does not exist: is the adapter plugged in, is the name right?"),
    _("The port {port} may not be opened by this user: add it to the group dialout (sudo adduser $USER dialout)"),
    _("The port {port} is in use by another program: stop it, or give us another port"),
    _("{port} is not a serial port: name one, such as /dev/ttyUSB0"),
    _("The port {port} cannot be opened ({why})"),
    _("{address} refuses connections: is the serial server running there?"),
    _("{address} cannot be reached ({why}): is the address right?"),
    _("{address} will not do; expected {expected}"),
    _("{file} is a folder: name a file in it"),
    _("{file} cannot be read ({why}): is the name right?"),
    _("{text} is no active energy or power"),
    _("{text} is no PRM; expected 14 digits"),
    _("another PRM than above"),
    _("is it {one} or {other}?"),
    _("it does not say whether it is consumption or production; say --as"),
    _("this is {said}, not {expected}"),
    _("the unit {name} is not known; expected one of {units}"),
    _("{text} is no length of a step; expected minutes"),
    _(
        "this layout is {name}; files of suppliers are not taken in: download the same from Enedis "
        "(mon-compte-particulier.enedis.fr)"
    ),
    _("{text} is no number"),
    _("{text} is negative"),
    _("{text} is no time; expected {example} or {other}"),
    _("times with an offset and times without stand in one table"),
    _("steps of {n} minutes; expected 5, 10, 15, 30 or 60"),
    _("a unit of {unit}; expected one of {kinds}"),
    _("{time} is in the hour that the clocks leave out"),
    _("irregular: {n} minutes after the row before it"),
    _("steps change from {before} to {after} minutes here"),
    _("a step that ends at {end}, where all others have {n} minutes"),
    _("irregular: not on a step of {n} minutes"),
    _("{value} is more than any household draws: is the unit right?"),
    _("{time} stands after {other}"),
    _("{time} stands twice, with two values"),
    _(
        "{file} is of no layout of Enedis that is known; known are load curves, indexes, daily maximum "
        "power, daily energy and hourly power, as CSV or XLSX"
    ),
    _("more than one column of values: this layout is not known"),
    _("data of the type {kind} are not known"),
    _("two columns name the same index"),
    _("the column {name} is no index that is known"),
    _("{value} Wh is more than nine digits ({name})"),
    _("sheet {name} has more than {n} rows: take a shorter period"),
    _("{file} is a zip file of other files: unpack it first"),
    _("{file} is a workbook of before 2007: save it as .xlsx or .csv"),
    _("{file} is a database: did you mean {commands}?"),
    _("{file} is neither text nor a workbook: is it the right file?"),
    _("it cannot be read as CSV ({why})"),
    _("line {n} has {length} characters: this is no file of Enedis"),
    _("{file} is a damaged workbook ({why}): download it again"),
    _("{file} has more than {n} MB: take a shorter period"),
    _("{file} has more than {n} MB"),
    _("{file} is too large ({n} MB unpacked): take a shorter period"),
    _("{file} unpacks to {n} times its size: no workbook of numbers does"),
    _("{file} is damaged ({why}): download it again"),
    _("{file} cannot be written ({why}): is the folder right?"),
    _("{file} cannot be written ({why}): is there room?"),
    _("{file} declares XML entities: no workbook does, and they may be endless"),
    _("{file} cannot be read ({why})"),
    _("this PRM (...{digits}) is of meter {meter}"),
    _("this PRM (...{digits}) is not the one of meter {meter} (...{other}, as {name} said)"),
    _("which meter is it? Say --meter{names}"),
    _("{text} is no meter: expected its 12 digits, or the id of the configuration"),
    _("{file} is no SQLite database: the tutorial's is db.sqlite3, beside its manage.py"),
    _("{file} has no table {table} with a column dateTime: is it the tutorial's database?"),
    _(
        "{file}: the meter's stamps do not tell whether the times are UTC or local; say --clock utc (the "
        "tutorial's settings had USE_TZ = True) or --clock local"
    ),
    _("the price of {period} is not known ({energy} kWh)"),
    _("the subscription at {n} kVA is not known, of all days or some"),
    _("no power is known"),
    _("it has no periods ({energy} kWh)"),
    _("no rule of this offer tells all of its hours ({energy} kWh)"),
    _("no rule tells the hours of this offer ({energy} kWh)"),
    _("no off-peak slots are known ({energy} kWh)"),
    _("the colours of its days are not known ({energy} kWh)"),
    _("its event days are not known ({energy} kWh)"),
    _("a slot begins or ends within the hour, and its minutes are not known ({energy} kWh)"),
    _("its time is in the hour that the clocks leave out"),
    _("its time is in the hour that comes twice, and the order does not tell which of the two"),
    _("its time is none that a clock showed"),
    _("it has no time"),
    _("it says nothing"),
    _("column {name} left out"),
)
