"""Mail to a real server, and the sentences of one that does not take it."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from bridge.config import ConfigError, MailSettings
from storage.alerts import mail as module
from storage.alerts.errors import UndeliveredError
from storage.alerts.mail import Mail, send
from tests.broker.certificates import Authority
from tests.broker.conftest import free_port
from tests.storage.alerts.postbox import LOGIN, Postbox

MAIL = Mail("you@example.org", "Alerte : trop\r\nBcc: all@example.org", "Été\n", "<p>Été</p>", "alert-1")


def settings(port: int, **more: Any) -> MailSettings:
    return MailSettings.model_validate(
        {"host": "127.0.0.1", "port": port, "tls": "none", "from": "linky@example.org", **more}
    )


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """One that this machine trusts."""
    made = Authority(tmp_path, "ours")
    monkeypatch.setenv("SSL_CERT_FILE", str(made.ca))
    return made


def test_a_mail_is_text_and_html_and_its_subject_one_line(postbox: Postbox) -> None:
    with postbox.open():
        send(settings(postbox.port), MAIL)
    (found,) = postbox.mails
    assert postbox.recipients == ["you@example.org"]
    assert {name: str(found[name]) for name in ("Subject", "From", "To", "Message-ID", "Auto-Submitted", "Bcc")} == {
        "Subject": "Alerte : trop Bcc: all@example.org",
        "From": "ticbridge <linky@example.org>",
        "To": "you@example.org",
        "Message-ID": "<alert-1@example.org>",
        "Auto-Submitted": "auto-generated",
        "Bcc": "None",
    }
    assert found.get_content_type() == "multipart/alternative"
    assert [(part.get_content_type(), part.get_content()) for part in found.iter_parts()] == [
        ("text/plain", "Été\r\n"), ("text/html", "<p>Été</p>\r\n"),
    ]  # fmt: skip


def test_a_login_after_starttls(postbox: Postbox, authority: Authority) -> None:
    with postbox.open(authority.sign("mail"), login=True):
        send(settings(postbox.port, tls="starttls", username=LOGIN[0], password=LOGIN[1]), MAIL)
    assert len(postbox.mails) == 1


def test_tls_from_the_first_byte(postbox: Postbox, authority: Authority) -> None:
    with postbox.open(authority.sign("mail"), tls=True):
        send(settings(postbox.port, tls="tls"), MAIL)
    assert len(postbox.mails) == 1


def refusal(port: int, **more: Any) -> tuple[str, bool]:
    with pytest.raises(UndeliveredError) as caught:
        send(settings(port, **more), MAIL)
    return str(caught.value).replace(f"127.0.0.1:{port}", "HERE"), caught.value.is_final


def test_a_wrong_password_is_named_and_not_shown(postbox: Postbox, authority: Authority) -> None:
    with postbox.open(authority.sign("mail"), login=True):
        found = refusal(postbox.port, tls="starttls", username=LOGIN[0], password="wrong")
    assert found == ("The mail server HERE refuses the login: are mail.username and mail.password_file right?", False)


def test_a_server_without_starttls_or_login_is_named(postbox: Postbox) -> None:
    with postbox.open():
        found = refusal(postbox.port, tls="starttls")
        both = "are mail.port and mail.tls right?"
        assert found[0] == f"The mail server HERE does not offer what mail.tls or mail.username asks for: {both}"
        assert "agree on TLS" in refusal(postbox.port, tls="tls")[0]


def test_a_certificate_of_somebody_else_is_named(postbox: Postbox, authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    for certificate, why in (
        (stranger.sign("mail"), "unable to get local issuer certificate"),
        (authority.sign("other", "DNS:other.example.org"), "IP address mismatch"),
    ):
        box = Postbox()
        with box.open(certificate):
            sentence, is_final = refusal(box.port, tls="starttls")
        assert sentence.startswith("The certificate of the mail server HERE does not hold (")
        assert why in sentence
        assert not is_final


def test_a_recipient_that_does_not_exist_is_final_and_a_full_box_is_not(postbox: Postbox) -> None:
    with postbox.open():
        postbox.refusal = "550 5.1.1 no such user"
        assert refusal(postbox.port) == (
            "The mail server HERE refuses the recipient (5.1.1 no such user): is the address right?", True,
        )  # fmt: skip
        postbox.refusal = "452 4.2.2 full"
        assert refusal(postbox.port)[1] is False


def test_a_server_that_is_not_there_does_not_answer_or_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(free_port()) == (
        "The mail server HERE refuses connections: is it running, is mail.port right?", False,
    )  # fmt: skip
    monkeypatch.setattr(module, "TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        found = refusal(mute.getsockname()[1])
    assert found == ("The mail server HERE does not answer: is mail.port right, is a firewall between?", False)
    with socket.create_server(("127.0.0.1", 0)) as short:

        def hang_up() -> None:
            short.accept()[0].close()

        closing = threading.Thread(target=hang_up)
        closing.start()
        found = refusal(short.getsockname()[1])
        closing.join()
    assert found == ("The mail server HERE ends the connection: are mail.port and mail.tls right?", False)
    sentence = refusal(25, host="mail..example.org")[0]
    assert sentence == "The mail server's name 'mail..example.org' is not known: is mail.host right?"


def test_without_a_server_the_configuration_is_named() -> None:
    with pytest.raises(ConfigError, match=r"mail\.host: no mail server is set"):
        send(MailSettings(), MAIL)
