"""Sends what is in the outbox, in a thread of its own: a target that does not answer holds up nothing but itself.

A row is claimed by one conditional update before it is sent, so of several stores one sends it. One that is killed
between claim and answer leaves a row that is due again: the receiver then sees the same number twice, and can tell.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import django.db
from django.conf import settings
from django.db import connection
from django.db.models import F

from storage.webhooks.models import Delivery, Webhook
from storage.webhooks.sending import Attempt, Outcome, attempt

log = logging.getLogger("ticbridge.webhooks")

EVERY: Final = 2.0  # seconds between two looks
OLDEST: Final = timedelta(days=1)  # after which nobody wants to hear of it
_LEASE: Final = timedelta(minutes=2)  # longer than any attempt
_LONGEST: Final = timedelta(hours=1)  # between two attempts
_TIDY: Final = timedelta(hours=1)
_GIVEN_UP_FOR: Final = timedelta(days=30)  # that the owner may look at it
_SLICE: Final = 1000

_State = Delivery.State


class Courier(threading.Thread):
    """Turns until stopped."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(name="webhooks", daemon=True)
        self._now = now
        self._stopping = threading.Event()
        self._tidied: datetime | None = None
        self._said = ""

    def stop(self) -> None:
        """Wait for the attempt under way, as long as a stop may take; one that is cut off is made again."""
        self._stopping.set()
        if self.is_alive():
            self.join(1.0)

    def run(self) -> None:
        while not self._stopping.is_set():
            self.turn()
            self._stopping.wait(EVERY)
        connection.close()

    def turn(self) -> None:
        """Everything that is due: of each webhook the oldest in turn, so that a slow one is not all that is served."""
        try:
            if self._tidied is None or self._now() - self._tidied >= _TIDY:
                self._tidied = self._now()
                tidy(self._now())
            while (due := list(_due(self._now()))) and not self._stopping.is_set():
                for row in due:
                    if self._stopping.is_set():
                        return
                    self.deliver(row)
            self._said = ""
        except django.db.Error as error:
            self._fail(str(error).strip())
            connection.close()
        except Exception:
            log.exception("Sending webhooks failed; trying again soon")
            connection.close()

    def deliver(self, row: Delivery) -> None:
        """One attempt, unless somebody else makes it."""
        now = self._now()
        mine = Delivery.objects.filter(pk=row.pk, state=_State.WAITING, due=row.due)
        if not mine.update(due=now + _LEASE, attempts=F("attempts") + 1):
            return
        row.attempts += 1
        number = str(row.event_id)
        made = attempt(row.webhook, number, row.payload, private=settings.NOTIFY_PRIVATE, now=now)
        _note(row, made, self._now())

    def _fail(self, sentence: str) -> None:
        if sentence != self._said:
            self._said = sentence
            log.error("The outbox of webhooks cannot be read (%s); trying again until it can", sentence)


def _due(now: datetime) -> Iterator[Delivery]:
    waiting = Delivery.objects.filter(state=_State.WAITING, due__lte=now, webhook__is_active=True)
    for key in waiting.order_by("webhook_id").values_list("webhook_id", flat=True).distinct():
        row = waiting.filter(webhook_id=key).select_related("webhook").order_by("due", "pk").first()
        if row is not None:
            yield row


def _note(row: Delivery, made: Attempt, now: datetime) -> None:
    """What became of it; nothing if the row was taken back or sent anew meanwhile."""
    webhook = row.webhook
    waiting = Delivery.objects.filter(state=_State.WAITING)
    told = waiting.filter(pk=row.pk)
    if made.outcome is Outcome.DELIVERED:
        told.update(state=_State.DELIVERED, finished=now, status=made.status, said="")
    elif made.outcome is Outcome.NEVER or row.attempts > webhook.retries:
        told.update(state=_State.GIVEN_UP, finished=now, status=made.status, said=made.said)
        log.warning("Webhook %s: %s is given up after attempt %d (%s)", webhook, row.event, row.attempts, made.said)
    else:
        pause = made.wait or timedelta(seconds=webhook.delay)
        told.update(due=now + max(pause, _backoff(webhook, row.attempts)), status=made.status, said=made.said)
        # The target has trouble: it is asked again for something else only after a pause, not once for each message.
        waiting.filter(webhook=webhook, due__lt=now + pause).exclude(pk=row.pk).update(due=now + pause)


def _backoff(webhook: Webhook, attempts: int) -> timedelta:
    return min(_LONGEST, timedelta(seconds=webhook.delay << (attempts - 1)))


def tidy(now: datetime) -> None:
    """Give up what nobody wants to hear any more, and forget what is done."""
    old = Delivery.objects.filter(state=_State.WAITING, created__lt=now - OLDEST)
    given_up = old.update(state=_State.GIVEN_UP, finished=now, said="could not be delivered within a day")
    if given_up:
        log.warning("%d messages of webhooks are given up: they could not be delivered within a day", given_up)
    for state, age in ((_State.DELIVERED, settings.NOTIFY_KEEP), (_State.GIVEN_UP, _GIVEN_UP_FOR)):
        if age is None:
            continue
        done = Delivery.objects.filter(state=state, finished__lt=now - age)
        while keys := list(done.values_list("pk", flat=True)[:_SLICE]):
            Delivery.objects.filter(pk__in=keys).delete()
