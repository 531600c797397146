"""The rules of a segment, out of JSON."""

from typing import Any

from campaigns.segments.rules import EVERYBODY, All, CountryIs, IdBegins, LocaleIs, Node, Not, Some


class UnusableRules(ValueError):
    """The rules cannot be used; the message says where, what is wrong, and what would be right."""

    def __init__(self, place: str, says: str) -> None:
        super().__init__(f"{place}: {says}" if place else says)
        self.place = place
        self.says = says


def read(rules: Any) -> Node:
    """The tree that `rules`, as a JSON parser gave them, stand for. Raises `UnusableRules`."""
    return EVERYBODY if rules == {} else _node(rules, "")


def _node(given: Any, place: str) -> Node:
    match given:
        case {"all": [*parts]}:
            return All(tuple(_node(part, f"{place}all[{at}].") for at, part in enumerate(parts)))
        case {"any": [*parts]}:
            return Some(tuple(_node(part, f"{place}any[{at}].") for at, part in enumerate(parts)))
        case {"not": part}:
            return Not(_node(part, f"{place}not."))
        case {"field": "locale", "is": "one of", "value": [*locales]}:
            return LocaleIs(tuple(locales))
        case {"field": "country", "is": "one of", "value": [*countries]}:
            return CountryIs(tuple(countries))
        case {"field": "external_id", "is": "begins with", "value": str(prefix)}:
            return IdBegins(prefix)
        case _:
            raise UnusableRules(place.rstrip("."), "write a rule.")
