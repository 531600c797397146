"""The rules of a segment, out of JSON, strictly.

    {"all": [{"field": "country", "is": "one of", "value": ["KR", "JP"]},
             {"not": {"field": "clicked", "is": "within", "value": 30}}]}

What is wrong is told with its place, as in `all[1].not.value: write a number of days, from 1 to 3650.`
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from accounts.recipients import Invalid
from campaigns.segments import rules, values
from campaigns.segments.fields import ATTRIBUTE, FIELDS, NEGATIVE, Kind
from campaigns.segments.rules import Deed, Leaf, Node, Order

#: Groups in groups, rules in all, and the parts of an attribute's name.
DEEPEST: Final = 8
MOST_RULES: Final = 100
_DEEPEST_PATH: Final = 5
_GROUPS: Final = ("all", "any", "not")


class UnusableRules(ValueError):
    """The rules cannot be used; the message says where, what is wrong, and what would be right."""

    def __init__(self, place: str, says: str) -> None:
        super().__init__(f"{place}: {says}" if place else says)
        self.place = place
        self.says = says


@dataclass(frozen=True, slots=True)
class Named:
    """Something that rules name and that has to be there; `kind` is category, campaign or segment."""

    kind: str
    key: str | UUID
    place: str


@dataclass(slots=True)
class Tree:
    """What was read."""

    root: Node = rules.EVERYBODY
    named: list[Named] = field(default_factory=list)
    #: Rules that ask something.
    leaves: int = 0


def read(given: Any) -> Tree:
    """The tree that `given`, as a JSON parser gave it, stands for; `{}` is everybody. Raises `UnusableRules`."""
    tree = Tree()
    if given != {}:
        tree.root = _node(tree, given, "", 1)
    return tree


def _node(tree: Tree, given: Any, place: str, depth: int) -> Node:
    if not isinstance(given, Mapping):
        raise UnusableRules(place, 'write an object, as in {"field": "country", "is": "is", "value": "KR"}.')
    if depth > DEEPEST:
        raise UnusableRules(place, f"groups are in groups {DEEPEST} deep at most; save a part as a segment of its own.")
    group = next((name for name in _GROUPS if name in given), "")
    if not group:
        return _leaf(tree, given, place)
    if len(given) > 1:
        raise UnusableRules(place, f'a group has nothing beside its "{group}".')
    inner = _under(place, group)
    if group == "not":
        return rules.Not(_node(tree, given["not"], inner, depth + 1))
    parts = given[group]
    if not isinstance(parts, list) or not parts:
        raise UnusableRules(inner, "write a list of rules, with one at least.")
    if len(parts) > MOST_RULES:
        raise UnusableRules(inner, f"at most {MOST_RULES} rules.")
    found = tuple(_node(tree, part, f"{inner}[{at}]", depth + 1) for at, part in enumerate(parts))
    return rules.All(found) if group == "all" else rules.Some(found)


def _under(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _leaf(tree: Tree, given: Mapping[Any, Any], place: str) -> Node:
    tree.leaves += 1
    if tree.leaves > MOST_RULES:
        raise UnusableRules(place, f"at most {MOST_RULES} rules; save a part as a segment of its own.")
    said = given.get("field")
    name = said if isinstance(said, str) else ""
    known = FIELDS.get(ATTRIBUTE if name.startswith(ATTRIBUTE) else name)
    if known is None or name == ATTRIBUTE:
        words = ", ".join(f"{ATTRIBUTE}<name>" if one == ATTRIBUTE else one for one in FIELDS)
        raise UnusableRules(_under(place, "field"), f"write one of {words}.")
    operator = given.get("is")
    if not isinstance(operator, str) or operator not in known.operators:
        raise UnusableRules(_under(place, "is"), f"{name} takes one of: {', '.join(known.operators)}.")
    kind = known.operators[operator]
    takes = ("field", "is", *(() if kind is Kind.NOTHING else ("value",)), *known.also)
    if odd := [str(one) for one in given if one not in takes]:
        raise UnusableRules(
            _under(place, odd[0][:40]), f'"{name} {operator}" takes {", ".join(takes)} and nothing else.'
        )
    value = _value(kind, given.get("value"), _under(place, "value"))
    also = {one: _also(one, given[one], _under(place, one)) for one in known.also if given.get(one) is not None}
    path = _path(name, _under(place, "field")) if name.startswith(ATTRIBUTE) else ()
    made = _made(_Asked(name, path, NEGATIVE.get(operator, operator), value, also))
    _note(tree, made, place)
    return rules.Not(made) if operator in NEGATIVE else made


def _value(kind: Kind, given: Any, place: str) -> Any:
    try:
        return values.value_of(kind, given)
    except Invalid as error:
        raise UnusableRules(f"{place}{error.field}", _as_sentence(str(error))) from None


def _also(name: str, given: Any, place: str) -> Any:
    try:
        return values.platform(given) if name == "platform" else values.identifier(given)
    except Invalid as error:
        raise UnusableRules(place, str(error)) from None


def _as_sentence(says: str) -> str:
    return says[:1].lower() + says[1:]


def _path(name: str, place: str) -> tuple[str, ...]:
    parts = tuple(name.removeprefix(ATTRIBUTE).split("."))
    if len(parts) > _DEEPEST_PATH or any(not part or len(part) > 100 or part.lstrip("-").isdigit() for part in parts):
        raise UnusableRules(place, f"write names with dots between them, {_DEEPEST_PATH} at most: {ATTRIBUTE}plan.")
    _value(Kind.TEXT, name, place)
    return parts


@dataclass(frozen=True, slots=True)
class _Asked:
    """A rule whose parts are known to be well-formed; its operator is never a negative one."""

    field: str
    path: tuple[str, ...]
    operator: str
    value: Any
    also: Mapping[str, Any]


_ORDERS: Final = {
    "is": Order.IS,
    "less than": Order.LESS,
    "at most": Order.AT_MOST,
    "more than": Order.MORE,
    "at least": Order.AT_LEAST,
    "before": Order.LESS,
    "from": Order.AT_LEAST,
}


def _made(asked: _Asked) -> Leaf:
    return _MAKERS.get(asked.field, _about_attribute)(asked)


def _about_locale(asked: _Asked) -> Leaf:
    if asked.operator == "exists":
        return rules.Known("locale")
    return (rules.LocaleIs if asked.operator in {"is", "one of"} else rules.LanguageIs)(asked.value)


def _about_country(asked: _Asked) -> Leaf:
    return rules.Known("country") if asked.operator == "exists" else rules.CountryIs(asked.value)


def _did(asked: _Asked) -> Leaf:
    return rules.Did(Deed(asked.field), asked.also.get("campaign"), asked.value)


def _about_attribute(asked: _Asked) -> Leaf:
    path, value = asked.path, asked.value
    match asked.operator:
        case "is" | "one of":
            return rules.AttributeIs(path, value)
        case "includes":
            return rules.AttributeIncludes(path, value[0])
        case "begins with":
            return rules.AttributeBegins(path, value)
        case "exists":
            return rules.AttributeExists(path)
        case ("before" | "from") as order:
            return rules.AttributeDay(path, _ORDERS[order], value)
        case order:
            return rules.AttributeNumber(path, _ORDERS[order], value)


_MAKERS: Final[Mapping[str, Callable[[_Asked], Leaf]]] = {
    "locale": _about_locale,
    "country": _about_country,
    "email": lambda _asked: rules.Known("email"),
    "phone": lambda _asked: rules.Known("phone"),
    "push": lambda _asked: rules.HasDevice(),
    "platform": lambda asked: rules.HasDevice(asked.value),
    "app_version": lambda asked: rules.AppVersion(_ORDERS[asked.operator], asked.value, asked.also.get("platform")),
    "last_seen": lambda asked: rules.SeenWithin(asked.value),
    "created": lambda asked: rules.CreatedWithin(asked.value),
    "external_id": lambda asked: rules.IdBegins(asked.value),
    "preference": lambda asked: rules.Allows(*asked.value),
    "segment": lambda asked: rules.InSegment(asked.value),
    **dict.fromkeys(Deed, _did),
}


def _note(tree: Tree, made: Leaf, place: str) -> None:
    match made:
        case rules.Allows(category=slug):
            tree.named.append(Named("category", slug, _under(place, "value.category")))
        case rules.InSegment(segment=key):
            tree.named.append(Named("segment", key, _under(place, "value")))
        case rules.Did(campaign=UUID() as key):
            tree.named.append(Named("campaign", key, _under(place, "campaign")))
        case _:
            pass
