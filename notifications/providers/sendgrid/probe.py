"""Whether a SendGrid key works: it is asked what it may do (twilio.com/docs/sendgrid, "Retrieve a list of scopes")."""

from typing import ClassVar, Final

import msgspec

from notifications.providers.contract import (
    Account,
    Request,
    Response,
    Token,
)
from notifications.providers.probing import Judgement, Standing

#: What a key needs to send.
_NEEDED: Final = "mail.send"


class Scopes(msgspec.Struct):
    """All that a key may do."""

    scopes: list[str]


_SCOPES: Final = msgspec.json.Decoder(Scopes)


class SendGridProbe:
    """`GET /v3/scopes`. Only a message would show whether the sender is verified."""

    renews_token: ClassVar[bool] = False

    def probe(self, account: Account, _token: Token | None) -> Request:
        """The key's scopes."""
        headers = {"authorization": f"Bearer {account.credentials.get('api_key', '')}"}
        return Request("GET", f"{account.endpoint}/v3/scopes", headers, b"")

    def judge(self, response: Response) -> Judgement:
        """A key may be good for anything but sending."""
        match response.status:
            case 200:
                return _of(response.read(_SCOPES))
            case 401 | 403:
                return Judgement(Standing.REFUSED, "The API key is wrong or was revoked.")
            case 404 | 405:
                return Judgement(Standing.REFUSED, "The endpoint is not SendGrid's.")
            case status:
                return Judgement(Standing.UNCLEAR, f"SendGrid answered {status}.")


def _of(scopes: Scopes | None) -> Judgement:
    if scopes is None:
        return Judgement(Standing.UNCLEAR, "The answer is no list of scopes; look at the endpoint.")
    if _NEEDED not in scopes.scopes:
        return Judgement(Standing.REFUSED, f"The API key holds, but may not send: it lacks the scope {_NEEDED}.")
    return Judgement(Standing.WORKS, "The API key may send.")
