"""What people agreed to: choices, and addresses nobody may send to."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.channels import Channel
from accounts.consent import Choice, choose, forget_choices
from accounts.models import Preference, Suppression
from accounts.suppressions import Cause, lift, suppress
from tests.builders import caller, category, fields_named, person, witness

pytestmark = pytest.mark.django_db

PATH = "/v1/recipients/jimin/preferences"
NOW = timezone.now()


@pytest.fixture(autouse=True)
def jimin() -> None:
    person()
    category("news")
    category("orders")


def yes(**about: Any) -> dict[str, Any]:
    return {"allowed": True, **about}


def no(**about: Any) -> dict[str, Any]:
    return {"allowed": False, **about}


def kept() -> set[tuple[str | None, str, bool]]:
    return set(Preference.objects.values_list("category__slug", "channel", "allowed"))


def test_a_choice_may_be_for_a_category_a_channel_both_or_everything() -> None:
    answer = caller().put(
        PATH,
        {
            "preferences": [
                yes(category="news", channel="email"),
                no(category="news"),
                no(channel="sms", category=None),
                yes(),
            ]
        },
    )

    assert answer.status_code == 200, answer.content
    assert [(one["category"], one["channel"], one["allowed"]) for one in answer.json()] == [
        ("news", "email", True), ("news", None, False), (None, "sms", False), (None, None, True),
    ]  # fmt: skip
    assert {one["source"] for one in answer.json()} == {"api"}


def test_put_replaces_all_choices() -> None:
    api = caller()
    api.put(PATH, {"preferences": [no(category="news")]})

    api.put(PATH, {"preferences": [yes(category="orders")]})

    assert kept() == {("orders", "", True)}


def test_patch_changes_what_is_named_and_leaves_the_others() -> None:
    api = caller()
    api.put(PATH, {"preferences": [no(category="news"), no(channel="sms")]})

    answer = api.patch(PATH, {"preferences": [yes(category="news")], "source": "settings page"})

    assert kept() == {("news", "", True), (None, "sms", False)}
    assert {one["category"]: one["source"] for one in answer.json()} == {"news": "settings page", None: "api"}


def test_what_is_said_twice_one_after_the_other_is_kept_once() -> None:
    api = caller()

    answers = [api.patch(PATH, {"preferences": [no()]}).json() for _ in range(2)]

    assert [len(choices) for choices in answers] == [1, 1]


def test_a_choice_is_dated_anew_when_it_is_made_again() -> None:
    api = caller()
    first, again = (api.patch(PATH, {"preferences": [no()]}).json()[0]["changed_at"] for _ in range(2))

    assert again > first


def test_get_says_what_was_chosen_and_delete_forgets_it() -> None:
    api = caller()
    told = api.put(PATH, {"preferences": [no(channel="push")]}).json()

    assert api.get(PATH).json() == told
    assert api.delete(PATH).status_code == 204
    assert api.get(PATH).json() == []


def test_no_choices_are_an_empty_list_and_so_is_replacing_by_none() -> None:
    api = caller()

    assert api.get(PATH).json() == []
    assert api.put(PATH, {"preferences": []}).json() == []


NEWS = no(category="news")
BAD: list[tuple[str, Any, set[str]]] = [
    ("an unknown category", {"preferences": [NEWS, no(category="x")]}, {"preferences[1].category"}),
    ("a category that is a list", {"preferences": [no(category=[])]}, {"preferences[0].category"}),
    ("an unknown channel", {"preferences": [no(channel="pigeon")]}, {"preferences[0].channel"}),
    ("neither yes nor no", {"preferences": [yes(allowed="perhaps")]}, {"preferences[0].allowed"}),
    ("no answer", {"preferences": [{"category": "news"}]}, {"preferences[0].allowed"}),
    ("the same twice", {"preferences": [NEWS, yes(category="news")]}, {"preferences[1].category"}),
    ("everything twice", {"preferences": [yes(), no()]}, {"preferences[1].category"}),
    ("a misspelt field", {"preferences": [{**NEWS, "chan": "sms"}]}, {"preferences[0].chan"}),
    ("an entry that is no object", {"preferences": [7]}, {"preferences[0]"}),
    ("no list", {"preferences": NEWS}, {"preferences"}),
    ("no preferences", {}, {"preferences"}),
    ("an unknown field", {"preferences": [], "sauce": "x"}, {"sauce"}),
    ("a source too long", {"preferences": [], "source": "x" * 101}, {"source"}),
    ("NUL in the source", {"preferences": [], "source": "x\0"}, {"source"}),
    ("501 choices", {"preferences": [NEWS] * 501}, {"preferences"}),
]


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize(("body", "fields"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_choice_is_refused_by_field_and_nothing_is_half_written(method: str, body: Any, fields: set[str]) -> None:
    api = caller()
    api.put(PATH, {"preferences": [no(channel="sms")]})

    answer = getattr(api, method)(PATH, body)

    assert (answer.status_code, fields_named(answer)) == (422, fields)
    assert kept() == {(None, "sms", False)}


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_nobody_known_has_no_choices(method: str) -> None:
    given: tuple[Any, ...] = ({"preferences": []},) if method in ("put", "patch") else ()

    assert getattr(caller(), method)("/v1/recipients/nobody/preferences", *given).status_code == 404


def test_forgetting_says_how_many_choices_there_were() -> None:
    minsu = person("minsu")
    choose(minsu, [Choice(allowed=False), Choice(allowed=True, channel=Channel.SMS)], NOW, witness("form"))

    assert [forget_choices(minsu, NOW, witness()), forget_choices(minsu, NOW, witness())] == [2, 0]


def test_a_suppression_is_noted_with_cause_moment_and_detail() -> None:
    suppress(Channel.EMAIL, "a@example.com", Cause.HARD_BOUNCE, NOW, witness("x" * 300))

    noted = Suppression.objects.get()
    assert (noted.channel, noted.address, noted.cause) == ("email", "a@example.com", "hard_bounce")
    assert (noted.created_at, len(noted.detail)) == (NOW, 200)
    assert list(Suppression.objects.standing(["a@example.com", "b@example.com"])) == [noted]


def test_every_cause_is_noted_once_and_the_first_time_stands() -> None:
    for cause in (Cause.STOP, Cause.MANUAL, Cause.STOP):
        suppress(Channel.SMS, "+821012345678", cause, NOW, witness())
    suppress(Channel.SMS, "+821012345678", Cause.STOP, NOW + timedelta(days=1), witness())

    noted = Suppression.objects.order_by("cause").values_list("cause", "created_at")
    assert list(noted) == [("manual", NOW), ("stop", NOW)]


def test_lifting_a_suppression_works_once_and_on_its_channel_only() -> None:
    suppress(Channel.SMS, "+821012345678", Cause.STOP, NOW, witness())

    assert not lift(Channel.EMAIL, "+821012345678", NOW, witness())
    assert [lift(Channel.SMS, "+821012345678", NOW, witness()) for _ in range(2)] == [True, False]


def test_an_address_stays_suppressed_when_the_person_is_forgotten() -> None:
    person("minsu", email="a@example.com")
    suppress(Channel.EMAIL, "a@example.com", Cause.COMPLAINT, NOW, witness())

    caller().delete("/v1/recipients/minsu")

    assert Suppression.objects.count() == 1
