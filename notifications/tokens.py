"""Bearer tokens that all workers share: minted once, kept sealed in the cache until they are to be renewed.

Apple answers 429 to a provider token renewed more than once in 20 minutes, so a token must outlive one process.
"""

from collections.abc import Callable
from datetime import datetime

from django.core.cache import cache

from notifications.providers.contract import Account, Exchange, Provider, Request, Token
from notifications.vault import Sealed, seal, unseal

_mine: dict[str, Token] = {}


def current(
    provider: Provider, account: Account, at: datetime, exchange: Callable[[Request], Exchange]
) -> Token | None:
    """The token to use now: this process's, another process's, or a new one. None where the provider needs none.

    Raises `BadAccount` when none can be had with these credentials.
    """
    key = _key(account)
    held = _mine.get(key) or _shared(key)
    if held is None or held.renew_at <= at:
        held = provider.authorise(account, at, exchange)
        if held is None:
            return None
        sealed = seal({"value": held.value, "renew_at": held.renew_at.isoformat()})
        cache.set(key, sealed.decode(), timeout=max(1.0, (held.renew_at - at).total_seconds()))
    _mine[key] = held
    return held


def forget(account: Account) -> None:
    """The provider called the token stale: the next one will be new."""
    _mine.pop(_key(account), None)
    cache.delete(_key(account))


def _shared(key: str) -> Token | None:
    found = cache.get(key)
    if found is None:
        return None
    try:
        opened = unseal(found.encode())
    except Sealed:
        return None
    return Token(opened["value"], datetime.fromisoformat(opened["renew_at"]))


def _key(account: Account) -> str:
    return f"token:{account.identity}"
