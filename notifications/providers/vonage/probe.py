"""Whether a Vonage account works: it is asked for its balance (developer.vonage.com/api/account, version 1.0.4)."""

from base64 import b64encode
from typing import ClassVar, Final

import msgspec

from notifications.providers.contract import (
    Account,
    Request,
    Response,
    Token,
)
from notifications.providers.probing import Judgement, Standing


class Balance(msgspec.Struct):
    """What is left of the credit, in euros."""

    value: float


_BALANCE: Final = msgspec.json.Decoder(Balance, strict=False)


class VonageProbe:
    """`GET /account/get-balance`. The credentials stand in a header, where no log of addresses shows them."""

    renews_token: ClassVar[bool] = False

    def probe(self, account: Account, _token: Token | None) -> Request:
        """The balance."""
        pair = f"{account.credentials.get('api_key', '')}:{account.credentials.get('api_secret', '')}"
        headers = {"authorization": "Basic " + b64encode(pair.encode()).decode()}
        return Request("GET", f"{account.endpoint}/account/get-balance", headers, b"")

    def judge(self, response: Response) -> Judgement:
        """Credentials that hold are of no use without credit."""
        match response.status:
            case 200:
                return _of(response.read(_BALANCE))
            case 401 | 403:
                return Judgement(Standing.REFUSED, "The API key and secret are wrong or disabled.")
            case 404:
                return Judgement(Standing.REFUSED, "The endpoint is not Vonage's.")
            case status:
                return Judgement(Standing.UNCLEAR, f"Vonage answered {status}.")


def _of(balance: Balance | None) -> Judgement:
    if balance is None:
        return Judgement(Standing.UNCLEAR, "The answer is not a balance of Vonage's; look at the endpoint.")
    if balance.value <= 0:
        return Judgement(Standing.REFUSED, f"The credentials hold, but the balance is {balance.value:.2f} EUR.")
    return Judgement(Standing.WORKS, f"The balance is {balance.value:.2f} EUR.")
