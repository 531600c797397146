"""From one URL, as an environment gives it, to what Django and Celery want to be told."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


def django_database(url: str) -> dict[str, Any]:
    """A Django DATABASES entry for `postgresql://user:password@host:port/name?option=value`.

    A socket folder goes into the `host` option; all other options reach libpq as they are.
    Raises ValueError for another kind of database.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError(
            f"DATABASE_URL starts with {parts.scheme!r}; write postgresql://… (claims and partitions need PostgreSQL)."
        )
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "config.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or parts.hostname or "",
        "PORT": str(parts.port or options.pop("port", "")),
        "OPTIONS": options,
    }


def broker_url(redis_url: str) -> str:
    """The Celery broker at a Redis URL; Celery writes a socket's address in a way of its own."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    database = parse_qs(parts.query).get("db", ["0"])[-1]
    return f"redis+socket://{parts.path}?virtual_host={database}"
