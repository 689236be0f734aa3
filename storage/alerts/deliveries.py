"""Messages that wait: written with what they tell, claimed before each try, and given up where everybody sees it.

A message is claimed by one conditional update that also says when the next try is due. So two workers never send the
same one at once, and one that is killed in between leaves a message that is sent again: at least once, never lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from storage.alerts.conditions import Change
from storage.alerts.models import Alert, AlertRule, Delivery
from storage.events import Event, Kind, occurred

_FIRST_WAIT: Final = 30  # seconds until the second try; then twice as long each time
_MAX_WAIT: Final = 3600
TRIES: Final = {Delivery.Channel.MQTT: 8, Delivery.Channel.MAIL: 30}  # an hour: it is no news then; a day
_MOST: Final = 50  # of one turn
MOST_MAILED: Final = 10  # alerts of a rule in an hour: a value that wavers around its limit would fill every mailbox
_HOUR: Final = timedelta(hours=1)
_KEPT: Final = 10_000  # alerts that are over

_CHANGES: Final = {Kind.ALERT_RAISED: Change.RAISED, Kind.ALERT_CLEARED: Change.CLEARED}


class Outbox:
    """Hears of alerts and writes their messages, in the transaction that tells of them."""

    def __init__(self, *, mqtt: bool, on_written: Callable[[], None] = lambda: None) -> None:
        self._mqtt = mqtt  # whether this process has a client to send with
        self._on_written = on_written  # called when messages are committed

    def open(self) -> None:
        """Begin to hear."""
        occurred.connect(self.hear, Event, weak=False, dispatch_uid="alerts")

    def close(self) -> None:
        """Hear no more."""
        occurred.disconnect(sender=Event, dispatch_uid="alerts")

    def hear(self, *, event: Event, **_: object) -> None:
        """Write who is to be told."""
        change = _CHANGES.get(event.kind)
        if change is None:
            return
        alert = Alert.objects.select_related("rule").get(pk=event.attributes["alert"])
        if change is Change.RAISED:
            receivers = self._receivers(alert.rule, event.at)
        else:  # whoever was told that it began
            told = Delivery.objects.filter(alert=alert, change=Change.RAISED).order_by("pk")
            receivers = list(told.values_list("channel", "recipient"))
        if not self._mqtt:
            receivers = [one for one in receivers if one[0] != Delivery.Channel.MQTT]
        Delivery.objects.bulk_create(
            Delivery(alert=alert, change=change, channel=channel, recipient=recipient,
                     value=event.attributes["value"], at=event.at)
            for channel, recipient in receivers
        )  # fmt: skip
        transaction.on_commit(self._on_written)

    @staticmethod
    def _receivers(rule: AlertRule, at: datetime) -> list[tuple[str, str]]:
        """(channel, recipient) of each; no mailbox when those of the rule were filled often enough in this hour."""
        receivers = [(Delivery.Channel.MQTT.value, "")] if rule.mqtt else []
        recent = Alert.objects.filter(rule=rule, raised__gt=at - _HOUR, deliveries__channel=Delivery.Channel.MAIL)
        if rule.addresses and recent.distinct().count() < MOST_MAILED:
            receivers += [(Delivery.Channel.MAIL.value, address) for address in rule.addresses]
        return receivers


def due(channel: Delivery.Channel, now: datetime) -> list[Delivery]:
    """What may be sent now, in the order in which it was written: nobody hears of an end before the beginning."""
    earlier = Delivery.objects.filter(
        alert=OuterRef("alert"), channel=OuterRef("channel"), recipient=OuterRef("recipient"),
        state=Delivery.State.WAITING, pk__lt=OuterRef("pk"),
    )  # fmt: skip
    is_due = Q(due__lte=now) | Q(due__gt=now + timedelta(seconds=2 * _MAX_WAIT))  # the latter: the clock was set back
    waiting = Delivery.objects.filter(is_due, ~Exists(earlier), state=Delivery.State.WAITING, channel=channel)
    return list(waiting.select_related("alert__rule", "alert__meter").order_by("pk")[:_MOST])


def claim(delivery: Delivery, now: datetime) -> bool:
    """Take it for one try; False: another worker did."""
    wait = min(_MAX_WAIT, _FIRST_WAIT * 2**delivery.tries)
    rows = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.WAITING, tries=delivery.tries)
    if not rows.update(tries=F("tries") + 1, due=now + timedelta(seconds=wait)):
        return False
    delivery.tries += 1
    return True


def note_sent(delivery: Delivery, now: datetime) -> None:
    """It arrived."""
    Delivery.objects.filter(pk=delivery.pk).update(state=Delivery.State.SENT, sent=now, error="")


def note_failed(delivery: Delivery, error: str, *, is_final: bool) -> bool:
    """It did not; whether it is given up."""
    is_over = is_final or delivery.tries >= TRIES[Delivery.Channel(delivery.channel)]
    state = Delivery.State.FAILED if is_over else Delivery.State.WAITING
    Delivery.objects.filter(pk=delivery.pk).update(state=state, error=error[:300])
    return is_over


def forget_old() -> Iterator[int]:
    """Keep the newest alerts that are over; a transaction."""
    over = Alert.objects.filter(cleared__isnull=False).order_by("-pk")
    last = over.values_list("pk", flat=True)[_KEPT : _KEPT + 1].first()
    if last is not None:
        yield Alert.objects.filter(cleared__isnull=False, pk__lte=last).delete()[0]
