"""Our models as the API under /api/v1/ shows them: the whitelist of everything that can be seen or asked there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet
from django.urls import include, path
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from storage.alerts.models import Alert, AlertRule
from storage.api.docs import docs_urls
from storage.api.resource import Resource, Window
from storage.api.router import Api, create_api
from storage.api.serializers import CommonModelSerializer
from storage.groups import MeterGroup
from storage.models import Data, Epoch, Gap, Import, Meter, Register, Rollup
from storage.rights import may_write, rights_of
from storage.tariffs.models import (
    CalendarRule,
    Contract,
    DayCost,
    EventDay,
    IndexPeriod,
    Offer,
    OffPeakSlot,
    Period,
    TariffPrice,
    TempoDay,
)

_MOST_PRICES: Final = 100
M = TypeVar("M", bound=Model)


class NewPriceSerializer(serializers.ModelSerializer[TariffPrice]):
    """A price of the contract's offer."""

    class Meta:
        model = TariffPrice
        fields = ("kind", "period", "power", "taxed", "amount", "start_date", "source")
        validators: tuple[Any, ...] = ()


class ContractSerializer(CommonModelSerializer):
    """A contract; a new one may bring the prices of its offer, and all of it is written or nothing."""

    prices = serializers.ListField(child=NewPriceSerializer(), write_only=True, required=False, max_length=_MOST_PRICES)
    extra_fields = ("prices",)

    @transaction.atomic
    def create(self, validated_data: dict[str, Any]) -> Contract:
        """The contract, then the prices: the model refuses those that overlap what is there."""
        prices = validated_data.pop("prices", [])
        if prices and not may_write(self.context["request"], "add", TariffPrice):
            raise PermissionDenied
        contract: Contract = super().create(validated_data)
        for given in prices:
            price = TariffPrice(offer=contract.offer, **given)
            price.full_clean()
            price.save()
        return contract

    def update(self, instance: Any, validated_data: dict[str, Any]) -> Any:
        """Prices belong to the offer: those of a contract that is there are changed at `prices/`."""
        if validated_data.pop("prices", None):
            raise serializers.ValidationError(
                {"prices": ["only a new contract brings prices: change them by themselves"]}
            )
        return super().update(instance, validated_data)


class SeenMeters:
    """Whose groups are limited sees the rows of their meters: see `storage.rights`."""

    def rows(self, request: Request, rows: QuerySet[M]) -> QuerySet[M]:
        return rights_of(request).of(rows)

    def is_whole(self, request: Request) -> bool:
        return rights_of(request).is_whole

    def may_write(self, request: Request, model: type[Model]) -> bool:
        return rights_of(request).may_write(model)

    def may_write_row(self, request: Request, row: Model) -> bool:
        return rights_of(request).may_write_row(row)


api: Final[Api] = create_api(
    Resource(Meter, "meters", related=("group",), fixed=("mode", "timezone", "phases", "power", "raw_since")),
    Resource(MeterGroup, "groups"),  # its parent is not followed: who is limited may not see it
    Resource(Offer, "offers", exclude=("shipped",), fixed=("origin",)),
    Resource(Period, "periods", exclude=("shipped",), related=("offer",)),
    Resource(TariffPrice, "prices", exclude=("shipped",), fixed=("origin", "confidence"), related=("offer",)),
    Resource(
        Contract, "contracts", related=("meter", "offer"), nested=("meter", "offer"), serializer=ContractSerializer
    ),
    Resource(IndexPeriod, "index-periods", related=("meter",)),
    Resource(OffPeakSlot, "off-peak-slots", related=("meter",)),
    Resource(CalendarRule, "calendar-rules", related=("offer",)),
    Resource(EventDay, "event-days", related=("offer",)),
    Resource(TempoDay, "tempo-days"),
    Resource(DayCost, "day-costs", related=("meter",), read_only=True),
    Resource(AlertRule, "alert-rules", related=("meter",)),
    Resource(Alert, "alerts", related=("rule", "meter"), read_only=True),
    Resource(Register, "registers", related=("meter",), read_only=True),
    Resource(Epoch, "epochs", related=("meter",), read_only=True),
    Resource(Gap, "gaps", related=("epoch",), read_only=True),
    Resource(Import, "imports", exclude=("prm",), related=("meter",), read_only=True),
    Resource(Rollup, "rollups", related=("meter",), read_only=True),
    Resource(
        Data, "readings", related=("meter",), read_only=True, window=Window("dateTime", timedelta(days=31), "meter")
    ),
    sight=SeenMeters(),
)

urlpatterns = [path("v1/", include("storage.answers.views")), path("v1/", include(api.urls)), *docs_urls()]
