"""Whether a JPush app key works: it is asked for one cid (docs.jiguang.cn, rest_api_v3_push_advanced)."""

from typing import ClassVar

from notifications.providers.contract import (
    Account,
    CredentialBad,
    NoFunds,
    Request,
    Response,
    Token,
)
from notifications.providers.jpush.numbers import JpushNumbers
from notifications.providers.probing import Judgement, Standing


class JpushProbe:
    """`GET /v3/push/cid?count=1`: a number that nothing is sent under ends by itself after a day."""

    renews_token: ClassVar[bool] = False

    def probe(self, account: Account, _token: Token | None) -> Request:
        """One cid."""
        return JpushNumbers().ask(account, 1)

    def judge(self, response: Response) -> Judgement:
        """Cids are given and refused for the reasons for which pushes are taken and refused."""
        match JpushNumbers().read(response):
            case CredentialBad(detail=detail) | NoFunds(detail=detail):
                return Judgement(Standing.REFUSED, f"{detail}.")
            case [*_]:
                return Judgement(Standing.WORKS, "JPush takes the app key and the master secret.")
            case refused:
                return Judgement(Standing.UNCLEAR, f"{getattr(refused, 'detail', 'JPush says nothing of use')}.")
