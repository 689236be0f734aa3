"""Home Assistant's websocket: one question, one answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from time import monotonic
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from storage.backfill.repair import Row, Shift

OLDEST: Final = (2025, 11)  # the first release whose import_statistics knows unit_class and mean_type
# Wh in each unit that Home Assistant may keep an energy in.
UNITS: Final[Mapping[str, int]] = {"Wh": 1, "kWh": 1000, "MWh": 1_000_000, "GWh": 1_000_000_000}
_WAIT: Final = 30.0  # seconds for an answer
_LARGEST: Final = 64 * 1024 * 1024  # bytes of one: a year of one index is a megabyte
_YEAR: Final = 366 * 86_400


class HassError(Exception):
    """It could not be asked; the text says what happened and what to do."""


class Statistic(NamedTuple):
    """How Home Assistant keeps the statistics of an entity."""

    entity_id: str
    unit: str
    about: dict[str, Any]  # as import_statistics wants it back, JSON


class Hass:
    """A connection to Home Assistant, logged in."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self._number = 0
        address = f"ws{self.url.removeprefix('http')}/api/websocket"
        self._end = ExitStack()
        try:
            self._socket = self._end.enter_context(connect(address, max_size=_LARGEST, proxy=None, open_timeout=_WAIT))
        except (OSError, WebSocketException) as error:
            raise HassError(
                f"Home Assistant does not answer at {self.url} ({_reason(error)}): is homeassistant.url right, "
                "and does it run?"
            ) from None
        try:
            self.version = self._log_in(token)
        except BaseException:
            self._end.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end.close()

    # --- questions -------------------------------------------------------------------------------

    def is_administrator(self) -> bool:
        """Whether the token may write."""
        return bool(self._ask("auth/current_user")["is_admin"])

    def entities(self) -> dict[str, str]:
        """Unique id -> entity id, of every entity that came by MQTT, whatever its owner calls it."""
        rows = self._ask("config/entity_registry/list")
        return {str(row["unique_id"]): str(row["entity_id"]) for row in rows if row["platform"] == "mqtt"}

    def statistics(self, entity_ids: Sequence[str]) -> dict[str, Statistic]:
        """Of those of which it keeps sums, by entity id."""
        found = {}
        for one in self._ask("recorder/get_statistics_metadata", statistic_ids=list(entity_ids)):
            if one["has_sum"]:
                unit = one["statistics_unit_of_measurement"]
                keys = ("statistic_id", "source", "name", "has_sum", "mean_type", "unit_class")
                about = {key: one[key] for key in keys} | {"unit_of_measurement": unit}
                found[one["statistic_id"]] = Statistic(one["statistic_id"], unit, about)
        return found

    def hours(self, statistic: Statistic, start: int, end: int) -> list[Row]:
        """The rows of start..end, in Wh; a year for each question."""
        found: list[Row] = []
        for since in range(start, end, _YEAR):
            found += self._rows(statistic, "hour", since, min(end, since + _YEAR))
        return found

    def newest(self, statistic: Statistic, start: int) -> Row | None:
        """The first row of five minutes from `start` on: what the running hour begins with."""
        rows = self._rows(statistic, "5minute", start, None)
        return rows[0] if rows else None

    def write(self, statistic: Statistic, rows: Sequence[Row]) -> None:
        """Write hours, or exchange them. It is done a moment after the answer."""
        factor = UNITS[statistic.unit]
        stats = [
            {"start": _iso(row.start), "state": row.state / factor, "sum": row.sum / factor} for row in rows
        ]  # fmt: skip
        self._ask("recorder/import_statistics", metadata=statistic.about, stats=stats)

    def shift(self, statistic: Statistic, shift: Shift) -> None:
        """Move every sum from a row on, of five minutes too. It is done a moment after the answer."""
        self._ask(
            "recorder/adjust_sum_statistics", statistic_id=statistic.entity_id, start_time=_iso(shift.start),
            adjustment=shift.wh, adjustment_unit_of_measurement="Wh",
        )  # fmt: skip

    def _rows(self, statistic: Statistic, period: str, start: int, end: int | None) -> list[Row]:
        until = {} if end is None else {"end_time": _iso(end)}
        answer = self._ask(
            "recorder/statistics_during_period", statistic_ids=[statistic.entity_id], period=period,
            start_time=_iso(start), types=["state", "sum"], units={"energy": "Wh"}, **until,
        )  # fmt: skip
        return [
            Row(int(row["start"]) // 1000, float(row["state"]), float(row["sum"]))
            for row in answer.get(statistic.entity_id, [])
            if row.get("state") is not None and row.get("sum") is not None
        ]

    # --- the protocol ----------------------------------------------------------------------------

    def _log_in(self, token: str) -> str:
        """The release that answers."""
        if self._receive().get("type") != "auth_required":
            raise HassError(f"What answers at {self.url} is not Home Assistant: is homeassistant.url right?")
        self._send({"type": "auth", "access_token": token})
        answer = self._receive()
        if answer.get("type") != "auth_ok":
            raise HassError(
                f"Home Assistant at {self.url} refuses the token of homeassistant.token_file: was it deleted? Make one "
                "on its page, under your name, Security, Long-lived access tokens"
            )
        version = str(answer.get("ha_version", ""))
        numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        if numbers < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            raise HassError(f"Home Assistant {version} is too old to take in hours: {oldest} or newer is needed")
        return version

    def _ask(self, kind: str, **fields: object) -> Any:  # JSON
        self._number += 1
        self._send({"id": self._number, "type": kind, **fields})
        until = monotonic() + _WAIT
        while monotonic() < until:
            answer = self._receive()
            if answer.get("id") == self._number:
                return self._result(kind, answer)
        raise HassError(f"Home Assistant does not answer to {kind}: is it very busy? Try again")

    def _result(self, kind: str, answer: dict[str, Any]) -> Any:  # as above
        if answer.get("success"):
            return answer.get("result")
        error = answer.get("error") or {}
        if error.get("code") == "unauthorized":
            raise HassError(
                "Home Assistant lets this token read and not write: make homeassistant.token_file with the account of "
                "an administrator"
            )
        raise HassError(f"Home Assistant refused {kind} ({error.get('message') or error.get('code') or 'no reason'})")

    def _send(self, message: dict[str, object]) -> None:
        try:
            self._socket.send(json.dumps(message))
        except (OSError, WebSocketException) as error:
            raise self._broken(error) from None

    def _receive(self) -> dict[str, Any]:
        try:
            message = json.loads(self._socket.recv(_WAIT))
        except (OSError, WebSocketException) as error:
            raise self._broken(error) from None
        except ValueError:
            message = None
        if not isinstance(message, dict):
            raise HassError(f"What answers at {self.url} is not Home Assistant: is homeassistant.url right?")
        return message

    def _broken(self, error: Exception) -> HassError:
        return HassError(
            f"The connection to Home Assistant at {self.url} broke ({_reason(error)}): does it still run? The same "
            "command again goes on from there"
        )


def _reason(error: Exception) -> str:
    """In a line; some errors have no text."""
    return " ".join(str(error).split()) or type(error).__name__


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
