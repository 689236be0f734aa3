"""A store that is killed loses no message, and a receiver can tell one that came twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.storage.scratch import Scratch
from tests.storage.webhooks.receiver import Receiver

_PROGRAM = str(Path(__file__).with_name("killed.py"))


@pytest.mark.slow
def test_killed_between_commit_and_sending_and_between_sending_and_noting(scratch: Scratch, receiver: Receiver) -> None:
    scratch.migrate()
    told = []
    for what in ("change", "send", "again", "again"):
        done = scratch.manage(
            what, receiver.url, program=(_PROGRAM,),
            environment={"TICBRIDGE_WEBHOOKS__ENABLED": "true", "TICBRIDGE_WEBHOOKS__PRIVATE": "true"},
        )  # fmt: skip
        told.append((done.code, len(receiver.got), scratch.query("SELECT state, attempts FROM webhooks_delivery")))
    assert told == [
        (-9, 0, [("waiting", 0)]),
        (-9, 1, [("waiting", 1)]),
        (0, 2, [("delivered", 2)]),
        (0, 2, [("delivered", 2)]),
    ]
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    assert json.loads(receiver.got[0].body)["data"]["meter_id"] == "042176000001"
