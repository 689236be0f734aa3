"""How a webhook is entered, wherever that is."""

from __future__ import annotations

from typing import Any

from django import forms
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from storage.entities.forms import SignedForm
from storage.webhooks.changes import choosable
from storage.webhooks.models import Change


class WebhookForm(SignedForm):
    """Models and events to tick; a secret that is entered and never shown."""

    types = forms.MultipleChoiceField(label=_("models"), required=False, widget=forms.CheckboxSelectMultiple)
    events = forms.MultipleChoiceField(label=_("events"), required=False, widget=forms.CheckboxSelectMultiple)
    new_secret = forms.CharField(
        label=_("secret"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Password, token, value of the header, or key. It is never shown; empty: it stays as it is."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = ((label, apps.get_model(label)._meta.verbose_name) for label in choosable())
        choices: dict[str, Any] = {
            "types": sorted(names, key=lambda choice: str(choice[1])),
            "events": [*Change.choices, *settings.NOTIFY_EVENTS.items()],
        }
        for name, known in choices.items():
            field = self.fields.get(name)
            if isinstance(field, forms.MultipleChoiceField):  # who may only look has none
                field.choices = known

    def clean(self) -> dict[str, Any] | None:
        """Seal the secret, so that the model can tell whether there is one."""
        cleaned = super().clean()
        if self.cleaned_data.get("new_secret"):
            try:
                self.instance.secret = self.cleaned_data["new_secret"]
            except ValidationError as error:
                self.add_error("new_secret", error)
        return cleaned
