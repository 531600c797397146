"""What rules name, looked up: categories, campaigns and other segments. What is not there is refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from accounts.models import Category
from campaigns.models import Arm, Campaign, Segment
from campaigns.segments.reading import Named, Tree, UnusableRules, read
from campaigns.segments.rules import Node, OnList
from campaigns.vocabulary import SegmentKind

#: Rules of a segment and of all that it names, each counted as often as it is named.
MOST_IN_ALL: Final = 300
#: Segments that name segments.
_DEEPEST: Final = 5


@dataclass(frozen=True, slots=True)
class Arms:
    """What a campaign's messages are known by: parts by the arm, deliveries by its notification."""

    parts: tuple[UUID, ...] = ()
    notifications: tuple[UUID, ...] = ()


@dataclass(slots=True)
class Names:
    """What the rules of a segment, and of the segments in it, name."""

    categories: dict[str, Category] = field(default_factory=dict)
    campaigns: dict[UUID, Arms] = field(default_factory=dict)
    segments: dict[UUID, Node] = field(default_factory=dict)
    #: Rules in all, as they are compiled.
    weights: dict[UUID, int] = field(default_factory=dict)
    #: The segments to choose from; None: those of now.
    kept: Mapping[UUID, Segment] | None = None


def on_list(segment: Segment) -> OnList:
    """The condition for those on the lists of a segment."""
    return OnList(segment.pk, tuple(segment.lists))


def resolve(tree: Tree, own: UUID | None = None, kept: Mapping[UUID, Segment] | None = None) -> Names:
    """Everything that `tree`, the rules of segment `own`, names. Raises `UnusableRules` with the place of the name.

    `kept` are the segments in it, where they are others than those of now.
    """
    names = Names(kept=kept)
    _resolve(tree, names, (own,) if own else ())
    return names


def _resolve(tree: Tree, names: Names, path: tuple[UUID, ...]) -> int:
    """Returns the rules in all."""
    _find_categories([one for one in tree.named if one.kind == "category"], names)
    _find_campaigns([one for one in tree.named if one.kind == "campaign"], names)
    weight = tree.leaves
    for one in tree.named:
        if one.kind == "segment":
            weight += _find_segment(one, names, path)
        if weight > MOST_IN_ALL:
            raise UnusableRules(one.place, f"with the segments in it that makes more than {MOST_IN_ALL} rules.")
    return weight


def _find_categories(named: Iterable[Named], names: Names) -> None:
    places = {str(one.key): one.place for one in named}
    names.categories |= {one.slug: one for one in Category.objects.filter(slug__in=places)}
    if missing := [slug for slug in places if slug not in names.categories]:
        known = ", ".join(Category.objects.order_by("slug").values_list("slug", flat=True)[:20]) or "none yet"
        raise UnusableRules(places[missing[0]], f'there is no category "{missing[0]}". There are: {known}.')


def _find_campaigns(named: Iterable[Named], names: Names) -> None:
    places = {one.key: one.place for one in named if isinstance(one.key, UUID)}
    known = set(Campaign.objects.filter(pk__in=places).values_list("pk", flat=True))
    if missing := [key for key in places if key not in known]:
        raise UnusableRules(places[missing[0]], f"there is no campaign {missing[0]}.")
    names.campaigns |= dict.fromkeys(known, Arms())
    names.campaigns |= _arms(known)


def _arms(campaigns: Iterable[UUID]) -> Mapping[UUID, Arms]:
    found: dict[UUID, list[tuple[UUID, UUID]]] = {}
    rows = Arm.objects.filter(run__campaign__in=list(campaigns), notification_id__isnull=False)
    for campaign, arm, notification in rows.values_list("run__campaign", "pk", "notification_id"):
        assert notification is not None
        found.setdefault(campaign, []).append((arm, notification))
    return {key: Arms(*(tuple(column) for column in zip(*pairs, strict=True))) for key, pairs in found.items()}


def _find_segment(named: Named, names: Names, path: tuple[UUID, ...]) -> int:
    key = named.key
    assert isinstance(key, UUID)
    if key in path:
        raise UnusableRules(named.place, "the segment would be in itself; name another.")
    if len(path) > _DEEPEST:
        raise UnusableRules(named.place, f"segments name segments {_DEEPEST} deep at most.")
    if key not in names.weights:
        segment = Segment.objects.filter(pk=key).first() if names.kept is None else names.kept.get(key)
        if segment is None:
            raise UnusableRules(named.place, f"there is no segment {key}.")
        if segment.kind == SegmentKind.LIST:
            names.segments[key], names.weights[key] = on_list(segment), 1
        else:
            try:
                tree = read(segment.rules)
                names.weights[key] = _resolve(tree, names, (*path, key))
            except UnusableRules as error:
                raise UnusableRules(named.place, f'the segment "{segment.name}" cannot be used: {error}') from None
            names.segments[key] = tree.root
    return names.weights[key]
