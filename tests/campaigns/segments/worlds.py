"""Small populations for tests of segments: drawn, written into the database, and rules to ask of them."""

from random import Random
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from accounts.ids import floor_of, new_id
from accounts.models import Device, Preference, Recipient
from campaigns.models import Arm, Campaign, Run, Segment, SegmentMember
from campaigns.segments.fields import ATTRIBUTE, FIELDS, Kind
from campaigns.segments.reading import read
from campaigns.segments.rules import Deed
from notifications.models import Delivery
from notifications.models.turnouts import NO_PART
from tests.builders import application, category
from tests.campaigns.segments.plainly import NOW, Act, Gadget, Somebody, World, ago
from tracking.models import Conversion, Engagement

PATHS = ["plan", "age", "since", "tags", "profile.tier", "profile.vip", "이름"]
ODD = ["free", "fr%e", "12", "12.50", "true", "2026-01-31", "2026-02-01T10:00Z", "\\", "", 12, 12.0, 12.5, -3, 0, True]
VALUES: list[Any] = [*ODD, False, None, ["free", 12], [True, "12"], [], {"tier": "12"}, {"vip": True, "tier": 3}]
VERSIONS = ["2.9", "2.10", "2.10.0", "10.0.0", "2", "v3", "3.1-beta", "", "1.0.0.0.1"]
LOCALES = ["ko-KR", "ko", "en-GB", "zh-Hant-TW", ""]
NAMES = ["a_b", "acb", "ab", "b.d"]
PLATFORMS = {"ios": "apns", "android": "fcm", "web": "webpush"}
SLUGS = ["news", "offers", "security"]


def world() -> World:
    """Categories of every kind, two campaigns with their arms, a list and a segment of rules."""
    slugs = {
        "news": category("news"), "offers": category("offers", consent="opt_in"),
        "security": category("security", is_critical=True),
    }  # fmt: skip
    listed = Segment.objects.create(name="list", kind="list")
    rules = {"any": [{"field": "country", "is": "is", "value": "KR"}, {"field": "opened", "is": "ever"}]}
    saved = Segment.objects.create(name="saved", rules=rules)
    campaigns = []
    for name in ("one", "two"):
        made = Campaign.objects.create(name=name, application=application(), segment=listed)
        run = Run.objects.create(campaign=made, planned_for=NOW)
        for letter in "AB":
            begun = UUID(int=floor_of(ago(NOW, 100)).int + Random(f"{name}{letter}").getrandbits(60))
            Arm.objects.create(run=run, letter=letter, notification_id=begun)
        campaigns.append(made.pk)
    return World(NOW, slugs, campaigns, listed.pk, saved.pk, read(rules).root)


def people() -> st.SearchStrategy[list[Somebody]]:
    """A few people of whom all kinds of things are known."""
    days = st.sampled_from([0, 1, 6, 8, 29, 31, 80])
    gadget = st.builds(Gadget, st.sampled_from([*PLATFORMS]), st.sampled_from(VERSIONS), days, st.booleans())
    about = st.tuples(st.sampled_from([*SLUGS, ""]), st.sampled_from(["email", "sms", ""]))
    act = st.builds(Act, st.sampled_from([*Deed]), st.sampled_from([0, 1, None]), days)
    attributes = st.dictionaries(
        st.sampled_from(["plan", "age", "since", "tags", "profile", "이름"]), st.sampled_from(VALUES)
    )
    some = {
        "name": st.just(""),
        "values": st.fixed_dictionaries({
            "locale": st.sampled_from(LOCALES), "country": st.sampled_from(["KR", "TR", ""]),
            "email": st.sampled_from(["", "x@people.example"]), "phone": st.sampled_from(["", "+821012345678"]),
        }),
        "attributes": attributes,
        "known": days,
        "gadgets": st.lists(gadget, max_size=3),
        "choices": st.dictionaries(about, st.booleans(), max_size=5),
        "acts": st.lists(act, max_size=4),
        "on_list": st.booleans(),
    }  # fmt: skip
    named = [st.builds(Somebody, **{**some, "name": st.just(name)}) for name in NAMES]
    return st.tuples(*named).map(list)


def rules(seen: World) -> st.SearchStrategy[Any]:
    """Rules of every kind, in groups of groups."""
    return st.recursive(
        st.sampled_from([*FIELDS]).flatmap(lambda name: _leaf(name, seen)),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
            inner.map(lambda part: {"not": part}),
        ),
        max_leaves=6,
    )


def _leaf(name: str, seen: World) -> st.SearchStrategy[Any]:
    asked = FIELDS[name]
    scalars = st.sampled_from([one for one in ODD if one != ""])
    kinds: dict[Kind, st.SearchStrategy[Any]] = {
        Kind.NOTHING: st.none(), Kind.TEXT: st.sampled_from(["fr", "2026", "a", "a_", "a%", "\\", "b\\"]),
        Kind.SCALAR: scalars, Kind.SCALARS: st.lists(scalars, min_size=1, max_size=12),
        Kind.NUMBER: st.sampled_from([12, 12.5, -3, 0.0]), Kind.DAY: st.sampled_from(["2026-01-31", "2026-02-01"]),
        Kind.DAYS: st.sampled_from([1, 7, 30, 90]), Kind.VERSION: st.sampled_from(["2.9", "2.10", "10", "1.0", "3"]),
        Kind.LOCALE: st.sampled_from(LOCALES[:-1]), Kind.LOCALES: st.just(["ko", "en-gb"]),
        Kind.LANGUAGE: st.sampled_from(["ko", "zh"]), Kind.LANGUAGES: st.just(["ko", "en"]),
        Kind.COUNTRY: st.sampled_from(["KR", "tr"]), Kind.COUNTRIES: st.just(["KR", "US"]),
        Kind.PLATFORM: st.sampled_from([*PLATFORMS]), Kind.PLATFORMS: st.just(["ios", "web"]),
        Kind.CHOICE: st.fixed_dictionaries(
            {"category": st.sampled_from(SLUGS), "channel": st.sampled_from(["email", "sms"])}
        ),
        Kind.SEGMENT: st.sampled_from([str(seen.listed), str(seen.saved)]),
    }  # fmt: skip
    also = {
        "platform": st.sampled_from([None, *PLATFORMS]),
        "campaign": st.sampled_from([None, *map(str, seen.campaigns)]),
    }

    def of(operator: str) -> st.SearchStrategy[Any]:
        kind = asked.operators[operator]
        return st.fixed_dictionaries({
            "field": st.sampled_from(PATHS).map(lambda path: ATTRIBUTE + path) if name == ATTRIBUTE else st.just(name),
            "is": st.just(operator),
            **({} if kind is Kind.NOTHING else {"value": kinds[kind]}),
            **{one: also[one] for one in asked.also},
        })  # fmt: skip

    return st.sampled_from([*asked.operators]).flatmap(of)


def write(somebody: Somebody, seen: World) -> UUID:
    """Put them into the database, with all that they have and did."""
    dice = Random(somebody.name)
    moment = ago(seen.at, somebody.known)
    key = UUID(int=floor_of(moment).int + dice.getrandbits(60))
    person = Recipient.objects.create(
        pk=key, external_id=somebody.name, attributes=somebody.attributes, **somebody.values
    )
    Device.objects.bulk_create(
        Device(
            recipient=person, platform=one.platform, service=PLATFORMS[one.platform], token=str(new_id()),
            app_version=one.version, seen_at=ago(seen.at, one.seen), retired_at=None if one.is_live else seen.at,
        )
        for one in somebody.gadgets
    )  # fmt: skip
    Preference.objects.bulk_create(
        Preference(recipient=person, category=seen.categories.get(slug), channel=channel, allowed=allowed)
        for (slug, channel), allowed in somebody.choices.items()
    )
    if somebody.on_list:
        SegmentMember.objects.create(segment_id=seen.listed, recipient=person)
    for act in somebody.acts:
        _write_act(act, person, seen)
    return key


def _write_act(act: Act, person: Recipient, seen: World) -> None:
    moment = ago(seen.at, act.days)
    arms = (
        Arm.objects.filter(run__campaign=seen.campaigns[act.campaign])
        if act.campaign is not None
        else Arm.objects.none()
    )
    arm = arms.order_by("-letter").first()
    part = arm.pk if arm else NO_PART
    notification = (arm.notification_id if arm else None) or new_id()
    ref = UUID(int=floor_of(moment).int + new_id().int % 2**60)
    if act.deed == Deed.GOT:
        Delivery.objects.create(
            pk=ref, notification_id=notification, recipient=person, channel="sms", queue="sms", state="sent",
            sent_at=moment,
        )  # fmt: skip
        return
    if act.deed == Deed.CONVERTED:
        Conversion.objects.create(application=application(), ref=str(ref), recipient=person, at=moment, part_of=part)
    if act.deed != Deed.CONVERTED or arm:
        columns = {"opened": ["opened_at"], "clicked": ["clicked_at", "last_clicked_at"], "converted": ["converted_at"]}
        Engagement.objects.create(
            delivery_id=ref, notification_id=notification, version_id=new_id(), part_of=part, recipient=person,
            channel="email", **dict.fromkeys(columns[act.deed], moment),
        )  # fmt: skip
