"""A test of what somebody writes: to an address of theirs, or a person's devices, through test accounts alone."""

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.channels import Channel, Mode, Platform
from accounts.models import Recipient
from notifications import trying
from notifications.clock import clock
from notifications.models import ProviderAccount
from notifications.providers import registry
from notifications.providers.probing import Standing
from notifications.routes import Outlet, outlet_of
from notifications.vault import Sealed
from templates_app.content import PLATFORM_OF, Text


class CannotTry(Exception):
    """Nothing was sent; the message says why and what would be right."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a test."""

    is_good: bool
    says: str


def send(texts: Mapping[Platform | None, Text], channel: Channel, to: str, *, may_name_people: bool) -> Tried:
    """Send what a reader would see, as the platform of each account's devices shows it.

    `to` is an address, or a recipient's external id for whoever may name people: then all of their devices that a test
    account reaches get a push. By email and SMS it goes once, by the first account. Raises `CannotTry`.
    """
    if not to.strip():
        raise CannotTry("Write where to send it.")
    is_person = Recipient.objects.known_as([to.strip()]).exists()
    if is_person and not may_name_people:
        raise CannotTry("You may not see people's data; write an address instead.")
    ways, why_not = _ways(channel, to)
    if not ways:
        raise CannotTry(why_not)
    results = []
    for outlet, address in ways if is_person and channel is Channel.PUSH else ways[:1]:
        platform = PLATFORM_OF.get(outlet.provider.name) if channel is Channel.PUSH else None
        text = texts.get(platform)
        if text is not None:
            judgement = trying.send(outlet.provider, outlet.account, address, clock.now(), text)
            results.append((judgement.standing is Standing.WORKS, f"{outlet.account.name}: {judgement.says}"))
    return Tried(all(good for good, _ in results), "\n".join(says for _, says in results))


def _ways(channel: Channel, to: str) -> tuple[list[tuple[Outlet, str]], str]:
    """The test accounts that reach somebody, one a provider, each with an address of theirs; and why none does."""
    accounts = ProviderAccount.objects.active().filter(mode=Mode.TEST.value).order_by("rank", "name")
    found: dict[str, list[tuple[Outlet, str]]] = {}
    why_not = f"There is no active test account for {channel}; add one under provider accounts."
    for row in accounts:
        if row.provider in found or row.provider not in registry.NAMES or registry.channel_of(row.provider) != channel:
            continue
        try:
            outlet = outlet_of(row)
            found[row.provider] = [(outlet, address) for address in trying.addresses_of(to, outlet.provider)]
        except Sealed as error:
            why_not = f"{row.name}: {error}"
        except trying.NoAddress as error:
            why_not = str(error)
    return [way for ways in found.values() for way in ways], why_not
