"""New keys for old credentials, while everything runs."""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from notifications import vault
from notifications.models import ProviderAccount

_FIRST: Final = UUID(int=0)


@dataclass(slots=True)
class Resealed:
    """How many accounts' credentials were sealed anew, how many were current; and whose no key opens."""

    resealed: int = 0
    current: int = 0
    unreadable: list[str] = field(default_factory=list)


def reseal_all(*, batch: int) -> Resealed:
    """Bring all credentials under the first key; a second run finds nothing to do.

    In the order of the primary key, `batch` rows at a time. An account that somebody saves meanwhile has been sealed
    with the first key by that, and keeps what was saved.
    """
    done = Resealed()
    after = _FIRST
    while rows := list(ProviderAccount.objects.filter(pk__gt=after).order_by("pk")[:batch]):
        for row in rows:
            held = bytes(row.credentials)
            try:
                sealed = vault.reseal(held)
            except vault.Sealed:
                done.unreadable.append(row.name)
                continue
            if sealed == held:
                done.current += 1
            else:
                unchanged = ProviderAccount.objects.filter(pk=row.pk, credentials=held)
                done.resealed += unchanged.update(credentials=sealed)
        after = rows[-1].pk
    return done
