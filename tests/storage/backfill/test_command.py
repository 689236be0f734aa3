"""The whole command, on real roll-ups; where Home Assistant would stand, a stand-in that keeps what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from bridge.config import HomeAssistantSettings, Settings
from bridge.tic.catalogue import Mode
from bridge.topics import Topics
from homeassistant.discovery import MeterFacts, Setting, meter_message
from storage.backfill.filling import unique_id
from storage.backfill.repair import HOUR
from storage.dirty import mark_all
from storage.models import Data, Dirty, Epoch, Meter
from storage.rollups import roll_up
from storage.window import REGISTERS
from tests.storage.backfill.standin import Answer, HangupError, RefusalError, StandIn
from tests.storage.engine import Said
from tests.storage.queries.histories import AUTUMN, at, ms_of

pytestmark = pytest.mark.django_db

EAST: Final = "sensor.the_owners_name"
TOKEN: Final = "secret-token"
START: Final = AUTUMN.replace(minute=0)  # of a weekend with a day of 25 hours
HOURS: Final = 30


def said() -> list[Said]:
    """A reading each four minutes, in each of which 40 Wh are taken."""
    first = ms_of(START)
    nothing: dict[str, int | None] = dict.fromkeys(REGISTERS)
    return [
        Said(first + n * 240_000, nothing | {"east": 50_000 + 40 * n, "sinsts": 600, "sinsti": None})
        for n in range(HOURS * 15 + 1)
    ]


def write(readings: list[Said]) -> Meter:
    """Store them, and roll them up."""
    meter = Meter.objects.create(meter_id="042161000001", mode="standard", timezone="Europe/Paris")
    epoch = Epoch.objects.create(meter=meter, uuid=UUID(int=1), bridge="attic", handled=len(readings), floor=1)
    Data.objects.bulk_create(
        Data(meter=meter, epoch=epoch, seq=seq, dateTime=at(one.ms), **one.values)
        for seq, one in enumerate(readings, 1)
    )
    mark_all(meter.pk)
    for _ in roll_up():
        pass
    return meter


class Recorder:
    """The stand-in's statistics of one entity, in kWh."""

    def __init__(self, meter: str, *, missing: range, is_admin: bool = True, unit: str = "kWh") -> None:
        first = int(START.timestamp())
        self.rows: dict[int, tuple[float, float]] = {
            first + n * HOUR: ((50_600 + 600 * n) / 1000, 600 * n / 1000) for n in range(HOURS) if n not in missing
        }
        self.kept = {"statistic_id": EAST, "source": "recorder", "name": None, "has_sum": True, "mean_type": 0,
                     "unit_class": "energy", "statistics_unit_of_measurement": unit}  # fmt: skip
        self.answers: dict[str, Answer] = {
            "auth/current_user": lambda _: {"is_admin": is_admin},
            "config/entity_registry/list": lambda _: [
                {"platform": "mqtt", "unique_id": f"linky_{meter}_east", "entity_id": EAST},
                {"platform": "other", "unique_id": f"linky_{meter}_easf01", "entity_id": "sensor.no_business_of_ours"},
            ],
            "recorder/get_statistics_metadata": lambda _: [self.kept],
            "recorder/statistics_during_period": self._period,
            "recorder/import_statistics": self._import,
            "recorder/adjust_sum_statistics": self._adjust,
        }

    def _period(self, question: dict[str, Any]) -> Any:
        assert question["units"] == {"energy": "Wh"}
        if question["period"] != "hour":
            return {}
        since, until = _seconds(question["start_time"]), _seconds(question["end_time"])
        rows = [
            {"start": start * 1000, "state": state * 1000, "sum": total * 1000}
            for start, (state, total) in sorted(self.rows.items())
            if since <= start < until
        ]
        return {EAST: rows} if rows else {}

    def _import(self, question: dict[str, Any]) -> None:
        assert question["metadata"]["unit_of_measurement"] == self.kept["statistics_unit_of_measurement"]
        assert "statistics_unit_of_measurement" not in question["metadata"]
        for row in question["stats"]:
            self.rows[_seconds(row["start"])] = row["state"], row["sum"]

    def _adjust(self, question: dict[str, Any]) -> None:
        assert question["adjustment_unit_of_measurement"] == "Wh"
        for start, (state, total) in self.rows.items():
            if start >= _seconds(question["start_time"]):
                self.rows[start] = state, total + question["adjustment"] / 1000


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def in_wh(rows: dict[int, tuple[float, float]]) -> dict[int, tuple[int, int]]:
    return {start: (round(state * 1000), round(total * 1000)) for start, (state, total) in rows.items()}


Open = Callable[..., StandIn]


@pytest.fixture
def meter() -> Meter:
    return write(said())


@pytest.fixture
def standin(settings: Any, tmp_path: Path) -> Iterator[Open]:
    """Open one, and configure it as Home Assistant."""
    opened: list[StandIn] = []

    def start(answers: dict[str, Answer], **how: Any) -> StandIn:
        opened.append(StandIn(answers, **how))
        configure(settings, tmp_path, opened[-1].url)
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def configure(settings: Any, folder: Path, url: str | None, token: str | None = TOKEN) -> None:
    path = folder / "token"
    path.touch(mode=0o600)
    path.write_text(token or "")
    given = HomeAssistantSettings(url=url, token_file=path if token is not None else None)
    settings.TICBRIDGE = Settings(homeassistant=given)


def run(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("ha_backfill", *arguments, stdout=out)
    return out.getvalue().splitlines()


def refused(*arguments: str) -> str:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    text = str(caught.value)
    assert TOKEN not in text
    return text


# --- what it does ----------------------------------------------------------------------------------


def test_missed_hours_are_written_once_and_add_up(meter: Meter, standin: Open) -> None:
    """Through the night in which an hour comes twice, in the unit that Home Assistant keeps."""
    recorder = Recorder(meter.meter_id, missing=range(4, 28))
    whole = Recorder(meter.meter_id, missing=range(0)).rows
    server = standin(recorder.answers)
    hole = f"{EAST}: 24 hours from 2026-10-24 09:00+0200 to 2026-10-25 08:00+0100, index 66.800 kWh at their end"
    head = f"Home Assistant 2026.11.0 at {server.url}"
    assert run() == [head, hole, "24 hours would be written: --write writes them"]
    assert len(recorder.rows) == HOURS - 24
    assert run("--write") == [head, hole, "24 hours written"]
    assert in_wh(recorder.rows) == in_wh(whole)
    assert run("--write") == [head, f"{EAST}: no hour to give back", "Nothing was to write"]
    assert sum(one["type"] == "recorder/import_statistics" for one in server.asked) == 1


def test_sums_are_moved_before_the_hours_are_written(meter: Meter, standin: Open) -> None:
    """Cut off in between, the hole must still be there."""
    recorder = Recorder(meter.meter_id, missing=range(4, 6))
    for start in [start for start in recorder.rows if start >= int(START.timestamp()) + 6 * HOUR]:
        state, total = recorder.rows[start]
        recorder.rows[start] = state, total - 1.8
    server = standin(recorder.answers)
    assert "sums after them move by +1.800 kWh" in run("--write")[1]
    writing = ["recorder/adjust_sum_statistics", "recorder/import_statistics"]
    assert [one["type"] for one in server.asked if one["type"] in writing] == writing
    assert in_wh(recorder.rows) == in_wh(Recorder(meter.meter_id, missing=range(0)).rows)


def test_older_hours_can_be_left_as_they_are(meter: Meter, standin: Open) -> None:
    recorder = Recorder(meter.meter_id, missing=range(4, 5))
    del recorder.rows[int(START.timestamp()) + 26 * HOUR]
    standin(recorder.answers)
    assert run("--since", "2026-10-25")[1:] == [
        f"{EAST}: 1 hour from 2026-10-25 06:00+0100 to 2026-10-25 07:00+0100, index 66.200 kWh at their end",
        "1 hour would be written: --write writes them",
    ]


def test_hours_that_are_not_rolled_up_are_told_and_left(meter: Meter, standin: Open) -> None:
    hour = START + timedelta(hours=5)
    Dirty.objects.create(meter=meter, hour=hour, first=ms_of(hour), last=ms_of(hour))
    standin(Recorder(meter.meter_id, missing=range(4, 7)).answers)
    assert run()[1:] == [
        "1 hour not rolled up yet: run this again in some minutes",
        f"{EAST}: 1 hour from 2026-10-24 09:00+0200 to 2026-10-24 10:00+0200, index 53.000 kWh at their end",
        f"{EAST}: 1 hour from 2026-10-24 11:00+0200 to 2026-10-24 12:00+0200, index 54.200 kWh at their end",
        f"{EAST}: 1 hour is missing, and not known here either",
        "2 hours would be written: --write writes them",
    ]


def test_hours_that_were_not_heard_here_either_are_called_estimates(standin: Open) -> None:
    first = ms_of(START)
    meter = write([one for one in said() if not 5 * 3_600_000 < one.ms - first < 8 * 3_600_000])
    standin(Recorder(meter.meter_id, missing=range(4, 9)).answers)
    assert run()[1] == (
        f"{EAST}: 5 hours from 2026-10-24 09:00+0200 to 2026-10-24 14:00+0200, index 55.400 kWh at their end; "
        "3 of them estimated, not heard here either"
    )


def test_a_meter_that_home_assistant_does_not_know_is_told(meter: Meter, standin: Open) -> None:
    answers = Recorder("000000000000", missing=range(0)).answers
    standin(answers)
    assert run()[-1].startswith("Home Assistant keeps no index of these meters: did it see them")
    assert refused("--meter", "1") == "There is no meter 1 in the database"


def test_unique_ids_are_those_of_the_discovery() -> None:
    setting = Setting(Topics(), "pi", "1")
    facts = MeterFacts("042161000001", "Linky", Mode.STANDARD, REGISTERS)
    announced = meter_message(setting, facts).payload
    assert [name for name in REGISTERS if f'"{unique_id("042161000001", name)}"' not in announced] == []


# --- what can go wrong, in one sentence each -------------------------------------------------------


NOBODY: Final = "http://127.0.0.1:1"
MAKE_ONE: Final = "under your name, Security, Long-lived access tokens"
NO_TOKEN: Final = (
    f"homeassistant.token_file is not set in config.yaml: make a token on Home Assistant's page, {MAKE_ONE}"
)
NO_ANSWER: Final = (
    f"Home Assistant does not answer at {NOBODY} ([Errno 111] Connection refused): is homeassistant.url right, "
    "and does it run?"
)
REFUSED: Final = (
    "Home Assistant at {url} refuses the token of homeassistant.token_file: was it deleted? Make one on its page, "
    f"{MAKE_ONE}"
)


@pytest.mark.parametrize(
    ("url", "token", "sentence"),
    [
        (None, TOKEN, "homeassistant.url is not set in config.yaml: where is Home Assistant?"),
        (NOBODY, None, NO_TOKEN),
        (NOBODY, TOKEN, NO_ANSWER),
    ],
)
def test_what_is_not_configured_or_not_there_is_named(
    url: str | None, token: str | None, sentence: str, settings: Any, tmp_path: Path
) -> None:
    configure(settings, tmp_path, url, token)
    assert refused() == sentence


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({"token": "another"}, REFUSED),
        ({"version": "2025.10.4"}, "Home Assistant 2025.10.4 is too old to take in hours: 2025.11 or newer is needed"),
        ({"first": '{"hello": "world"}'}, "What answers at {url} is not Home Assistant: is homeassistant.url right?"),
        ({"first": "hello"}, "What answers at {url} is not Home Assistant: is homeassistant.url right?"),
        ({"first": "[]"}, "What answers at {url} is not Home Assistant: is homeassistant.url right?"),
    ],
)
def test_what_answers_wrongly_is_named(how: dict[str, str], sentence: str, meter: Meter, standin: Open) -> None:
    server = standin(Recorder(meter.meter_id, missing=range(0)).answers, **how)
    assert refused() == sentence.format(url=server.url)


def test_a_token_that_may_only_read_is_named_before_anything_is_written(meter: Meter, standin: Open) -> None:
    recorder = Recorder(meter.meter_id, missing=range(4, 5), is_admin=False)
    server = standin(recorder.answers)
    assert run()[1] == "Its token is not an administrator's: it may read and not write"
    asked = len(server.asked)
    assert refused("--write") == "Its token is not an administrator's: it may read and not write"
    assert [one["type"] for one in server.asked[asked:]] == ["auth/current_user"]


def test_a_refusal_is_told_with_its_reason(meter: Meter, standin: Open) -> None:
    recorder = Recorder(meter.meter_id, missing=range(4, 5))

    def refuse(code: str, message: str) -> Answer:
        def answer(_: dict[str, Any]) -> None:
            raise RefusalError(code, message)

        return answer

    recorder.answers["recorder/import_statistics"] = refuse("unauthorized", "Unauthorized")
    standin(recorder.answers)
    assert refused("--write").startswith("Home Assistant lets this token read and not write: make homeassistant.token")
    recorder.answers["recorder/import_statistics"] = refuse("home_assistant_error", "Invalid timestamp")
    assert refused("--write") == "Home Assistant refused recorder/import_statistics (Invalid timestamp)"


def test_a_connection_that_breaks_is_told(meter: Meter, standin: Open) -> None:
    recorder = Recorder(meter.meter_id, missing=range(4, 5))

    def hang_up(_: dict[str, Any]) -> None:
        raise HangupError

    recorder.answers["recorder/import_statistics"] = hang_up
    server = standin(recorder.answers)
    sentence = refused("--write")
    assert sentence.startswith(f"The connection to Home Assistant at {server.url} broke (")
    assert sentence.endswith("): does it still run? The same command again goes on from there")


def test_what_it_did_not_write_is_told(meter: Meter, standin: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.backfill.filling._PATIENCE", 0.3)
    recorder = Recorder(meter.meter_id, missing=range(4, 5))
    recorder.answers["recorder/import_statistics"] = lambda _: None
    standin(recorder.answers)
    assert refused("--write") == (
        f"Home Assistant did not write all hours of {EAST} within 0 s: look at its log, and try again"
    )


def test_a_unit_that_is_no_energy_of_ours_is_refused(meter: Meter, standin: Open) -> None:
    standin(Recorder(meter.meter_id, missing=range(4, 5), unit="MJ").answers)
    assert refused() == f"{EAST} is kept in MJ; expected one of Wh, kWh, MWh, GWh: choose one on the entity's page"
