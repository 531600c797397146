"""Whether a service account may send: a message is validated and not sent ("projects.messages: send", validateOnly)."""

from typing import ClassVar, Final

import msgspec

from notifications.providers.contract import (
    Accepted,
    Account,
    CredentialBad,
    Request,
    Response,
    Token,
)
from notifications.providers.fcm.send import Fcm, url_of
from notifications.providers.probing import Judgement, Standing

#: To a topic, because Google would call any made-up device unknown.
_NOBODY: Final = {"topic": "bongsu-check", "notification": {"title": "Bongsu", "body": "Bongsu"}}


class FcmProbe:
    """`POST /v1/projects/{id}/messages:send` with `validateOnly`."""

    renews_token: ClassVar[bool] = True

    def probe(self, account: Account, token: Token | None) -> Request:
        """A message that is looked at and thrown away."""
        if token is None:
            raise TypeError("FCM takes a token")
        headers = {"authorization": f"Bearer {token.value}", "content-type": "application/json"}
        body = msgspec.json.encode({"validateOnly": True, "message": _NOBODY})
        return Request("POST", url_of(account), headers, body)

    def judge(self, response: Response) -> Judgement:
        """As for any message: what it says of the account counts."""
        match Fcm().interpret(response):
            case Accepted():
                return Judgement(Standing.WORKS, "The service account may send for its project.")
            case CredentialBad(detail=detail):
                return Judgement(Standing.REFUSED, f"{detail}.")
            case outcome:
                return Judgement(Standing.UNCLEAR, f"{outcome.detail}.")
