"""What a push says besides its words: what is taken, what is refused, and what each platform gets."""

from typing import Any

import pytest

from accounts.channels import Channel, Platform
from templates_app.content import AndroidOnly, Button, IosOnly, PushText, WebOnly, payload_size
from templates_app.rendering import Compiled, ContentError, RenderError, compile_content

DATA = {"name": "지민", "count": 3, "id": 7}


def content(**said: Any) -> Compiled:
    return compile_content({"push": {"ko": {"title": "t", "body": "b", **said}}})


def rendered(platform: Platform | None = None, **said: Any) -> PushText:
    text = content(**said).render(Channel.PUSH, "ko", DATA, platform)
    assert isinstance(text, PushText)
    return text


TAKEN: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"badge": 0}, {"badge": 0}),
    ({"badge": "{{ count }}"}, {"badge": 3}),
    ({"badge": "{% if missing %}1{% endif %}"}, {"badge": None}),
    ({"badge": ""}, {"badge": None}),
    ({"ttl": 60}, {"ttl": 60}),
    ({"ttl": " 90 "}, {"ttl": 90}),
    ({"ttl": "{{ count | times: 60 }}"}, {"ttl": 180}),
    ({"buttons": []}, {"buttons": ()}),
    (
        {"buttons": [{"id": "buy", "label": "{{ name }}", "link": "app://{{ id }}"}, {"id": "later", "label": "x\ny"}]},
        {"buttons": (Button("buy", "지민", "app://7"), Button("later", "x y"))},
    ),
]


@pytest.mark.parametrize(("said", "expected"), TAKEN)
def test_a_field_is_rendered(said: dict[str, Any], expected: dict[str, Any]) -> None:
    text = rendered(**said)
    assert {name: getattr(text, name) for name in expected} == expected


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"badge": True}, "push.ko.badge: write a number"),
    ({"badge": -1}, "push.ko.badge: must be a whole number from 0 to 99999"),
    ({"badge": "many"}, "push.ko.badge: must be a whole number"),
    ({"ttl": 2_419_201}, "push.ko.ttl: must be a whole number from 0 to 2419200 seconds"),
    ({"ttl": 1.5}, "push.ko.ttl: write a number"),
    ({"ttl": "{{ a"}, "push.ko.ttl"),
    ({"buttons": "buy"}, "push.ko.buttons: write a list"),
    ({"buttons": [{"id": str(n), "label": "x"} for n in range(4)]}, "push.ko.buttons: write a list of at most 3"),
    ({"buttons": ["buy"]}, "push.ko.buttons.0: write an object"),
    ({"buttons": [{"id": "a b", "label": "x"}]}, "push.ko.buttons.0.id"),
    ({"buttons": [{"id": "a", "label": "x"}, {"id": "a", "label": "y"}]}, "push.ko.buttons.1.id: a is the id"),
    ({"buttons": [{"id": "a"}]}, "push.ko.buttons.0.label: is missing"),
    ({"buttons": [{"id": "a", "label": 1}]}, "push.ko.buttons.0.label: write a text"),
    ({"buttons": [{"id": "a", "label": "{{"}]}, r"push.ko.buttons.0.label \(line 1"),
    ({"buttons": [{"id": "a", "label": "x", "colour": "red"}]}, "push.ko.buttons.0.colour: unknown"),
    ({"overrides": []}, "push.ko.overrides: write an object"),
    ({"overrides": {"symbian": {}}}, "push.ko.overrides.symbian: unknown platform; one of ios, android, web"),
    ({"overrides": {"ios": "x"}}, "push.ko.overrides.ios: write an object"),
    ({"overrides": {"ios": {"channel_id": "x"}}}, "push.ko.overrides.ios.channel_id: unknown"),
    ({"overrides": {"ios": {"overrides": {}}}}, "push.ko.overrides.ios.overrides: unknown"),
    ({"overrides": {"ios": {"title": ""}}}, "push.ko.overrides.ios.title: is empty"),
    (
        {"overrides": {"ios": {"interruption_level": "loud"}}},
        "push.ko.overrides.ios.interruption_level: one of",
    ),
    ({"overrides": {"ios": {"body": "{{ a | nope }}"}}}, r"push.ko.overrides.ios.body \(line 1, column \d+\)"),
    ({"overrides": {"android": {"priority": "urgent"}}}, "push.ko.overrides.android.priority: one of min"),
    ({"overrides": {"android": {"color": "red"}}}, "push.ko.overrides.android.color: write the colour as #rrggbb"),
    ({"overrides": {"web": {"require_interaction": "yes"}}}, "push.ko.overrides.web.require_interaction: write true"),
    ({"subtitle": "x"}, "push.ko.subtitle: unknown"),
    ({"own": {}}, "push.ko.own: unknown"),
]


@pytest.mark.parametrize(("said", "message"), REFUSED, ids=[case[1][:60] for case in REFUSED])
def test_a_wrong_field_is_named_with_what_would_be_right(said: dict[str, Any], message: str) -> None:
    with pytest.raises(ContentError, match=message):
        content(**said)


@pytest.mark.parametrize("said", [{"badge": "{{ name }}"}, {"ttl": "{{ name }}"}])
def test_a_number_that_is_none_with_this_data_is_an_error_of_the_data(said: dict[str, Any]) -> None:
    with pytest.raises(RenderError, match=f"push.ko.{next(iter(said))}: must be a whole number"):
        rendered(**said)


def test_each_platform_has_its_own_words_and_the_others_the_common_ones() -> None:
    said: dict[str, Any] = {
        "badge": 1,
        "overrides": {
            "ios": {"title": "{{ name }}", "subtitle": "{{ id }}", "interruption_level": "time-sensitive", "badge": 2},
            "android": {"body": "a", "channel_id": "c-{{ id }}", "priority": "high", "color": "#ff0000"},
            "web": {"require_interaction": True, "link": "https://x/{{ id }}"},
        },
    }
    assert rendered(**said) == PushText("t", "b", badge=1)
    assert rendered(Platform.IOS, **said) == PushText(
        "지민", "b", badge=2, own=IosOnly(subtitle="7", interruption_level="time-sensitive")
    )
    assert rendered(Platform.ANDROID, **said) == PushText(
        "t", "a", badge=1, own=AndroidOnly(channel_id="c-7", priority="high", color="#ff0000")
    )
    assert rendered(Platform.WEB, **said) == PushText(
        "t", "b", link="https://x/7", badge=1, own=WebOnly(require_interaction=True)
    )
    assert content(**said).platforms(Channel.PUSH, "ko") == (None, Platform.IOS, Platform.ANDROID, Platform.WEB)


def test_what_buttons_and_platforms_ask_for_is_asked_for() -> None:
    found = content(buttons=[{"id": "a", "label": "{{ x }}"}], overrides={"ios": {"subtitle": "{{ y.z }}"}})
    assert found.variables == {"x", "y.z"}


def test_buttons_count_in_a_payload() -> None:
    assert payload_size(PushText("t", "b", buttons=(Button("a", "가" * 1000),))) > 3200


def test_who_is_spoken_to_in_which_language() -> None:
    found = compile_content(
        {
            "push": {"ko": {"title": "t", "body": "b"}, "en": {"title": "t", "body": "b"}},
            "sms": {"ko-KR": {"body": "b"}},
        }
    )
    assert found.coverage("ko") == {
        "ko": {Channel.PUSH: "ko", Channel.SMS: None},
        "en": {Channel.PUSH: "en", Channel.SMS: None},
        "ko-KR": {Channel.PUSH: "ko", Channel.SMS: "ko-KR"},
    }


@pytest.mark.parametrize("channel", Channel)
def test_every_channel_falls_back_alike(channel: Channel) -> None:
    words = {"push": {"title": "t", "body": "b"}, "sms": {"body": "b"}, "email": {"subject": "s", "text": "t"}}[channel]
    found = compile_content({channel: {"ko": words, "en": words}})
    cases = {"ko-KR": "ko", "ko": "ko", "en-GB": "en", "fr": "ko", "": "ko"}
    assert {wanted: found.best_locale(channel, wanted, "ko") for wanted in cases} == cases
