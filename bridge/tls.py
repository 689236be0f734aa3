"""TLS to the broker: the context of a connection, and what is wrong with a certificate, in one sentence."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bridge.config import ConfigError, TlsSettings
from bridge.configfile import refuse_shared

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_EXPIRED: Final = 10  # OpenSSL's X509_V_ERR_...
_NOT_YET: Final = 9
_OTHER_NAME: Final = frozenset({62, 64})  # host name, address
_OURS_IS_WANTED: Final = frozenset({"TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_HANDSHAKE_FAILURE"})
_OURS_EXPIRED: Final = "SSLV3_ALERT_CERTIFICATE_EXPIRED"
_OURS_IS_REFUSED: Final[Mapping[str, str]] = MappingProxyType({
    "TLSV1_ALERT_UNKNOWN_CA": "unknown CA",
    "SSLV3_ALERT_BAD_CERTIFICATE": "bad certificate",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "certificate unknown",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "revoked",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "made for another purpose",
    "TLSV1_ALERT_DECRYPT_ERROR": "bad signature",
})  # fmt: skip
_NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST"})


class Context(ssl.SSLContext):
    """Remembers why the broker ended a connection: with TLS 1.3 it looks at our certificate after the handshake."""

    refusal: ssl.SSLError | None = None


class _Socket(ssl.SSLSocket):
    """Closes itself when the handshake fails: paho forgets it, and it would wait for the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        try:
            return super().recv(buflen, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            if isinstance(self.context, Context):
                self.context.refusal = error
            raise

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        try:
            return super().send(data, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except OSError:
            with contextlib.suppress(OSError):
                self.recv(1)  # the reason may have come before the end
            raise


def context(settings: TlsSettings) -> Context:
    """What `mqtt.tls` asks for; `ConfigError` names the file that will not do."""
    made = Context(ssl.PROTOCOL_TLS_CLIENT)  # checks the broker's certificate and its name
    made.minimum_version = ssl.TLSVersion.TLSv1_2  # some builds of Python leave it to OpenSSL's configuration
    made.sslsocket_class = _Socket
    ca, cert, key = settings.ca, settings.cert, settings.key
    if ca is None:
        made.load_default_certs()
    else:
        _load("mqtt.tls.ca", ca, lambda: made.load_verify_locations(ca))
    if cert is not None:
        secret, name = (cert, "mqtt.tls.cert") if key is None else (key, "mqtt.tls.key")
        _load(name, secret, lambda: refuse_shared(secret, secret.stat().st_mode, name))
        _load("mqtt.tls.cert", cert, lambda: made.load_cert_chain(cert, key, password=_pass_phrase))
    elif key is not None:
        raise ConfigError("mqtt.tls.key: a key without its certificate; expected mqtt.tls.cert too")
    return made


def _load(key: str, path: Path, load: Callable[[], None]) -> None:
    try:
        load()
    except ssl.SSLError as error:
        why = (error.reason or "no certificate").replace("_", " ").lower()
        raise ConfigError(f"{key}: {path} will not do ({why}); expected a PEM file") from None
    except OSError as error:
        raise ConfigError(f"{key}: {path} cannot be read ({error.strerror}); expected a PEM file") from None


def _pass_phrase() -> str:
    """OpenSSL would ask at the terminal, and a service would wait for ever."""
    raise ConfigError("mqtt.tls.key: the key asks for a pass phrase; expected a key without one, with mode 0600")


def sentence(error: OSError, settings: TlsSettings, host: str, where: str) -> str:
    """Why no connection with TLS comes about, and what to do."""
    reason: str = getattr(error, "reason", None) or ""  # Python's own errors have none
    if isinstance(error, ssl.SSLCertVerificationError):
        return _theirs(error, settings, host, where)
    if reason in _OURS_IS_WANTED and settings.cert is None:
        return f"The broker {where} wants a client certificate: set mqtt.tls.cert and mqtt.tls.key;"
    if reason == _OURS_EXPIRED:
        return f"The broker {where} says that our certificate has expired: renew mqtt.tls.cert;"
    if reason in _OURS_IS_REFUSED:
        refused = f"The broker {where} refuses our certificate ({_OURS_IS_REFUSED[reason]})"
        return f"{refused}: is mqtt.tls.cert signed by the CA that the broker trusts?"
    if reason in _NO_TLS or isinstance(error, ssl.SSLEOFError | ConnectionError):
        return f"The broker {where} does not speak TLS on this port: is mqtt.port right (8883 as a rule)?"
    return f"The broker {where} and we do not agree on TLS ({reason or error.strerror}): is mqtt.tls right?"


def _theirs(error: ssl.SSLCertVerificationError, settings: TlsSettings, host: str, where: str) -> str:
    theirs = f"The certificate of the broker {where}"
    if error.verify_code == _EXPIRED:
        return f"{theirs} has expired: renew it, or set this machine's clock;"
    if error.verify_code == _NOT_YET:
        return f"{theirs} is not valid yet: set this machine's clock;"
    if error.verify_code in _OTHER_NAME:
        return f"{theirs} is not made for {host!r}: set mqtt.host to a name that it holds;"
    signed = "a CA that this machine trusts" if settings.ca is None else "the CA in mqtt.tls.ca"
    return f"{theirs} is not signed by {signed} ({error.verify_message}): set mqtt.tls.ca to the CA that signed it;"
