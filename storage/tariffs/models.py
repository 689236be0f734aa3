"""Offers and their dated prices, contracts and what their indexes mean, and what each day cost.

Dates of validity are instants: a French price changes at midnight in Paris, whatever the zone of a meter.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from storage.entities.models import DecimalField, Entity, NaturalQuerySet, PerishableEntity, natural, periods
from storage.instants import InstantField
from storage.models import Meter
from storage.tariffs.costs import INJECTED
from storage.tariffs.rules import CalendarRule, EventDay


class Origin(models.TextChoices):
    """Who wrote a row: only what we shipped is ever overwritten by an update."""

    SHIPPED = "shipped", _("shipped with ticbridge")
    USER = "user", _("entered by the owner")
    IMPORT = "import", _("imported from a file")


def _shipped() -> models.CharField[str, str]:
    """Of what we shipped, a checksum of its content: another content is the owner's, and never overwritten."""
    return models.CharField(max_length=16, blank=True, editable=False)


class Offer(Entity):
    """A supplier's grid of prices under a name."""

    class Option(models.TextChoices):
        BASE = "base", _("Base")
        HPHC = "hphc", _("Peak / off-peak hours")
        TEMPO = "tempo", _("Tempo")
        EJP = "ejp", _("EJP")
        OTHER = "other", _("Other periods")  # weekend, super off-peak, Zen Flex ...
        RESALE = "resale", _("Resale of what is injected")

    code = models.SlugField(_("code"), max_length=48, unique=True)
    name = models.CharField(_("name"), max_length=80)
    supplier = models.CharField(_("supplier"), max_length=64, blank=True)
    option = models.CharField(_("option"), max_length=8, choices=Option)
    events = models.PositiveSmallIntegerField(_("event days from one September to the next"), null=True, blank=True)
    origin = models.CharField(_("origin"), max_length=8, choices=Origin, default=Origin.USER)
    shipped = _shipped()

    natural_key = natural("code")

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")

    def __str__(self) -> str:
        return self.name

    @property
    def only(self) -> str:
        """The period of an offer that has but one."""
        return {self.Option.BASE: "base", self.Option.RESALE: INJECTED}.get(self.Option(self.option), "")


class Period(Entity):
    """A time of the day or of the year that has a price of its own in an offer."""

    offer = models.ForeignKey(Offer, models.CASCADE, verbose_name=_("offer"), related_name="periods")
    code = models.SlugField(_("code"), max_length=16)  # base; hp, hc; bleu_hc ... rouge_hp; hn, pm; injected
    name_fr = models.CharField(_("name in French"), max_length=48)
    name_en = models.CharField(_("name in English"), max_length=48)
    rank = models.SmallIntegerField(_("order"), default=0)
    shipped = _shipped()

    natural_key = natural("offer__code", "code")

    class Meta:
        verbose_name = _("price period")
        verbose_name_plural = _("price periods")
        constraints = (models.UniqueConstraint(fields=("offer", "code"), name="period_once"),)
        ordering = ("offer", "rank")

    def __str__(self) -> str:
        return self.code


class TariffPrice(PerishableEntity):
    """What a kWh of a period costs, or a year of subscription, from an instant on. No row: it is not known."""

    class Kind(models.TextChoices):
        ENERGY = "energy", _("EUR per kWh")
        SUBSCRIPTION = "subscription", _("EUR per year")

    offer = models.ForeignKey(Offer, models.CASCADE, verbose_name=_("offer"), related_name="prices")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.ENERGY)
    period = models.CharField(_("price period"), max_length=16, blank=True)  # the code; empty: of the subscription
    power = models.SmallIntegerField(_("subscribed power (kVA)"), default=0)  # 0: whatever the power
    taxed = models.BooleanField(_("taxes included"), default=True)
    amount = DecimalField(_("amount"), max_digits=12, decimal_places=6)
    source = models.CharField(_("source"), max_length=200, blank=True)
    confidence = models.CharField(_("confidence"), max_length=1, blank=True)  # A: two sources agree; B: one source
    checked_on = models.DateField(_("checked on"), null=True, blank=True)
    origin = models.CharField(_("origin"), max_length=8, choices=Origin, default=Origin.USER)
    shipped = _shipped()

    natural_key = natural("offer__code", "kind", "period", "power", "taxed", "start_date")

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        constraints = periods("offer", "kind", "period", "power", "taxed")

    def __str__(self) -> str:
        return f"{self.period or self.get_kind_display()}: {self.amount}"

    def clean(self) -> None:
        """Refuse a price that nobody would ever pay, as its period is none of the offer's."""
        offer = getattr(self, "offer", None)
        if self.kind == self.Kind.SUBSCRIPTION and self.period:
            raise ValidationError({"period": _("A subscription has no period.")})
        if self.kind == self.Kind.ENERGY and offer is not None:
            self.period = self.period or offer.only
            if not self.period:
                raise ValidationError({"period": _("A price of energy needs the code of its period.")})
            if offer.only and self.period != offer.only:
                raise ValidationError({"period": _("This offer has one period only: %s.") % offer.only})
        super().clean()


class Contract(PerishableEntity):
    """Under which offer a meter draws, or injects."""

    class Direction(models.TextChoices):
        DRAWN = "drawn", _("drawn")
        INJECTED = "injected", _("injected")

    meter = models.ForeignKey(Meter, models.CASCADE, verbose_name=_("meter"), related_name="contracts")
    direction = models.CharField(_("direction"), max_length=8, choices=Direction, default=Direction.DRAWN)
    offer = models.ForeignKey(Offer, models.PROTECT, verbose_name=_("offer"))
    power = models.SmallIntegerField(
        _("subscribed power (kVA)"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(36)]
    )

    natural_key = natural("meter__meter_id", "direction", "start_date")

    class Meta:
        verbose_name = _("contract")
        verbose_name_plural = _("contracts")
        constraints = periods("meter", "direction")

    def __str__(self) -> str:
        return f"{self.get_direction_display()}, {date_format(timezone.localtime(self.start_date))}"

    def clean(self) -> None:
        """Refuse to sell under an offer that draws, and the other way round."""
        offer = getattr(self, "offer", None)
        if offer is not None and (self.direction == self.Direction.INJECTED) != (offer.option == Offer.Option.RESALE):
            raise ValidationError({"offer": _("What is injected needs an offer of resale, and only that does.")})
        super().clean()


class IndexPeriod(PerishableEntity):
    """Which price period an index of a meter counts: learned from what the meter says, confirmed by its owner."""

    meter = models.ForeignKey(Meter, models.CASCADE, verbose_name=_("meter"), related_name="index_periods")
    index = models.SmallIntegerField(_("index"), validators=[MinValueValidator(1), MaxValueValidator(10)])  # EASFnn
    label = models.CharField(_("as the meter says"), max_length=16, blank=True)  # LTARF or PTEC while it ran
    period = models.CharField(_("price period"), max_length=16, blank=True)  # the code; empty: not known
    is_confirmed = models.BooleanField(_("confirmed"), default=False)

    natural_key = natural("meter__meter_id", "index", "start_date")

    class Meta:
        verbose_name = _("meaning of an index")
        verbose_name_plural = _("meanings of indexes")
        constraints = periods("meter", "index")

    def __str__(self) -> str:
        return f"{self.index}: {self.period or self.label}"


class OffPeakSlot(PerishableEntity):
    """Hours of the day that are off-peak at a meter, local time; over midnight when it ends before it begins."""

    class Season(models.TextChoices):
        ALL = "all", _("all year")
        SUMMER = "summer", _("summer (April to October)")
        WINTER = "winter", _("winter (November to March)")

    meter = models.ForeignKey(Meter, models.CASCADE, verbose_name=_("meter"), related_name="off_peak_slots")
    begins = models.TimeField(_("begins"))
    ends = models.TimeField(_("ends"))
    season = models.CharField(_("season"), max_length=6, choices=Season, default=Season.ALL)

    natural_key = natural("meter__meter_id", "season", "begins", "start_date")

    class Meta:
        verbose_name = _("off-peak slot")
        verbose_name_plural = _("off-peak slots")
        constraints = periods("meter", "season", "begins")

    def __str__(self) -> str:
        return f"{self.begins:%H:%M}-{self.ends:%H:%M}"


class TempoDay(models.Model):
    """The colour of a Tempo day, which lasts from six o'clock to six, Paris time."""

    class Colour(models.TextChoices):
        BLUE = "bleu", _("blue")
        WHITE = "blanc", _("white")
        RED = "rouge", _("red")

    day = models.DateField(_("day"), unique=True)
    colour = models.CharField(_("colour"), max_length=5, choices=Colour)
    source = models.CharField(_("source"), max_length=64)  # meter ...0001; user; a file

    natural_key = natural("day")
    objects: ClassVar[Any] = NaturalQuerySet.as_manager()  # django-stubs cannot name its type

    class Meta:
        verbose_name = _("Tempo day")
        verbose_name_plural = _("Tempo days")

    def __str__(self) -> str:
        return f"{self.day}: {self.colour}"


class DayCost(models.Model):
    """What a civil day of a meter cost under its contract: a row for each price period, one for the subscription."""

    meter = models.ForeignKey(Meter, models.CASCADE, verbose_name=_("meter"), db_index=False)
    day = InstantField(_("day"))  # its first second, in the meter's zone
    direction = models.CharField(_("direction"), max_length=8, choices=Contract.Direction, default="drawn")
    period = models.CharField(_("price period"), max_length=16, blank=True)  # empty: the subscription; ?: not known
    wh = models.IntegerField(_("energy (Wh)"), null=True)
    # Wh times a price of six places is exact with nine. NULL: not known, never 0.
    amount = models.DecimalField(_("EUR"), max_digits=15, decimal_places=9, null=True)
    estimated = models.BooleanField(_("estimated"), default=False)

    class Meta:
        verbose_name = _("cost of a day")
        verbose_name_plural = _("costs of days")
        constraints = (models.UniqueConstraint(fields=("meter", "day", "direction", "period"), name="day_cost_once"),)

    def __str__(self) -> str:
        return f"{self.meter_id} {self.day:%Y-%m-%d} {self.period}: {self.amount}"


class DirtyDays(models.Model):
    """Days whose costs are to be computed again: their energy changed, a price, a contract, a meaning."""

    meter = models.OneToOneField(Meter, models.CASCADE, verbose_name=_("meter"))
    first = InstantField()
    last = InstantField(null=True)  # NULL: up to now

    def __str__(self) -> str:
        return f"{self.meter_id} from {self.first:%Y-%m-%d}"


__all__ = [
    "CalendarRule",
    "Contract",
    "DayCost",
    "DirtyDays",
    "EventDay",
    "IndexPeriod",
    "OffPeakSlot",
    "Offer",
    "Origin",
    "Period",
    "TariffPrice",
    "TempoDay",
]
