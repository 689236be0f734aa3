"""What hypothesis may make a meter say: typed values by slug, and the horodates sent with them."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from bridge.tic.catalogue import BY_LABEL, Field, Mode, Quantity
from bridge.tic.values import DayProfile, PhaseLoss, Relays, StatusRegister, Switch, Value

BLOCKS = st.builds(
    Switch,
    st.times().map(lambda at: f"{at:%H:%M}"),
    st.integers(0, 0xFFFF),
)
INSTANTS = st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30), timezones=st.just(UTC)).map(  # noqa: DTZ001  aware
    lambda at: at.replace(microsecond=0)
)


def stamp_of(row: Field) -> st.SearchStrategy[str]:
    """Any horodate that the label can carry."""
    seasons = st.sampled_from("HEhe " if row.seasonless else "HEhe")
    return st.builds(lambda season, at: f"{season}{at:%y%m%d%H%M%S}", seasons, INSTANTS)


def _texts(row: Field) -> st.SearchStrategy[str]:
    printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=row.digits)
    return printable.map(lambda text: " ".join(text.split()))


def value_of(row: Field) -> st.SearchStrategy[Value]:
    """Any value that the label can carry."""
    if row.words is not None:
        return st.sampled_from(sorted(set(row.words.values()), key=str))
    by_quantity: dict[Quantity, st.SearchStrategy[Value]] = {
        Quantity.IDENTIFIER: st.text("0123456789", min_size=row.digits, max_size=row.digits),
        Quantity.TEXT: _texts(row),
        Quantity.INSTANT: INSTANTS,
        Quantity.STATUS_REGISTER: st.integers(0, 0xFFFFFFFF).map(StatusRegister),
        Quantity.RELAYS: st.integers(0, 0xFF).map(Relays),
        Quantity.PHASE_LOSS: st.integers(0, 0xFF).map(PhaseLoss),
        Quantity.DAY_PROFILE: st.lists(BLOCKS, max_size=11).map(DayProfile.of),
    }
    lowest, highest = row.limits or (0, 10**row.digits - 1)
    return by_quantity.get(row.quantity, st.integers(lowest, highest))


def values_of(mode: Mode) -> st.SearchStrategy[dict[str, Value]]:
    """Any selection of the mode's labels, each with a value that it can carry."""
    rows = BY_LABEL[mode].values()
    return st.fixed_dictionaries({}, optional={row.slug: value_of(row) for row in rows})
