"""`/_sandbox/`: the record to read, faults and settings to change. For operators, tests and benchmarks."""

from collections.abc import Callable
from itertools import islice
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs

import msgspec

from sandbox.exchange import Gate, Said
from sandbox.faults import Fault
from sandbox.receipts import Receipts, Settings
from sandbox.record import Kept, Record
from sandbox.wires import Exchange, Scope

_JSON: Final = [("content-type", "application/json")]
_LINES: Final = [("content-type", "application/x-ndjson")]
#: Rows that are written at a time, so that other requests get their turn in between.
_CHUNK: Final = 2000
_encoder: Final = msgspec.json.Encoder()

T = TypeVar("T")


class Refused(Exception):
    """The operator asked for something that cannot be; the message says what would be right."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Away(msgspec.Struct, forbid_unknown_fields=True):
    """Why a door closes."""

    reason: str = "Shutdown"


class Admin:
    """The operators' door."""

    def __init__(
        self,
        record: Record,
        faults: dict[str, Fault],
        receipts: Receipts,
        providers: tuple[str, ...],
        subscription: Callable[[str], object | None],
    ) -> None:
        self._record = record
        self._faults = faults
        self._receipts = receipts
        self._providers = providers
        #: Front doors, by the provider's name; none unless somebody opens some.
        self.doors: dict[str, Gate] = {}
        self._subscription = subscription

    async def answer(self, path: str, scope: Scope, exchange: Exchange) -> None:
        """Answer a request below `/_sandbox/`."""
        try:
            if path == "record" and scope.method == "GET":
                await self._rows(scope.query_string, exchange)
                return
            body = await exchange()
            if path == "doors" or path.startswith("doors/"):
                found = self._door(scope.method, path.split("/")[1:], body)
            else:
                found = self._found(scope.method, path, body)
        except Refused as error:
            exchange.response_bytes(error.status, _JSON, _encoder.encode({"error": str(error)}))
            return
        if found is None:
            exchange.response_empty(204, [])
        else:
            exchange.response_bytes(200, _JSON, _encoder.encode(found))

    def _found(self, method: str, path: str, body: bytes) -> object | None:
        """What there is to say; None where it is done and nothing more is to be said."""
        match method, path.split("/"):
            case "GET", ["health"]:
                return {"status": "ok", "providers": self._providers}
            case "GET", ["counts"]:
                return {"providers": self._record.counts(), "receipts": self._receipts.fate}
            case "DELETE", ["record"]:
                self._record.clear()
                self._receipts.clear()
                return None
            case "GET", ["record", delivery_id]:
                return self._delivery(delivery_id.lower())
            case "GET", ["faults"]:
                return self._faults
            case "DELETE", ["faults"]:
                self._faults.clear()
                return None
            case _, ["faults", provider]:
                return self._fault(method, provider, body)
            case "GET", ["subscriptions", browser]:
                return self._subscribed(browser)
            case "GET", ["settings"]:
                return self._receipts.settings
            case "PUT", ["settings"]:
                return self._set(body)
            case "POST", ["inbound"]:
                return self._heard(body)
            case _:
                raise Refused(404, f"There is no {method} /_sandbox/{path}. See sandbox/README.md for what there is.")

    async def _rows(self, query: str, exchange: Exchange) -> None:
        """The record, a JSON line a delivery: ?provider=apns&since=<epoch seconds>."""
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        provider = asked.get("provider", "")
        if provider:
            self._known(provider)
        try:
            since = float(asked.get("since", "0"))
        except ValueError:
            raise Refused(422, f"since: {asked['since']!r} is no time; epoch seconds are, as 1767225600.5.") from None
        stream = exchange.response_stream(200, _LINES)
        rows = self._record.rows(provider, since)
        while chunk := list(islice(rows, _CHUNK)):
            await stream.send_bytes(_encoder.encode_lines(chunk))

    def _delivery(self, delivery_id: str) -> dict[str, Any]:
        row = self._record.row(delivery_id)
        if row is None:
            raise Refused(404, f"Nothing was sent here for delivery {delivery_id}.")
        return msgspec.structs.asdict(row) | {"attempts": [_attempt(kept) for kept in self._record.attempts(row.id)]}

    def _fault(self, method: str, provider: str, body: bytes) -> object | None:
        self._known(provider)
        match method:
            case "GET":
                return self._faults.get(provider, Fault())
            case "PUT":
                self._faults[provider] = _read(body, Fault)
                return self._faults[provider]
            case "DELETE":
                self._faults.pop(provider, None)
                return None
            case _:
                raise Refused(405, f"{method} is not for faults; GET, PUT and DELETE are.")

    def _subscribed(self, browser: str) -> object:
        """The push subscription of the browser that has this name: every name has one."""
        found = self._subscription(browser)
        if found is None:
            raise Refused(422, f"{browser!r} is no name; letters, digits and . _ - are, up to 100.")
        return found

    def _set(self, body: bytes) -> Settings:
        """Change the settings that are named; the others stay."""
        changes = _read(body, dict[str, Any])
        current = msgspec.structs.asdict(self._receipts.settings)
        self._receipts.settings = _read(_encoder.encode(current | changes), Settings)
        return self._receipts.settings

    def _heard(self, body: bytes) -> object:
        """Somebody answers a text message: {"provider": "twilio", "from": "+821012345678", "text": "STOP"}."""
        try:
            return self._receipts.hear(_read(body, Said))
        except LookupError as error:
            raise Refused(422, str(error)) from None

    def _door(self, method: str, path: list[str], body: bytes) -> object:
        """What was seen at the doors; or one that says GOAWAY on every connection, with a reason that APNs tells."""
        match method, path:
            case "GET", []:
                return {name: door.seen for name, door in self.doors.items()}
            case "POST", [provider, "goaway"] if provider in self.doors:
                asked = _read(body, Away) if body else Away()
                return {"connections": self.doors[provider].go_away(asked.reason)}
            case _:
                known = ", ".join(self.doors) or "none: start the sandbox with --doors"
                raise Refused(404, f"GET doors, or POST doors/<name>/goaway. The doors are {known}.")

    def _known(self, provider: str) -> None:
        if provider not in self._providers:
            raise Refused(404, f"There is no provider {provider!r} here; there are {', '.join(self._providers)}.")


def _attempt(kept: Kept) -> dict[str, Any]:
    return {
        "provider": kept.provider,
        "at": kept.at,
        "address": kept.message.address,
        "refused": kept.refused,
        "body": kept.body.decode("utf-8", "replace"),
    }


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        known = ", ".join(getattr(kind, "__struct_fields__", ()))
        raise Refused(422, f"{error}." + (f" Known are: {known}." if known else "")) from None
