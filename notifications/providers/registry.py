"""Every provider by name, and who reads its receipts."""

from collections.abc import Mapping
from typing import Final

from notifications.providers.apns.send import Apns
from notifications.providers.contract import Provider, ReceiptReader
from notifications.providers.fcm.send import Fcm
from notifications.providers.sendgrid.receipts import SendGridReceipts
from notifications.providers.sendgrid.send import SendGrid
from notifications.providers.twilio.receipts import TwilioReceipts
from notifications.providers.twilio.send import Twilio

_PROVIDERS: Final[Mapping[str, Provider]] = {one.name: one for one in (Apns(), Fcm(), Twilio(), SendGrid())}

#: APNs and FCM do not call back.
_RECEIPTS: Final[Mapping[str, ReceiptReader]] = {Twilio.name: TwilioReceipts(), SendGrid.name: SendGridReceipts()}

NAMES: Final = tuple(_PROVIDERS)


def provider(name: str) -> Provider:
    """The provider of this name. Raises `KeyError` for one that is not in `NAMES`."""
    return _PROVIDERS[name]


def receipts_of(name: str) -> ReceiptReader | None:
    """Who reads what this provider calls back with; None where it does not."""
    return _RECEIPTS.get(name)
