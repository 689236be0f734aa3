"""What every page has around it: the way to the other pages, the meter that is looked at, and how it is lit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from storage import queries
from storage.models import Meter
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
)
_WITHIN_REACH: Final = 4


@dataclass(frozen=True, slots=True)
class Choice:
    """A meter to look at. `row` is None while the store has not seen it yet."""

    meter_id: str
    name: str
    row: Meter | None


def choices(hub: Hub | None) -> list[Choice]:
    """Meters of the database first, then those that are only heard."""
    stored = [Choice(meter.meter_id, str(meter), meter) for meter in queries.meters()]
    known = {choice.meter_id for choice in stored}
    return stored + [Choice(name, name, None) for name in (hub.meters() if hub else []) if name not in known]


@dataclass(frozen=True, slots=True)
class Look:
    """The meters that there are, and which of them the request asks for: `?meter=`, else the first."""

    choices: list[Choice]
    wanted: str | None

    @property
    def chosen(self) -> Choice | None:
        """None: the wanted one is not known, or there is none yet."""
        return next((c for c in self.choices if self.wanted in (None, c.meter_id)), None)


def look(request: HttpRequest) -> Look:
    """Found out once for each request: by the page, or by the frame around it."""
    found = getattr(request, "_look", None)
    if not isinstance(found, Look):
        found = Look(choices(hub_of(request)), request.GET.get("meter"))
        request._look = found  # type: ignore[attr-defined]  # a place of our own
    return found


def no_meter(request: HttpRequest) -> HttpResponse:
    """404: the meter that was asked for is not known."""
    return render(request, "storage/no_meter.html", {"meter": look(request).wanted}, status=404)


def frame(request: HttpRequest) -> dict[str, Any]:
    """The context processor: `frame` in every template."""
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return {"frame": {"theme": theme_of(request)}}
    current = request.resolver_match.url_name if request.resolver_match else None
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
    def meter(self) -> Choice | None:
        return look(self._request).chosen

    @property
    def wanted(self) -> str:
        """The meter that links to other pages keep; empty: the first one."""
        wanted = look(self._request).wanted
        return wanted if wanted is not None and self.meter is not None else ""
