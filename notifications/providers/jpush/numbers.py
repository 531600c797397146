"""JPush's `cid`: a number under which it takes one push, and answers a second one as it did the first."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, ClassVar, Final

import msgspec

from notifications.providers.contract import Account, Refused, Request, Response, Transient
from notifications.providers.jpush.send import Failure, headers, refusal

#: How many may be asked for at once, by a paying customer. Others get 10, however many they ask for.
AT_MOST: Final = 1000


class Cids(msgspec.Struct):
    """The answer to a request for cids."""

    cidlist: list[Annotated[str, msgspec.Meta(min_length=1, max_length=100)]] = []
    error: Failure = msgspec.field(default_factory=Failure)


_CIDS: Final = msgspec.json.Decoder(Cids, strict=False)


class JpushNumbers:
    """`GET /v3/push/cid` (docs.jiguang.cn/en/jpush/server/push/rest_api_v3_push_advanced)."""

    #: "cid is valid for 1 day."
    lifetime: ClassVar[timedelta] = timedelta(days=1)
    handful: ClassVar[int] = 10

    def ask(self, account: Account, count: int) -> Request:
        """The request for cids of this app."""
        return Request(
            "GET", f"{account.endpoint}/v3/push/cid?count={min(count, AT_MOST)}&type=push", headers(account), b""
        )

    def read(self, response: Response) -> Sequence[str] | Refused:
        """The cids; what is refused is refused for the reasons for which a push is."""
        answer = response.read(_CIDS) or Cids()
        if response.status == 200 and answer.cidlist:
            return answer.cidlist
        if response.status == 200 and not answer.error.code:
            return Transient("JPush answered 200 and gave no cid")
        return refusal(response, answer.error)
