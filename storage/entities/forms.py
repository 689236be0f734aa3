"""Forms that sign what they save."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from storage.entities.acting import acting

if TYPE_CHECKING:  # generic to the type checker only
    _Form = forms.ModelForm[Any]
else:
    _Form = forms.ModelForm


class SignedForm(_Form):
    """A ModelForm whose saves bear a user and a reason: `SignedForm(data, user=request.user)`.

    The reason is a field of the form, and `reason=` its first value.
    """

    change_reason = forms.CharField(label=capfirst(_("reason of the change")), required=False, max_length=255)

    def __init__(self, *args: Any, user: Any = None, reason: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.reason = reason
        if "change_reason" in self.fields:
            self.fields["change_reason"].initial = reason

    @property
    def given_reason(self) -> str | None:
        """What the form says, else what its maker said."""
        return (self.cleaned_data.get("change_reason") if self.is_valid() else None) or self.reason

    def save(self, commit: bool = True) -> Any:
        """Django's, signed; `save_m2m` too, if it is left to the caller."""
        with acting(self.user, self.given_reason):
            saved = super().save(commit=commit)
        if not commit:
            links = self.save_m2m

            def save_signed() -> None:
                with acting(self.user, self.given_reason):
                    links()

            self.save_m2m = save_signed  # type: ignore[method-assign]
        return saved


class CorrectingForm(SignedForm):
    """Of a perishable entity: what was entered wrongly is corrected where it stands, its past too."""

    is_correction = forms.BooleanField(
        label=capfirst(_("correct it, begin no new version")),
        help_text=_("For what was never so. What has changed since is a new version, and the past stays as it was."),
        required=False,
    )

    def _post_clean(self) -> None:
        self.instance.is_corrected = self.cleaned_data.get("is_correction", False)
        super()._post_clean()  # type: ignore[misc]  # the stubs leave it out
