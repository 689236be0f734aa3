"""The page Data: gaps, a sent file from look to result, export, backup, room."""

from __future__ import annotations

import io
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from bridge.config import KeepSettings
from storage.exchange import intake as room
from storage.exchange.intake import BusyError, Intake, Job, State, Wish
from storage.growth import Growth, growth
from storage.models import Dirty, Meter, Rollup
from storage.queries import coverage
from storage.rows import ROWS
from storage.web.coverage import silences, strip
from tests.storage.exchange.enedis.samples import curve
from tests.storage.web.samples import METER, stored, stored_meter

CURVE = "\n".join(curve("2026-11-01T00:00:00+01:00", [600] * 48)).encode()
MIDNIGHT = datetime(2026, 11, 20, 23, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def at_once(work: Callable[[], None]) -> None:
    work()


@pytest.fixture
def waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Intake:
    """The page's intake, which works in the request itself; `Intake`'s own thread is tried below."""
    monkeypatch.setattr(room, "connection", type("Kept", (), {"close": staticmethod(lambda: None)}))
    found = Intake(tmp_path / "import", spawn=at_once)
    monkeypatch.setattr("storage.web.pages.imports.intake", lambda: found)
    monkeypatch.setattr("storage.web.pages.data.intake", lambda: found)
    return found


def onlooker(*permissions: str) -> Client:
    user = User.objects.create_user("guest", password="correct horse battery")
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def sent(browser: Client, data: bytes = CURVE, name: str = "conso.csv", **more: str) -> Any:
    file = io.BytesIO(data)
    file.name = name
    return browser.post("/data/import/", {"file": file, "meter": METER, **more}, follow=True)


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


# --- what is missing -----------------------------------------------------------------------------


def rolled_up(meter: Meter, start: datetime, step: int, **fields: Any) -> None:
    Rollup.objects.create(meter=meter, start=start, step=step, **{"east": 100, "readings": 9, **fields})


@pytest.mark.django_db
def test_each_day_tells_how_much_of_it_was_heard() -> None:
    meter = stored_meter()
    rolled_up(meter, MIDNIGHT, 86_400, covered=86_400)
    rolled_up(meter, MIDNIGHT + DAY, 86_400, covered=43_200)
    rolled_up(meter, MIDNIGHT + 2 * DAY, 86_400, covered=86_400, origin=Rollup.Origin.ENEDIS, readings=0)
    rolled_up(meter, MIDNIGHT + 4 * DAY, 3600, covered=1800)
    first = MIDNIGHT.date() + DAY
    now = MIDNIGHT + 4 * DAY + HOUR + timedelta(minutes=20)
    found = coverage(meter, first, first + 9 * DAY, now)
    assert [(one.day, one.seconds, one.heard, one.known) for one in found] == [
        (first, 86_400, 86_400, True),
        (first + DAY, 86_400, 43_200, True),
        (first + 2 * DAY, 86_400, 0, True),
        (first + 3 * DAY, 86_400, 0, False),
        (first + 4 * DAY, 3600, 1800, False),
    ]
    drawn = strip(meter, now)
    assert drawn is not None
    assert [(run.x, run.width, run.height, run.known) for run in drawn.runs] == [
        (0, 1, 100, True), (1, 1, 50, True), (2, 1, 0, True), (3, 1, 0, False), (4, 1, 50, False),
    ]  # fmt: skip
    assert drawn.sentence == (
        "Of 5 days, 1 were heard from end to end, 2 in part, 2 not at all. Days of which no energy is known: 2."
    )


@pytest.mark.django_db
def test_a_day_that_is_not_rolled_up_yet_is_not_called_silent() -> None:
    meter = stored_meter()
    rolled_up(meter, MIDNIGHT, 86_400, covered=86_400)
    Dirty.objects.create(meter=meter, hour=MIDNIGHT + DAY, first=0, last=0)
    first = MIDNIGHT.date() + DAY
    assert [one.day for one in coverage(meter, first, first + 9 * DAY, MIDNIGHT + 3 * DAY)] == [first]


@pytest.mark.django_db
def test_a_silence_says_how_long_and_how_its_energy_is_known() -> None:
    meter = stored_meter()
    now = timezone.now().replace(minute=30, second=0, microsecond=0)
    stored(meter, now - 3 * HOUR, 1, east=1000)
    stored(meter, now - 3 * HOUR + timedelta(minutes=90), 2, east=1500)
    ended, goes_on = reversed(silences(meter, now))
    assert (ended.length.replace("\xa0", " "), ended.reason) == ("1 h 30 min", "the meter was not heard")
    assert (goes_on.ends, goes_on.how) == ("it goes on", "known once the meter is heard again")


def test_an_empty_house_is_told_what_to_do(browser: Client, waiting: Intake) -> None:
    said = text_of(browser.get("/data/"))
    assert "No meter has been heard yet." in said
    assert "There is nothing to save yet." in said


# --- import --------------------------------------------------------------------------------------


def test_a_file_is_looked_at_then_taken_in_then_gone(browser: Client, waiting: Intake, tmp_path: Path) -> None:
    meter = stored_meter()
    said = text_of(sent(browser))
    assert "Load curve (CSV), consumption" in said
    assert "48 values, delivery point (PRM) …0042, steps of 30" in said
    assert "24 would be new" in said
    assert not Rollup.objects.exists()
    job = waiting.current()
    assert job is not None
    said = text_of(browser.post(f"/data/import/{job.number}/confirm/", follow=True))
    assert "The file was taken in" in said
    assert Rollup.objects.filter(meter=meter, step=3600).count() == 24
    assert not (tmp_path / "import/sent").exists()
    assert "conso.csv" in text_of(browser.get(f"/data/?meter={METER}"))


def test_nothing_is_written_of_a_file_that_is_discarded(browser: Client, waiting: Intake, tmp_path: Path) -> None:
    stored_meter()
    sent(browser)
    job = waiting.current()
    assert job is not None
    said = text_of(browser.post(f"/data/import/{job.number}/discard/", follow=True))
    assert "nothing of it was written" in said
    assert not Rollup.objects.exists()
    assert not (tmp_path / "import/sent").exists()
    assert waiting.current() is None


def test_a_refusal_names_the_line_and_no_folder_of_ours(browser: Client, waiting: Intake, tmp_path: Path) -> None:
    stored_meter()
    said = text_of(sent(browser, CURVE.replace(b";600", b";abc", 1)))
    assert "The file was not taken in" in said
    assert "Line 4" in said
    assert str(tmp_path) not in said


def test_one_file_at_a_time(browser: Client, waiting: Intake) -> None:
    stored_meter()
    sent(browser)
    assert "one at a time" in text_of(sent(browser, name="second.csv"))
    job = waiting.current()
    assert job is not None
    assert job.name == "conso.csv"


@pytest.mark.parametrize("path", ["/data/import/", "/data/import/abc/confirm/", "/data/import/abc/discard/"])
def test_who_may_not_add_readings_imports_nothing(db: None, waiting: Intake, path: str) -> None:
    assert onlooker("view_data").post(path).status_code == 403


def test_who_may_only_look_sees_the_page_without_forms(db: None, waiting: Intake) -> None:
    stored_meter()
    said = text_of(onlooker().get("/data/"))
    assert "Your account may not add readings" in said
    assert "data-upload" not in said
    assert "only owners may make one" in said
    assert 'action="/data/export/' not in said


def test_a_form_that_lacks_its_file_says_so(browser: Client, waiting: Intake) -> None:
    stored_meter()
    answer = browser.post("/data/import/", {"meter": METER})
    assert answer.status_code == 400
    assert "This field is required." in text_of(answer)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"), ("C:\\Users\\a\\b.csv", "b.csv"), (".hidden", "hidden"), ("\n", "file"),
        ("..", "file"),
    ],
)  # fmt: skip
def test_a_name_never_leads_out_of_the_folder(db: None, waiting: Intake, tmp_path: Path, given: str, kept: str) -> None:
    stored_meter()
    job = waiting.begin(given, [CURVE], Wish(METER, "owner"))
    assert job.name == kept
    assert [path.name for path in (tmp_path / "import/sent").iterdir()] == [kept]


@pytest.mark.django_db
def test_a_file_that_is_too_large_is_not_kept(waiting: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST", 10)
    with pytest.raises(Exception, match="more than 0 MB"):
        waiting.begin("a.csv", [b"123456", b"789012"], Wish(METER, "owner"))
    assert not (tmp_path / "import/sent").exists()


def test_work_that_was_cut_off_is_told_and_its_file_gone(db: None, tmp_path: Path) -> None:
    stored_meter()
    cut = Intake(tmp_path, spawn=lambda work: None)  # its process dies here, and its lock with it
    job = cut.begin("a.csv", [CURVE], Wish(METER, "owner"))
    assert job.state is State.LOOKING
    found = Intake(tmp_path).current()
    assert found is not None
    assert (found.number, found.state) == (job.number, State.STOPPED)
    assert not (tmp_path / "sent").exists()


@pytest.mark.django_db(transaction=True)
def test_the_work_goes_on_in_a_thread_and_another_file_waits(tmp_path: Path) -> None:
    stored_meter()
    go, ended = threading.Event(), threading.Event()

    def spawn(work: Callable[[], None]) -> None:
        def held() -> None:
            go.wait()
            work()
            ended.set()

        room.in_a_thread(held)

    mine, other = Intake(tmp_path, spawn), Intake(tmp_path)
    job = mine.begin("a.csv", [CURVE], Wish(METER, "owner"))
    with pytest.raises(BusyError):
        other.begin("b.csv", [CURVE], Wish(METER, "owner"))
    busy = other.current()
    assert busy is not None
    assert busy.state is State.LOOKING
    go.set()
    assert ended.wait(60)
    done = other.current()
    assert done is not None
    assert (done.number, done.state) == (job.number, State.READY)


# --- export and backup ---------------------------------------------------------------------------


def test_an_export_is_the_api_s_own(browser: Client, waiting: Intake) -> None:
    stored_meter()
    asked = {"meter": METER, "step": "hour", "begins": "2026-11-01", "ends": "2026-11-02", "file": "french"}
    answer = browser.get("/data/export/", asked)
    assert answer.headers["location"] == (
        f"/api/v1/export/?meter={METER}&step=hour&from=2026-11-01&to=2026-11-02&file=csv&excel_fr=true"
    )
    assert browser.get(answer.headers["location"]).headers["content-type"] == "text/csv; charset=utf-8"
    wrong = browser.get("/data/export/", {**asked, "ends": "2026-10-01"})
    assert (wrong.status_code, "It ends before it begins." in text_of(wrong)) == (400, True)


def test_who_may_not_see_readings_exports_none(db: None) -> None:
    assert onlooker().get("/data/export/").status_code == 403


@pytest.mark.sqlite
def test_a_backup_is_a_whole_database_and_leaves_nothing(
    browser: Client, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "db.sqlite3"
    with closing(sqlite3.connect(source)) as database:
        database.execute("CREATE TABLE kept (n integer)")
        database.execute("INSERT INTO kept VALUES (42)")
        database.commit()
    monkeypatch.setattr("storage.exchange.backup.database_file", lambda: source)
    here = settings.TICBRIDGE.model_copy(
        update={"bridge": settings.TICBRIDGE.bridge.model_copy(update={"state_dir": tmp_path})}
    )
    settings.TICBRIDGE = here
    answer = browser.post("/data/backup/")
    out = tmp_path / "got.sqlite3"
    out.write_bytes(b"".join(answer))
    with closing(sqlite3.connect(out)) as database:
        assert database.execute("SELECT n FROM kept").fetchall() == [(42,)]
    assert [path.name for path in (tmp_path / "backup").iterdir()] == ["lock"]


def test_only_an_owner_makes_a_backup(db: None) -> None:
    assert onlooker("view_data", "add_data").post("/data/backup/").status_code == 403


# --- room ----------------------------------------------------------------------------------------


def test_what_passes_stops_growing_and_what_lasts_does_not() -> None:
    found = Growth(5000, 100.0, lasting=10, passing=((1000, 7.0), (1440, 30.0)))
    assert found.bytes_after(1) == (10 + 1000 + 1440) * 100
    assert found.bytes_after(100) == (10 * 100 + 1000 * 7 + 1440 * 30) * 100
    assert found.days_until(245_001) == 2
    assert found.days_until(10**12) is None


@pytest.mark.django_db
def test_of_too_few_rows_nothing_is_foretold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ROWS, "_counted", {})
    assert growth(KeepSettings(), 10**9, timezone.now()) is None


@pytest.mark.django_db
def test_growth_counts_what_the_last_day_brought(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.growth.ROWS", type("Many", (), {"of": staticmethod(lambda _: 1000)}))
    meter, now = stored_meter(), timezone.now()
    for n in range(3):
        stored(meter, now - HOUR - timedelta(minutes=n), n + 1)
    for n in range(4):
        rolled_up(meter, (now - 30 * HOUR).replace(minute=n, second=0, microsecond=0), 60)
    rolled_up(meter, (now - 30 * HOUR).replace(minute=0, second=0, microsecond=0), 3600)
    found = growth(KeepSettings(raw="7d", minute="forever"), 200_000, now)
    assert found is not None
    assert (found.rows, found.per_row, found.lasting) == (2000, 100.0, 1)
    assert [number for number, _ in found.passing] == [3, 4]
    assert found.passing[1][1] == float("inf")


def test_no_job_is_read_from_a_note_that_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text("{")
    assert Intake(tmp_path).current() is None


def test_a_job_is_open_until_somebody_decided() -> None:
    job = Job("1", "a", Wish(METER, "o"), State.READY, timezone.now())
    assert (job.is_open, job.is_busy) == (True, False)
