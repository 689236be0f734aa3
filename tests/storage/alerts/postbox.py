"""A real mail server on the loopback address, with STARTTLS or TLS and a login as a test wants them."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from tests.broker.certificates import Certificate
from tests.broker.conftest import PATIENCE, free_port

LOGIN: Final = ("me@example.org", "a secret")


class Postbox:
    """What arrived, and a way to wait for it; `refusal` is what the server says to each recipient instead of 250."""

    def __init__(self) -> None:
        self.port = free_port()
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.refusal: str | None = None
        self._news = threading.Condition()

    async def handle_RCPT(self, _s: Any, _n: Any, envelope: Envelope, address: str, _o: Any) -> str:  # noqa: N802  its own
        """aiosmtpd's hook."""
        if self.refusal is not None:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802  as above
        """aiosmtpd's hook."""
        content = envelope.content
        assert isinstance(content, bytes)
        with self._news:
            self.mails.append(message_from_bytes(content, policy=policy.default))
            self.recipients += envelope.rcpt_tos
            self._news.notify_all()
        return "250 OK"

    def wait_for(self, count: int) -> list[EmailMessage]:
        """The mails, when there are so many."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.mails) >= count, PATIENCE), f"{len(self.mails)} mails came"
            return list(self.mails)

    @contextmanager
    def open(self, certificate: Certificate | None = None, *, tls: bool = False, login: bool = False) -> Iterator[None]:
        """Meanwhile it is there: with a certificate STARTTLS is required, or `tls` from the first byte."""
        context = None
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.cert, certificate.key)
        controller = Controller(
            self, hostname="127.0.0.1", port=self.port, ssl_context=context if tls else None,
            tls_context=None if tls else context, require_starttls=context is not None and not tls,
            auth_required=login, auth_require_tls=context is not None and not tls, authenticator=_authenticate,
        )  # fmt: skip
        controller.start()
        try:
            yield
        finally:
            controller.stop()


def _authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    is_right = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == LOGIN
    return AuthResult(success=is_right, handled=False)
