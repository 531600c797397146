"""Rules out of JSON: what is wrong is told with its place, whatever somebody sends."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.channels import Channel, Platform
from campaigns.segments import rules
from campaigns.segments.reading import UnusableRules, read
from campaigns.segments.rules import Deed, Order

KR = {"field": "country", "is": "is", "value": "KR"}


def test_a_tree_is_what_was_written() -> None:
    given_rules = {
        "all": [
            {"any": [KR, {"field": "locale", "is": "language is", "value": "ko"}]},
            {"not": {"field": "platform", "is": "one of", "value": ["ios", "web"]}},
            {"field": "app_version", "is": "less than", "value": "2.10.0", "platform": "ios"},
            {"field": "opened", "is": "not within", "value": 7},
            {"field": "preference", "is": "refuses", "value": {"category": "news", "channel": "sms"}},
        ]
    }

    assert read(given_rules).root == rules.All((
        rules.Some((rules.CountryIs(("KR",)), rules.LanguageIs(("ko",)))),
        rules.Not(rules.HasDevice((Platform.IOS, Platform.WEB))),
        rules.AppVersion(Order.LESS, (2, 10), Platform.IOS),
        rules.Not(rules.Did(Deed.OPENED, None, 7)),
        rules.Not(rules.Allows("news", Channel.SMS)),
    ))  # fmt: skip


def test_no_rules_are_everybody() -> None:
    assert read({}).root == rules.EVERYBODY


def nested(depth: int) -> Any:
    inner: Any = KR
    for _ in range(depth):
        inner = {"not": inner}
    return inner


REFUSED: list[tuple[Any, str]] = [
    (None, "write an object"),
    ([], "write an object"),
    ("all", "write an object"),
    ({"all": []}, "all: write a list of rules, with one at least."),
    ({"all": {}}, "all: write a list of rules"),
    ({"all": [KR], "any": [KR]}, 'a group has nothing beside its "all".'),
    ({"all": [KR, 1]}, "all[1]: write an object"),
    ({"any": [{"not": {"field": "x"}}]}, "any[0].not.field: write one of attributes.<name>, locale"),
    ({"field": ["country"], "is": "is"}, "field: write one of"),
    ({"field": "country"}, "is: country takes one of: is, is not, one of, exists, missing."),
    ({**KR, "is": "within"}, "is: country takes one of"),
    ({**KR, "value": "Korea"}, "value: not a country"),
    ({**KR, "value": None}, "value: write a text."),
    ({**KR, "and": 1}, 'and: "country is" takes field, is, value and nothing else.'),
    ({"field": "country", "is": "one of", "value": ["KR", "XX"]}, "value[1]: not a country"),
    ({"field": "country", "is": "one of", "value": []}, "value: write a list"),
    ({"field": "country", "is": "one of", "value": ["KR"] * 501}, "value: at most 500 values; for more upload a list."),
    ({"field": "email", "is": "exists", "value": 1}, "value: "),
    ({"field": "last_seen", "is": "within", "value": 0}, "value: write a number of days, from 1 to 3650."),
    ({"field": "last_seen", "is": "within", "value": True}, "value: write a number of days"),
    ({"field": "clicked", "is": "ever", "campaign": "spring"}, "campaign: write its id"),
    ({"field": "app_version", "is": "is", "value": "v2"}, "value: write numbers with dots"),
    ({"field": "app_version", "is": "is", "value": "2", "platform": "tv"}, "platform: write one of ios, android"),
    ({"field": "locale", "is": "language is", "value": "ko-KR"}, "value: write the language alone, ko;"),
    ({"field": "preference", "is": "allows", "value": "news"}, "value: write a category and a channel"),
    (
        {"field": "preference", "is": "allows", "value": {"category": "news", "channel": "fax"}},
        "value.channel: write one of push, sms, email.",
    ),
    ({"field": "segment", "is": "in", "value": "VIPs"}, "value: write its id"),
    ({"field": "attributes.", "is": "exists"}, "field: write one of"),
    ({"field": "attributes.a..b", "is": "exists"}, "field: write names with dots"),
    ({"field": "attributes.list.0", "is": "exists"}, "field: write names with dots"),
    ({"field": "attributes.a\0", "is": "exists"}, "field: contains a NUL character"),
    ({"field": "attributes.plan", "is": "is", "value": "\ud800"}, "value: contains half of a surrogate pair"),
    (
        {"field": "attributes.plan", "is": "is", "value": {"$gt": ""}},
        "value: write a text, a number, or true or false.",
    ),
    ({"field": "attributes.age", "is": "at least", "value": float("inf")}, "value: write a number."),
    ({"field": "attributes.age", "is": "at least", "value": 10**15}, "value: at most 15 digits."),
    ({"field": "attributes.age", "is": "is", "value": 10**400}, "value: at most 15 digits."),
    ({"field": "attributes.age", "is": "at least", "value": "3"}, "value: write a number."),
    ({"field": "attributes.since", "is": "before", "value": "2026-02-30"}, "value: write a day as in 2026-01-31."),
    ({"field": "external_id", "is": "begins with", "value": ""}, "value: write a text."),
    ({"field": "external_id", "is": "begins with", "value": "x" * 201}, "value: at most 200 characters."),
    (nested(8), "not.not.not.not.not.not.not.not: groups are in groups 8 deep at most"),
    (nested(100_000), "groups are in groups 8 deep at most"),
    ({"all": [{"any": [KR] * 60}, {"any": [KR] * 60}]}, "all[1].any[40]: at most 100 rules"),
]


@pytest.mark.parametrize(("given_rules", "says"), REFUSED)
def test_what_cannot_be_used_is_told_with_its_place(given_rules: Any, says: str) -> None:
    with pytest.raises(UnusableRules) as caught:
        read(given_rules)

    assert says in str(caught.value)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["all", "any", "not", "field", "is", "value", "campaign"]), inner, max_size=4)
    ),
)


@settings(max_examples=200, deadline=None)
@given(ANYTHING)
def test_whatever_is_sent_is_read_or_refused(anything: Any) -> None:
    with suppress(UnusableRules):
        assert read(anything).leaves > 0 or anything == {}
