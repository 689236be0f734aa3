"""Our programs as an owner starts them: a test message, and a capture that alerts without a broker."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.broker.conftest import PATIENCE, Run, free_port, run
from tests.storage.alerts.postbox import LOGIN, Postbox

__all__ = ["run"]  # a fixture

RULE = (
    "from storage.alerts.models import AlertRule as R; "
    "R.objects.create(name='anything', field='east', operator='>', value='0', recipients='me@example.org')"
)
NOWHERE = "/nowhere/at/all"
EXPECTED = "expected a file that holds the secret"


def config(folder: Path, port: int, **mail: Any) -> dict[str, Any]:  # YAML trees
    return {
        "bridge": {"state_dir": str(folder / "state")},
        "storage": {"database": f"sqlite:///{folder}/db.sqlite3", "batch": {"rows": 5, "seconds": 0.5}},
        "homeassistant": {"language": "fr"},
        "mail": {"host": "127.0.0.1", "port": port, "tls": "none", "from": "linky@example.org", **mail},
    }


def test_a_test_message_arrives_and_opens_no_database(run: Run, tmp_path: Path) -> None:
    postbox = Postbox()
    with postbox.open():
        told = run(config(tmp_path, postbox.port), "manage", "test_alert", "me@example.org").output()
    assert told == f"The mail server 127.0.0.1:{postbox.port} took the message to me@example.org.\n"
    (mail,) = postbox.mails
    assert mail["Subject"] == "ticbridge : message d’essai"
    text = mail.get_body(("plain",))
    assert text is not None
    assert "Ce message est un essai : les alertes arriveront à cette adresse." in text.get_content()
    assert not (tmp_path / "db.sqlite3").exists()


def test_what_is_wrong_is_one_sentence(run: Run, tmp_path: Path) -> None:
    refused = run(config(tmp_path, free_port()), "manage", "test_alert", "me@example.org")
    assert refused.wait() == 1
    assert len(refused.said) == 1
    assert refused.said[0].endswith("refuses connections: is it running, is mail.port right?")
    nobody = run(config(tmp_path, 1), "manage", "test_alert", "me")
    assert nobody.wait() == 1
    assert nobody.said == ["CommandError: 'me' will not do; expected an e-mail address"]


@pytest.mark.parametrize(
    ("mail", "said"),
    [
        ({"host": None}, "ticbridge: mail.host: no mail server is set; expected its name, such as smtp.example.org"),
        ({"username": LOGIN[0], "password_file": NOWHERE},
         f"ticbridge: mail.password_file: {NOWHERE} cannot be read (No such file or directory); {EXPECTED}"),
    ],
)  # fmt: skip
def test_a_configuration_that_will_not_do_exits_78(run: Run, tmp_path: Path, mail: dict[str, Any], said: str) -> None:
    program = run(config(tmp_path, 1, **mail), "manage", "test_alert", "me@example.org")
    assert program.wait() == 78
    assert program.said == [said]


@pytest.mark.slow
def test_a_capture_without_a_broker_alerts_by_mail_alone(run: Run, tmp_path: Path) -> None:
    postbox = Postbox()
    settings = config(tmp_path, postbox.port)
    run(settings, "manage", "migrate", "--verbosity", "0").output()
    run(settings, "manage", "shell", "-c", RULE).output()
    with postbox.open():
        capture = run(settings, "manage", "capture_tic", "--port", "sim:tempo")
        (mail,) = postbox.wait_for(1)
        assert capture.stop() == 0
    assert str(mail["Subject"]).startswith("Alerte : anything")
    with sqlite3.connect(tmp_path / "db.sqlite3", timeout=PATIENCE) as db:
        found = db.execute("SELECT channel, state FROM alerts_delivery").fetchall()
    db.close()
    assert found == [("mail", "sent")]
