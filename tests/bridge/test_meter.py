"""Checked frames to messages."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from bridge.config import FieldRule, MeterSettings, PublishSettings
from bridge.meter import Announcement, Known, Meter
from bridge.tic.catalogue import BY_SLUG
from bridge.tic.decode import Decoded
from bridge.tic.errors import Reason, Refused
from bridge.tic.models import Historique, Reading, Standard
from bridge.tic.values import Stamp, StatusRegister, read_stamp
from bridge.topics import Message
from tests.bridge.heard import BRIDGE, EPOCH, LINE, QUALITY, Heard, checked
from tests.bridge.wire import METER

OTHER = "041961000002"
NOISE = Decoded(None, (Refused("PAPP", "x", Reason.CHECKSUM), Refused("", "x", Reason.SHAPE)))


def stamps(**raw: str) -> dict[str, Stamp]:
    return {slug: read_stamp(text) for slug, text in raw.items()}


# --- fields --------------------------------------------------------------------------------------


def test_a_meter_is_announced_then_on_line_then_all_its_fields_are_sent() -> None:
    reading = Standard(
        adsc=METER, sinsts=530, smaxsn=2110, date=read_stamp("H260115130000").at,
        stamps=stamps(smaxsn="H260115090032", date="H260115130000"),
    )  # fmt: skip
    assert Heard().take(reading) == [
        ("announce", f"Maison standard {METER}: adsc date sinsts smaxsn"),
        ("status", "online"),
        ("adsc", METER),
        ("date", "2026-01-15T13:00:00+01:00"),
        ("link_quality", "100"),
        ("sinsts", "530"),
        ("smaxsn", "2110"),
        ("smaxsn/attributes", '{"stamp": "2026-01-15T09:00:32+01:00", "degraded": false}'),
    ]


def test_only_what_changed_is_sent_again() -> None:
    heard = Heard()
    heard.take(Standard(adsc=METER, sinsts=530))
    assert heard.take(Standard(adsc=METER, sinsts=530)) == [("frames_per_minute", "60")]
    assert heard.take(Standard(adsc=METER, sinsts=540)) == [("sinsts", "540")]


def test_a_decoder_that_saw_no_change_costs_no_message() -> None:
    heard = Heard()
    heard.take(Standard(adsc=METER, sinsts=530))
    heard.take(Decoded(Standard(adsc=METER, sinsts=530)))
    # not even a change that the decoder does not tell
    assert heard.take(Decoded(Standard(adsc=METER, sinsts=540))) == []


def test_after_a_frame_that_gave_nothing_every_field_is_looked_at() -> None:
    heard = Heard()
    heard.take(Standard(adsc=METER, sinsts=530))
    assert heard.take(NOISE) == []
    assert heard.take(Decoded(Standard(adsc=METER, sinsts=540))) == [
        ("frames_per_minute", "60"),
        ("sinsts", "540"),
    ]


def test_field_messages_are_retained_unless_the_owner_says_no() -> None:
    heard = Heard(PublishSettings(retain=False, qos=1))
    heard.meter.take(checked(Standard(sinsts=530), 0.0))
    assert {(m.topic, m.retain, m.qos) for m in heard.sent} == {
        ("announce", True, 0),
        (f"linky/{METER}/status", True, 1),
        (f"linky/{METER}/sinsts", False, 1),
        (f"linky/{METER}/link_quality", False, 1),
        *((f"linky/{METER}/{field}", False, 1) for field in LINE),
    }


def test_a_field_waits_for_its_interval_unless_it_jumps() -> None:
    heard = Heard(PublishSettings(min_interval=5, jump={"sinsts": 200}))
    heard.take(Historique(papp=530, iinst=2))
    assert heard.take(Historique(papp=540, iinst=3)) == [("frames_per_minute", "60")]
    assert heard.take(Historique(papp=730, iinst=4)) == [("papp", "730")]
    assert heard.tick(after=3) == [("iinst", "4")]


def test_a_field_follows_a_rule_of_its_own() -> None:
    overrides = {
        "sinsts": FieldRule(min_interval=0),
        "smaxsn": FieldRule(min_interval=0),
        "irms1": FieldRule(jump=1),
    }
    heard = Heard(PublishSettings(min_interval=100, overrides=overrides))
    heard.take(Standard(sinst1=530, irms1=2, urms1=230, smaxn=1, stamps=stamps(smaxn="H260115090032")))
    again = Standard(sinst1=531, irms1=3, urms1=231, smaxn=2, stamps=stamps(smaxn="H260115090033"))
    assert heard.take(again) == [
        ("frames_per_minute", "60"),
        ("irms1", "3"),
        ("sinst1", "531"),
        ("smaxn", "2"),
        ("smaxn/attributes", '{"stamp": "2026-01-15T09:00:33+01:00", "degraded": false}'),
    ]


def test_line_quality_is_worth_a_message_a_minute() -> None:
    heard = Heard()
    damaged = Decoded(Standard(sinsts=530), NOISE.refused[:1])
    heard.take(Standard(sinsts=530))
    assert heard.take(damaged) == [("frames_per_minute", "60")]
    assert [heard.take(damaged, after=1) for _ in range(57)] == [[]] * 57
    assert heard.take(damaged, after=2) == [("link_quality", "50")]


def test_the_line_itself_is_told_a_minute_after_the_other() -> None:
    heard = Heard()
    for n in range(62):
        heard.meter.take(checked(Decoded(Standard(sinsts=530), NOISE.refused), n * 1.0))
    said = [(m.topic.rpartition("/")[2], m.payload) for m in heard.sent if m.topic.endswith(LINE)]
    assert said == [
        ("last_frame", "2026-01-15T12:00:00+00:00"),
        ("refused_groups", "2"),
        ("last_frame", "2026-01-15T12:01:00+00:00"),
        ("refused_groups", "122"),
    ]
    counts = heard.meter.counts
    assert (counts.quality, counts.clock, heard.meter.is_online) == (33, "host", True)
    heard.meter.gone()
    assert heard.meter.is_online is False


def test_a_silent_field_is_repeated_after_its_heartbeat() -> None:
    heard = Heard(PublishSettings(heartbeat=15))
    heard.take(Standard(sinsts=530))
    assert heard.tick(after=14) == []
    assert heard.tick(after=10) == [("link_quality", "100"), ("sinsts", "530")]


def test_derived_fields_are_sent_with_the_frame() -> None:
    heard = Heard()
    heard.take(Standard(sinsts=4500))
    assert heard.take(Standard(sinsts=4500, pref=9)) == [
        ("announce", "Maison standard None: power_used_percent pref sinsts"),
        ("frames_per_minute", "60"),
        ("power_used_percent", "50"),
        ("pref", "9"),
    ]


def test_what_stopped_is_said_to_be_unknown() -> None:
    heard = Heard()
    heard.take(Historique(base=1, adps=50))
    assert [heard.take(Historique(base=1)) for _ in range(3)] == [
        [("frames_per_minute", "60")],
        [("adps", "None"), ("over_power", "OFF")],
        [],
    ]


def test_only_the_fields_that_the_owner_lists_leave_the_bridge() -> None:
    heard = Heard(PublishSettings(fields=["sinsts", "tariff_period"]))
    assert heard.take(Historique(papp=530, iinst=2, ptec="HP")) == [
        ("announce", "Maison historique None: papp tariff_period"),
        ("status", "online"),
        ("papp", "530"),
        ("tariff_period", "HP"),
    ]


def test_the_delivery_point_leaves_the_bridge_on_request_only() -> None:
    reading = Standard(prm="01234567890123", sinsts=1)
    for personal in (False, True):
        heard = Heard(PublishSettings(personal=personal))
        heard.meter.take(checked(reading, 0.0))
        assert any("01234567890123" in message.payload for message in heard.sent) is personal
        assert any("prm" in message.payload for message in heard.sent) is personal


# --- announcements -------------------------------------------------------------------------------


def test_three_phases_are_seen_whatever_fields_are_let_out() -> None:
    announced: list[int] = []

    def note(said: Announcement) -> Iterator[Message]:
        announced.append(said.phases)
        return iter(())

    settings, publish = MeterSettings(source="-"), PublishSettings(fields=["sinsts"])
    meter = Meter(BRIDGE, settings, publish, 0.0, lambda _: True, note)
    for n, more in enumerate([{}, {"urms1": 230, "urms2": 231, "urms3": 229}, {}, {"irms2": 3}]):
        meter.take(checked(Standard.model_validate({"sinsts": 530} | more), float(n)))
    assert announced == [1, 3]


def test_an_event_is_a_message_that_is_not_kept() -> None:
    heard = Heard()
    heard.take(Historique(base=1, ptec="HC"))
    heard.meter.take(checked(Historique(base=1, ptec="HP"), 2.0))
    event = Message(
        f"linky/{METER}/event",
        '{"event_type": "tariff_change", "before": 1, "after": 2, "tariff_period": "HP"}',
        retain=False,
        qos=1,
    )
    assert event in heard.sent


def test_what_stopped_while_the_bridge_was_down_is_said_to_be_unknown() -> None:
    sent: list[Message] = []

    def send(message: Message) -> bool:
        sent.append(message)
        return True

    known = Known(frozenset({"adps", "papp"}))
    meter = Meter(BRIDGE, MeterSettings(source="-"), PublishSettings(), 0.0, send, recall=lambda _: known)
    for n in range(3):
        meter.take(checked(Historique(base=1, papp=530), float(n)))
    said = {message.topic.removeprefix(f"linky/{METER}/"): message.payload for message in sent}
    assert said["adps"] == "None"


def test_a_label_seen_later_is_announced_then() -> None:
    heard = Heard()
    heard.take(Historique(adco=METER, papp=530))
    heard.take(Historique(adco=METER, papp=530))
    assert heard.take(Historique(adco=METER, papp=530, adps=50))[0] == (
        "announce",
        f"Maison historique {METER}: adco adps over_power papp",
    )


def test_an_index_is_announced_once_it_counts() -> None:
    heard = Heard()
    zero = Standard(east=0, easf01=0, easf02=0, easd01=0, eait=0)
    assert heard.take(zero)[0] == ("announce", "Maison standard None: eait east")
    assert heard.take(zero.model_copy(update={"easf01": 1}))[0] == (
        "announce",
        "Maison standard None: eait easf01 east",
    )
    # and stays announced
    assert heard.take(Standard(east=0, easf01=0, easf02=2))[0] == (
        "announce",
        "Maison standard None: eait easf01 easf02 east",
    )


def test_a_derived_value_is_announced_once_it_says_something() -> None:
    # a meter that is not on Tempo never tells a colour: no entity that reads "unknown" for ever
    heard = Heard()
    plain = heard.take(Standard(stge=StatusRegister(0)))[0][1]
    tempo = heard.take(Standard(stge=StatusRegister(1 << 24)))[0][1]
    assert set(tempo.split()) - set(plain.split()) == {"tempo_today"}
    assert not {"tempo_tomorrow", "peak", "peak_notice"} & set(tempo.split())


def test_a_frame_without_an_address_does_not_make_the_announcement_forget_it() -> None:
    heard = Heard()
    heard.take(Standard(adsc=METER, sinsts=530))
    assert heard.take(Standard(sinsts=530, urms1=230, complete=False))[0] == (
        "announce",
        f"Maison standard {METER}: adsc sinsts urms1",
    )


def test_a_change_of_mode_is_announced_both_ways() -> None:
    heard = Heard()
    announced = [
        heard.take(reading)[0]
        for reading in (
            Historique(adco=METER, papp=530),
            Standard(adsc=METER, sinsts=530),
            Historique(adco=METER, papp=530),
        )
    ]
    assert announced == [
        ("announce", f"Maison historique {METER}: adco papp"),
        ("announce", f"Maison standard {METER}: adsc sinsts"),
        ("announce", f"Maison historique {METER}: adco papp"),
    ]


def test_of_labels_that_say_the_same_the_one_said_last_is_announced() -> None:
    # a contract that changes: both fill the first supplier index
    heard = Heard()
    heard.take(Historique(hchc=1, hchp=2))
    assert heard.take(Historique(ejphn=3, ejphpm=4))[0] == ("announce", "Maison historique None: east ejphn ejphpm")


def test_a_total_goes_on_when_the_mode_changes() -> None:
    heard = Heard()
    readings = [Historique(adco=METER, hchc=1, hchp=2), Standard(adsc=METER, east=4), Standard(adsc=METER, east=5)]
    totals = [[payload for topic, payload in heard.take(reading) if topic == "east"] for reading in readings]
    # nothing says "unknown" in between
    assert totals == [["3"], ["4"], ["5"]]


def test_what_waited_in_one_mode_is_said_before_the_other_mode_speaks() -> None:
    heard = Heard(PublishSettings(min_interval=5, heartbeat=60))
    for n, reading in enumerate((Standard(easf02=10), Standard(easf02=11), Historique(hchp=12), Historique(hchp=12))):
        heard.meter.take(checked(reading, float(n)))
    heard.meter.tick(100.0)  # a minute later only what the meter still says is said again
    leaves = [(message.topic.rpartition("/")[2], message.payload) for message in heard.sent]
    assert [said for said in leaves if said[0] in ("easf02", "hchp")] == [
        ("easf02", "10"), ("easf02", "11"), ("hchp", "12"), ("hchp", "12"),
    ]  # fmt: skip


def test_what_was_announced_before_a_restart_is_announced_with_the_first_frame() -> None:
    announced: list[Announcement] = []

    def note(said: Announcement) -> Iterator[Message]:
        announced.append(said)
        return iter(())

    known = Known(frozenset({"papp", "east", "easf02", "irms3", "prm", "a_label_of_another_release"}), phases=3)
    recall = {METER: known}.__getitem__
    meter = Meter(BRIDGE, MeterSettings(source="-"), PublishSettings(), 0.0, lambda _: True, note, recall)
    for n, reading in enumerate([Standard(sinsts=1), Standard(sinsts=2, easf02=0), Standard(sinsts=3, urms1=230)]):
        meter.take(checked(reading, float(n)))
    # the index that once counted may say 0, the PRM left the bridge when its owner let it
    at_once = {"sinsts", "east", "easf02", "irms3"}
    assert {said.withheld for said in announced} == {frozenset({"prm"})}
    assert [(set(said.slugs - QUALITY), said.phases) for said in announced] == [(at_once, 3), (at_once | {"urms1"}, 3)]


def test_what_its_owner_lets_out_no_more_is_taken_from_the_broker() -> None:
    """In whichever mode it was sent, announced or not; again at each renewal: the broker may have missed it."""
    heard = Heard(PublishSettings(fields=["sinsts"]))
    known = Known(frozenset({"sinsts", "smaxsn", "a_label_of_another_release"}))
    meter = Meter(BRIDGE, MeterSettings(source="-"), heard.publish, 0.0, heard.send, recall=lambda _: known)
    meter.take(checked(Standard(sinsts=530, smaxsn=600), 0.0))
    first, heard.sent = heard.sent, []
    meter.take(checked(Standard(sinsts=540, smaxsn=610), 10.0))
    second, heard.sent = heard.sent, []
    meter.renew()
    meter.tick(20.0)
    sent = (first, second, heard.sent)
    gone = {
        Message(f"linky/{METER}/{row.slug}{more}", "", retain=True, qos=1)
        for row in BY_SLUG.values()
        if row.canonical != "sinsts"
        for more in ("", "/attributes")
    }
    assert [{m for m in messages if not m.payload} for messages in sent] == [gone, set(), gone]
    leaves = [{m.topic.removeprefix(f"linky/{METER}/") for m in messages if m.payload} for messages in sent]
    assert leaves == [{"status", "sinsts"}, {"sinsts"}, {"status", "sinsts"}]


def test_nothing_is_taken_from_the_broker_that_was_never_let_out() -> None:
    heard = Heard(PublishSettings(fields=["sinsts"]))
    heard.take(Standard(prm="01234567890123", sinsts=1, smaxsn=600))
    heard.meter.renew()
    heard.tick(after=1)
    assert [message for message in heard.sent if not message.payload] == []


def test_without_home_assistant_nothing_is_announced() -> None:
    heard = Heard()
    meter = Meter(BRIDGE, MeterSettings(), PublishSettings(), 0.0, heard.send)
    meter.take(checked(Standard(sinsts=530), 0.0))
    assert [topic for topic, _ in heard.said()] == ["status", "link_quality", "sinsts"]


# --- on line, off line ---------------------------------------------------------------------------


def test_thirty_seconds_without_a_valid_frame_take_the_meter_off_line() -> None:
    heard = Heard()
    heard.take(Standard(sinsts=530))
    assert [heard.tick(after=29.9), heard.tick(after=0.1), heard.tick(after=60)] == [[], [("status", "offline")], []]
    assert ("status", "online") in heard.take(Standard(sinsts=530))


def test_noise_does_not_keep_a_meter_on_line() -> None:
    heard = Heard()
    heard.take(Standard(sinsts=530))
    heard.take(NOISE, after=20)
    assert heard.tick(after=10) == [("status", "offline")]


def test_a_source_that_breaks_takes_the_meter_off_line_once() -> None:
    heard = Heard()
    heard.take(Standard(sinsts=530))
    heard.meter.gone()
    heard.meter.gone()
    assert heard.said() == [("status", "offline")]


def test_the_last_word_is_off_line() -> None:
    heard = Heard()
    assert heard.meter.status() is None
    heard.take(Standard(sinsts=530))
    assert heard.meter.status() == Message(f"linky/{METER}/status", "offline", retain=True, qos=1)


def test_before_the_meter_is_known_nothing_is_said() -> None:
    heard = Heard()
    heard.meter.gone()
    heard.meter.renew()
    assert [heard.take(Standard(sinsts=530), meter=None), heard.tick(after=100), heard.meter.meter] == [[], [], None]


def test_a_renewal_says_everything_again_in_the_order_that_home_assistant_wants() -> None:
    heard = Heard(PublishSettings(min_interval=5))
    heard.take(Standard(adsc=METER, sinsts=530))
    heard.take(Standard(adsc=METER, sinsts=540))  # waits for its interval
    heard.meter.renew()
    assert heard.tick(after=1) == [
        ("announce", f"Maison standard {METER}: adsc sinsts"),
        ("status", "online"),
        ("adsc", METER),
        ("frames_per_minute", "60"),
        ("link_quality", "100"),
        ("sinsts", "540"),
    ]
    assert heard.tick(after=1) == []


def test_another_meter_on_the_same_line_takes_the_first_off_line() -> None:
    heard = Heard()
    heard.take(Standard(adsc=METER, sinsts=530))
    assert heard.take(Standard(adsc=OTHER, sinsts=530), meter=OTHER) == [
        ("status", "offline"),
        ("announce", f"Maison standard {OTHER}: adsc sinsts"),
        (f"linky/{OTHER}/status", "online"),
        (f"linky/{OTHER}/adsc", OTHER),
        (f"linky/{OTHER}/event", f'{{"event_type": "meter_change", "before": "{METER}", "after": "{OTHER}"}}'),
        (f"linky/{OTHER}/frames_per_minute", "60"),
        (f"linky/{OTHER}/link_quality", "100"),
        (f"linky/{OTHER}/sinsts", "530"),
    ]
    assert heard.meter.meter == OTHER


# --- the reading message -------------------------------------------------------------------------


def envelopes(heard: Heard, *readings: Reading, after: float = 1.0) -> list[dict[str, Any]]:
    """The readings that these frames made, as the spool keeps them."""
    for n, reading in enumerate(readings, start=1):
        heard.meter.take(checked(reading, n * after, reading.meter_id or METER))
    bodies = [json.loads(body) for _, _, _, body in heard.accepted]
    assert [(meter, seq) for meter, seq, _, _ in heard.accepted] == [(body["meter"], body["seq"]) for body in bodies]
    return bodies


def test_a_frame_is_a_reading_for_the_spool() -> None:
    reading = Standard(
        adsc=METER, sinsts=4500, smaxsn=5000, pref=9, prm="01234567890123", dpm1=None,
        stamps=stamps(smaxsn="h260115090032"), extra={"GAZ": "0000001"},
    )  # fmt: skip
    assert envelopes(Heard(), reading) == [
        {
            "v": 1,
            "meter": METER,
            "bridge": "pi",
            "epoch": EPOCH,
            "seq": 1,
            "ts": "2026-01-15T12:00:01.000Z",
            "clock": "host",
            "tz": "Europe/Paris",
            "mode": "standard",
            "values": {"adsc": METER, "pref": 9, "sinsts": 4500, "smaxsn": 5000, "dpm1": None},
            "derived": {"power_used_percent": 50, "link_quality": 100},
            "stamps": {"smaxsn": "h260115090032"},
            "extra": {"GAZ": "0000001"},
        }
    ]


def test_readings_are_numbered_and_what_stopped_is_null_in_them() -> None:
    told = envelopes(Heard(), Historique(base=1, adps=50), Historique(base=2), Historique(base=3), Historique(base=4))
    assert [(body["seq"], body["values"]) for body in told] == [
        (1, {"base": 1, "adps": 50}),
        (2, {"base": 2}),
        (3, {"base": 3, "adps": None}),
        (4, {"base": 4}),
    ]


def test_each_meter_counts_its_own_readings() -> None:
    first, second = Standard(adsc=METER, sinsts=1), Standard(adsc=OTHER, sinsts=1)
    told = envelopes(Heard(), first, first, second, second, first)
    assert [(body["meter"], body["seq"]) for body in told] == [
        (METER, 1),
        (METER, 2),
        (OTHER, 1),
        (OTHER, 2),
        (METER, 3),
    ]


def test_an_interval_thins_the_readings_and_not_the_fields() -> None:
    heard = Heard(interval=10.0)
    told = envelopes(heard, *(Historique(papp=n) for n in range(12)), after=2.0)
    assert [(body["seq"], body["values"]) for body in told] == [
        (1, {"papp": 0}),
        (2, {"papp": 5}),
        (3, {"papp": 10}),
    ]


# --- counts --------------------------------------------------------------------------------------


def test_everything_that_happens_to_a_frame_is_counted() -> None:
    heard = Heard()
    heard.take(NOISE)
    heard.take(NOISE)
    heard.take(Standard(sinsts=1), meter=None)
    heard.take(Decoded(Standard(sinsts=2), NOISE.refused[:1]))
    heard.is_on_disk = False
    heard.take(Standard(sinsts=3))
    counts = heard.meter.counts
    assert (counts.frames, counts.decoded, counts.accepted, counts.unspooled) == (5, 2, 1, 1)
    assert counts.refused == Counter({("PAPP", Reason.CHECKSUM): 3, ("", Reason.SHAPE): 2})


def test_labels_that_noise_makes_up_are_counted_as_one() -> None:
    heard = Heard()
    for n in range(100):
        heard.take(Decoded(Standard(sinsts=n), (Refused(f"SIN{n}", "00530", Reason.UNKNOWN_LABEL),)))
    assert heard.meter.counts.refused == Counter({("", Reason.UNKNOWN_LABEL): 100})
