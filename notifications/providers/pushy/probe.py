"""Whether a Pushy key works: a push to a device that cannot be. That only the device is refused proves the key."""

from typing import ClassVar, Final
from urllib.parse import quote

import msgspec

from notifications.providers.contract import (
    Account,
    AddressDead,
    CredentialBad,
    Request,
    Response,
    Token,
)
from notifications.providers.probing import Judgement, Standing
from notifications.providers.pushy.send import Pushy

#: Tokens have 20 digits or more.
_IMPOSSIBLE: Final = "0"


class PushyProbe:
    """`POST /push`. The key stands in the address, as with every request to Pushy."""

    renews_token: ClassVar[bool] = False

    def probe(self, account: Account, _token: Token | None) -> Request:
        """Data for nobody, kept for a second."""
        url = f"{account.endpoint}/push?api_key={quote(account.credentials.get('api_key', ''), safe='')}"
        push = {"to": _IMPOSSIBLE, "data": {"message": "Bongsu"}, "time_to_live": 1}
        return Request("POST", url, {"content-type": "application/json"}, msgspec.json.encode(push))

    def judge(self, response: Response) -> Judgement:
        """As for any push: what it says of the device is what was to be expected."""
        match Pushy().interpret(response):
            case AddressDead():
                return Judgement(Standing.WORKS, "Pushy takes the key.")
            case CredentialBad(detail=detail):
                return Judgement(Standing.REFUSED, f"{detail}.")
            case outcome:
                detail = getattr(outcome, "detail", "Pushy took a push that it cannot have taken; look at the endpoint")
                return Judgement(Standing.UNCLEAR, f"{detail}.")
