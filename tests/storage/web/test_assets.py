"""Static files from the package itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client

from storage.web.assets import StaticFiles

STATIC = Path(__file__).parents[3] / "storage/web/static"
FILES = sorted(str(path.relative_to(STATIC)) for path in STATIC.rglob("*") if path.is_file())
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_served_whole_to_everybody(name: str) -> None:
    answer = Client().get(f"/static/{name}")
    assert (answer.status_code, answer.content) == (200, (STATIC / name).read_bytes())


def test_a_script_is_served_as_a_script() -> None:
    assert Client().get("/static/storage/now.js").headers["content-type"] == 'text/javascript; charset="utf-8"'


def test_a_file_that_did_not_change_is_not_sent_again() -> None:
    known = Client().get("/static/storage/page.css").headers["last-modified"]
    answer = Client().get("/static/storage/page.css", headers={"if-modified-since": known})
    assert (answer.status_code, answer.content) == (304, b"")


def test_a_file_that_changed_under_a_running_server_is_served_whole(tmp_path: Path) -> None:
    file = tmp_path / "page.css"
    file.write_text("old")
    server = StaticFiles(lambda _: HttpResponse())
    server.add_file_to_dictionary("/page.css", str(file))
    file.write_text("new and longer")
    request = HttpRequest()
    request.method, request.path_info = "GET", "/page.css"
    answer = server(request)
    assert (answer.content, answer.headers["content-length"]) == (b"new and longer", "14")


def test_nothing_is_fetched_from_elsewhere() -> None:
    own = [STATIC / name for name in FILES if name.endswith((".js", ".css")) and "vendor" not in name]
    assert [path.name for path in own if "//" in path.read_text().replace("// ", "")] == []


def test_only_the_tokens_file_writes_colours_and_sizes() -> None:
    page = (STATIC / "storage/page.css").read_text()
    body = re.sub(r"@media[^{]*|var\([^)]*\)", "", page)
    assert re.findall(r"#[0-9a-f]{3,8}\b|\brgb\(|\b[1-9]\d*px", body) == []
