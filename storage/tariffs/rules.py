"""The hours of an offer that is none of the known options, and the days that somebody declares for one."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from storage.entities.models import Entity, natural


class CalendarRule(Entity):
    """When a price period of an offer counts; of several that fit, the first in order decides."""

    class Days(models.TextChoices):
        EVERY = "every", _("every day")
        WORKING = "working", _("Monday to Friday")
        WEEKEND = "weekend", _("Saturday and Sunday")
        HOLIDAY = "holiday", _("public holidays")
        MONDAY = "monday", _("Mondays")
        TUESDAY = "tuesday", _("Tuesdays")
        WEDNESDAY = "wednesday", _("Wednesdays")
        THURSDAY = "thursday", _("Thursdays")
        FRIDAY = "friday", _("Fridays")
        SATURDAY = "saturday", _("Saturdays")
        SUNDAY = "sunday", _("Sundays")
        EVENT = "event", _("event days of the offer")

    class Hours(models.TextChoices):
        ALL = "all", _("all hours")
        OFF_PEAK = "off_peak", _("the meter's off-peak slots")
        CLOCK = "clock", _("from begin to end")

    class Season(models.TextChoices):
        ALL = "all", _("all year")
        SUMMER = "summer", _("summer (April to October)")
        WINTER = "winter", _("winter (November to March)")

    offer = models.ForeignKey("tariffs.Offer", models.CASCADE, verbose_name=_("offer"), related_name="rules")
    rank = models.SmallIntegerField(_("order"), validators=[MinValueValidator(1)])
    period = models.SlugField(_("price period"), max_length=16)
    days = models.CharField(_("days"), max_length=9, choices=Days, default=Days.EVERY)
    hours = models.CharField(_("hours"), max_length=8, choices=Hours, default=Hours.ALL)
    begins = models.TimeField(_("begins"), null=True, blank=True)  # over midnight when it ends before it begins
    ends = models.TimeField(_("ends"), null=True, blank=True)
    season = models.CharField(_("season"), max_length=6, choices=Season, default=Season.ALL)

    natural_key = natural("offer__code", "rank")

    class Meta:
        verbose_name = _("rule of hours")
        verbose_name_plural = _("rules of hours")
        constraints = (models.UniqueConstraint(fields=("offer", "rank"), name="rule_once"),)
        ordering = ("offer", "rank")

    def __str__(self) -> str:
        return f"{self.rank}: {self.period}"

    def clean(self) -> None:
        """Refuse hours that say nothing, and rules where the option says the hours."""
        super().clean()
        clock = {at for at in (self.begins, self.ends) if at is not None}
        if self.hours == self.Hours.CLOCK and len(clock) < 2:
            raise ValidationError(_("Hours from begin to end need both, and two different ones."))
        if self.hours != self.Hours.CLOCK and clock:
            raise ValidationError(_("A begin and an end are for hours from begin to end only."))
        if self.offer.option != self.offer.Option.OTHER:
            raise ValidationError(_("The hours of this option are known: rules are for other periods only."))


class EventDay(Entity):
    """Whether a day was an event day of an offer: a mobile peak of EJP, a day of sobriety."""

    offer = models.ForeignKey("tariffs.Offer", models.CASCADE, verbose_name=_("offer"), related_name="event_days")
    day = models.DateField(_("day"))
    is_event = models.BooleanField(_("event day"), default=True)
    source = models.CharField(_("source"), max_length=64, blank=True)  # meter ...0001; user

    natural_key = natural("offer__code", "day")

    class Meta:
        verbose_name = _("event day")
        verbose_name_plural = _("event days")
        constraints = (models.UniqueConstraint(fields=("offer", "day"), name="event_day_once"),)

    def __str__(self) -> str:
        return f"{self.day}"
