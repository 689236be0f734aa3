"""TLS between our programs and a real mosquitto: who is let in, and what is said to who is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.broker.certificates import Authority, Certificate
from tests.broker.conftest import Broker, Run

pytestmark = pytest.mark.broker

CONNECTED: Final = "Connected to the broker"


class Papers(NamedTuple):
    """All certificates that the cases need."""

    house: Authority  # whom the broker and our programs trust
    other: Authority
    broker: Certificate
    client: Certificate


@pytest.fixture
def papers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Papers:
    # A socket that is left to the garbage collector would be said on standard error.
    monkeypatch.setenv("PYTHONWARNINGS", "always::ResourceWarning")
    house = Authority(tmp_path, "house")
    return Papers(house, Authority(tmp_path, "other"), house.sign("broker"), house.sign("client"))


def listen(broker: Broker, papers: Papers, shown: Certificate, *, wants: bool = True) -> None:
    """Start again with TLS; `wants`: only for clients with a certificate of the house."""
    broker.stop()
    broker.options = [
        f"cafile {papers.house.ca}", f"certfile {shown.cert}", f"keyfile {shown.key}",
        f"require_certificate {'true' if wants else 'false'}", "allow_anonymous true",
        "user root",  # else mosquitto, when root starts it, becomes a user that may not read this folder
    ]  # fmt: skip
    broker.start()


def config(broker: Broker, folder: Path, tls: dict[str, Any] | None, **mqtt: Any) -> dict[str, Any]:  # a YAML tree
    return {
        "bridge": {"id": "pi", "state_dir": str(folder / "state")},
        "meters": [{"source": "sim:base"}],
        "storage": {"database": f"sqlite:///{folder / 'db.sqlite3'}"},
        "mqtt": {"host": "127.0.0.1", "port": broker.port, **mqtt}
        | ({} if tls is None else {"tls": {key: str(path) for key, path in tls.items()}}),
    }


def test_with_the_right_certificates_bridge_and_store_connect(
    broker: Broker, papers: Papers, run: Run, tmp_path: Path
) -> None:
    listen(broker, papers, papers.broker)
    for host in ("127.0.0.1", "localhost"):
        folder = tmp_path / host  # of its own: a simulated meter begins anew, which a bridge that remembers warns of
        folder.mkdir()
        programs = [run(config(broker, folder, full(papers), host=host), command) for command in ("bridge", "store")]
        for program in programs:
            assert program.wait_for(CONNECTED).endswith("(MQTT 5)")
        assert [program.stop() for program in programs] == [0, 0]
        assert [line for program in programs for line in program.said if "WARNING" in line or "Warning" in line] == []


class Case(NamedTuple):
    """A broker and clients that do not fit together; the broker alone changes until they do."""

    tls: Callable[[Papers], dict[str, Path] | None]  # of our programs
    wrong: Callable[[Broker, Papers], None]
    said: str  # with {broker}
    right: Callable[[Broker, Papers], None] = lambda broker, papers: listen(broker, papers, papers.broker)


def files(certificate: Certificate) -> dict[str, Path]:
    return {"cert": certificate.cert, "key": certificate.key}


def full(papers: Papers) -> dict[str, Path]:
    return {"ca": papers.house.ca, **files(papers.client)}


def plain(broker: Broker, _papers: Papers) -> None:
    broker.stop()
    broker.options = ["allow_anonymous true"]
    broker.start()


AGAIN: Final = "trying again until it answers"
CASES: Final = {
    "a broker of another CA": Case(
        full,
        lambda broker, papers: listen(broker, papers, papers.other.sign("broker")),
        "The certificate of the broker {broker} is not signed by the CA in mqtt.tls.ca "
        f"(unable to get local issuer certificate): set mqtt.tls.ca to the CA that signed it; {AGAIN}",
    ),
    "a broker whose certificate has expired": Case(
        full,
        lambda broker, papers: listen(broker, papers, papers.house.sign("old", days=-1)),
        f"The certificate of the broker {{broker}} has expired: renew it, or set this machine's clock; {AGAIN}",
    ),
    "a broker of another name": Case(
        full,
        lambda broker, papers: listen(broker, papers, papers.house.sign("elsewhere", "DNS:elsewhere.example")),
        "The certificate of the broker {broker} is not made for '127.0.0.1': "
        f"set mqtt.host to a name that it holds; {AGAIN}",
    ),
    "no client certificate": Case(
        lambda papers: {"ca": papers.house.ca},
        lambda broker, papers: listen(broker, papers, papers.broker),
        f"The broker {{broker}} wants a client certificate: set mqtt.tls.cert and mqtt.tls.key; {AGAIN}",
        lambda broker, papers: listen(broker, papers, papers.broker, wants=False),
    ),
    "a client certificate of another CA": Case(
        lambda papers: full(papers) | files(papers.other.sign("client")),
        lambda broker, papers: listen(broker, papers, papers.broker),
        "The broker {broker} refuses our certificate (unknown CA): "
        f"is mqtt.tls.cert signed by the CA that the broker trusts? {AGAIN}",
        lambda broker, papers: listen(broker, papers, papers.broker, wants=False),
    ),
    "a client certificate that has expired": Case(
        lambda papers: full(papers) | files(papers.house.sign("old-client", days=-1)),
        lambda broker, papers: listen(broker, papers, papers.broker),
        f"The broker {{broker}} says that our certificate has expired: renew mqtt.tls.cert; {AGAIN}",
        lambda broker, papers: listen(broker, papers, papers.broker, wants=False),
    ),
    "a broker without TLS": Case(
        full,
        plain,
        f"The broker {{broker}} does not speak TLS on this port: is mqtt.port right (8883 as a rule)? {AGAIN}",
    ),
    "a broker with TLS and we without": Case(
        lambda _papers: None,
        lambda broker, papers: listen(broker, papers, papers.broker, wants=False),
        "The broker {broker} ends each connection without TLS (is mqtt.tls wanted?) before it answers; trying again",
        plain,
    ),
}


# A broker's certificate, a client's and none at all in every run, the others in the long one.
OFTEN: Final = {"a broker of another CA", "no client certificate", "a broker without TLS"}


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=name, marks=[] if name in OFTEN else [pytest.mark.long]) for name, case in CASES.items()],
)
def test_a_certificate_that_does_not_fit_is_one_sentence_and_tried_again(
    case: Case, broker: Broker, papers: Papers, run: Run, tmp_path: Path
) -> None:
    case.wrong(broker, papers)
    programs = [run(config(broker, tmp_path, case.tls(papers)), command) for command in ("bridge", "store")]
    for program in programs:
        program.wait_for(case.said.format(broker=f"127.0.0.1:{broker.port}"))
    case.right(broker, papers)
    for program in programs:
        program.wait_for(CONNECTED)
    assert [program.stop() for program in programs] == [0, 0]
    for program in programs:
        # Not paho's pair of wake-up sockets, which it leaves to the collector when a client connects again.
        assert [line for line in program.said if "Traceback" in line or "unclosed <ssl" in line] == []
        troubles = [line.partition("ticbridge.mqtt: ")[2] for line in program.said if "WARNING" in line]
        said = case.said.format(broker=f"127.0.0.1:{broker.port}")
        assert troubles.count(said) == 1
        # While mosquitto starts again, nobody listens, or it leaves in the middle of a handshake.
        others = [line for line in troubles if line != said]
        assert [line for line in others if "refuses connections" not in line and "does not speak TLS" not in line] == []


@pytest.mark.parametrize("command", ["bridge", "store"])
def test_a_key_that_others_can_read_is_refused(
    command: str, broker: Broker, papers: Papers, run: Run, tmp_path: Path
) -> None:
    papers.client.key.chmod(0o640)
    program = run(config(broker, tmp_path, full(papers)), command)
    assert program.wait() == 78
    assert program.said[-1] == (
        f"ticbridge: mqtt.tls.key: {papers.client.key} can be read by others; "
        f"expected mode 0600 (chmod 600 {papers.client.key})"
    )
    assert [line for line in program.said if "Traceback" in line] == []
