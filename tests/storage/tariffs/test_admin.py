"""Contracts and prices in the administration."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone, translation

from storage.models import Meter
from storage.tariffs.models import (
    CalendarRule,
    Contract,
    DayCost,
    EventDay,
    IndexPeriod,
    Offer,
    OffPeakSlot,
    TariffPrice,
    TempoDay,
)
from storage.tariffs.shipping import load_reference

pytestmark = pytest.mark.django_db
_PAGES = ("offer", "tariffprice", "contract", "indexperiod", "offpeakslot", "eventday", "tempoday")

_RULE: dict[str, Any] = {
    "rules-TOTAL_FORMS": 1,
    "rules-0-rank": 1,
    "rules-0-days": "every",
    "rules-0-hours": "all",
    "rules-0-season": "all",
}  # as the page has it


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def browser() -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_superuser("owner"))
    return client


@pytest.fixture
def meter() -> Meter:
    return Meter.objects.create(meter_id="031861360149", mode="standard", timezone="Europe/Paris")


def page(browser: Client, path: str) -> str:
    answer = browser.get(f"/admin/tariffs/{path}/")
    assert answer.status_code == 200
    return answer.content.decode()


def posted(browser: Client, path: str, **changes: Any) -> Any:
    """The form of a page as the browser would send it, with some fields filled in anew."""
    url = path if path.startswith("/") else f"/admin/tariffs/{path}/"
    context: Any = browser.get(url).context
    form = context["adminform"].form
    given = {bound.html_name: bound.value() for bound in form}
    for inline in context["inline_admin_formsets"]:
        for each in (inline.formset.management_form, *inline.formset.forms):
            given |= {bound.html_name: bound.value() for bound in each}
    sent: dict[str, str] = {}
    for name, value in (given | changes).items():
        if hasattr(value, "tzinfo") or name.endswith(("start_date", "end_date")):
            local = None if value is None or value == "" else timezone.localtime(value)
            sent |= {
                f"{name}_0": f"{local:%Y-%m-%d}" if local else "",
                f"{name}_1": f"{local:%H:%M:%S}" if local else "",
            }
        elif value is True:
            sent[name] = "on"
        elif value is not None and value is not False:
            sent[name] = str(value)
    return browser.post(url, sent)


@pytest.mark.parametrize("name", _PAGES)
def test_each_table_has_its_list_and_its_form(browser: Client, meter: Meter, name: str) -> None:
    offer = Offer.objects.get(code="tarif-bleu-tempo")
    Contract.objects.create(meter=meter, offer=offer, power=9)
    IndexPeriod.objects.create(meter=meter, index=1, label="HC BLEU", period="bleu_hc")
    OffPeakSlot.objects.create(meter=meter, begins="22:30", ends="06:30")
    EventDay.objects.create(offer=offer, day=date(2026, 1, 6))
    TempoDay.objects.create(day=date(2026, 1, 6), colour="rouge", source="meter")
    for path in (name, f"{name}/add"):
        page(browser, path)
    model: Any = {"offer": Offer, "tariffprice": TariffPrice, "contract": Contract, "indexperiod": IndexPeriod,
                  "offpeakslot": OffPeakSlot, "eventday": EventDay, "tempoday": TempoDay}[name]  # fmt: skip
    page(browser, f"{name}/{model.objects.latest('pk').pk}/change")


def test_old_prices_are_told_on_the_lists_and_on_their_offer(browser: Client) -> None:
    tempo = Offer.objects.get(code="tarif-bleu-tempo")
    told = "may be out of date. Enter the newer ones"
    for path in ("offer", "tariffprice", f"offer/{tempo.pk}/change"):
        text = page(browser, path)
        assert told in text
        assert "a revision was due on Aug. 1, 2026 and is not known here" in text
    mine = Offer.objects.create(code="mine", name="Mine", option=Offer.Option.BASE)
    assert told not in page(browser, f"offer/{mine.pk}/change")


def test_they_are_told_in_french_too(browser: Client) -> None:
    with translation.override("fr"):
        text = browser.get("/admin/tariffs/offer/", headers={"accept-language": "fr"}).content.decode()
    assert "ne sont peut-être plus à jour" in text
    assert "une révision était due le 1 août 2026" in text


def test_a_history_is_french_too(browser: Client, meter: Meter) -> None:
    since = timezone.make_aware(timezone.datetime(2026, 11, 1))  # type: ignore[attr-defined]  # the stubs hide it
    contract = Contract.objects.create(
        meter=meter, offer=Offer.objects.get(code="tarif-bleu-base"), power=6, start_date=since
    )
    with translation.override("fr"):
        text = browser.get(
            f"/admin/tariffs/contract/{contract.pk}/history/", headers={"accept-language": "fr"}
        ).content.decode()
    assert "Historique : soutiré, 1 novembre 2026" in text
    assert '<th scope="col">Modifications</th>' in text
    assert "Restaurer la version" in text


def test_costs_of_days_are_listed_in_the_meters_zone_and_what_is_not_known_has_no_amount(
    browser: Client, meter: Meter
) -> None:
    day = timezone.make_aware(timezone.datetime(2026, 11, 1))  # type: ignore[attr-defined]  # the stubs hide it
    DayCost.objects.create(meter=meter, day=day, period="hc", wh=1000, amount=Decimal("0.123456789"))
    DayCost.objects.create(meter=meter, day=day, period="?", wh=7)
    text = page(browser, "daycost")
    assert "11/01/2026" in text
    assert '<td class="field-eur">0.1235</td>' in text
    assert '<td class="field-eur">-</td>' in text
    assert browser.get("/admin/tariffs/daycost/add/").status_code == 403


def test_a_price_changed_on_the_page_of_its_offer_is_a_new_version_of_the_owners(browser: Client) -> None:
    offer = Offer.objects.get(code="tarif-bleu-ejp")
    old = offer.prices.get(period="pm")
    forms: Any = (
        browser.get(f"/admin/tariffs/offer/{offer.pk}/change/").context["inline_admin_formsets"][1].formset.forms
    )
    place = next(number for number, form in enumerate(forms) if form.instance == old)
    answer = posted(browser, f"offer/{offer.pk}/change", **{f"prices-{place}-amount": "0.5"})
    assert answer.status_code == 302, answer.context["errors"]
    old.refresh_from_db()
    new = offer.prices.get(period="pm", end_date=None)
    assert (old.amount, old.origin, old.end_date) == (Decimal("0.3440"), "shipped", new.start_date)
    assert (new.amount, new.origin, new.source, new.confidence, new.checked_on) == (
        Decimal("0.5"),
        "user",
        "",
        "",
        None,
    )
    assert new.history.first().history_user == User.objects.get(username="owner")
    assert offer.prices.get(period="hn").origin == "shipped"
    before = list(TariffPrice.objects.order_by("pk").values())
    assert load_reference().is_idle
    assert list(TariffPrice.objects.order_by("pk").values()) == before


def test_a_contract_is_entered_on_the_page_of_its_meter(browser: Client, meter: Meter) -> None:
    """And changed there: the next one begins, and the owner stands in its history."""
    path = f"/admin/storage/meter/{meter.pk}/change/"
    base, tempo = (Offer.objects.get(code=f"tarif-bleu-{name}") for name in ("base", "tempo"))
    new = {"contracts-TOTAL_FORMS": 1, "contracts-0-direction": "drawn", "contracts-0-offer": base.pk}
    since = timezone.make_aware(timezone.datetime(2026, 2, 1))  # type: ignore[attr-defined]  # the stubs hide it
    new |= {"contracts-0-power": 6, "contracts-0-start_date": since, "contracts-0-end_date": ""}
    answer = posted(browser, path, **new)
    assert answer.status_code == 302, answer.context["errors"]
    answer = posted(browser, path, **{"contracts-0-offer": tempo.pk, "contracts-0-power": 9})
    assert answer.status_code == 302, answer.context["errors"]
    old, now = Contract.objects.order_by("start_date")
    assert (old.offer, old.power, old.start_date, old.end_date) == (base, 6, since, now.start_date)
    assert (now.offer, now.power, now.end_date) == (tempo, 9, None)
    owner = User.objects.get(username="owner")
    assert [record.history_user for record in Contract.history.all()] == [owner] * 3


@pytest.mark.parametrize(
    ("code", "columns", "said"),
    [
        ("tarif-bleu-base", {"period": "hp"}, "This offer has one period only: base."),
        ("tarif-bleu-hphc", {"period": ""}, "A price of energy needs the code of its period."),
        ("tarif-bleu-hphc", {"kind": "subscription", "period": "hp"}, "A subscription has no period."),
    ],
)
def test_a_price_that_nobody_would_pay_is_refused(code: str, columns: dict[str, str], said: str) -> None:
    price = TariffPrice(offer=Offer.objects.get(code=code), amount=Decimal(1), **columns)
    with pytest.raises(ValidationError) as caught:
        price.full_clean()
    assert caught.value.message_dict == {"period": [said]}


def test_a_resale_is_entered_with_its_price_and_nothing_else_sells(browser: Client, meter: Meter) -> None:
    offer = Offer.objects.create(code="oa", name="OA 2019", option=Offer.Option.RESALE)
    price = TariffPrice(offer=offer, amount=Decimal("0.1"))
    price.full_clean()
    assert price.period == "injected"  # the only one, so nobody has to know its code
    sold = Contract(meter=meter, direction="injected", offer=offer)
    sold.full_clean()
    for direction, code in (("drawn", "oa"), ("injected", "tarif-bleu-base")):
        wrong = Contract(meter=meter, direction=direction, offer=Offer.objects.get(code=code))
        with pytest.raises(ValidationError, match="needs an offer of resale, and only that does"):
            wrong.full_clean()


def test_confirming_what_an_index_counts_says_so_of_its_past(browser: Client, meter: Meter) -> None:
    since = timezone.make_aware(timezone.datetime(2026, 2, 1))  # type: ignore[attr-defined]  # the stubs hide it
    learned = IndexPeriod.objects.create(meter=meter, index=1, label="SUPER NUIT", start_date=since)
    answer = posted(browser, f"indexperiod/{learned.pk}/change", period="nuit", is_confirmed=True)
    assert answer.status_code == 302, answer.context["errors"]
    row = IndexPeriod.objects.get()
    assert (row.pk, row.period, row.is_confirmed, row.start_date, row.end_date) == (
        learned.pk,
        "nuit",
        True,
        since,
        None,
    )


def test_a_price_is_ended_and_stays_what_it_was(browser: Client) -> None:
    price = TariffPrice.objects.get(offer__code="tarif-bleu-ejp", period="pm")
    end = timezone.make_aware(timezone.datetime(2026, 8, 1))  # type: ignore[attr-defined]  # the stubs hide it
    answer = posted(browser, f"tariffprice/{price.pk}/change", end_date=end, change_reason="the contract is over")
    assert answer.status_code == 302, answer.context["errors"]
    price.refresh_from_db()
    assert (price.origin, price.source, price.end_date) == ("shipped", "A published grid of the Tarif Bleu", end)
    assert price.history.first().history_change_reason == "the contract is over"


def test_the_page_of_an_offer_with_a_long_past_can_be_saved(browser: Client) -> None:
    offer = Offer.objects.get(code="tarif-bleu-base")
    assert offer.prices.count() > 150
    answer = posted(browser, f"offer/{offer.pk}/change", name="Base at home")
    assert answer.status_code == 302, answer.context["errors"]
    offer.refresh_from_db()
    assert (offer.name, offer.origin) == ("Base at home", "shipped")
    assert set(offer.prices.values_list("origin", flat=True)) == {"shipped"}


def test_rules_of_hours_are_entered_on_the_page_of_their_offer(browser: Client) -> None:
    offer = Offer.objects.create(code="mine", name="Mine", option=Offer.Option.OTHER)
    rule = _RULE | {"rules-0-period": "weekend", "rules-0-days": "weekend"}
    half = posted(browser, f"offer/{offer.pk}/change", **rule | {"rules-0-hours": "clock", "rules-0-begins": "22:00"})
    assert half.context["errors"] == [["Hours from begin to end need both, and two different ones."]]
    answer = posted(browser, f"offer/{offer.pk}/change", **rule | {"rules-0-hours": "all"})
    assert answer.status_code == 302, answer.context["errors"]
    made = CalendarRule.objects.get(offer=offer)
    assert (made.rank, made.period, made.days, made.hours, made.season) == (1, "weekend", "weekend", "all", "all")
    assert made.history.first().history_user == User.objects.get(username="owner")


def test_rules_of_a_known_option_are_refused_on_its_page(browser: Client) -> None:
    offer = Offer.objects.get(code="tarif-bleu-ejp")
    answer = posted(browser, f"offer/{offer.pk}/change", **_RULE | {"rules-0-period": "pm"})
    assert answer.context["errors"] == [["The hours of this option are known: rules are for other periods only."]]


def test_an_event_day_that_is_entered_is_the_owners(browser: Client) -> None:
    offer = Offer.objects.get(code="tarif-bleu-ejp")
    learned = EventDay.objects.create(offer=offer, day=date(2026, 1, 6), is_event=False, source="meter ...0149")
    assert posted(browser, f"eventday/{learned.pk}/change").status_code == 302
    learned.refresh_from_db()
    assert learned.source == "meter ...0149"
    assert posted(browser, f"eventday/{learned.pk}/change", is_event=True).status_code == 302
    learned.refresh_from_db()
    assert (learned.is_event, learned.source) == (True, "user")


def test_a_colour_that_no_such_day_has_is_refused(browser: Client) -> None:
    sunday = browser.post("/admin/tariffs/tempoday/add/", {"day": "2026-12-06", "colour": "blanc"})
    assert "Sundays are blue" in sunday.content.decode()
    assert browser.post("/admin/tariffs/tempoday/add/", {"day": "2026-12-07", "colour": "rouge"}).status_code == 302
    assert list(TempoDay.objects.values_list("day", "colour", "source")) == [(date(2026, 12, 7), "rouge", "user")]
