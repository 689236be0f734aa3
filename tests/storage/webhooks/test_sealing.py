"""Secrets that are kept."""

from __future__ import annotations

from typing import Any

import pytest

from storage.webhooks.models import Webhook
from storage.webhooks.sealing import SealError, seal, unseal
from storage.webhooks.signing import signature
from tests.storage.webhooks.conftest import hook


def test_what_is_kept_does_not_show_the_secret_and_gives_it_back() -> None:
    kept = seal("pâssword")
    assert ("pâssword" in kept, seal("pâssword") == kept, unseal(kept)) == (False, False, "pâssword")


def test_under_another_key_it_cannot_be_read_unless_that_is_still_known(settings: Any) -> None:
    kept = seal("s3cret")
    before, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    with pytest.raises(SealError, match="enter it again"):
        unseal(kept)
    settings.SECRET_KEY_FALLBACKS = [before]
    assert unseal(kept) == "s3cret"


@pytest.mark.django_db
def test_neither_the_row_nor_its_history_nor_a_dictionary_tells_it() -> None:
    webhook = hook("https://example.org/", "s3cret", authentication="bearer")
    told = [webhook.to_dict(raw=True), webhook.history.values().get(), Webhook.objects.values().get()]
    assert (["s3cret" in str(one) for one in told], webhook.secret) == ([False] * 3, "s3cret")


def test_a_key_in_the_form_of_the_specification_is_taken_as_bytes() -> None:
    """The vector of the specification's own reference libraries."""
    said = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert said == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_only_looks_like_such_a_key_is_a_text() -> None:
    assert signature("whsec_!", "n", 1, b"") != signature("whsec_?", "n", 1, b"")
