"""What a campaign says, sent to oneself first: every variant, through test accounts alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from accounts.channels import Channel
from campaigns.models import Campaign
from notifications import template_tests
from notifications.template_tests import CannotTry
from templates_app import catalogue
from templates_app.catalogue import Edition
from templates_app.gathered import completed
from templates_app.previewing import PLATFORMS
from templates_app.rendering import RenderError
from templates_app.variables import LINK_STAND_INS


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What became of one variant on one channel."""

    letter: str
    channel: Channel
    is_good: bool
    says: str


def rehearse(
    campaign: Campaign, to: Mapping[Channel, str], locale: str, *, may_name_people: bool
) -> Iterator[Rehearsed]:
    """Send what a reader of `locale` would get to an address for each channel; nothing of it is kept or counted."""
    for variant in campaign.variants.select_related("template").order_by("letter"):
        edition = catalogue.published(variant.template.name)
        for channel, address in to.items():
            is_good, says = _sent(campaign, edition, (channel, locale), (address, may_name_people))
            yield Rehearsed(variant.letter, channel, is_good, says)


def spoken(campaign: Campaign) -> tuple[list[Channel], list[str]]:
    """The channels on which anything would be said, and the locales in which it is written."""
    editions = [
        edition
        for one in campaign.variants.select_related("template")
        if (edition := catalogue.published(one.template.name))
    ]
    asked = [Channel(name) for name in campaign.channels] or list(Channel)
    channels = [channel for channel in asked if any(channel in one.channels for one in editions)]
    locales = {locale for one in editions for channel in one.channels for locale in one.content.locales(channel)}
    usual = editions[0].default_locale if editions else ""
    return channels, sorted(locales, key=lambda one: (one != usual, one))


def _sent(
    campaign: Campaign, edition: Edition | None, place: tuple[Channel, str], to: tuple[str, bool]
) -> tuple[bool, str]:
    (channel, locale), (address, may_name_people) = place, to
    if edition is None:
        return False, "No version of its template is published."
    said = edition.locale_for(channel, locale) if channel in edition.channels else None
    if said is None:
        return False, f"{edition.template} says nothing by {channel}."
    data = _data(campaign, edition)
    platforms = PLATFORMS if channel is Channel.PUSH else (None,)
    try:
        texts = {platform: edition.render(channel, said, data, platform) for platform in platforms}
        sent = template_tests.send(texts, channel, address, may_name_people=may_name_people)
    except RenderError as error:
        return False, f"{error.variable} is missing in the data." if error.variable else str(error)
    except CannotTry as error:
        return False, str(error)
    return sent.is_good, sent.says


def _data(campaign: Campaign, edition: Edition) -> Mapping[str, Any]:
    """What everybody is given; what is known of a reader comes out of the template's sample."""
    reader = {"recipient": edition.sample_data["recipient"]} if "recipient" in edition.sample_data else {}
    return {**completed({**reader, **campaign.data}), **LINK_STAND_INS}
