"""What a person would have seen: the inbox page and the messages it shows."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec

from sandbox.exchange import Simulator
from sandbox.record import Kept, Record
from sandbox.wires import Exchange, Scope

_STATIC: Final = Path(__file__).parent / "static"
#: What the page may do: load its own two files, ask this server, show images that messages name. Nothing else.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data: https: http:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFE: Final = [
    ("content-security-policy", _POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
]
#: Messages that one answer carries, or as many of each provider.
_LIMIT: Final = 200
_FILES: Final = {
    "": ("inbox.html", "text/html; charset=utf-8"),
    "inbox": ("inbox.html", "text/html; charset=utf-8"),
    "inbox/inbox.css": ("inbox.css", "text/css; charset=utf-8"),
    "inbox/inbox.js": ("inbox.js", "text/javascript; charset=utf-8"),
}


class Inbox:
    """The page for people."""

    def __init__(self, record: Record, simulators: dict[str, Simulator]) -> None:
        self._record = record
        self._simulators = simulators
        self._files = {name: (_STATIC / file).read_bytes() for name, (file, _) in _FILES.items()}

    async def answer(self, scope: Scope, exchange: Exchange) -> None:
        """The page, its files, or the messages as JSON (`/inbox/messages?after=<number>&before=<number>`)."""
        await exchange()
        path = scope.path.strip("/")
        if path == "inbox/messages":
            body = msgspec.json.encode(self._messages(scope.query_string))
            exchange.response_bytes(200, [("content-type", "application/json"), *_SAFE], body)
        elif path in _FILES:
            exchange.response_bytes(200, [("content-type", _FILES[path][1]), *_SAFE], self._files[path])
        else:
            providers = ", ".join(f"/{name}" for name in self._simulators)
            exchange.response_bytes(
                404,
                [("content-type", "text/plain; charset=utf-8"), *_SAFE],
                f"Nothing here. Providers are at {providers}; people at /inbox.\n".encode(),
            )

    def _messages(self, query: str) -> dict[str, Any]:
        asked = parse_qs(query)
        after, before = _number(asked, "after"), _number(asked, "before")
        if "each" in asked:
            # many emails must not hide the few pushes before them
            kept = self._record.latest_of_each(after or 0, _LIMIT)
        else:
            kept = self._record.latest(after or 0, _LIMIT, before)
        return {"memory": self._record.began_at, "messages": [self._message(one) for one in kept]}

    def _message(self, kept: Kept) -> dict[str, Any]:
        sight = self._simulators[kept.provider].sight(kept.body, kept.message.part)
        return msgspec.structs.asdict(sight) | {
            "number": kept.number,
            "at": kept.at,
            "address": kept.message.address,
            "delivery_id": kept.message.delivery_id,
            "provider": kept.provider,
        }


def _number(asked: dict[str, list[str]], name: str) -> int | None:
    said = asked.get(name, [""])[0]
    return int(said[:18]) if said.isdecimal() else None
