"""A stand-in for Home Assistant: it speaks as much of its websocket as a script says, rightly or wrongly.

What a real one does with what it is told is shown in tests/real_homeassistant.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

Answer = Callable[[dict[str, Any]], Any]  # of a question's JSON the result's


class RefusalError(Exception):
    """Raised by an answer: the question is refused."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code)
        self.error = {"code": code, "message": message}


class HangupError(Exception):
    """Raised by an answer: the line is cut."""


class StandIn:
    """Answers on a port of the loopback address, and keeps what it was asked."""

    def __init__(
        self,
        answers: Mapping[str, Answer],
        *,
        version: str = "2026.11.0",
        token: str = "secret-token",
        first: str | None = None,
    ) -> None:
        self.asked: list[dict[str, Any]] = []
        self._answers = answers
        self._token = token
        self._first = json.dumps({"type": "auth_required", "ha_version": version}) if first is None else first
        self._version = version
        self._server = serve(self._talk, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()

    def _talk(self, line: ServerConnection) -> None:
        try:
            line.send(self._first)
            told = json.loads(line.recv())
            if told.get("access_token") != self._token:
                line.send(json.dumps({"type": "auth_invalid", "message": "Invalid access token"}))
                return
            line.send(json.dumps({"type": "auth_ok", "ha_version": self._version}))
            for message in line:
                question = json.loads(message)
                self.asked.append(question)
                line.send(json.dumps({"id": question["id"], "type": "result", **self._answer(question)}))
        except (ConnectionClosed, HangupError):
            return

    def _answer(self, question: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"success": True, "result": self._answers[question["type"]](question)}
        except RefusalError as refusal:
            return {"success": False, "error": refusal.error}
