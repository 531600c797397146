"""A live account's messages to the sandbox: a test account of the same provider sends in its place, under its own name.

Not another endpoint for the same credentials: a sandbox does not know them, and nobody else should see them.
"""

from datetime import datetime

import structlog

from notifications.models import ProviderAccount

log = structlog.get_logger(__name__)


class CannotDivert(Exception):
    """The switch cannot be thrown; the message says what it takes."""


def divert(account: ProviderAccount, stand_in: ProviderAccount | None, *, by: str, at: datetime) -> ProviderAccount:
    """From within five seconds on, nothing that `account` should send reaches people; returns who sends instead.

    Without `stand_in`, the first test account of the provider is taken. Raises `CannotDivert`.
    """
    if account.mode != "live":
        raise CannotDivert(f"{account.name} is for tests: its messages reach nobody anyway.")
    able = ProviderAccount.objects.stand_ins_for(account)
    chosen = able.first() if stand_in is None else able.filter(pk=stand_in.pk).first()
    if chosen is None:
        raise CannotDivert(
            f"It takes an active test account of {account.provider}, whose endpoint is a sandbox. Make one first."
        )
    ProviderAccount.objects.filter(pk=account.pk).update(diverted_to=chosen, diverted_at=at, diverted_by=by[:150])
    log.warning("account.diverted", account=account.name, to=chosen.name, by=by)
    return chosen


def restore(account: ProviderAccount, *, by: str) -> bool:
    """From within five seconds on, messages reach people again; False where they did anyway."""
    ended = ProviderAccount.objects.diverted().filter(pk=account.pk)
    changed = ended.update(diverted_to=None, diverted_at=None, diverted_by="")
    if changed:
        log.warning("account.restored", account=account.name, by=by)
    return bool(changed)
