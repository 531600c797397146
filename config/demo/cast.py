"""Who and what the demo needs in the database: an application, people, templates, accounts at the sandbox, an admin."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

from django.contrib.auth import get_user_model
from django.utils import timezone

from accounts import authentication, consent
from accounts.authentication import NewKey
from accounts.channels import Channel, Mode, Platform
from accounts.consent import Actor, Choice, Via, Witness
from accounts.devices import registration
from accounts.models import AppKey, Application, Category, Device, Preference, Recipient
from config.secrets import kept, new_secret
from notifications import vault
from notifications.models import ProviderAccount, Route, RouteStep
from notifications.providers import registry
from notifications.providers.contract import Account
from templates_app.starter import install_starters

#: A push token that looks like one of Apple's: 64 hexadecimal digits.
_APNS_TOKEN: Final = "5b" * 32
_FCM_TOKEN: Final = "demo-android-token_" + "A1b2C3d4" * 15
#: What the services for China call a device: 19 and 22 hexadecimal digits.
_JPUSH_DEVICE: Final = "1a0018970aa2b9e8c44"
_PUSHY_DEVICE: Final = "a6345d0278adc55d3474f5"

_BY_CHANNEL: Final = {registry.channel_of(name): name for name in reversed(registry.NAMES)}
#: Every push service, because each has its own devices; of the others, one for each channel.
_FIRST_CHOICES: Final = {
    name for name in registry.NAMES if registry.channel_of(name) is Channel.PUSH or name in _BY_CHANNEL.values()
}


def assemble(sandbox: Mapping[str, Any]) -> NewKey:
    """Make all of it, once; returns a fresh key for the demo's application, whose earlier keys end."""
    install_starters()
    _accounts(sandbox)
    _people(Category.objects.get(templates__name="restock"), _subscription(sandbox, "jimin"))
    application, _ = Application.objects.get_or_create(name="Demo shop", defaults={"rate_limit": "100000/s"})
    for old in AppKey.objects.filter(application=application, revoked_at__isnull=True):
        authentication.revoke(old.key, timezone.now())
    return authentication.create_key(application, Mode.LIVE)


def with_understudies() -> None:
    """Let a channel's other providers take over from the first one: a route by all of them, in the registry's order."""
    others = [name for name in registry.NAMES if registry.channel_of(name) is not Channel.PUSH]
    for name in sorted(others, key=lambda name: name not in _FIRST_CHOICES):
        channel = registry.channel_of(name)
        for account in ProviderAccount.objects.filter(name__in=[f"{name}-{mode}" for mode in Mode]):
            route, _ = Route.objects.get_or_create(mode=account.mode, channel=channel.value, queue="", prefix="")
            RouteStep.objects.get_or_create(
                route=route, account=account, defaults={"position": route.steps.count() + 1}
            )
    ProviderAccount.objects.filter(steps__isnull=False).update(is_active=True)


def administrator(run_dir: Path) -> tuple[str, str]:
    """The name and the password of an administrator, made on the first start."""
    password = kept(run_dir / "admin_password", lambda: new_secret()[:16])
    users = get_user_model().objects
    if not users.filter(username="admin").exists():
        users.create_superuser("admin", password=password)
    return "admin", password


def _people(category: Category, subscription: str) -> None:
    jimin = person("jimin", "+821012345678", "ko-KR", name="지민")
    device(jimin, Platform.IOS, "apns", _APNS_TOKEN)
    device(jimin, Platform.ANDROID, "fcm", _FCM_TOKEN)
    wei = person("wei", "+8613812345678", "zh-CN", country="CN", time_zone="Asia/Shanghai", name="伟")
    device(wei, Platform.ANDROID, "jpush", _JPUSH_DEVICE)
    device(wei, Platform.ANDROID, "pushy", _PUSHY_DEVICE)
    device(jimin, Platform.WEB, "webpush", registration("web", subscription).token)
    minsu = person("minsu", "+821087654321", "ko-KR", name="민수")
    if not Preference.objects.filter(recipient=minsu, category=category, channel="").exists():
        said = Witness(Actor.RECIPIENT, Via.PREFERENCE_CENTRE, detail="demo")
        consent.choose(minsu, [Choice(allowed=False, category=category)], timezone.now(), said)


def person(
    external_id: str, phone: str, locale: str, *, country: str = "KR", time_zone: str = "Asia/Seoul", **attributes: str
) -> Recipient:
    """Somebody whom the products know, as they are to be."""
    found, _ = Recipient.objects.update_or_create(
        external_id=external_id,
        defaults={
            "email": f"{external_id}@example.com",
            "phone": phone,
            "locale": locale,
            "country": country,
            "time_zone": time_zone,
            "attributes": attributes,
        },
    )
    return found


def _subscription(sandbox: Mapping[str, Any], browser: str) -> str:
    """What a browser that subscribed at the sandbox would report."""
    plain = str(sandbox["inbox_url"]).removesuffix("/inbox")
    with urlopen(f"{plain}/_sandbox/subscriptions/{browser}", timeout=5) as response:
        text: str = response.read().decode()
        return text


def device(owner: Recipient, platform: Platform, service: str, token: str) -> None:
    """One a service: a sandbox that moved to another port has other subscriptions."""
    live = Device.objects.live().filter(service=service)
    (live.filter(token=token).exclude(recipient=owner) | live.filter(recipient=owner).exclude(token=token)).delete()
    Device.objects.get_or_create(
        service=service, token=token, retired_at=None, defaults={"recipient": owner, "platform": platform.value}
    )


def _accounts(sandbox: Mapping[str, Any]) -> None:
    """One live and one test account a provider, all at the sandbox; a channel's second provider waits inactive.

    So it is for programs that measure or break one provider. `with_understudies` lets the others take part.
    """
    samples = json.loads(Path(sandbox["credentials_file"]).read_text())
    for name, sample in samples.items():
        provider = registry.provider(name)
        credentials = _named(provider.credentials, sample)
        settings = _named(provider.settings, sample)
        for mode in Mode:
            account = Account(f"{name}-{mode}", sample["endpoint"], credentials, settings)
            provider.check(account)
            ProviderAccount.objects.update_or_create(
                name=account.name,
                defaults={
                    "provider": name,
                    "mode": mode.value,
                    "endpoint": account.endpoint,
                    "credentials": vault.seal(credentials),
                    "settings": settings,
                    "is_active": name in _FIRST_CHOICES,
                },
            )


def _named(names: Iterable[str], sample: Mapping[str, Any]) -> dict[str, str]:
    """What our adapters ask for, out of what the sandbox, which does not know them, calls it."""
    theirs = {"key_p8": "private_key", "sender": "from_number"}
    found = {name: sample.get(theirs.get(name, name)) for name in names}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in found.items() if value}
