"""Who sees only some groups of meters: two fields of a form, and what they write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from storage.entities.acting import acting
from storage.groups import Sight, Tree
from storage.rights import Rights

_LIMITED: Final = "is_limited"
_GROUPS: Final = "groups"


class Limits(forms.Form):
    """A form with `rights` of whoever fills it in; without any group nothing is asked, and nobody is limited."""

    is_limited = forms.BooleanField(
        label=_("Sees only the groups of meters that are ticked here"), required=False,
        help_text=_("Not ticked: every meter. A group brings the groups inside it."),
    )  # fmt: skip
    groups = forms.MultipleChoiceField(label=_("Groups of meters"), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, rights: Rights, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tree = Tree.read().only(rights.groups)
        if not tree.nodes:
            del self.fields[_LIMITED], self.fields[_GROUPS]
            return
        groups = self.fields[_GROUPS]
        assert isinstance(groups, forms.MultipleChoiceField)
        groups.choices = [(str(pk), tree.name(pk)) for pk in tree.nodes]

    def clean(self) -> dict[str, Any]:
        """Groups that are ticked and would limit nobody are a mistake."""
        given: dict[str, Any] = super().clean() or {}
        if given.get(_GROUPS) and not given.get(_LIMITED):
            self.add_error(_LIMITED, _("Groups are ticked: tick this, too, or none of them."))
        return given

    def limit(self, actor: Any, **whose: Any) -> None:
        """Write it, for `user=` or `token=`."""
        if _LIMITED not in self.fields:
            return
        with acting(actor):
            if self.cleaned_data[_LIMITED]:
                row, _made = Sight.objects.get_or_create(**whose)
                row.groups.set([int(key) for key in self.cleaned_data[_GROUPS]])
                return
            for row in Sight.objects.filter(**whose):
                row.delete()


def limits_of(**whose: Any) -> dict[str, Any]:
    """As the form has them at first."""
    found = Sight.objects.filter(**whose).first()
    if found is None:
        return {}
    return {_LIMITED: True, _GROUPS: [str(pk) for pk in found.groups.values_list("pk", flat=True)]}


def told(by: str) -> Mapping[int, str]:
    """In words, of everybody who is limited: by the key of the `user` or `token`."""
    tree = Tree.read()
    rows = Sight.objects.filter(**{f"{by}__isnull": False}).prefetch_related("groups")
    return {getattr(row, f"{by}_id"): _in_words(tree, row) for row in rows}


def _in_words(tree: Tree, row: Sight) -> str:
    names = [tree.name(group.pk) for group in row.groups.all()]
    return gettext("sees only: {groups}").format(groups=", ".join(names)) if names else gettext("sees no meter")
