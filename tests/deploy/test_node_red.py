"""The flow for Node-RED listens to topics that there are. That Node-RED takes it was tried by hand, see the page."""

from __future__ import annotations

import json
from pathlib import Path

from bridge.tic.catalogue import BY_SLUG

FLOW = Path(__file__).parents[2] / "deploy/node-red/ticbridge.json"


def test_the_flow_listens_to_topics_of_ours_and_every_wire_has_an_end() -> None:
    nodes = {node["id"]: node for node in json.loads(FLOW.read_text())}
    topics = [node["topic"].split("/") for node in nodes.values() if node["type"] == "mqtt in"]
    assert all(topic[:2] == ["linky", "+"] and (topic[2] in BY_SLUG or topic[2] == "event") for topic in topics)
    ends = {end for node in nodes.values() for output in node.get("wires", []) for end in output}
    assert ends <= set(nodes)
