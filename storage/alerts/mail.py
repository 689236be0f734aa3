"""One e-mail through the owner's server, and what is wrong in one sentence when it does not take it."""

from __future__ import annotations

import smtplib
import socket
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final

from bridge.config import ConfigError, MailSettings
from storage.alerts.errors import UndeliveredError

TIMEOUT: Final = 10.0  # seconds for each answer of the server
_FOR_GOOD: Final = 500  # SMTP's codes from here on


@dataclass(frozen=True, slots=True)
class Mail:
    """What one recipient reads: the text, and the same as HTML. `name` is the same each time it is sent again."""

    to: str
    subject: str
    text: str
    html: str
    name: str


def send(settings: MailSettings, mail: Mail) -> None:
    """Hand it to the server of `mail.host`; `ConfigError` when there is none, or its secret cannot be read."""
    if settings.host is None:
        raise ConfigError("mail.host: no mail server is set; expected its name, such as smtp.example.org")
    where = f"{settings.host}:{settings.port}"
    password = settings.secret() if settings.username else None
    try:
        _hand_over(settings, mail, password)
    except smtplib.SMTPServerDisconnected as error:
        cause = error.__context__  # why the line broke, where that is known
        ended = f"The mail server {where} ends the connection: are mail.port and mail.tls right?"
        raise UndeliveredError(_unreached(cause, settings, where) if isinstance(cause, OSError) else ended) from None
    except smtplib.SMTPException as error:
        raise _answered(error, where) from None
    except (OSError, UnicodeError) as error:
        raise UndeliveredError(_unreached(error, settings, where)) from None


def _hand_over(settings: MailSettings, mail: Mail, password: str | None) -> None:
    host, port = str(settings.host), settings.port
    context = ssl.create_default_context()  # checks the certificate and the name in it
    if settings.tls == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=TIMEOUT)
    with server:
        if settings.tls == "starttls":
            server.starttls(context=context)
        if settings.username:
            server.login(settings.username, password or "")
        server.send_message(_message(settings, mail))


def _message(settings: MailSettings, mail: Mail) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = " ".join(mail.subject.split())
    message["From"] = Address("ticbridge", addr_spec=settings.sender)
    message["To"] = Address(addr_spec=mail.to)
    message["Date"] = formatdate()
    message["Message-ID"] = f"<{mail.name}@{settings.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # nobody's absence answers it
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def _answered(error: smtplib.SMTPException, where: str) -> UndeliveredError:
    server = f"The mail server {where}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
        sentence = f"{server} refuses the recipient ({_words(said)}): is the address right?"
        return UndeliveredError(sentence, is_final=code >= _FOR_GOOD)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        sentence = f"{server} refuses the login: are mail.username and mail.password_file right?"
    elif isinstance(error, smtplib.SMTPSenderRefused):
        sentence = f"{server} refuses the sender ({_words(error.smtp_error)}): is mail.from an address of yours?"
    elif isinstance(error, smtplib.SMTPNotSupportedError):
        sentence = f"{server} does not offer what mail.tls or mail.username asks for: are mail.port and mail.tls right?"
    elif isinstance(error, smtplib.SMTPResponseException):
        sentence = f"{server} does not take the message ({error.smtp_code} {_words(error.smtp_error)})"
    else:
        sentence = f"{server} could not be used ({_words(str(error))})"
    return UndeliveredError(sentence)


def _unreached(error: OSError | UnicodeError, settings: MailSettings, where: str) -> str:
    server, both = f"The mail server {where}", "are mail.port and mail.tls right?"
    if isinstance(error, ConnectionRefusedError):
        return f"{server} refuses connections: is it running, is mail.port right?"
    if isinstance(error, socket.gaierror | UnicodeError):
        return f"The mail server's name {settings.host!r} is not known: is mail.host right?"
    if isinstance(error, TimeoutError):
        return f"{server} does not answer: is mail.port right, is a firewall between?"
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message
        return f"The certificate of the mail server {where} does not hold ({why}): is mail.host the name in it?"
    if isinstance(error, ssl.SSLError):
        return f"{server} and we do not agree on TLS ({error.reason or 'no reason given'}): {both}"
    return f"{server} cannot be reached ({error.strerror or error}): is mail.host right?"


def _words(answer: str | bytes) -> str:
    """What a server says, cut and on one line: it comes from outside."""
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return "".join(c if c.isprintable() else " " for c in text)[:120].strip()
