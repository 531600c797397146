"""The pages that people reach by links: looking changes nothing, a POST does what it says, and everything is logged."""

import re
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts import consent, links
from accounts.channels import Channel
from accounts.consent import Choice
from accounts.links import Subject
from accounts.models import Category, ConsentChange, Preference, Recipient, Refusal
from accounts.page_texts import LANGUAGES
from accounts.suppressions import Cause, suppress
from tests.accounts.test_preferences import NOW
from tests.builders import category, person, witness

pytestmark = pytest.mark.django_db

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
BUTTON = {"form": "unsubscribe"}


@pytest.fixture
def jimin() -> Recipient:
    return person(email="jimin@people.example", phone="+821012345678", locale="ko-KR")


@pytest.fixture
def news() -> Category:
    return category("news")


@pytest.fixture
def browser() -> Client:
    """Strict: a form without a CSRF token would be refused, were the pages not exempt."""
    return Client(enforce_csrf_checks=True)


def unsubscribe_url(about: Recipient | str, what: Category, channel: Channel = Channel.EMAIL) -> str:
    subject = Subject(channel, address=about) if isinstance(about, str) else Subject(channel, about.pk, "")
    return f"/u/{links.unsubscribe_token(subject, what.pk)}"


def preferences_url(about: Recipient | str, channel: Channel = Channel.EMAIL) -> str:
    subject = Subject(channel, address=about) if isinstance(about, str) else Subject(channel, about.pk)
    return f"/p/{links.preferences_token(subject)}"


def written() -> tuple[list[Any], ...]:
    """Everything that a page could change."""
    return tuple(
        list(model.objects.order_by("pk").values()) for model in (Preference, Refusal, ConsentChange, Recipient)
    )


def refused() -> list[tuple[str | None, str, bool]]:
    return list(Preference.objects.order_by("id").values_list("category__slug", "channel", "allowed"))


# --- looking -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["get", "head"])
def test_whoever_follows_every_link_changes_nothing(
    browser: Client, jimin: Recipient, news: Category, method: str
) -> None:
    before, seen = written(), set()
    waiting = [unsubscribe_url(jimin, news), unsubscribe_url("kim@people.example", news), preferences_url(jimin)]
    waiting += [preferences_url("kim@people.example"), f"/o/{links.optout_code(jimin.phone, news.pk)}"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        assert getattr(browser, method)(path).status_code == 200, path
        page = browser.get(path).content.decode()
        found = re.findall(r'(?:href|src|action)="(/[uop]/[^"]*)"', page)
        waiting += [*found, *(f"{one}&saved=1&form=unsubscribe&List-Unsubscribe=One-Click&nothing=" for one in found)]
        assert len(seen) < 200
    assert len(seen) > 10
    assert written() == before


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_other_methods_are_refused(browser: Client, jimin: Recipient, news: Category, method: str) -> None:
    assert getattr(browser, method)(unsubscribe_url(jimin, news)).status_code == 405
    assert not ConsentChange.objects.exists()


def test_pages_set_no_cookie_load_nothing_foreign_and_tell_nobody(
    browser: Client, jimin: Recipient, news: Category
) -> None:
    for path in (unsubscribe_url(jimin, news), preferences_url(jimin), "/u/x", "/p/x", "/o/x"):
        page = browser.get(path)
        assert not page.cookies
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert page.headers["Cache-Control"] == "no-store"
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'")
        assert "unsafe" not in policy
        text = page.content.decode()
        assert "<script" not in text
        assert "style=" not in text
        assert not re.findall(r'(?:href|src|action)="(?!/)', text)


# --- unsubscribing -----------------------------------------------------------------------------------
@pytest.mark.parametrize(("form", "via"), [(ONE_CLICK, "one_click"), (BUTTON, "unsubscribe_page")])
def test_only_a_post_unsubscribes_and_repeating_it_does_no_harm(
    browser: Client, jimin: Recipient, news: Category, form: dict[str, str], via: str
) -> None:
    path = unsubscribe_url(jimin, news)
    for _ in range(3):
        answer = browser.post(path, form)
        assert answer.status_code == 200
        assert "수신 거부가 완료되었습니다" in answer.content.decode()

    assert refused() == [("news", "email", False)]
    [line] = ConsentChange.objects.all()
    assert (line.actor, line.via, line.before, line.after) == ("recipient", via, "", "refused")
    assert (line.recipient_id, line.category, line.channel) == (jimin.pk, "news", "email")


def test_mail_programs_may_post_either_kind_of_form(browser: Client, jimin: Recipient, news: Category) -> None:
    path = unsubscribe_url(jimin, news)
    answer = browser.post(path, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert refused() == [("news", "email", False)]


@pytest.mark.parametrize("body", ["", "List-Unsubscribe=Two-Clicks", "form=preferences", "\x00", '{"a": 1}'])
def test_a_post_without_the_form_changes_nothing(browser: Client, jimin: Recipient, news: Category, body: str) -> None:
    for path in (unsubscribe_url(jimin, news), f"/o/{links.optout_code(jimin.phone, news.pk)}"):
        answer = browser.post(path, body, content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 400
    assert not ConsentChange.objects.exists()


@pytest.mark.parametrize("root", ["u", "p", "o"])
def test_a_forged_link_gets_a_clear_sentence_and_changes_nothing(browser: Client, jimin: Recipient, root: str) -> None:
    for token in ("x", "a.b", "A" * 12, "%00" * 12, "é" * 12, "x" * 3000, links.preferences_token(SUBJECT)[:-2]):
        for answer in (browser.get(f"/{root}/{token}"), browser.post(f"/{root}/{token}", ONE_CLICK)):
            assert answer.status_code in {404, 429}
            assert "Nothing was changed" in answer.content.decode()
    assert not ConsentChange.objects.exists()


SUBJECT = Subject(Channel.EMAIL, address="kim@people.example")


def test_an_old_choice_that_is_more_specific_does_not_stand_in_the_way(
    browser: Client, jimin: Recipient, news: Category
) -> None:
    consent.choose(
        jimin,
        [Choice(allowed=True, category=news, channel=Channel.EMAIL), Choice(allowed=True, category=news)],
        NOW,
        witness(),
    )
    browser.post(unsubscribe_url(jimin, news), ONE_CLICK)
    assert ("news", "email", False) in refused()


def test_critical_messages_cannot_be_switched_off(browser: Client, jimin: Recipient) -> None:
    security = category("security", is_critical=True)
    path = unsubscribe_url(jimin, security)
    assert browser.get(path).status_code == 200
    assert browser.post(path, ONE_CLICK).status_code == 409
    assert not ConsentChange.objects.exists()


@pytest.mark.parametrize("gone", ["person", "category"])
def test_a_link_to_what_is_gone_says_so(browser: Client, jimin: Recipient, news: Category, gone: str) -> None:
    path = unsubscribe_url(jimin, news)
    (jimin if gone == "person" else news).delete()
    assert browser.get(path).status_code == 404
    assert browser.post(path, ONE_CLICK).status_code == 404


# --- contacts without a recipient, and text messages -------------------------------------------------
def test_a_contact_refuses_a_category_at_its_address(browser: Client, news: Category) -> None:
    for _ in range(2):
        assert browser.post(unsubscribe_url("kim@people.example", news), ONE_CLICK).status_code == 200

    assert list(Refusal.objects.values_list("address", "channel", "category__slug")) == [
        ("kim@people.example", "email", "news")
    ]
    assert list(ConsentChange.objects.values_list("aspect", "address", "after", "via")) == [
        ("refusal", "kim@people.example", "refused", "one_click")
    ]


def test_a_contact_takes_it_back_on_its_own_page(browser: Client, news: Category) -> None:
    browser.post(unsubscribe_url("kim@people.example", news), ONE_CLICK)
    page = preferences_url("kim@people.example")
    assert "checked" not in browser.get(page).content.decode()

    browser.post(page, {"form": "preferences", "on": ["news:email"]})

    assert not Refusal.objects.exists()
    assert list(ConsentChange.objects.order_by("id").values_list("before", "after")) == [
        ("", "refused"), ("refused", "")
    ]  # fmt: skip


def test_a_short_link_refuses_text_messages_and_a_later_yes_of_the_person_lifts_that(
    browser: Client, jimin: Recipient, news: Category
) -> None:
    answer = browser.post(f"/o/{links.optout_code(jimin.phone, news.pk)}", BUTTON)
    assert answer.status_code == 200
    assert Refusal.objects.get().address == jimin.phone
    page = browser.get(preferences_url(jimin)).content.decode()
    assert 'value="news:sms">' in page
    assert 'value="news:email" checked>' in page

    consent.choose(jimin, [Choice(allowed=True, category=news)], NOW, witness("app"))

    assert not Refusal.objects.exists()


def test_whoever_guesses_codes_is_stopped(browser: Client, jimin: Recipient, news: Category) -> None:
    good = f"/o/{links.optout_code(jimin.phone, news.pk)}"
    with time_machine.travel(NOW, tick=False):
        answers = [browser.get(f"/o/guess{number:07}").status_code for number in range(30)]
        assert answers[:20] == [404] * 20
        assert answers[-1] == 429
        assert browser.post(good, BUTTON).status_code == 429
        assert Client(REMOTE_ADDR="192.0.2.7").get(good).status_code == 200


# --- the preference centre ---------------------------------------------------------------------------
def test_a_person_sees_what_applies_to_every_category_on_every_channel(browser: Client, jimin: Recipient) -> None:
    news, offers = category("news"), category("offers", consent="opt_in")
    category("security", is_critical=True, name="Security")
    consent.choose(
        jimin,
        [Choice(allowed=False, channel=Channel.SMS), Choice(allowed=True, category=offers, channel=Channel.SMS)],
        NOW,
        witness(),
    )
    consent.choose(jimin, [Choice(allowed=False, category=news, channel=Channel.PUSH)], NOW, witness())
    suppress(Channel.EMAIL, jimin.email, Cause.HARD_BOUNCE, NOW, witness())

    page = browser.get(preferences_url(jimin)).content.decode()

    boxes = dict(re.findall(r'value="([\w-]+:\w+)"( checked)?>', page))
    assert {name for name, is_on in boxes.items() if is_on} == {"news:email", "offers:sms"}
    assert boxes.keys() == {f"{slug}:{channel}" for slug in ("news", "offers") for channel in Channel}
    assert "Security" in page
    assert "j•••@people.example" in page
    assert jimin.email not in page
    assert "반송" in page


def test_what_is_saved_is_confirmed_and_logged_once(browser: Client, jimin: Recipient, news: Category) -> None:
    path, form = preferences_url(jimin), {"form": "preferences", "on": ["news:push"], "save": ""}

    for _ in range(2):
        answer = browser.post(f"{path}?lang=en", form)
        assert answer.status_code == 303
        assert "Your choices are saved." in browser.get(answer.headers["Location"]).content.decode()

    assert set(refused()) == {("news", "sms", False), ("news", "email", False)}
    assert ConsentChange.objects.filter(via="preference_centre", actor="recipient").count() == 2


def test_everything_can_be_switched_off_at_once_also_what_will_be(browser: Client, jimin: Recipient) -> None:
    category("news")
    browser.post(preferences_url(jimin), {"form": "preferences", "nothing": ""})

    later = category("later")
    page = browser.get(preferences_url(jimin)).content.decode()

    assert f'value="{later.slug}:email"' in page
    assert "checked" not in page


@pytest.mark.parametrize(
    ("hours", "status", "kept"),
    [
        (("22:00", "07:00"), 303, "22:00-07:00"),
        (("22:00:00", "07:00:00"), 303, "22:00-07:00"),
        (("", ""), 303, ""),
        (("22:00", ""), 400, ""),
        (("22:00", "22:00"), 400, ""),
        (("25:00", "07:00"), 400, ""),
        (("soon", "<b>"), 400, ""),
    ],
)
def test_a_person_sets_quiet_hours(
    browser: Client, jimin: Recipient, hours: tuple[str, str], status: int, kept: str
) -> None:
    category("news")
    form = {"form": "preferences", "on": ["news:push"], "quiet_from": hours[0], "quiet_until": hours[1]}
    answer = browser.post(preferences_url(jimin), form)

    assert answer.status_code == status
    jimin.refresh_from_db()
    now = f"{jimin.quiet_from:%H:%M}-{jimin.quiet_until:%H:%M}" if jimin.quiet_from and jimin.quiet_until else ""
    assert now == kept
    if status == 400:
        assert not ConsentChange.objects.exists()
        page = answer.content.decode()
        assert 'role="alert"' in page
        assert "<b>" not in page
        assert 'value="news:push" checked' in page
        assert 'value="news:email">' in page
    else:
        assert ConsentChange.objects.filter(aspect="quiet_hours", after=kept).exists() == bool(kept)


@pytest.mark.parametrize("on", ["nonsense", "news:pigeon", "security:email", "other:email", ""])
def test_a_choice_that_does_not_exist_changes_nothing(
    browser: Client, jimin: Recipient, news: Category, on: str
) -> None:
    category("security", is_critical=True)
    answer = browser.post(preferences_url(jimin), {"form": "preferences", "on": [on, "news:email"]})
    assert answer.status_code == 400
    assert not ConsentChange.objects.exists()


@pytest.mark.parametrize(
    ("locale", "accepted", "query", "language"),
    [
        ("ko-KR", "en", "", "ko"),
        ("en", "ko", "", "en"),
        ("", "ko-KR,ko;q=0.9", "", "ko"),
        ("", "de, ko;q=0.5", "", "ko"),
        ("ja", "fr", "", "en"),
        ("ko-KR", "", "?lang=en", "en"),
        ("", "", "?lang=xx", "en"),
    ],
)
def test_the_language_is_the_persons_and_can_be_switched(
    browser: Client, locale: str, accepted: str, query: str, language: str
) -> None:
    jimin = person(locale=locale)
    page = browser.get(preferences_url(jimin) + query, headers={"Accept-Language": accepted})
    assert f'<html lang="{language}">' in page.content.decode()


def test_both_languages_say_everything() -> None:
    korean, english = (language.text for language in LANGUAGES)
    assert korean.keys() == english.keys()
    assert all(korean.values())
    assert {cause.value for cause in Cause} <= korean.keys()
