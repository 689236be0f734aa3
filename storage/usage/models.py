"""One row for each caller and route: how often, and how often at most."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from storage.tokens.models import Token


class Reset(models.TextChoices):
    """When the calls of a limit are counted anew: at the next whole hour, midnight, Monday ... of this installation."""

    HOUR = "hour", _("each hour")
    DAY = "day", _("each day")
    WEEK = "week", _("each week")
    MONTH = "month", _("each month")
    YEAR = "year", _("each year")
    NEVER = "never", _("never")


class Usage(models.Model):
    """Calls of one route by a user with a session, or by a token."""

    caller = models.CharField(max_length=32, editable=False)  # `user:3`, `token:5`: the key, for NULLs are never equal
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, verbose_name=_("user"), related_name="+"
    )
    token = models.ForeignKey(
        Token, models.CASCADE, null=True, blank=True, verbose_name=_("token"), related_name="+"
    )  # fmt: skip
    route = models.CharField(_("route"), max_length=200)
    calls = models.PositiveBigIntegerField(_("calls"), default=0, editable=False)
    last = models.DateTimeField(_("last call"), null=True, editable=False)
    address = models.GenericIPAddressField(_("from the address"), null=True, editable=False)
    data = models.JSONField(_("names of what was sent"), default=dict, editable=False)  # how often each; never values
    limit = models.PositiveIntegerField(_("limit"), null=True, blank=True, validators=[MinValueValidator(1)])
    reset = models.CharField(_("counted anew"), max_length=5, choices=Reset, default=Reset.HOUR)
    used = models.PositiveIntegerField(_("of the limit"), default=0, editable=False)
    resets = models.DateTimeField(_("next time"), null=True, editable=False)

    objects: ClassVar[models.Manager[Usage]] = models.Manager()

    class Meta:
        verbose_name = _("usage")
        verbose_name_plural = _("usage")
        constraints = (models.UniqueConstraint(fields=("caller", "route"), name="usage_once"),)

    def __str__(self) -> str:
        return f"{self.token or self.user}: {self.route}"

    def clean(self) -> None:
        """One caller, and one row for each route."""
        super().clean()
        if (self.user_id is None) == (self.token_id is None):
            raise ValidationError(_("Choose a user or a token, not both."))
        others = type(self).objects.filter(caller=self._key(), route=self.route).exclude(pk=self.pk)
        if others.exists():
            raise ValidationError(_("There is a row for this caller and route already: set the limit there."))

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Django's, with the key."""
        self.caller = self._key()
        super().save(*args, **kwargs)

    def _key(self) -> str:
        return f"user:{self.user_id}" if self.token_id is None else f"token:{self.token_id}"
