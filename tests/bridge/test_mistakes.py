"""What is wrong in config.yaml, told to its owner."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.config import Settings
from bridge.mistakes import sentences

SECTIONS = "bridge, homeassistant, log, mail, meters, mqtt, publish, reading, spool, storage, usage, web, webhooks"
LEVELS = "expected 'debug', 'info', 'warning' or 'error'"
MQTT_KEYS = "base_topic, host, keepalive, password_file, port, protocol, tls, username"


def mistakes(text: str, **variables: str) -> list[str]:
    """What is said about a file, and about the variables that gave some of its keys."""
    try:
        Settings.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        return sentences(Settings, error, "config.yaml", variables)
    return []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # unknown keys name those that may stand there
        (
            "foo: 1",
            f"foo: no such key; expected one of {SECTIONS}",
        ),
        (
            "foo:",
            f"foo: no such key; expected one of {SECTIONS}",
        ),
        (
            "mqtt: {hots: x}",
            f"mqtt.hots: no such key; expected one of {MQTT_KEYS}",
        ),
        ("mqtt: {tls: {cb: x}}", "mqtt.tls.cb: no such key; expected one of ca, cert, key"),
        ("meters: [{souce: x}]", "meters.0.souce: no such key; expected one of id, mode, name, source, timezone"),
        (
            "publish: {overrides: {sinsts: {jmp: 3}}}",
            "publish.overrides.sinsts.jmp: no such key; expected one of heartbeat, jump, min_interval",
        ),
        ("storage: {batch: {row: 3}}", "storage.batch.row: no such key; expected one of rows, seconds"),
        # wrong types
        ("1: x", "1: 1 will not do; expected text as a key"),
        ("mqtt: 5", "mqtt: 5 will not do; expected keys and values below it"),
        ("meters: {source: x}", "meters: {'source': 'x'} will not do; expected a list"),
        ("meters: [3]", "meters.0: 3 will not do; expected keys and values below it"),
        ("meters: [{source: 5}]", "meters.0.source: 5 will not do; expected text"),
        ("mqtt: {port: abc}", "mqtt.port: 'abc' will not do; expected a whole number"),
        ("mqtt: {port: 18.5}", "mqtt.port: 18.5 will not do; expected a whole number"),
        ("publish: {min_interval: soon}", "publish.min_interval: 'soon' will not do; expected a number"),
        ("publish: {retain: maybe}", "publish.retain: 'maybe' will not do; expected true or false"),
        ("publish: {retain: [1]}", "publish.retain: [1] will not do; expected true or false"),
        ("publish: {jump: 200}", "publish.jump: 200 will not do; expected keys and values below it"),
        ("bridge: {state_dir: 5}", "bridge.state_dir: 5 will not do; expected a path"),
        ("web: {hosts: a}", "web.hosts: 'a' will not do; expected a list"),
        # wrong values
        ("meters: []", "meters: [] will not do; expected at least 1 entry"),
        ("mqtt: {port: 70000}", "mqtt.port: 70000 will not do; expected 65535 or less"),
        ("mqtt: {keepalive: 1}", "mqtt.keepalive: 1 will not do; expected 5 or more"),
        ("mqtt: {host: ''}", "mqtt.host: '' will not do; expected at least 1 character"),
        ("meters: [{mode: std}]", "meters.0.mode: 'std' will not do; expected 'auto', 'historique' or 'standard'"),
        (f"log: {{level: {'x' * 99}}}", f"log.level: '{'x' * 79} will not do; {LEVELS}"),  # cut
        (f"meters: [{{name: {'x' * 65}}}]", f"meters.0.name: '{'x' * 65}' will not do; expected at most 64 characters"),
        ("publish: {min_interval: -1}", "publish.min_interval: -1 will not do; expected 0 or more"),
        ("publish: {jump: {sinsts: 0}}", "publish.jump.sinsts: 0 will not do; expected more than 0"),
        ("publish: {fields: [papp]}", "publish.fields.0: 'papp' will not do; expected the canonical name, sinsts"),
        ("publish: {qos: 2}", "publish.qos: 2 will not do; expected 0 or 1"),
        ("reading: {interval: .inf}", "reading.interval: inf will not do; expected 86400 or less"),
        ("homeassistant: {language: de}", "homeassistant.language: 'de' will not do; expected 'fr' or 'en'"),
        ("storage: {batch: {seconds: 0}}", "storage.batch.seconds: 0 will not do; expected more than 0"),
    ],
)
def test_a_mistake_is_one_line_with_key_value_and_expectation(text: str, said: str) -> None:
    assert mistakes(text) == [f"config.yaml: {said}"]


def test_every_mistake_is_told() -> None:
    assert mistakes("mqtt: {port: abc}\nlog: {level: 3}") == [
        "config.yaml: mqtt.port: 'abc' will not do; expected a whole number",
        "config.yaml: log.level: 3 will not do; expected 'debug', 'info', 'warning' or 'error'",
    ]


def test_a_mistake_is_laid_to_the_variable_that_gave_the_key() -> None:
    wrong = "mqtt: {port: 0, host: ''}\nlogs: {level: info}"
    assert mistakes(wrong, **{"mqtt.port": "TICBRIDGE_MQTT__PORT", "logs.level": "TICBRIDGE_LOGS__LEVEL"}) == [
        "config.yaml: mqtt.host: '' will not do; expected at least 1 character",
        "TICBRIDGE_MQTT__PORT: mqtt.port: 0 will not do; expected 1 or more",
        f"TICBRIDGE_LOGS__LEVEL: logs: no such key; expected one of {SECTIONS}",
    ]


def test_a_secret_is_not_shown() -> None:
    assert mistakes("mqtt: {password_file: [hunter2], password: [hunter2]}") == [
        "config.yaml: mqtt.password_file: (hidden) will not do; expected a path",
        "config.yaml: mqtt.password: (hidden) will not do; expected text",
    ]


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["mqtt", "meters", "tls", "host", "fields", "jump", "sinsts", "x"]), inner)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*Settings.model_fields, "x"]), TREES))
def test_whatever_stands_in_the_file_there_are_settings_or_one_line_each(tree: dict[str, Any]) -> None:
    lines = mistakes(yaml.safe_dump(tree))
    assert [line for line in lines if "\n" in line or "expected " not in line] == []
