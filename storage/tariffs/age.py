"""How old the prices of an offer are: no price runs on in silence past the day on which the next one was due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db.models import Max
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from storage.tariffs.grids import PARIS
from storage.tariffs.models import Offer, Origin, TariffPrice

REVISIONS: Final = ((2, 1), (8, 1))  # month and day on which regulated prices are revised


@dataclass(frozen=True, slots=True)
class Age:
    """From when the newest prices of an offer are; of a regulated one also until when they surely hold."""

    since: date
    checked_on: date | None  # when somebody last compared them with their source; None: nobody said
    revised_on: date | None  # the day on which the next prices are due; None: no such day is known
    is_overdue: bool  # that day has come, and no newer price is here

    def __str__(self) -> str:
        """For pages, in their language."""
        texts = [_("prices from %(day)s") % {"day": _said(self.since)}]
        if self.checked_on is not None:
            texts.append(_("checked on %(day)s") % {"day": _said(self.checked_on)})
        if self.revised_on is not None and self.is_overdue:
            texts.append(_("a revision was due on %(day)s and is not known here") % {"day": _said(self.revised_on)})
        elif self.revised_on is not None:
            texts.append(_("next revision due on %(day)s") % {"day": _said(self.revised_on)})
        return ", ".join(texts)

    def in_english(self) -> str:
        """For commands, which are English."""
        texts = [f"prices from {self.since}", *([f"checked on {self.checked_on}"] if self.checked_on else [])]
        if self.revised_on is not None and self.is_overdue:
            texts.append(f"a revision was due on {self.revised_on} and is not known here")
        elif self.revised_on is not None:
            texts.append(f"next revision due on {self.revised_on}")
        return ", ".join(texts)


def age_of(offer: Offer, today: date | None = None) -> Age | None:
    """None: it has no price."""
    prices: Any = TariffPrice.objects.filter(offer=offer)
    found = prices.aggregate(since=Max("start_date"), checked_on=Max("checked_on"))
    if found["since"] is None:
        return None
    since = found["since"].astimezone(PARIS).date()
    # An offer of the owner's own is revised when its supplier likes.
    revised_on = next_revision(since) if offer.origin == Origin.SHIPPED else None
    is_overdue = revised_on is not None and revised_on <= (today or timezone.now().astimezone(PARIS).date())
    return Age(since, found["checked_on"], revised_on, is_overdue)


def next_revision(day: date) -> date:
    """The first day after this one on which regulated prices are revised."""
    days = (date(year, *when) for year in (day.year, day.year + 1) for when in REVISIONS)
    return next(found for found in days if found > day)


def _said(day: date) -> str:
    return date_format(day, "DATE_FORMAT")
