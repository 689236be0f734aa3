"""What to publish when. Times are seconds of a clock that the test holds."""

from __future__ import annotations

from bridge.policy import Policy, Rule

RULE = Rule(min_interval=5, heartbeat=300, jump=200)


def offered(policy: Policy, *offers: tuple[float, str, float | None]) -> list[bool]:
    """Whether each (time, text, number) on one topic is published at once."""
    return [policy.offer("sinsts", "sinsts", text, number, now) for now, text, number in offers]


def test_the_first_value_is_published_at_once() -> None:
    assert offered(Policy(RULE), (0, "530", 530)) == [True]


def test_the_same_text_is_not_published_again() -> None:
    assert offered(Policy(RULE), (0, "530", 530), (100, "530", 530)) == [True, False]


def test_a_change_is_published_once_the_interval_is_over() -> None:
    assert offered(Policy(RULE), (0, "530", 530), (4.9, "540", 540), (5, "550", 550)) == [True, False, True]


def test_a_jump_does_not_wait() -> None:
    assert offered(Policy(RULE), (0, "530", 530), (1, "729", 729), (2, "730", 730), (3, "529", 529)) == [
        True,
        False,
        True,
        True,
    ]


def test_without_a_jump_or_a_number_nothing_jumps() -> None:
    assert offered(Policy(Rule(5, 300, None)), (0, "0", 0), (1, "9000", 9000)) == [True, False]
    assert offered(Policy(RULE), (0, "HC", None), (1, "HP", None), (2, "9000", 9000)) == [True, False, False]


def test_what_waited_is_due_after_the_interval_with_its_newest_text() -> None:
    policy = Policy(RULE)
    offered(policy, (0, "530", 530), (1, "540", 540), (2, "550", 550))
    assert [list(policy.due(now)) for now in (4.9, 5, 6)] == [[], [("sinsts", "550")], []]


def test_a_value_that_came_back_does_not_wait_any_more() -> None:
    policy = Policy(RULE)
    offered(policy, (0, "530", 530), (1, "540", 540), (2, "530", 530))
    assert list(policy.due(10)) == []


def test_a_silent_field_is_published_again_after_its_heartbeat() -> None:
    policy = Policy(Rule(5, 300))
    offered(policy, (0, "530", 530))
    assert [list(policy.due(now)) for now in (0, 299, 300, 305, 310, 599, 610)] == [
        [],
        [],
        # heartbeats are looked for every ten seconds
        [],
        [],
        [("sinsts", "530")],
        [],
        [("sinsts", "530")],
    ]


def test_a_field_of_its_own_rule_follows_it_by_canonical_name() -> None:
    policy = Policy(Rule(5, 300), {"sinsts": Rule(0, 300)})
    assert [
        policy.offer("papp", "sinsts", "1", 1, 0),
        policy.offer("papp", "sinsts", "2", 2, 0.1),
        policy.offer("iinst", "irms1", "1", 1, 0),
        policy.offer("iinst", "irms1", "2", 2, 0.1),
    ] == [True, True, True, False]


def test_everything_is_the_newest_text_of_each_field() -> None:
    policy = Policy(RULE)
    policy.offer("sinsts", "sinsts", "530", 530, 0)
    policy.offer("ltarf", "ltarf", "HC", None, 0)
    policy.offer("sinsts", "sinsts", "540", 540, 1)
    assert list(policy.everything(2)) == [("sinsts", "540"), ("ltarf", "HC")]
    assert list(policy.due(8)) == []  # nothing waits any more


def test_a_new_policy_has_nothing_to_say() -> None:
    policy = Policy()
    assert (list(policy.due(0)), list(policy.everything(0))) == ([], [])
