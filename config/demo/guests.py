"""An audience for the demo's campaigns: four hundred guests, what is said to them, and a segment of everybody."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from django.utils import timezone

from accounts.channels import Platform
from accounts.models import Device, Recipient
from campaigns.models import Segment
from config.demo.readers import PREFIX
from templates_app.files import pushing
from templates_app.files.pushing import Wish

GUESTS: Final = 400
EVERYBODY: Final = "Everybody in the demo"
#: Two wordings of one offer, and the category that they are of.
TEMPLATES: Final = Path(__file__).parent / "templates"
WORDINGS: Final = ("spring-sale-a", "spring-sale-b")

#: Where guests come from, in turn: their languages are those that both wordings speak.
_KOREA: Final = {"locale": "ko-KR", "country": "KR", "time_zone": "Asia/Seoul"}
_HOMES: Final = (_KOREA, _KOREA, _KOREA, {"locale": "en-US", "country": "US", "time_zone": "America/New_York"})
_PLANS: Final = ("basic", "basic", "basic", "gold", "gold")


def assemble() -> None:
    """Make all of it, once; what people have made of the templates and the segment since is theirs."""
    pushing.push(TEMPLATES, Wish(timezone.now(), publish=True, only_new=True))
    Segment.objects.get_or_create(name=EVERYBODY)
    there = set(Recipient.objects.filter(external_id__startswith=PREFIX).values_list("external_id", flat=True))
    missing = [number for number in range(1, GUESTS + 1) if _named(number) not in there]
    people = Recipient.objects.bulk_create([_guest(number) for number in missing])
    devices = [one for number, guest in zip(missing, people, strict=True) for one in _devices(number, guest)]
    Device.objects.bulk_create(devices)


def _named(number: int) -> str:
    return f"{PREFIX}{number:03}"


def _guest(number: int) -> Recipient:
    about: dict[str, Any] = {"plan": _PLANS[number % len(_PLANS)]}
    name = _named(number)
    return Recipient(external_id=name, email=f"{name}@example.com", attributes=about, **_HOMES[number % len(_HOMES)])


def _devices(number: int, guest: Recipient) -> Iterator[Device]:
    """An iPhone, an Android phone, or, for every fifth, no device."""
    if number % 5 == 0:
        return
    if number % 2:
        yield Device(
            recipient=guest, platform=Platform.IOS, service="apns", token=f"9d{number:062x}", app_version="3.2"
        )
    else:
        token = f"demo-android-token_of_guest_{number:03}"
        yield Device(recipient=guest, platform=Platform.ANDROID, service="fcm", token=token, app_version="3.10")
