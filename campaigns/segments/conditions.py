"""A tree of rules as one condition of SQL over `accounts_recipient AS recipient`.

"Not" is carried down to the rules, so that what asks another table stays an EXISTS or a NOT EXISTS among ANDs wherever
it can: PostgreSQL joins those. In an OR it looks each of them up once, hashed, or person by person, whichever is
cheaper for what is asked. A condition is never NULL.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, assert_never

from accounts.ids import array_of, floor_of
from accounts.models import Consent
from campaigns.segments import rules
from campaigns.segments.behaviour import did
from campaigns.segments.naming import Names
from campaigns.segments.places import Places, like
from campaigns.segments.rules import Node, Scalar


@dataclass(frozen=True, slots=True)
class Where:
    """A condition over `accounts_recipient AS recipient`, and the values of its places, `%(segment_1)s` and so on."""

    sql: str
    params: dict[str, Any] = field(repr=False)


def where(node: Node, names: Names, at: datetime) -> Where:
    """The condition for those who meet `node` at a moment."""
    writer = _Writer(names, at)
    sql = writer.write(node, wanted=True)
    return Where(sql, writer.places.values)


#: Values of an attribute up to which each is looked up in the index of attributes; more are compared one by one.
_FEW: Final = 6


class _Writer:
    """Writes conditions, and keeps their values."""

    def __init__(self, names: Names, at: datetime) -> None:
        self.names = names
        self.at = at
        self.places = Places()

    def write(self, node: Node, *, wanted: bool) -> str:
        """The condition for those who meet it or, where that is not wanted, for all others."""
        match node:
            case rules.Not(of=inner):
                return self.write(inner, wanted=not wanted)
            case rules.All(of=parts):
                return self._joined("AND" if wanted else "OR", parts, wanted=wanted)
            case rules.Some(of=parts):
                return self._joined("OR" if wanted else "AND", parts, wanted=wanted)
            case rules.InSegment(segment=key):
                return self.write(self.names.segments[key], wanted=wanted)
            case rules.Allows():
                return self._allows(node, wanted=wanted)
            case _:
                condition = self._leaf(node)
                return condition if wanted else f"NOT {condition}"

    def _joined(self, word: str, parts: Sequence[Node], *, wanted: bool) -> str:
        if not parts:  # everybody
            return "TRUE" if wanted else "FALSE"
        return "(" + f" {word} ".join(self.write(part, wanted=wanted) for part in parts) + ")"

    def _leaf(self, leaf: rules.Leaf) -> str:
        match leaf:
            case rules.Known(column=column):
                return f"recipient.{column} <> ''" if column in _COLUMNS else "FALSE"
            case rules.LocaleIs(locales=locales):
                return f"recipient.locale = ANY({self._texts(locales)})"
            case rules.LanguageIs(languages=languages):
                return f"split_part(recipient.locale, '-', 1) = ANY({self._texts(languages)})"
            case rules.CountryIs(countries=countries):
                return f"recipient.country = ANY({self._texts(countries)})"
            case rules.IdBegins(prefix=prefix):
                return f"recipient.external_id LIKE {self.places.put(like(prefix))}"
            case rules.CreatedWithin(days=days):
                # an id begins with the moment at which it was made: the primary key answers this
                return f"recipient.id >= {self.places.put(floor_of(self._ago(days)))}"
            case rules.OnList(segment=segment, lists=lists):
                return f"""EXISTS (
                    SELECT FROM campaigns_segmentmember AS member
                     WHERE member.segment_id = {self.places.put(segment)} AND member.recipient_id = recipient.id
                       AND member.list_id = ANY({self.places.put(array_of(lists))}::uuid[]))"""
            case rules.HasDevice() | rules.SeenWithin() | rules.AppVersion():
                return self._device(leaf)
            case rules.Did():
                return did(leaf, self.names, self.places, self.at)
            case rules.Allows() | rules.InSegment():  # written with their negation
                return self.write(leaf, wanted=True)
            case _:
                return self._attribute(leaf)

    def _ago(self, days: int) -> datetime:
        return self.at - timedelta(days=days)

    def _texts(self, texts: Sequence[str]) -> str:
        return f"{self.places.put(list(texts))}::text[]"

    # --- attributes ---------------------------------------------------------------------------------------
    def _attribute(self, leaf: rules.AboutAttribute) -> str:
        match leaf:
            case rules.AttributeIs(path=path, values=values):
                return self._is(path, [form for value in values for form in _forms(value)])
            case rules.AttributeIncludes(path=path, value=value):
                return self._is(path, [[form] for form in _forms(value)])
            case rules.AttributeBegins(path=path, prefix=prefix):
                return f"({self._text(path)} LIKE {self.places.put(like(prefix))}) IS TRUE"
            case rules.AttributeExists(path=path):
                return f"coalesce(jsonb_typeof({self._value(path)}), 'null') <> 'null'"
            case rules.AttributeNumber(path=path, order=order, number=number):
                return f"({_number(self._value(path))} {order} {self.places.put(number)}) IS TRUE"
            case rules.AttributeDay(path=path, order=order, day=day):
                return f'({_day(self._text(path))} {order} {self.places.put(day.isoformat())} COLLATE "C") IS TRUE'
            case _:
                assert_never(leaf)

    def _is(self, path: Sequence[str], forms: Sequence[Any]) -> str:
        """An attribute is one of a few, by the index of attributes, or one of many."""
        if len(forms) <= _FEW:
            found = (f"recipient.attributes @> {self.places.put(_nested(path, form))}::jsonb" for form in forms)
            return f"({' OR '.join(found)})"
        listed = self.places.put([json.dumps(form) for form in forms])
        return f"({self._value(path)} = ANY({listed}::jsonb[])) IS TRUE"

    def _value(self, path: Sequence[str]) -> str:
        return f"recipient.attributes #> {self.places.put(list(path))}::text[]"

    def _text(self, path: Sequence[str]) -> str:
        """The attribute where it is a text, and NULL otherwise."""
        value = self._value(path)
        return f"CASE WHEN jsonb_typeof({value}) = 'string' THEN ({value}) #>> '{{}}' END"

    # --- devices and choices ------------------------------------------------------------------------------
    def _device(self, leaf: rules.AboutDevices) -> str:
        match leaf:
            case rules.HasDevice(platforms=platforms):
                asked = f" AND device.platform = ANY({self._texts(platforms)})" if platforms else ""
            case rules.SeenWithin(days=days):
                asked = f" AND device.seen_at >= {self.places.put(self._ago(days))}"
            case rules.AppVersion(order=order, version=version, platform=platform):
                known = _VERSIONS.format(order=order, version=f"{self.places.put(list(version))}::int[]")
                asked = f" AND device.app_version = ANY(ARRAY({known}))"
                if platform:
                    asked += f" AND device.platform = {self.places.put(platform)}"
            case _:
                assert_never(leaf)
        return f"""EXISTS (
            SELECT FROM accounts_device AS device
             WHERE device.recipient_id = recipient.id AND device.retired_at IS NULL{asked})"""

    def _allows(self, leaf: rules.Allows, *, wanted: bool) -> str:
        """Silence means what the category says; only those who chose otherwise are looked for."""
        category = self.names.categories[leaf.category]
        if category.is_critical:  # asks for no consent
            return "TRUE" if wanted else "FALSE"
        is_opt_in = category.consent == Consent.OPT_IN
        condition = _CHOSE.format(
            category=self.places.put(category.pk),
            channel=self.places.put(leaf.channel),
            no="" if is_opt_in else "NOT ",
        )
        return condition if wanted == is_opt_in else f"NOT {condition}"


_COLUMNS: Final = frozenset({"locale", "country", "email", "phone"})


def _number(value: str) -> str:
    """A number, or a text that says one, as everything is that came from a file; otherwise NULL."""
    return rf"""CASE jsonb_typeof({value})
        WHEN 'number' THEN ({value})::numeric
        WHEN 'string' THEN CASE WHEN ({value}) #>> '{{}}' ~ '^-?[0-9]{{1,15}}(\.[0-9]{{1,15}})?$'
                                THEN (({value}) #>> '{{}}')::numeric END
        END"""


def _day(text: str) -> str:
    """The day with which a text begins, otherwise NULL. Days of this form are in order as texts."""
    return f"(CASE WHEN ({text}) ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}' THEN left({text}, 10) END)"


#: Versions that are in use and compare so: taken apart once each, and not device by device.
_VERSIONS: Final = r"""
    SELECT app_version
      FROM (SELECT DISTINCT app_version
              FROM accounts_device
             WHERE retired_at IS NULL AND app_version <> ''
            OFFSET 0) AS known -- the offset keeps the comparison out of the scan
     WHERE string_to_array(
               regexp_replace(substring(app_version FROM '^[0-9]{{1,9}}(?:\.[0-9]{{1,9}}){{0,5}}'), '(\.0+)+$', ''), '.'
           )::int[] {order} {version}"""

#: Those whose most specific choice is yes, or no. A person has one choice of each kind, so the greatest number is the
#: most specific one, and whether it is odd is what it says. Not an equation: of one, PostgreSQL expects next to nobody.
_CHOSE: Final = """EXISTS (
    SELECT FROM (SELECT recipient_id
                   FROM accounts_preference
                  WHERE (category_id = {category} OR category_id IS NULL) AND channel IN ({channel}, '')
                  GROUP BY recipient_id
                 HAVING {no}mod(max(CASE WHEN category_id IS NULL THEN 0 ELSE 4 END
                                + CASE WHEN channel = '' THEN 0 ELSE 2 END
                                + allowed::int), 2)::boolean) AS chose
     WHERE chose.recipient_id = recipient.id)"""


def _nested(path: Sequence[str], value: Any) -> str:
    """The smallest JSON that contains the value in its place."""
    for name in reversed(path):
        value = {name: value}
    return json.dumps(value)


def _forms(value: Scalar) -> list[Any]:
    """What stands for a value in JSON: itself and, as everything from a file is a text, the text that says it."""
    match value:
        case bool():
            return [value, "true" if value else "false"]
        case Decimal() | int():
            plain = int(value) if value == int(value) else float(value)
            return [plain, str(plain)]
        case _:
            return [value]
