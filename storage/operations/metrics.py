"""`/metrics`: what Prometheus is told. `docs/reference/metrics.md` lists it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from django.conf import settings
from django.db.models import Count, F, OuterRef, QuerySet, Subquery, Sum
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bridge import __version__
from storage import budget
from storage.alerts.models import Alert
from storage.alerts.models import Delivery as Letter
from storage.models import Data, DeadLetter, Dirty, Epoch, Gap, Rollup
from storage.operations.fleet import BridgeInfo, Fleet
from storage.operations.requests import REGISTRY
from storage.rights import Rights
from storage.rows import ROWS
from storage.webhooks.models import Delivery

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def exposition(fleet: Fleet | None, rights: Rights) -> bytes:
    """The whole text, of the meters that are seen."""
    registry = CollectorRegistry()
    registry.register(_From(lambda: stored(rights)))
    if fleet is not None:
        registry.register(_From(lambda: heard(fleet, rights.names())))
    return generate_latest(registry) + generate_latest(REGISTRY)


class _From(Collector):
    """The library's shape of a function that yields metrics."""

    def __init__(self, metrics: Callable[[], Iterable[Metric]]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics()


# --- the database --------------------------------------------------------------------------------


def stored(rights: Rights) -> Iterator[Metric]:
    """What the store wrote."""
    yield _gauge("ticbridge_build_info", "The version of the web process.", ("version",), [((__version__,), 1)])
    newest = Data.objects.filter(meter=OuterRef("pk")).order_by("-dateTime").values("dateTime")[:1]
    meters = rights.meters().annotate(newest=Subquery(newest)).values_list("meter_id", "newest")
    yield _gauge(
        "ticbridge_meter_last_reading_timestamp_seconds", "When the newest stored reading was received.", ("meter",),
        [((meter,), at.timestamp()) for meter, at in meters if at is not None],
    )  # fmt: skip
    yield _counter(
        "ticbridge_store_readings_handled", "Readings stored, set aside or known to be missing.", ("meter",),
        _by_meter(rights.of(Epoch.objects.all()), "meter__meter_id", Sum("handled")),
    )  # fmt: skip
    by = ("epoch__meter__meter_id", "reason")
    gaps: Any = (
        rights.of(Gap.objects.all()).values_list(*by).annotate(times=Count("pk"), lost=Sum(F("last") - F("first") + 1))
    )
    found = list(gaps.order_by(*by))
    labels = ("meter", "reason")
    yield _gauge("ticbridge_gaps", "Times that are missing.", labels, [((m, r), n) for m, r, n, _ in found])
    yield _gauge(
        "ticbridge_gaps_readings",
        "Readings that are missing.",
        labels,
        [((m, r), lost or 0) for m, r, _, lost in found],
    )
    yield _gauge("ticbridge_dead_letters", "Messages set aside.", (), [((), DeadLetter.objects.count())])
    yield _gauge(
        "ticbridge_rollups_waiting", "Hours whose readings are not rolled up yet.", ("meter",),
        _by_meter(rights.of(Dirty.objects.all()), "meter__meter_id", Count("pk")),
    )  # fmt: skip
    yield from _told(rights)
    room = budget.measure(settings.TICBRIDGE.storage.budget)
    yield _gauge("ticbridge_database_bytes", "What the database takes.", (), [((), room.used)])
    yield _gauge("ticbridge_database_budget_bytes", "What its owner gave it.", (), [((), room.budget)])
    if room.left is not None:
        yield _gauge("ticbridge_database_disk_free_bytes", "What is left on its disk.", (), [((), room.left)])
    yield _gauge(
        "ticbridge_database_rows", "Rows, counted every ten minutes.", ("table",),
        [((model.__name__.lower(),), ROWS.of(model)) for model in (Data, Rollup)],
    )  # fmt: skip


def _told(rights: Rights) -> Iterator[Metric]:
    """Alerts, and the messages of alerts and webhooks."""
    raised = rights.of(Alert.objects.filter(state=Alert.State.RAISED))
    yield _gauge(
        "ticbridge_alerts_raised", "Alerts that are raised now.", ("meter",),
        _by_meter(raised, "meter__meter_id", Count("pk")),
    )  # fmt: skip
    waiting = {
        "alert": Letter.objects.filter(state=Letter.State.WAITING),
        "webhook": Delivery.objects.filter(state=Delivery.State.WAITING),
    }
    failed = {
        "alert": Letter.objects.filter(state=Letter.State.FAILED),
        "webhook": Delivery.objects.filter(state=Delivery.State.GIVEN_UP),
    }
    for name, text, kinds in (
        ("waiting", "Messages that wait to be sent.", waiting),
        ("given_up", "Messages that were given up.", failed),
    ):
        numbers = [((kind,), rows.count()) for kind, rows in kinds.items()]
        yield _gauge(f"ticbridge_messages_{name}", text, ("kind",), numbers)


def _by_meter(found: Any, meter: str, total: Any) -> Iterable[tuple[tuple[str], int]]:  # rows of any model
    rows: QuerySet[Any, Any] = found.values_list(meter).annotate(total).order_by(meter)
    return [((name,), number) for name, number in rows]


# --- the broker ----------------------------------------------------------------------------------


def heard(fleet: Fleet, seen: frozenset[str] | None) -> Iterator[Metric]:
    """What bridges and stores say of themselves, and of the meters that are seen; None: all."""
    yield _gauge("ticbridge_broker_connected", "Of the web process.", (), [((), int(fleet.connected is True))])
    bridges = fleet.bridges()
    yield _gauge(
        "ticbridge_bridge_up", "Whether a bridge says so.", ("bridge",),
        [((name,), int(bridge.online)) for name, bridge in bridges.items() if bridge.online is not None],
    )  # fmt: skip
    yield _gauge(
        "ticbridge_store_up", "Whether a store says so.", ("store",),
        [((name,), int(online)) for name, online in fleet.stores().items()],
    )  # fmt: skip
    infos = {name: bridge.info for name, bridge in bridges.items() if bridge.info is not None}
    yield _gauge(
        "ticbridge_bridge_info", "Its version.", ("bridge", "version"),
        [((name, info.version), 1) for name, info in infos.items()],
    )  # fmt: skip
    yield from _spools(infos)
    yield from _lines(infos, seen)


def _spools(infos: dict[str, BridgeInfo]) -> Iterator[Metric]:
    spools = {name: info.spool for name, info in infos.items()}
    label = ("bridge",)
    yield _gauge(
        "ticbridge_spool_depth", "Readings that wait for the store.", label,
        [((name,), spool.depth) for name, spool in spools.items()],
    )  # fmt: skip
    yield _counter(
        "ticbridge_spool_dropped", "Readings for which there was no room.", label,
        [((name,), spool.dropped) for name, spool in spools.items()],
    )  # fmt: skip
    yield _gauge(
        "ticbridge_spool_trouble", "Whether the spool cannot be written.", label,
        [((name,), int(bool(spool.trouble))) for name, spool in spools.items()],
    )  # fmt: skip


def _lines(infos: dict[str, BridgeInfo], seen: frozenset[str] | None) -> Iterator[Metric]:
    lines = [
        (name, line.meter or "", line)
        for name, info in infos.items()
        for line in info.meters
        if seen is None or line.meter in seen
    ]
    label = ("bridge", "meter")
    yield _gauge(
        "ticbridge_source_open", "Whether the port is open.", label,
        [((bridge, meter), int(line.source_open)) for bridge, meter, line in lines],
    )  # fmt: skip
    for what, help_text in (
        ("frames", "Frames that came from the line."),
        ("decoded", "Frames with at least one good group."),
        ("accepted", "Readings that were accepted."),
        ("unspooled", "Readings that could not be spooled."),
    ):
        numbers = [((bridge, meter), getattr(line, what)) for bridge, meter, line in lines]
        yield _counter(f"ticbridge_{what}", help_text, label, numbers)
    refused = [((b, m, reason), n) for b, m, line in lines for reason, n in sorted(line.refused.items())]
    yield _counter("ticbridge_groups_refused", "Groups that were refused.", (*label, "reason"), refused)


# --- shapes --------------------------------------------------------------------------------------

_Numbers = Iterable[tuple[tuple[str, ...], float]]


def _gauge(name: str, text: str, labels: tuple[str, ...], numbers: _Numbers) -> Metric:
    return _filled(GaugeMetricFamily(name, text, labels=labels), numbers)


def _counter(name: str, text: str, labels: tuple[str, ...], numbers: _Numbers) -> Metric:
    return _filled(CounterMetricFamily(name, text, labels=labels), numbers)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, numbers: _Numbers) -> Metric:
    for labels, number in dict(numbers).items():  # each set of labels once, or Prometheus refuses the whole text
        family.add_metric(labels, number)
    return family
