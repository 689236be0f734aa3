"""What every page has around it: the way to the other pages, the meter that is looked at, and how it is lit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext_lazy as _

from storage.alerts import board
from storage.alerts.models import Alert
from storage.api.access import may
from storage.models import Meter
from storage.rights import Rights, rights_of
from storage.web.hub import Hub
from storage.web.stream import hub_of
from storage.web.theme import theme_of


class Page(NamedTuple):
    """A page of the navigation: its address's name, which is its icon's, too, and its title."""

    name: str
    title: Promise


# The first `_WITHIN_REACH` stand in a phone's bar, the others behind "More".
PAGES: Final[tuple[Page, ...]] = (
    Page("now", _("Now")),
    Page("history", _("History")),
    Page("costs", _("Costs")),
    Page("tempo", _("Tempo & tariffs")),
    Page("meter", _("Meter")),
    Page("alerts", _("Alerts")),
    Page("data", _("Data")),
    Page("settings", _("Settings")),
)
_WITHIN_REACH: Final = 4
FEW: Final = 12  # meters that stand beside each other; of more one is searched for


@dataclass(frozen=True, slots=True)
class Choice:
    """A meter to look at. `row` is None while the store has not seen it yet."""

    meter_id: str
    name: str
    row: Meter | None


class Look:
    """The meters that are seen, and which of them the request asks for: `?meter=`, else the first."""

    def __init__(self, rights: Rights, hub: Hub | None, wanted: str | None) -> None:
        self._rights = rights
        self._hub = hub
        self.wanted = wanted

    @cached_property
    def choices(self) -> list[Choice]:
        """Meters of the database first, then those that are only heard; no more than it takes to see that they are
        many.
        """
        stored = [_stored(meter) for meter in self._rights.meters()[: FEW + 1]]
        return (stored + self._only_heard())[: FEW + 1]

    @property
    def is_many(self) -> bool:
        """Whether a list of all of them would be no help."""
        return len(self.choices) > FEW

    @cached_property
    def chosen(self) -> Choice | None:
        """None: the wanted one is not known, or there is none yet."""
        found = next((c for c in self.choices if self.wanted in (None, c.meter_id)), None)
        if found is not None or not self.is_many:
            return found
        row = self._rights.meters().filter(meter_id=self.wanted).first()
        if row is not None:
            return _stored(row)
        return next((choice for choice in self._only_heard() if choice.meter_id == self.wanted), None)

    def _only_heard(self) -> list[Choice]:
        """They are in no group, so only who sees everything sees them."""
        heard = self._hub.meters() if self._hub is not None and self._rights.is_whole else []
        if not heard:
            return []
        known = set(self._rights.meters().filter(meter_id__in=heard).values_list("meter_id", flat=True))
        return [Choice(name, name, None) for name in heard if name not in known]


def _stored(meter: Meter) -> Choice:
    return Choice(meter.meter_id, str(meter), meter)


def look(request: HttpRequest) -> Look:
    """Found out once for each request: by the page, or by the frame around it."""
    found = getattr(request, "_look", None)
    if not isinstance(found, Look):
        found = Look(rights_of(request), hub_of(request), request.GET.get("meter"))
        request._look = found  # type: ignore[attr-defined]  # a place of our own
    return found


def no_meter(request: HttpRequest) -> HttpResponse:
    """404: the meter that was asked for is not known."""
    return render(request, "storage/no_meter.html", {"meter": look(request).wanted}, status=404)


def frame(request: HttpRequest) -> dict[str, Any]:
    """The context processor: `frame` in every template."""
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return {"frame": {"theme": theme_of(request)}}
    name = request.resolver_match.url_name if request.resolver_match else None
    current = name.partition("_")[0] if name else None  # a page's further ones are named `data_import` and so on
    return {"frame": _Frame(request, current)}


class _Frame:
    """Asks for the meters only where a template shows them: the admin has templates of its own."""

    def __init__(self, request: HttpRequest, current: str | None) -> None:
        self._request = request
        self.current = current
        self.theme = theme_of(request)
        self.near = PAGES[:_WITHIN_REACH]
        self.far = PAGES[_WITHIN_REACH:]

    @property
    def is_far(self) -> bool:
        """Whether the page that is shown stands behind "More"."""
        return any(page.name == self.current for page in self.far)

    @property
    def choices(self) -> list[Choice]:
        return look(self._request).choices

    @property
    def is_many(self) -> bool:
        """Whether a meter is searched for instead of chosen."""
        return look(self._request).is_many

    @property
    def sees_all(self) -> bool:
        return rights_of(self._request).is_whole

    @property
    def meter(self) -> Choice | None:
        return look(self._request).chosen

    @cached_property
    def open_alerts(self) -> int:
        """How many go on; 0 for whoever may not see them."""
        return board.raised(rights_of(self._request)).count() if may(self._request.user, "view", Alert) else 0

    @property
    def wanted(self) -> str:
        """The meter that links to other pages keep; empty: the first one."""
        wanted = look(self._request).wanted
        return wanted if wanted is not None and self.meter is not None else ""
