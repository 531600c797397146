"""Whether a Mandrill key works: it is pinged (mailchimp.com/developer/transactional/api/users/ping-2)."""

from typing import ClassVar, Final

import msgspec

from notifications.providers.contract import (
    Account,
    Request,
    Response,
    Token,
)
from notifications.providers.probing import Judgement, Standing


class Pong(msgspec.Struct):
    """Either the answer to a good key, or the name of an error."""

    ping: str = msgspec.field(default="", name="PING")
    name: str = ""


_PONG: Final = msgspec.json.Decoder(Pong)


class MandrillProbe:
    """`POST /api/1.4/users/ping2.json`. Only a message would show whether the sender's domain is verified."""

    renews_token: ClassVar[bool] = False

    def probe(self, account: Account, _token: Token | None) -> Request:
        """A ping."""
        body = msgspec.json.encode({"key": account.credentials.get("api_key", "")})
        url = f"{account.endpoint}/api/1.4/users/ping2.json"
        return Request("POST", url, {"content-type": "application/json"}, body)

    def judge(self, response: Response) -> Judgement:
        """The key's error has had several HTTP statuses over the years; its name has not changed."""
        pong = response.read(_PONG) or Pong()
        if pong.name == "Invalid_Key" or response.status in (401, 403):
            return Judgement(Standing.REFUSED, "The API key is wrong or was revoked.")
        if response.status == 200 and pong.ping == "PONG!":
            return Judgement(Standing.WORKS, "The API key holds.")
        if response.status in (404, 405):
            return Judgement(Standing.REFUSED, "The endpoint is not Mandrill's.")
        return Judgement(Standing.UNCLEAR, f"Mandrill answered {response.status}.")
