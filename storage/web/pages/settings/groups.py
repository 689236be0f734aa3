"""Groups of meters: made, named, put inside each other, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, ProtectedError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from storage.entities.acting import acting
from storage.groups import MeterGroup, Tree
from storage.models import Meter
from storage.rights import may_write
from storage.web.pages.settings.asking import ask

if TYPE_CHECKING:  # generic to the type checker only
    _ModelForm = forms.ModelForm[MeterGroup]
else:
    _ModelForm = forms.ModelForm


class GroupForm(_ModelForm):
    """A name, and the group around it."""

    class Meta:
        model = MeterGroup
        fields = ("name", "parent")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tree, own = Tree.read(), self.instance.pk
        inside = tree.within([own]) if own is not None else frozenset()
        parent = self.fields["parent"]
        assert isinstance(parent, forms.ModelChoiceField)
        others = [(pk, tree.name(pk)) for pk in tree.nodes if pk not in inside]
        parent.choices = [("", gettext("no other group")), *others]
        parent.help_text = gettext("A floor is inside its building, for example.")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def groups(request: HttpRequest) -> HttpResponse:
    """Those that there are, and a new one."""
    _must(request, "add")
    form = GroupForm(request.POST or None)
    if form.is_valid():
        made = _save(request, form)
        messages.success(request, gettext("The group {name} was made.").format(name=made))
        return redirect("settings_groups")
    counts = dict(Meter.objects.filter(group__isnull=False).values_list("group").annotate(n=Count("pk")).order_by())
    tree = Tree.read()
    context = {
        "form": form,
        "groups": [(node, counts.get(node.pk, 0)) for node in tree.nodes.values()],
        "alone": Meter.objects.filter(group=None).count(),
    }
    return render(request, "storage/settings/groups.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def group(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Its name, and where it is."""
    _must(request, "change")
    row = get_object_or_404(MeterGroup, uuid=uuid)
    form = GroupForm(request.POST or None, instance=row)
    if form.is_valid():
        if form.changed_data:
            _save(request, form)
        messages.success(request, gettext("The group is called {name}.").format(name=Tree.read().name(row.pk)))
        return redirect("settings_groups")
    status = 400 if form.errors else 200
    return render(request, "storage/settings/group.html", {"form": form, "group": row, "name": str(row)}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def delete(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Its meters are in no group then; groups inside it hold it fast."""
    _must(request, "delete")
    row = get_object_or_404(MeterGroup, uuid=uuid)
    if request.method == "POST":
        try:
            with acting(request.user):
                row.delete()
        except ProtectedError:
            messages.error(request, gettext("{name} has groups inside it: delete them first.").format(name=row))
            return redirect("settings_groups")
        messages.success(request, gettext("The group {name} is deleted.").format(name=row))
        return redirect("settings_groups")
    return ask(
        request,
        gettext("Delete the group {name}?").format(name=row),
        gettext("Its meters stay, in no group. Who sees only this group will not see them any more."),
        gettext("Delete it"),
        reverse("settings_groups"),
    )


def _must(request: HttpRequest, verb: str) -> None:
    if not may_write(request, verb, MeterGroup):
        raise PermissionDenied


def _save(request: HttpRequest, form: GroupForm) -> MeterGroup:
    with acting(request.user):
        made: MeterGroup = form.save()
    return made
