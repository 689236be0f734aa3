"""The command that tries a webhook."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from tests.storage.webhooks.conftest import hook, rows
from tests.storage.webhooks.receiver import Receiver, Says

pytestmark = pytest.mark.django_db


def test_it_sends_at_once_and_says_so(receiver: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    hook(receiver.url)
    call_command("send_webhook", "hook")
    said = json.loads(receiver.got[0].body)
    assert (said["meta"]["status"], said["data"], rows()) == ("test", {"webhook": "hook"}, [])
    assert capsys.readouterr().out == f"{receiver.url} took it (answered 200).\n"


def test_it_says_why_it_could_not(receiver: Receiver) -> None:
    receiver.says = [Says(403)]
    hook(receiver.url)
    with pytest.raises(CommandError, match=r"did not take it: answered 403\.$"):
        call_command("send_webhook", "hook")


def test_it_names_those_that_there_are(receiver: Receiver) -> None:
    hook(receiver.url)
    with pytest.raises(CommandError, match=r"There is no webhook 'x'; expected one of .*: hook\.$"):
        call_command("send_webhook", "x")
