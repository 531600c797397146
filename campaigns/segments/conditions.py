"""A tree of rules as one condition of SQL over `accounts_recipient AS recipient`."""

from dataclasses import dataclass, field
from typing import Any

from campaigns.segments.rules import All, CountryIs, IdBegins, LocaleIs, Node, Not, OnList, Some


@dataclass(frozen=True, slots=True)
class Where:
    """A condition over `accounts_recipient AS recipient`, and the values of its places, `%(segment_1)s` and so on."""

    sql: str
    params: dict[str, Any] = field(repr=False)


class Writer:
    """Writes conditions, and keeps their values."""

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}

    def where(self, node: Node) -> str:
        """The condition for those who meet `node`."""
        match node:
            case All(of=()):
                return "TRUE"
            case All(of=parts):
                return "(" + " AND ".join(self.where(part) for part in parts) + ")"
            case Some(of=parts):
                return "(" + " OR ".join(self.where(part) for part in parts) + ")"
            case Not(of=part):
                return f"NOT {self.where(part)}"
            case LocaleIs(locales=locales):
                return f"recipient.locale = ANY({self._place(list(locales))})"
            case CountryIs(countries=countries):
                return f"recipient.country = ANY({self._place(list(countries))})"
            case IdBegins(prefix=prefix):
                return f"recipient.external_id LIKE {self._place(_literal(prefix) + '%')}"
            case OnList(segment=segment):
                return (
                    "recipient.id IN (SELECT member.recipient_id FROM campaigns_segmentmember AS member"
                    f" WHERE member.segment_id = {self._place(segment)})"
                )

    def _place(self, value: Any) -> str:
        name = f"segment_{len(self.params) + 1}"
        self.params[name] = value
        return f"%({name})s"


def _literal(text: str) -> str:
    """As LIKE takes it to the letter."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
