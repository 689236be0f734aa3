"""Groups of meters, such as a building and its floors, and who sees no others."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from storage.entities.models import Entity, natural

DEEPEST: Final = 6  # groups below each other


class MeterGroup(Entity):
    """A building, a floor, a tenant. A meter is in one group at most, so no total counts it twice."""

    name = models.CharField(_("name"), max_length=64)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("inside")
    )

    natural_key = natural("uuid")  # two buildings may both have a first floor

    class Meta:
        verbose_name = _("group of meters")
        verbose_name_plural = _("groups of meters")
        constraints = (
            models.UniqueConstraint(fields=("parent", "name"), name="group_once"),
            models.UniqueConstraint(fields=("name",), condition=Q(parent=None), name="group_once_at_the_top"),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a group inside itself, and a tree that nobody finds his way in."""
        tree = Tree.read()
        if self.parent_id is None:
            above = 0
        elif self.pk is not None and self.parent_id in tree.within([self.pk]):
            raise ValidationError({"parent": _("A group cannot be inside itself.")})
        else:
            above = len(tree.path(self.parent_id))
        below = 1 if self.pk is None else tree.height(self.pk)
        if above + below > DEEPEST:
            raise ValidationError(
                {"parent": _("Expected at most %(most)s groups inside each other.") % {"most": DEEPEST}}
            )


class Sight(Entity):
    """Of one account or one token: it sees these groups and nothing else. Who has no such row sees every meter.

    It is the row that limits, not its groups: when the last of them is deleted, nothing is seen.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("account")
    )
    token = models.OneToOneField(
        "tokens.Token", models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("token")
    )
    groups = models.ManyToManyField(MeterGroup, blank=True, related_name="+", verbose_name=_("groups of meters"))

    natural_key = natural("uuid")

    class Meta:
        verbose_name = _("limit to groups")
        verbose_name_plural = _("limits to groups")
        constraints = (
            models.CheckConstraint(
                condition=Q(user=None, token__isnull=False) | Q(user__isnull=False, token=None), name="sight_of_one"
            ),
        )

    def __str__(self) -> str:
        return str(self.user or self.token)


@dataclass(frozen=True, slots=True)
class Node:
    """A group, and how far inside the others it is."""

    pk: int
    uuid: str
    name: str
    parent: int | None
    depth: int = 0

    @property
    def indent(self) -> range:
        """For a template, which counts nothing by itself."""
        return range(self.depth)


@dataclass(frozen=True, slots=True)
class Tree:
    """All groups at once: there are as many as a campus has floors, and one query reads them."""

    nodes: dict[int, Node]  # by name, each one before those inside it

    @classmethod
    def read(cls) -> Tree:
        """As it is now."""
        rows = MeterGroup.objects.order_by("name", "pk").values_list("pk", "uuid", "name", "parent")
        inside: dict[int | None, list[Node]] = {}
        for pk, uuid, name, parent in rows:
            inside.setdefault(parent, []).append(Node(pk, str(uuid), name, parent))
        return cls(dict(_walk(inside, None, 0)))

    def path(self, pk: int) -> list[Node]:
        """From the outermost to this one."""
        found: list[Node] = []
        at: int | None = pk
        while at is not None and at in self.nodes:
            found.append(self.nodes[at])
            at = self.nodes[at].parent
        return found[::-1]

    def name(self, pk: int | None) -> str:
        """As `Building A › First floor`; empty: no group."""
        return " › ".join(node.name for node in self.path(pk)) if pk is not None else ""

    def within(self, pks: Collection[int]) -> frozenset[int]:
        """These and all inside them."""
        found = set(pks) & self.nodes.keys()
        found |= {pk for pk in self.nodes if any(node.pk in found for node in self.path(pk))}
        return frozenset(found)

    def children(self, pk: int | None) -> list[Node]:
        """Those that are directly inside."""
        return [node for node in self.nodes.values() if node.parent == pk]

    def height(self, pk: int) -> int:
        """How many groups are inside each other here, this one included."""
        return 1 + max((self.height(child.pk) for child in self.children(pk)), default=0)

    def only(self, pks: Collection[int] | None) -> Tree:
        """What somebody sees of it: what is around his groups is not there. None: all of it."""
        if pks is None:
            return self
        inside: dict[int | None, list[Node]] = {}
        for node in self.nodes.values():
            if node.pk in pks:
                parent = node.parent if node.parent in pks else None
                inside.setdefault(parent, []).append(Node(node.pk, node.uuid, node.name, parent))
        return Tree(dict(_walk(inside, None, 0)))


def _walk(inside: dict[int | None, list[Node]], parent: int | None, depth: int) -> Iterator[tuple[int, Node]]:
    for node in inside.get(parent, ()):
        yield node.pk, Node(node.pk, node.uuid, node.name, node.parent, depth)
        yield from _walk(inside, node.pk, depth + 1)
