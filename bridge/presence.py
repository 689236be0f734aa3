"""Which transient labels stopped: ADPS, PEJP, DPMn ... that are sent only while they hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bridge.tic.catalogue import BY_SLUG
from bridge.tic.decode import Decoded

_ENOUGH = 2  # successive complete long frames, without a refusal, that lack the label


class Presence:
    """Remembers the transient labels that were seen and not yet declared gone.

    `known` names labels seen before this start: what stopped while nobody listened still stands on the broker.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._missed = {slug: 0 for slug in known if slug in BY_SLUG and BY_SLUG[slug].transient}

    def gone(self, decoded: Decoded) -> Iterator[str]:
        """Slugs that this frame shows to have stopped."""
        reading = decoded.reading
        if reading is None:
            return
        sent = reading.model_fields_set
        for slug in sent:
            if slug in BY_SLUG and BY_SLUG[slug].transient:
                self._missed[slug] = 0
        # A three-phase short frame omits almost everything and says nothing about what it omits: every long one
        # carries an index (BASE, HCHC, EAST ...).
        is_long = any(BY_SLUG[slug].quantity.value == "energy" for slug in sent if slug in BY_SLUG)
        if decoded.refused or not reading.complete or not is_long:
            return
        for slug in [slug for slug in self._missed if slug not in sent]:
            self._missed[slug] += 1
            if self._missed[slug] >= _ENOUGH:
                del self._missed[slug]
                yield slug
