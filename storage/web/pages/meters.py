"""All meters as a list to search, and a group of them with what it takes together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from storage.api.access import may
from storage.entities.acting import acting
from storage.groups import MeterGroup, Node, Tree
from storage.models import Meter, Rollup
from storage.queries.many import Total, added
from storage.rights import may_write, rights_of
from storage.web.meterlist import (
    OFFLINE,
    ONLINE,
    SORTS,
    STATES,
    Line,
    Wanted,
    energies,
    lines,
    sorted_by,
    with_energy,
)
from storage.web.shown import UNKNOWN, amount
from storage.web.stream import hub_of
from storage.web.words import age

_ON_A_PAGE: Final = 50
_MANY_WH: Final = 1_000_000
_PARTS: Final = 50  # meters of a group that are named one by one
_TARGETS: Final = ("now", "history", "costs", "tempo", "meter", "data", "contract")  # pages of one meter


@dataclass(frozen=True, slots=True)
class Shown:
    """A line in words."""

    line: Line
    link: str

    @property
    def age(self) -> str:
        return "" if self.line.age is None else age(self.line.age)

    @property
    def power(self) -> str:
        return UNKNOWN if self.line.power is None else amount(round(self.line.power), "VA")

    @property
    def today(self) -> Figure:
        return Figure(self.line.today)

    @property
    def month(self) -> Figure:
        return Figure(self.line.month)


@dataclass(frozen=True, slots=True)
class Figure:
    """Energy, and what is missing in it."""

    total: Total | None

    @property
    def text(self) -> str:
        return _kilowatt_hours(self.total.drawn if self.total else None)

    @property
    def injected(self) -> str:
        wh = self.total.injected if self.total else None
        return gettext("{energy} injected").format(energy=_kilowatt_hours(wh)) if wh else ""

    @property
    def lacks(self) -> str:
        """Empty: nothing is missing."""
        hours = self.total.lacking if self.total else 0
        return gettext("{hours} not known").format(hours=amount(hours, "h")) if hours else ""


def _kilowatt_hours(wh: int | None) -> str:
    """To a tenth, while that is more than a thousandth of it."""
    return UNKNOWN if wh is None else amount(wh / 1000, "kWh", 1 if wh < _MANY_WH else 0)


@require_safe
@never_cache
def meters(request: HttpRequest) -> HttpResponse:
    """`?q=&group=&state=&sort=&page=`; `to` is the page that a meter's name leads to."""
    _must_see(request)
    rights, now = rights_of(request), timezone.now()
    tree = Tree.read().only(rights.groups)
    wanted = _wanted(request, tree)
    found = lines(rights, tree, wanted, hub_of(request), now)
    page = Paginator(sorted_by(found, wanted, now), _ON_A_PAGE).get_page(request.GET.get("page"))
    to = request.GET.get("to", "")
    to = to if to in _TARGETS else "now"
    context = {
        "wanted": wanted,
        "to": to,
        "page": page,
        "shown": [_shown(line, to) for line in with_energy(list(page.object_list), now)],
        "summary": _summary(found),
        "tree": list(tree.nodes.values()),
        "top": [
            (node, sum(line.meter.group_id in tree.within([node.pk]) for line in found)) for node in tree.children(None)
        ],
        "states": STATES,
        "sorts": {name: title for name, (title, _) in SORTS.items()},
        "query": _query(request),
        "may_assign": bool(tree.nodes) and may_write(request, "change", Meter),
        "may_group": may_write(request, "add", MeterGroup),
        "is_asked": bool(wanted.text or wanted.group is not None or wanted.state),
    }
    return render(request, "storage/meters.html", context)


def _must_see(request: HttpRequest) -> None:
    if not (may(request.user, "view", Meter) and may(request.user, "view", Rollup)):
        raise PermissionDenied


def _wanted(request: HttpRequest, tree: Tree) -> Wanted:
    """What makes no sense asks for nothing."""
    given = request.GET
    group = next((node.pk for node in tree.nodes.values() if node.uuid == given.get("group")), None)
    state, sort = given.get("state", ""), given.get("sort", "name")
    return Wanted(
        given.get("q", "")[:64].strip(), group, state if state in STATES else "", sort if sort in SORTS else "name"
    )


def _query(request: HttpRequest, *without: str) -> str:
    """The question again, for links to its other pages."""
    kept = {name: request.GET[name] for name in ("q", "group", "state", "sort", "to") if request.GET.get(name)}
    return urlencode({name: value for name, value in kept.items() if name not in without})


def _shown(line: Line, to: str) -> Shown:
    return Shown(line, f"{reverse(to)}?{urlencode({'meter': line.meter.meter_id})}")


def _summary(found: Sequence[Line]) -> str:
    """How many there are, how many speak, and what they draw together."""
    known = [line.power for line in found if line.power is not None]
    return f"{_counted(found)} · {amount(round(sum(known)), 'VA')}" if known else _counted(found)


def _counted(found: Sequence[Line]) -> str:
    online = [line for line in found if line.state == ONLINE]
    return ngettext("{n} meter, {online} online", "{n} meters, {online} online", len(found)).format(
        n=len(found), online=len(online)
    )


# --- assigning many at once ----------------------------------------------------------------------


@require_POST
@never_cache
def assign(request: HttpRequest) -> HttpResponse:
    """Put the ticked meters, or (`every`) all that the question finds, into a group or into none."""
    if not may_write(request, "change", Meter):
        raise PermissionDenied
    rights = rights_of(request)
    tree = Tree.read()
    target = request.POST.get("target", "")
    group = next((node for node in tree.nodes.values() if node.uuid == target), None)
    if group is None and target != "none":
        raise Http404
    if "every" in request.POST:
        found = lines(rights, tree, _wanted(request, tree), hub_of(request), timezone.now())
        keys = [line.meter.pk for line in found]
    else:
        keys = [int(key) for key in request.POST.getlist("meter") if key.isascii() and key.isdigit()][:_MOST]
    rows = rights.meters().filter(pk__in=keys).order_by()
    rows = rows.exclude(group=None) if group is None else rows.exclude(group=group.pk)
    with acting(request.user):
        changed = rows.update(group=None if group is None else group.pk)
    messages.success(request, _assigned(changed, tree, group))
    return redirect(f"{reverse('meters')}?{_query(request)}")


_MOST: Final = 1000


def _assigned(changed: int, tree: Tree, group: Node | None) -> str:
    if not changed:
        return gettext("Nothing was changed: tick the meters first.")
    if group is None:
        text = ngettext("{n} meter is in no group now.", "{n} meters are in no group now.", changed)
        return text.format(n=changed)
    text = ngettext("{n} meter is in {group} now.", "{n} meters are in {group} now.", changed)
    return text.format(n=changed, group=tree.name(group.pk))


# --- a group -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """A part of a group, or all of it."""

    name: str
    link: str
    meters: int
    online: int
    power: str
    today: Figure
    month: Figure
    year: Figure

    @property
    def silent(self) -> int:
        return self.meters - self.online


@require_safe
@never_cache
def group(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """What a group draws, and its parts: they add up, for a meter is in one group at most."""
    _must_see(request)
    rights, now = rights_of(request), timezone.now()
    tree = Tree.read().only(rights.groups)
    node = next((one for one in tree.nodes.values() if one.uuid == str(uuid)), None)
    if node is None:
        raise Http404
    found = with_energy(lines(rights, tree, Wanted(group=node.pk), hub_of(request), now), now)
    years = energies([line.meter for line in found], now, lambda day: day.replace(month=1, day=1))
    context = {
        "group": node,
        "path": tree.path(node.pk)[:-1],
        "whole": _row("", "", found, years),
        "parts": _parts(tree, node, found, years),
        "summary": _counted(found),
        "list": f"{reverse('meters')}?{urlencode({'group': node.uuid})}",
        "offline": f"{reverse('meters')}?{urlencode({'group': node.uuid, 'state': OFFLINE})}",
        "may_change": may_write(request, "change", MeterGroup),
    }
    return render(request, "storage/group.html", context)


def _parts(tree: Tree, node: Node, found: Sequence[Line], years: dict[int, Total]) -> list[Row]:
    """The groups inside, then the meters that are in the group itself; of many, those that draw most."""
    rows = []
    for child in tree.children(node.pk):
        inside = tree.within([child.pk])
        own = [line for line in found if line.meter.group_id in inside]
        rows.append(_row(child.name, reverse("group", args=[child.uuid]), own, years))
    own = sorted(
        (line for line in found if line.meter.group_id == node.pk), key=lambda line: -(years[line.meter.pk].drawn or 0)
    )
    rows += [_row(str(line.meter), _shown(line, "now").link, [line], years) for line in own[:_PARTS]]
    if own[_PARTS:]:
        name = ngettext("{n} other meter", "{n} other meters", len(own[_PARTS:])).format(n=len(own[_PARTS:]))
        rows.append(_row(name, "", own[_PARTS:], years))
    return rows


def _row(name: str, link: str, own: Sequence[Line], years: dict[int, Total]) -> Row:
    online = [line for line in own if line.state == ONLINE]
    known = [line.power for line in online if line.power is not None]
    return Row(
        name, link, len(own), len(online), amount(round(sum(known)), "VA") if known else UNKNOWN,
        Figure(added(line.today for line in own if line.today)),
        Figure(added(line.month for line in own if line.month)),
        Figure(added(years[line.meter.pk] for line in own)),
    )  # fmt: skip
