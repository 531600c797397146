"""Whether an APNs key works: a push to a token that no device can have. That this is refused proves the rest."""

from typing import ClassVar, Final

import msgspec

from notifications.providers.apns.send import Apns, reason_of
from notifications.providers.contract import (
    Accepted,
    Account,
    ContentBad,
    CredentialBad,
    Request,
    Response,
    Token,
)
from notifications.providers.probing import Judgement, Standing

#: Tokens have 64 digits or more.
_IMPOSSIBLE: Final = "0"


class ApnsProbe:
    """`POST /3/device/0`, of which nothing would be seen or kept even on a device."""

    renews_token: ClassVar[bool] = False

    def probe(self, account: Account, token: Token | None) -> Request:
        """A push in the background, for now or never."""
        if token is None:
            raise TypeError("APNs takes a token")
        headers = {
            "authorization": f"bearer {token.value}",
            "content-type": "application/json",
            "apns-topic": account.settings.get("topic", ""),
            "apns-push-type": "background",
            "apns-priority": "5",
            "apns-expiration": "0",
        }
        body = msgspec.json.encode({"aps": {"content-available": 1}})
        return Request("POST", f"{account.endpoint}/3/device/{_IMPOSSIBLE}", headers, body)

    def judge(self, response: Response) -> Judgement:
        """Whatever Apple says of key and topic, it says before it looks at the device token."""
        if reason_of(response) == "BadDeviceToken":
            return Judgement(Standing.WORKS, "Apple takes the key for this topic.")
        match Apns().interpret(response):
            case Accepted():
                return Judgement(Standing.UNCLEAR, "Apple took a push that it cannot have taken; look at the endpoint.")
            case CredentialBad(detail=detail) | ContentBad(detail=detail):
                return Judgement(Standing.REFUSED, f"{detail}.")
            case outcome:
                return Judgement(Standing.UNCLEAR, f"{outcome.detail}.")
