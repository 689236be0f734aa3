"""What mqtt.tls may hold, and what is said when it does not fit; tests/broker/test_tls.py has a real broker."""

from __future__ import annotations

import logging
import ssl
import subprocess
from pathlib import Path

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from bridge import tls
from bridge.config import ConfigError, MqttSettings, TlsSettings
from bridge.mqtt import Link
from tests.broker.certificates import Authority
from tests.needs import need

OURS = TlsSettings(ca=Path("ca.pem"), cert=Path("me.pem"))


@pytest.fixture
def house(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "house")


def mistake(**files: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        tls.context(TlsSettings(**files))
    return str(caught.value)


# --- the files -----------------------------------------------------------------------------------


def test_a_context_checks_the_brokers_certificate_and_its_name(house: Authority) -> None:
    client = house.sign("client")
    made = tls.context(TlsSettings(ca=house.ca, cert=client.cert, key=client.key))
    assert (made.verify_mode, made.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert made.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert made.cert_store_stats()["x509_ca"] == 1


def test_without_a_ca_those_of_the_machine_are_trusted() -> None:
    assert tls.context(TlsSettings()).verify_mode == ssl.CERT_REQUIRED


def test_a_certificate_may_hold_its_key(house: Authority, tmp_path: Path) -> None:
    client, both = house.sign("client"), tmp_path / "both.pem"
    both.write_bytes(client.key.read_bytes() + client.cert.read_bytes())
    both.chmod(0o600)
    tls.context(TlsSettings(ca=house.ca, cert=both))
    both.chmod(0o644)
    assert mistake(ca=house.ca, cert=both) == (
        f"mqtt.tls.cert: {both} can be read by others; expected mode 0600 (chmod 600 {both})"
    )


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620])
def test_a_key_is_its_owners_alone(mode: int, house: Authority) -> None:
    client = house.sign("client")
    client.key.chmod(mode)
    assert mistake(ca=house.ca, cert=client.cert, key=client.key) == (
        f"mqtt.tls.key: {client.key} can be read by others; expected mode 0600 (chmod 600 {client.key})"
    )


def test_a_file_that_will_not_do_is_named(house: Authority, tmp_path: Path) -> None:
    client, other, nothing = house.sign("client"), house.sign("other"), tmp_path / "nothing.pem"
    nothing.write_text("no certificate")
    nothing.chmod(0o600)
    away = tmp_path / "away.pem"
    assert [
        mistake(ca=nothing),
        mistake(ca=away),
        mistake(cert=nothing, key=client.key),
        mistake(cert=client.cert, key=away),
        mistake(cert=client.cert, key=other.key),
        mistake(key=client.key),
    ] == [
        f"mqtt.tls.ca: {nothing} will not do (no certificate or crl found); expected a PEM file",
        f"mqtt.tls.ca: {away} cannot be read (No such file or directory); expected a PEM file",
        f"mqtt.tls.cert: {nothing} will not do (no certificate); expected a PEM file",
        f"mqtt.tls.key: {away} cannot be read (No such file or directory); expected a PEM file",
        f"mqtt.tls.cert: {client.cert} will not do (key values mismatch); expected a PEM file",
        "mqtt.tls.key: a key without its certificate; expected mqtt.tls.cert too",
    ]


def test_a_key_with_a_pass_phrase_is_refused_and_nobody_is_asked(house: Authority, tmp_path: Path) -> None:
    client, locked = house.sign("client"), tmp_path / "locked.key"
    subprocess.run(
        [need("openssl"), "pkey", "-in", str(client.key), "-aes256", "-passout", "pass:x", "-out", str(locked)],
        check=True, capture_output=True,
    )  # fmt: skip
    locked.chmod(0o600)
    assert mistake(cert=client.cert, key=locked) == (
        "mqtt.tls.key: the key asks for a pass phrase; expected a key without one, with mode 0600"
    )


# --- the sentences -------------------------------------------------------------------------------


def alert(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


def verdict(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "the verdict"
    return error


BROKER = "The broker broker:8883"
THEIRS = "The certificate of the broker broker:8883"
NO_TLS = f"{BROKER} does not speak TLS on this port: is mqtt.port right (8883 as a rule)?"
WANTED = f"{BROKER} wants a client certificate: set mqtt.tls.cert and mqtt.tls.key;"
RENEW = f"{BROKER} says that our certificate has expired: renew mqtt.tls.cert;"
OTHER_NAME = f"{THEIRS} is not made for 'broker': set mqtt.host to a name that it holds;"
SIGNED = "(the verdict): set mqtt.tls.ca to the CA that signed it;"
TRUSTS = "is mqtt.tls.cert signed by the CA that the broker trusts?"
DISAGREE = f"{BROKER} and we do not agree on TLS"


@pytest.mark.parametrize(
    ("error", "settings", "said"),
    [
        (verdict(10), OURS, f"{THEIRS} has expired: renew it, or set this machine's clock;"),
        (verdict(9), OURS, f"{THEIRS} is not valid yet: set this machine's clock;"),
        (verdict(62), OURS, OTHER_NAME),
        (verdict(64), OURS, OTHER_NAME),
        (verdict(20), OURS, f"{THEIRS} is not signed by the CA in mqtt.tls.ca {SIGNED}"),
        (verdict(18), TlsSettings(), f"{THEIRS} is not signed by a CA that this machine trusts {SIGNED}"),
        (alert("TLSV13_ALERT_CERTIFICATE_REQUIRED"), TlsSettings(), WANTED),
        (alert("SSLV3_ALERT_HANDSHAKE_FAILURE"), TlsSettings(), WANTED),
        (alert("INTERNAL_ERROR"), OURS, f"{DISAGREE} (INTERNAL_ERROR): is mqtt.tls right?"),
        (alert("SSLV3_ALERT_CERTIFICATE_EXPIRED"), OURS, RENEW),
        (alert("TLSV1_ALERT_UNKNOWN_CA"), OURS, f"{BROKER} refuses our certificate (unknown CA): {TRUSTS}"),
        (alert("SSLV3_ALERT_CERTIFICATE_REVOKED"), OURS, f"{BROKER} refuses our certificate (revoked): {TRUSTS}"),
        (alert("WRONG_VERSION_NUMBER"), OURS, NO_TLS),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), OURS, NO_TLS),
        (ConnectionResetError(104, "Connection reset by peer"), OURS, NO_TLS),
        (ssl.SSLError(1, "something new"), OURS, f"{DISAGREE} (something new): is mqtt.tls right?"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_certificate_is_one_sentence_with_what_to_do(
    error: OSError, settings: TlsSettings, said: str
) -> None:
    assert tls.sentence(error, settings, "broker", "broker:8883") == said


def ended(link: Link, caplog: pytest.LogCaptureFixture) -> tuple[bool, list[str]]:
    """The broker ends a connection of which it said nothing: whether TLS is why, and what is said."""
    link._closed.set()
    refused = link._was_refused()
    said = [record.getMessage() for record in caplog.records]
    caplog.clear()
    return refused, said


def test_a_broker_that_ends_a_connection_unheard_is_asked_in_both_versions_first(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "ticbridge.mqtt")
    without, with_tls = "without TLS (is mqtt.tls wanted?)", "with TLS (is mqtt.tls right?)"
    said = f"The broker localhost:1883 ends each connection {without} before it answers; trying again"
    link = Link(MqttSettings(), "test")
    assert link._was_refused() is False
    assert ended(link, caplog) == (False, [])
    assert link._speak(MQTTProtocolVersion.MQTTv311)
    assert ended(link, caplog) == (False, [said])
    assert ended(Link(MqttSettings(protocol="5"), "test"), caplog) == (False, [said])
    secure = Link(MqttSettings(protocol="5", tls=TlsSettings()), "test")
    assert ended(secure, caplog) == (
        False,
        [said.replace(without, with_tls)],
    )
    assert secure._tls is not None
    secure._tls.refusal = alert("TLSV13_ALERT_CERTIFICATE_REQUIRED")
    wanted = WANTED.replace("broker:8883", "localhost:1883")
    assert ended(secure, caplog) == (True, [f"{wanted} trying again until it answers"])
    secure._stopping.set()
    assert ended(secure, caplog) == (False, [])


def test_a_host_that_is_no_name_is_one_sentence(caplog: pytest.LogCaptureFixture) -> None:
    link = Link(MqttSettings(host=f"{'x' * 64}.example"), "test")
    assert link._connect() is False
    assert [record.getMessage() for record in caplog.records] == [
        f"The broker's name '{'x' * 64}.example' is not known: is mqtt.host right? trying again until it answers"
    ]
