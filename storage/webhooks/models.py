"""Who is told what, and the outbox: one row for each message to each webhook, written with the change itself."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from storage.entities.models import Entity
from storage.webhooks.sealing import seal, unseal
from storage.webhooks.target import RefusedError, read_url

_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")  # RFC 9110, a token
_OURS: Final = ("host", "connection", "transfer-encoding", "idempotency-key", "user-agent", "accept-encoding")


class Change(models.TextChoices):
    """What may happen to an entity."""

    CREATED = "created", _("created")
    UPDATED = "updated", _("changed")
    DELETED = "deleted", _("deleted")
    RESTORED = "restored", _("restored")
    M2M = "m2m", _("links changed")


class Webhook(Entity):
    """An address that is told of changes of chosen models, and of chosen events."""

    class Method(models.TextChoices):
        POST = "POST"
        PUT = "PUT"
        PATCH = "PATCH"

    class Format(models.TextChoices):
        JSON = "json", "JSON"
        YAML = "yaml", "YAML"

    class Authentication(models.TextChoices):
        NONE = "none", _("none")
        BASIC = "basic", "Basic"
        DIGEST = "digest", "Digest"
        BEARER = "bearer", "Bearer"
        TOKEN = "token", "Token"
        HEADER = "header", _("a header of its own")
        HMAC = "hmac", _("signature (HMAC-SHA256)")

    name = models.CharField(_("name"), max_length=80, unique=True)
    url = models.CharField(_("address"), max_length=500)
    is_active = models.BooleanField(_("active"), default=True)
    types = models.JSONField(_("models"), default=list, blank=True)  # labels, as in `library.book`
    events = models.JSONField(_("events"), default=list, blank=True)  # values of Change, names of events
    method = models.CharField(_("method"), max_length=5, choices=Method, default=Method.POST)
    format = models.CharField(_("format"), max_length=4, choices=Format, default=Format.JSON)
    authentication = models.CharField(
        _("authentication"), max_length=6, choices=Authentication, default=Authentication.NONE
    )
    username = models.CharField(_("user name"), max_length=100, blank=True)
    header = models.CharField(_("name of the header"), max_length=64, blank=True)
    sealed = models.TextField(_("secret"), blank=True, editable=False)
    timeout = models.PositiveSmallIntegerField(
        _("time limit (s)"), default=10, validators=[MinValueValidator(1), MaxValueValidator(30)]
    )
    retries = models.PositiveSmallIntegerField(_("further attempts"), default=8, validators=[MaxValueValidator(20)])
    delay = models.PositiveIntegerField(
        _("pause before the second attempt (s)"), default=10, validators=[MinValueValidator(1), MaxValueValidator(3600)]
    )

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.name

    @property
    def secret(self) -> str:
        """Password, token, header's value or key; SealError when it cannot be read. Never shown to anybody."""
        return unseal(self.sealed) if self.sealed else ""

    @secret.setter
    def secret(self, secret: str) -> None:
        if any(ord(character) < 32 or ord(character) == 127 for character in secret):
            raise ValidationError(_("A secret is one line without control characters."))
        self.sealed = seal(secret) if secret else ""

    def clean(self) -> None:
        """Refuse what could never be sent."""
        super().clean()
        wrong: dict[str, Any] = {}
        try:
            read_url(self.url)
        except RefusedError as error:
            wrong["url"] = str(error)
        kinds = self.Authentication
        if self.authentication in (kinds.BASIC, kinds.DIGEST) and not self.username:
            wrong["username"] = _("Basic and Digest need a user name.")
        if self.authentication == kinds.DIGEST and not self.username.isascii():
            wrong["username"] = _("Digest cannot send a user name with accents.")
        if self.authentication == kinds.HEADER and not _may_be_set(self.header):
            wrong["header"] = _("Give the name of a header such as X-Api-Key, and none that every request has.")
        if self.authentication != kinds.NONE and not self.sealed:
            wrong["authentication"] = _("This needs a secret: a password, a token, a value or a key.")
        if wrong:
            raise ValidationError(wrong)


def _may_be_set(header: str) -> bool:
    taken = header.lower() in _OURS or header.lower().startswith(("content-", "webhook-"))
    return bool(_HEADER.fullmatch(header)) and not taken


class Delivery(models.Model):
    """One message to one webhook. Its row is there if and only if the change that it tells of is."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DELIVERED = "delivered", _("delivered")
        GIVEN_UP = "given_up", _("given up")

    webhook = models.ForeignKey(Webhook, models.CASCADE, verbose_name=_("webhook"), related_name="deliveries")
    event_id = models.UUIDField(_("number"), default=uuid4)  # the same at each attempt, and to each webhook
    event = models.CharField(_("event"), max_length=40)
    payload = models.JSONField(_("content"))
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.WAITING)
    created = models.DateTimeField(_("created"), default=timezone.now)
    due = models.DateTimeField(_("next attempt"), default=timezone.now)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    finished = models.DateTimeField(_("finished"), null=True)
    status = models.PositiveSmallIntegerField(_("answer"), null=True)  # of HTTP
    said = models.TextField(_("reason"), blank=True)

    objects: ClassVar[models.Manager[Delivery]] = models.Manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        indexes = (models.Index(fields=("state", "due"), name="delivery_due"),)

    def __str__(self) -> str:
        return f"{self.event} {self.event_id}"
