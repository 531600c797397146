"""The audit log: who did what, and what was before and after. Lines are only ever added.

Only what staff do is noted. What applications do by the API has logs of its own (consent, deliveries), and pays
nothing.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser, User
from django.db import models

from accounts.masking import SECRET_NAMES, masked, masked_beginning
from accounts.models import AuditEntry

#: Somebody who is signed in, or nobody: a command, or the installation itself.
By = User | AnonymousUser | None

#: Characters that are kept of one value.
_LONGEST: Final = 2_000
#: Fields that hold an address, whatever form somebody gave it.
_ADDRESSES: Final = frozenset({"email", "phone", "address"})
_NOTHING: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done, in a word, and what more there is to say; `before` and `after` are snapshots, not masked yet."""

    action: str
    detail: str = ""
    before: Mapping[str, Any] = field(default_factory=dict, repr=False)
    after: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Thing:
    """What something was done to: its kind, its key and its name, which outlast it."""

    model: str
    key: str
    name: str

    @classmethod
    def of(cls, thing: models.Model) -> "Thing":
        """As it is now: a deleted one has no key any more."""
        return cls(thing._meta.label_lower, str(thing.pk)[:64], masked_beginning(str(thing), 200))


def note(thing: models.Model | Thing, deed: Deed, by: By) -> AuditEntry:
    """Add a line, in the transaction in which it happens."""
    about = thing if isinstance(thing, Thing) else Thing.of(thing)
    changed = [name for name in {**deed.before, **deed.after} if deed.before.get(name) != deed.after.get(name)]
    return AuditEntry.objects.create(
        actor_id=by.pk if by else None,
        actor_name=by.get_username()[:150] if by else "system",
        action=deed.action[:40],
        model=about.model,
        object_id=about.key,
        object_name=about.name,
        detail=masked_beginning(deed.detail, 1000),
        before={name: shown(name, deed.before[name]) for name in changed if name in deed.before},
        after={name: shown(name, deed.after[name]) for name in changed if name in deed.after},
    )


def snapshot(thing: models.Model) -> Mapping[str, Any]:
    """What the database says of an object now, JSON leaf by leaf, with the names of what it is joined to.

    Empty where it is not there. Not masked, so that two of them can be compared: for memory only.
    """
    if thing.pk is None:
        return _NOTHING
    found = type(thing)._base_manager.filter(pk=thing.pk).first()  # noqa: SLF001 - Django's own way to every row
    if found is None:
        return _NOTHING
    values: dict[str, Any] = {}
    for column in found._meta.concrete_fields:
        value = getattr(found, column.attname)
        values |= dict(_leaves(column.name, value)) if isinstance(value, dict) else {column.name: _plain(value)}
    for joined in found._meta.many_to_many:
        values[joined.name] = sorted(str(other) for other in getattr(found, joined.name).all())
    return values


def shown(name: str, value: Any) -> Any:
    """A value as it may be kept: no secret, no address in full, not too long."""
    leaf = name.rpartition(".")[2]
    if value in (None, "", [], {}):
        return value
    if isinstance(value, bytes) or SECRET_NAMES.search(name) or leaf.endswith("digest"):
        return "***"
    if leaf in _ADDRESSES:
        return masked_address(str(value))
    if isinstance(value, list):
        return [shown(name, one) for one in value][:200]
    return masked_beginning(value, _LONGEST) if isinstance(value, str) else value


def masked_address(address: str) -> str:
    """An email address or a phone number of which two people can say whether they mean the same."""
    found = masked(address)
    if found != address or not address:
        return found
    return f"{address[:1]}***{address[-2:] if len(address) > 6 else ''}"


def _leaves(path: str, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """`content.push.ko.title` and its text: what somebody changed in a large document is then all that is kept."""
    if not value:
        yield path, {}
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _leaves(f"{path}.{name}", inner)
        else:
            yield f"{path}.{name}", _plain(inner)


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | str() | bytes():
            return value
        case memoryview():
            return bytes(value)
        case list() | tuple():
            plain = [_plain(one) for one in value]
            return plain if all(not isinstance(one, dict) for one in plain) else json.dumps(plain, default=str)
        case dict():
            return value
        case _:
            return str(value)
