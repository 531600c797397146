"""Whether a Twilio account works: it is asked for itself (twilio.com/docs/iam/api/account, "Fetch an Account")."""

from collections.abc import Mapping
from typing import ClassVar, Final

import msgspec

from notifications.providers.contract import (
    Account,
    Request,
    Response,
    Token,
)
from notifications.providers.probing import Judgement, Standing
from notifications.providers.twilio.send import authorization, resource_of

#: Every status of the specification but `active`.
_IDLE: Final[Mapping[str, str]] = {
    "suspended": "Twilio has suspended the account; its console says why.",
    "closed": "The account is closed.",
}


class Resource(msgspec.Struct):
    """The account; its auth token, which the answer holds too, is not read."""

    status: str = ""
    type: str = ""


_RESOURCE: Final = msgspec.json.Decoder(Resource)


class TwilioProbe:
    """`GET /2010-04-01/Accounts/{sid}.json`."""

    renews_token: ClassVar[bool] = False

    def probe(self, account: Account, _token: Token | None) -> Request:
        """The account itself."""
        return Request("GET", f"{resource_of(account)}.json", {"authorization": authorization(account)}, b"")

    def judge(self, response: Response) -> Judgement:
        """An account that is there may still be suspended."""
        match response.status:
            case 200:
                return _of(response.read(_RESOURCE) or Resource())
            case 401 | 403:
                return Judgement(Standing.REFUSED, "account_sid and auth_token do not belong together.")
            case 404:
                return Judgement(Standing.REFUSED, "Twilio knows no account with this account_sid.")
            case status:
                return Judgement(Standing.UNCLEAR, f"Twilio answered {status}.")


def _of(resource: Resource) -> Judgement:
    if resource.status in _IDLE:
        return Judgement(Standing.REFUSED, _IDLE[resource.status])
    if resource.status != "active":
        return Judgement(Standing.UNCLEAR, "The answer is not an account of Twilio's; look at the endpoint.")
    if resource.type.lower() == "trial":
        return Judgement(Standing.WORKS, "A trial account: it sends to numbers that were verified in the console only.")
    return Judgement(Standing.WORKS, "The account is active.")
