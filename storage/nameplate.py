"""What a reading tells of its meter itself: its phases, and the power that is subscribed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from bridge.tic.identity import identify

if TYPE_CHECKING:
    from storage.models import Meter

_VOLTS: Final = 200  # a subscribed current of 30 A is 6 kVA on one phase (ISOUSC)
_SECOND_PHASE: Final = ("sinsts2", "irms2", "urms2", "iinst2", "imax2")
_FIRST_PHASE: Final = ("irms1", "urms1", "iinst", "iinst1")


def nameplate(meter: Meter, values: Mapping[str, Any]) -> dict[str, int]:
    """Columns of a meter that these values tell; what they do not is left out, never guessed.

    Its address knows the phases of most types. Of others a second phase proves three; one that is damaged in a
    frame proves nothing, so three phases stay three.
    """
    told = {}
    made = identify(meter.meter_id)
    if made is not None and made.phases:
        told["phases"] = made.phases
    elif any(values.get(slug) is not None for slug in _SECOND_PHASE):
        told["phases"] = 3
    elif meter.phases is None and any(values.get(slug) is not None for slug in _FIRST_PHASE):
        told["phases"] = 1
    pref, amperes, phases = values.get("pref"), values.get("isousc"), told.get("phases", meter.phases)
    if isinstance(pref, int):
        told["power"] = pref
    elif isinstance(amperes, int) and phases and amperes * phases * _VOLTS % 1000 == 0:
        told["power"] = amperes * phases * _VOLTS // 1000
    return told
