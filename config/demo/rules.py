"""What the scenes about the rules need: categories that each have one rule, what they say, and to whom."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts.channels import Platform
from accounts.models import Cap, Category, Recipient
from accounts.policies import Routing
from config.demo import cast
from notifications.planning.values import QuietHours
from templates_app import publishing
from templates_app.models import Template

_NIGHT: Final = QuietHours(time(21), time(8))
#: Time zones of which one at least has its night, with two hours of it left, at every moment of the year.
_AROUND_THE_WORLD: Final = {"Asia/Seoul": "KR", "Europe/Berlin": "DE", "America/Los_Angeles": "US"}
#: Another phone than the others': 64 hexadecimal digits.
_APNS_TOKEN: Final = "7c" * 32

_OFFER: Final = {"ko": {"body": "오늘만 모든 신발 20% 할인!"}, "en": {"body": "Today only: 20% off all shoes!"}}
_PICK: Final = {"ko": {"body": "이번 주 추천: {{ product_name }}"}, "en": {"body": "Our pick: {{ product_name }}"}}
_PARCEL: Final = {
    "ko": {"title": "택배 도착", "body": "택배가 문 앞에 도착했습니다."},
    "en": {"title": "Parcel", "body": "Your parcel is at the door."},
}


def assemble(at: datetime) -> None:
    """Make all of it, or put it back as it was; what depends on the hour, and on what was sent before, anew."""
    offers = _category("offers", "Offers", quiet_from=_NIGHT.start, quiet_until=_NIGHT.end)
    _template("offer", offers, {"sms": _OFFER}, {})
    zone = night_zone(at)
    cast.person("nara", "+821011112222", "en", country=_AROUND_THE_WORLD[zone], time_zone=zone)

    picks = _category("weekly-picks", "Weekly picks")
    picks.caps.all().delete()
    Cap.objects.create(category=picks, hours=24, most=1)
    _template("weekly-pick", picks, {"sms": _PICK}, {"product_name": "겨울 신발"})
    # somebody new at every start: who had one an hour ago has had enough before the scene begins
    Recipient.objects.filter(external_id="yuna").delete()
    cast.person("yuna", "+821033334444", "ko-KR")

    parcels = _category(
        "parcels", "Parcels", routing=Routing.ESCALATE.value, routing_order=["push", "sms"], escalate_after=0
    )
    sms = {locale: {"body": text["body"]} for locale, text in _PARCEL.items()}
    _template("parcel", parcels, {"push": _PARCEL, "sms": sms}, {})
    cast.device(cast.person("haneul", "+821055556666", "ko-KR"), Platform.IOS, "apns", _APNS_TOKEN)


def night_zone(at: datetime) -> str:
    """Where it is night at a moment, and will be for longest: the demo runs at any hour, and shows a night."""

    def rest(zone: str) -> timedelta:
        local = at.astimezone(ZoneInfo(zone))
        ends_at = local.replace(hour=_NIGHT.end.hour, minute=0, second=0, microsecond=0)
        left = ends_at - local if local < ends_at else ends_at + timedelta(days=1) - local
        return left if local.time() >= _NIGHT.start or local.time() < _NIGHT.end else timedelta(0)

    return max(_AROUND_THE_WORLD, key=rest)


def _category(slug: str, name: str, **rules: Any) -> Category:
    """With these rules and no others: somebody may have tried some in the admin since the last start."""
    usual = {field.name: field.get_default() for field in Category._meta.concrete_fields if not field.unique}
    found, _ = Category.objects.update_or_create(slug=slug, defaults=usual | {"name": name} | rules)
    return found


def _template(name: str, category: Category, content: Mapping[str, Any], sample: Mapping[str, Any]) -> None:
    template, _ = Template.objects.get_or_create(
        name=name, defaults={"title": category.name, "category": category, "default_locale": "ko"}
    )
    if not template.versions.exists():
        publishing.publish(publishing.create_draft(template, content, sample_data=sample), timezone.now())
