"""Price periods by the names that their offers give them, for a reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from storage.models import Meter
from storage.tariffs.costs import INJECTED, SUBSCRIPTION, UNKNOWN
from storage.tariffs.models import Period


def period_names(meter: Meter | None = None) -> Mapping[str, str]:
    """By code, of all offers; those of the meter's own contracts win where a code has several names."""
    rows: Any = Period.objects.order_by("pk")
    french = (get_language() or "").startswith("fr")
    names = _named(rows, french=french)
    if meter is not None:
        names |= _named(rows.filter(offer__contract__meter=meter), french=french)
    return names | {SUBSCRIPTION: _("Subscription"), UNKNOWN: _("Without a known price"), INJECTED: _("Injected")}


def _named(rows: Any, *, french: bool) -> dict[str, str]:  # a query set
    return {row.code: row.name_fr if french else row.name_en for row in rows}
