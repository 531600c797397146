"""What passes between the server and a simulated provider, as plain values.

These are made for every request, tens of thousands a second, hence msgspec's structs.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Protocol

import msgspec


class Headers(Protocol):
    """Request headers; names are lower case."""

    def get(self, key: str, default: Any = None, /) -> Any:
        """One header's value."""
        ...


class Call(msgspec.Struct, frozen=True, gc=False):
    """One request to a provider. `path` is below the provider's own prefix; `at` is epoch seconds.

    `query` is what follows the question mark.
    """

    method: str
    path: str
    headers: Headers
    body: bytes
    at: float
    http_version: str = "2"
    query: str = ""


class Taken(msgspec.Struct, frozen=True, gc=False):
    """One message in a request: whose delivery it is ("" when it does not say) and to which address it goes.

    `part` is the position of the message among those of one request.
    """

    delivery_id: str
    address: str
    part: int = 0


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What a provider says. `refused` is why it took none of `messages`; "" when it took them all.

    `ref` is the provider's own id for the request; `clear` is what its reader makes of a body that was encrypted.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    messages: tuple[Taken, ...] = ()
    refused: str = ""
    ref: str = ""
    clear: bytes = b""


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """Late news for the platform. `after` counts the steps since the message was taken: 0, 1, 2 …

    Receipts with the same `url` and `batch` may travel in one request, if the provider sends batches.
    """

    url: str
    after: int
    fields: Mapping[str, Any]


class Sight(msgspec.Struct, frozen=True):
    """What a person would see of a message. `kind` is ios, android, desktop, sms or email; only an email has `html`."""

    kind: str
    sender: str
    title: str
    body: str
    html: str = ""
    link: str = ""
    image: str = ""


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"sender": "from"}):
    """What a person answers by text message, as an operator orders it.

    `advanced_opt_out`: the number belongs to a service that knows keywords by itself and tells what it made of them.
    """

    provider: str
    sender: Annotated[str, msgspec.Meta(pattern=r"^\+[1-9][0-9]{6,14}$")]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=160)]
    advanced_opt_out: bool = False


class Simulator(Protocol):
    """One provider. Its answers depend on the request, its keys and the time of the call, and on nothing else."""

    name: str

    def answer(self, call: Call) -> Answer:
        """What the real provider would answer."""

    def fault(self, status: int, reason: str, retry_after: int | None) -> Answer:
        """A failure in this provider's own words, as an operator asked for it."""

    def sight(self, body: bytes, part: int) -> Sight:
        """What the person sees of message `part` of a request body that was accepted, or of its `clear` text."""


class Caller(Protocol):
    """A provider that calls back."""

    def receipts(self, call: Call, answer: Answer, events_url: str) -> Iterable[Receipt]:
        """All the news that will follow an accepted request; `events_url` is for providers with one fixed address."""

    def post(self, url: str, news: list[Mapping[str, Any]], at: float) -> list[tuple[dict[str, str], bytes]]:
        """Signed requests, as headers and body, that carry `news` to `url`."""


class Gate(Protocol):
    """A front door of a provider that can be told to go away."""

    seen: Any

    def go_away(self, reason: str) -> int:
        """Every connection says so; how many there are."""


class Keeper(Protocol):
    """A provider whose answers depend on what it took before."""

    def keep(self, call: Call, answer: Answer) -> None:
        """A request was really taken: no fault came in between."""


class Answered(Protocol):
    """A provider whose numbers people can answer to. It calls back as a `Caller` does."""

    def incoming(self, said: Said) -> Mapping[str, Any]:
        """What it tells of a text message that came in."""
