"""Tokens as they are kept: of the secret only its hash, so that nobody finds one here."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

KIND: Final = "tb"  # begins each token: who finds one in a file knows what it is
_USED_EVERY: Final = timedelta(minutes=1)


class Scope(models.TextChoices):
    """What a token may do, as far as its owner may."""

    LIVE = "live", _("read live values")
    HISTORY = "history", _("read what is stored")
    WRITE = "write", _("change things")
    ADMIN = "admin", _("everything")


class Token(models.Model):
    """A program's key to what its owner may do, within its scopes."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("owner"), related_name="+")
    name = models.CharField(_("name"), max_length=80)
    scopes = models.JSONField(_("scopes"), default=list)
    prefix = models.CharField(_("begins with"), max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    created = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires = models.DateTimeField(_("valid until"), null=True, blank=True)
    revoked = models.DateTimeField(_("revoked"), null=True, editable=False)
    last_used = models.DateTimeField(_("last used"), null=True, editable=False)  # to the minute

    objects: ClassVar[models.Manager[Token]] = models.Manager()

    class Meta:
        verbose_name = _("token")
        verbose_name_plural = _("tokens")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def issue(cls, user: Any, name: str, scopes: list[str], expires: datetime | None = None) -> tuple[Token, str]:
        """A new token, and its text, which nobody can ever read again."""
        token = cls(user=user, name=name, scopes=scopes, expires=expires)
        text = token.draw()
        token.save()
        return token, text

    def draw(self) -> str:
        """Give it a secret of 256 random bits; the whole text, of which only prefix and hash are kept."""
        self.prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        self.digest = digest_of(secret)
        return f"{KIND}_{self.prefix}_{secret}"

    def is_valid(self, now: datetime) -> bool:
        """Neither revoked nor over, and its owner may still come in."""
        return self.revoked is None and (self.expires is None or self.expires > now) and self.user.is_active

    def allows(self, scope: str) -> bool:
        """Whether it may do that."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def note_use(self, now: datetime) -> None:
        """Write that it was used, once a minute at most: a read must not cost a write."""
        if self.last_used is None or now - self.last_used >= _USED_EVERY:
            since = Q(last_used__isnull=True) | Q(last_used__lte=now - _USED_EVERY)
            type(self).objects.filter(since, pk=self.pk).update(last_used=now)


def digest_of(secret: str) -> str:
    """A secret of 256 bits needs no slow hash: there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Guesses(models.Model):
    """Attempts to log in with a password, from one address or at one account, since a while."""

    key = models.CharField(max_length=64, unique=True)  # a hash: people type passwords where the name belongs
    count = models.PositiveIntegerField(default=1)
    until = models.DateTimeField(db_index=True)

    objects: ClassVar[models.Manager[Guesses]] = models.Manager()

    def __str__(self) -> str:
        return self.key
