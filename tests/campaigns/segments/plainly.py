"""What rules mean, said again in plain Python over plain facts: what the SQL is held to."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from operator import eq, ge, gt, le, lt
from typing import Any

from accounts.models import Category
from accounts.policies import decisive
from campaigns.segments import rules
from campaigns.segments.rules import Deed, Order
from campaigns.segments.values import shortened

ORDERS: dict[Order, Any] = {Order.IS: eq, Order.LESS: lt, Order.AT_MOST: le, Order.MORE: gt, Order.AT_LEAST: ge}
MISSING = object()


@dataclass
class Gadget:
    platform: str
    version: str
    seen: int
    is_live: bool


@dataclass
class Act:
    """Days ago; `campaign` is a number of the world's, or None."""

    deed: Deed
    campaign: int | None
    days: int


@dataclass
class Somebody:
    name: str
    values: dict[str, str]
    attributes: dict[str, Any]
    known: int
    gadgets: list[Gadget] = field(default_factory=list)
    choices: dict[tuple[str, str], bool] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    on_list: bool = False


@dataclass
class World:
    """Everything that rules can name. Campaigns and segments by their ids."""

    at: datetime
    categories: dict[str, Category]
    campaigns: list[Any]
    listed: Any
    saved: Any
    saved_tree: rules.Node


def meets(node: rules.Node, one: Somebody, world: World) -> bool:
    match node:
        case rules.All(of=parts):
            return all(meets(part, one, world) for part in parts)
        case rules.Some(of=parts):
            return any(meets(part, one, world) for part in parts)
        case rules.Not(of=inner):
            return not meets(inner, one, world)
        case rules.InSegment(segment=key):
            return one.on_list if key == world.listed else meets(world.saved_tree, one, world)
        case rules.Allows(category=slug, channel=channel):
            return _allows(world.categories[slug], channel, one)
        case rules.Did():
            return any(_counts(act, node, world) for act in one.acts)
        case rules.HasDevice() | rules.SeenWithin() | rules.AppVersion():
            return any(_fits(gadget, node) for gadget in one.gadgets if gadget.is_live)
        case _:
            return _person(node, one) if not hasattr(node, "path") else _attribute(node, one.attributes)


def _person(node: rules.Node, one: Somebody) -> bool:
    match node:
        case rules.Known(column=column):
            return bool(one.values.get(column))
        case rules.LocaleIs(locales=locales):
            return one.values["locale"] in locales
        case rules.LanguageIs(languages=languages):
            return one.values["locale"].split("-")[0] in languages
        case rules.CountryIs(countries=countries):
            return one.values["country"] in countries
        case rules.IdBegins(prefix=prefix):
            return one.name.startswith(prefix)
        case rules.CreatedWithin(days=days):
            return one.known < days
        case _:
            raise AssertionError(node)


def _fits(gadget: Gadget, node: rules.AboutDevices) -> bool:
    match node:
        case rules.HasDevice(platforms=platforms):
            return not platforms or gadget.platform in platforms
        case rules.SeenWithin(days=days):
            return gadget.seen < days
        case rules.AppVersion(order=order, version=version, platform=platform):
            return platform in {None, gadget.platform} and _version(gadget.version, order, version)


def _counts(act: Act, asked: rules.Did, world: World) -> bool:
    """Something got outside of campaigns is not meant by "got"."""
    if asked.campaign:
        is_meant = act.campaign == world.campaigns.index(asked.campaign)
    else:
        is_meant = asked.deed != Deed.GOT or act.campaign is not None
    return is_meant and act.deed == asked.deed and (asked.days is None or act.days < asked.days)


def _version(text: str, order: Order, version: tuple[int, ...]) -> bool:
    found = re.match(r"[0-9]{1,9}(\.[0-9]{1,9}){0,5}", text)
    return bool(found and ORDERS[order](shortened([int(part) for part in found[0].split(".")]), version))


def _allows(category: Category, channel: str, one: Somebody) -> bool:
    if category.is_critical:
        return True
    said = {(slug or None, name or None): allowed for (slug, name), allowed in one.choices.items()}
    about = decisive(said, category.slug, channel)  # type: ignore[arg-type] # by slug, not by id
    return said[about] if about is not None else category.consent == "opt_out"  # type: ignore[index]


def _attribute(node: Any, attributes: Any) -> bool:
    value: Any = attributes
    for name in node.path:
        value = value.get(name, MISSING) if isinstance(value, dict) else MISSING
    match node:
        case rules.AttributeIs(values=values):
            return any(_same(value, wanted) for wanted in values)
        case rules.AttributeIncludes(value=wanted):
            return isinstance(value, list) and any(_same(one, wanted) for one in value)
        case rules.AttributeExists():
            return value is not MISSING and value is not None
        case rules.AttributeBegins(prefix=prefix):
            return isinstance(value, str) and value.startswith(prefix)
        case rules.AttributeDay(order=order, day=day):
            return isinstance(value, str) and bool(
                re.match("[0-9]{4}-[0-9]{2}-[0-9]{2}", value) and ORDERS[order](value[:10], day.isoformat())
            )
        case _:
            number = _number(value)
            return number is not None and ORDERS[node.order](number, node.number)


def _number(value: Any) -> Decimal | None:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", value):
        return Decimal(value)
    return Decimal(repr(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, bool):
        return value is wanted or value == str(wanted).lower()
    if isinstance(wanted, Decimal):
        plain = str(int(wanted) if wanted == int(wanted) else float(wanted))
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return value == plain if isinstance(value, str) else is_number and Decimal(repr(value)) == wanted
    return isinstance(value, str) and value == wanted


def ago(at: datetime, days: int) -> datetime:
    """Well within a day, so that "within N days" has no edge to quarrel over."""
    return at - timedelta(days=days, hours=1)


NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
