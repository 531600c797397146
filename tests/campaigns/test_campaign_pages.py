"""The pages of campaigns: written, looked at, started, watched and ended by people who may."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from campaigns import controlling
from campaigns.models import Campaign, Run
from campaigns.vocabulary import CampaignState
from notifications.models import Notification
from templates_app.content import RawContent
from tests.builders import administrator, application, category, person, published, shown
from tests.campaigns.stage import SALE, begun, campaign, crowd, segment, worked_off

pytestmark = pytest.mark.django_db

NEEDY: RawContent = {"email": {"ko": {"subject": "{{ product }}", "html": "<p>{{ product }}</p>"}}}


def page(kind: str, name: str, key: Any) -> str:
    return reverse(f"admin:campaigns_{kind}_{name}", args=[key])


def member(role: str) -> Client:
    user = User.objects.create(username=role.lower(), is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    browser = Client()
    browser.force_login(user)
    return browser


def filled(*templates: str, **values: Any) -> dict[str, Any]:
    """A form as somebody fills it in: everybody, by email, at once."""
    found = [published(name, SALE).template_id for name in templates or ("sale",)]
    usual: dict[str, Any] = {
        "name": "Spring sale", "mode": "live", "data": "{}", "channels": ["email"], "holdout_percent": 0,
        "schedule_kind": "now", "zone": "Asia/Seoul", "late_hours": 24, "urgency": "bulk", "split": "fixed",
        "goal": "click", "test_percent": 100, "decide_after_hours": 4, "decide_by_hours": 24, "sure_percent": 95,
        "variants-TOTAL_FORMS": len(found) + 1, "variants-INITIAL_FORMS": 0,
        "application": values.get("application") or application().pk,
        "segment": values.get("segment") or segment().pk,
    }  # fmt: skip
    for place, key in enumerate(found):
        usual |= {f"variants-{place}-template": key, f"variants-{place}-weight": 1}
    usual[f"variants-{len(found)}-weight"] = 1
    return {**usual, **values}


def save(given: dict[str, Any], browser: Client | None = None) -> Any:
    return (browser or administrator()).post(reverse("admin:campaigns_campaign_add"), given)


def errors(answer: Any) -> str:
    """The form again, with what stands beside its fields."""
    assert answer.status_code == 200, answer.status_code
    return unescape(answer.content.decode())


def letters(of: Campaign) -> list[tuple[str, str]]:
    return [(one.letter, one.template.name) for one in of.variants.order_by("letter")]


# --- the form ------------------------------------------------------------------------------------------
def test_variants_are_called_by_their_places() -> None:
    answer = save(filled("sale", "sale-warm", "sale-cold"))

    made = Campaign.objects.get()
    assert answer.status_code == 302
    assert answer.headers["Location"] == page("campaign", "change", made.pk)
    assert letters(made) == [("A", "sale"), ("B", "sale-warm"), ("C", "sale-cold")]
    assert (made.state, made.created_by_name) == ("draft", "admin")


def test_when_one_goes_the_others_move_up() -> None:
    browser = administrator()
    save(filled("sale", "sale-warm", "sale-cold"), browser)
    made = Campaign.objects.get()
    rows = list(made.variants.order_by("letter"))
    given = filled("new", name="Spring sale", application=made.application_id, segment=made.segment_id)
    given |= {"variants-TOTAL_FORMS": 5, "variants-INITIAL_FORMS": 3, "variants-0-DELETE": "on"}
    for place, row in enumerate(rows):
        given |= {
            f"variants-{place}-id": row.pk, f"variants-{place}-campaign": made.pk,
            f"variants-{place}-template": row.template_id, f"variants-{place}-weight": 3 if place == 2 else 1,
        }  # fmt: skip
    given |= {"variants-3-template": published("newest", SALE).template_id, "variants-3-weight": 1}
    given |= {"variants-4-weight": 1}

    answer = browser.post(page("campaign", "change", made.pk), given)

    assert answer.status_code == 302, errors(answer)
    assert letters(made) == [("A", "sale-warm"), ("B", "sale-cold"), ("C", "newest")]


WRONG = [
    ({"schedule_kind": "crontab", "crontab": "0 9 31 2 *"}, "never comes"),
    ({"schedule_kind": "crontab", "crontab": "* * * * *"}, "at least 15 min lie between two runs"),
    ({"schedule_kind": "crontab", "crontab": "monday"}, "A crontab has five fields"),
    ({"schedule_kind": "once", "starts_wall": "2020-01-01T09:00"}, "2020-01-01 09:00 is in the past"),
    ({"schedule_kind": "once", "starts_wall": "tomorrow"}, "Right would be 2026-12-24T09:00"),
    ({"schedule_kind": "once", "starts_wall": "2026-12-24T09:00", "zone": "Seoul"}, "Right would be Asia/Seoul"),
    (
        {"schedule_kind": "interval", "starts_wall": "2026-12-24T09:00", "every": 5, "every_unit": "minutes"},
        "at least 15 min",
    ),
    ({"data": "[1]"}, "Write an object"),
    ({"data": "{"}, "Enter a valid JSON"),
    ({"data": '{"a":' * 900 + "1" + "}" * 900}, "nested too deeply"),
    ({"data": '{"a": ' + "9" * 5000 + "}"}, "a number in this one is too long"),
    ({"data": json.dumps({"a": "가" * 4_000})}, "12,009 bytes of JSON are too many; at most 10,000."),
    ({"window_from": "09:00"}, "both, or neither"),
    ({"window_from": "09:00", "window_until": "09:00"}, "The window ends when it begins"),
    ({"holdout_percent": 60}, "from 0 to 50"),
    ({"sure_percent": 50}, "from 51 to 99"),
    ({"decide_after_hours": 9, "decide_by_hours": 3}, "write 9 or more"),
    ({"throttle_per_minute": 0}, "from 1 to"),
    ({"variants-0-weight": 0}, "from 1 to 1,000"),
]


@pytest.mark.parametrize(("given", "says"), WRONG)
def test_what_cannot_be_meant_is_told_at_its_field(given: dict[str, Any], says: str) -> None:
    assert says in errors(save(filled(**given)))
    assert not Campaign.objects.exists()


def test_no_more_than_six_variants_are_tried() -> None:
    assert "at most 6" in errors(save(filled(*(f"sale-{one}" for one in range(7)))))


def test_what_the_chosen_schedule_does_not_ask_for_is_forgotten() -> None:
    save(filled(schedule_kind="now", crontab="monday", starts_wall="tomorrow", every=5, in_local_time="on"))

    made = Campaign.objects.get()
    assert (made.crontab, made.starts_wall, made.every, made.in_local_time) == ("", "", None, False)


def test_a_draft_that_is_not_ready_is_saved_and_its_page_says_what_is_missing() -> None:
    browser = administrator()
    save(filled(schedule_kind="once", starts_wall=""), browser)
    made = Campaign.objects.get()

    told = shown(browser.get(page("campaign", "before", made.pk)))

    assert "Say when it begins, such as 2026-12-24T09:00." in told
    assert "Nobody is in “everybody” now." in told
    assert f'href="{page("campaign", "change", made.pk)}#id_starts_wall"' in told


def test_the_page_says_what_the_templates_need() -> None:
    published("needy", NEEDY)
    crowd(1)
    draft = campaign("sale", state="draft")
    draft.variants.update(template=published("needy-too", NEEDY).template)

    told = shown(administrator().get(page("campaign", "before", draft.pk)))

    assert ">Data.product</a>: A: The template needs this." in told


def test_the_words_of_a_schedule_follow_what_is_typed() -> None:
    browser = administrator()
    needy = published("needy", NEEDY).template_id
    address = reverse("admin:campaigns_campaign_words")

    good = browser.post(
        address, {"schedule_kind": "crontab", "crontab": "0 9 * * 1", "zone": "Asia/Seoul", "template": [needy]}
    ).json()
    bad = browser.post(address, {"schedule_kind": "crontab", "crontab": "0 9 31 2 *", "zone": "Asia/Seoul"}).json()

    assert good["words"] == "Mondays at 09:00, Asia/Seoul."
    assert len(good["moments"]) == 3
    assert all(re.fullmatch(r"Mon \d{4}-\d\d-\d\d 09:00 \(00:00 UTC\)", one) for one in good["moments"])
    assert good["needs"] == ["needy needs product."]
    assert "never comes" in bad["problems"]["crontab"]
    assert browser.get(address).status_code == 405


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"schedule_kind": "x"},
        {"schedule_kind": "interval", "every": "9" * 40, "every_unit": "x", "zone": "\x00"},
        {"schedule_kind": "once", "starts_wall": "9999-99-99T99:99", "template": "x"},
        {"schedule_kind": "interval", "every": "999999999", "every_unit": "days", "starts_wall": "2026-12-24T09:00"},
        {"schedule_kind": "crontab", "crontab": "9" * 5000, "in_local_time": "on"},
    ],
)
def test_whatever_is_typed_is_answered(typed: dict[str, str]) -> None:
    assert administrator().post(reverse("admin:campaigns_campaign_words"), typed).status_code == 200


# --- its steps -----------------------------------------------------------------------------------------
def draft(**values: Any) -> Campaign:
    crowd(3)
    return campaign("sale", state="draft", **values)


def test_starting_asks_first_and_leads_to_the_run() -> None:
    browser, made = administrator(), draft()

    asked = shown(browser.get(page("campaign", "start", made.pk)))
    assert "Start: 3 people" in asked
    assert not made.runs.exists()
    answer = browser.post(page("campaign", "start", made.pk))

    run = made.runs.get()
    assert answer.headers["Location"] == page("run", "change", run.pk)
    assert worked_off() == 3


def test_a_double_click_starts_it_once_and_it_is_started_again_by_who_saw_its_run() -> None:
    browser, made = administrator(), draft()
    start = page("campaign", "start", made.pk)
    browser.post(start)

    twice = shown(browser.post(start, follow=True))
    assert "It was started already." in twice
    run = made.runs.get()
    controlling.withdraw(run.pk, timezone.now())
    asked = shown(browser.get(start))
    assert f'name="after" value="{run.pk}"' in asked
    browser.post(start, {"after": run.pk})
    browser.post(start, {"after": run.pk})

    assert made.runs.count() == 2


def test_reach_and_cost_are_told_before_the_start_and_beside_what_came_of_it() -> None:
    browser, made = administrator(), draft()
    for name in ("no-email-1", "no-email-2"):
        person(name)

    told = unescape(shown(browser.get(page("campaign", "estimate", made.pk))))
    assert "Of <strong>5</strong> people, <strong>3</strong> get something" in told
    browser.post(page("campaign", "start", made.pk))
    run = made.runs.get()
    worked_off()
    beside = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shown(browser.get(page("run", "change", run.pk)))))

    assert run.estimate["reached"] == 3
    assert "Expected, and so far" in beside
    assert re.search(r"People 5 5 Messages 3 \d", beside)


def test_what_cannot_be_estimated_says_why() -> None:
    made = draft()
    made.variants.all().delete()

    assert "choose a template" in shown(administrator().get(page("campaign", "estimate", made.pk)))


def test_what_is_not_ready_is_not_started() -> None:
    browser, made = administrator(), campaign("sale", state="draft")

    answer = browser.post(page("campaign", "start", made.pk), follow=True)

    assert "Nothing was started" in shown(answer)
    assert "Nobody is in “everybody” now." in shown(answer)
    assert not Run.objects.exists()


def test_a_second_pair_of_eyes_approves_or_sends_back() -> None:
    made = draft()
    made.variants.update(template=published("strict", SALE).template)
    published("x", SALE)
    rules = category("strict", needs_approval=True)
    for one in made.variants.all():
        one.template.category = rules
        one.template.save()
    marketer, approver = member("Marketer"), member("Approver")

    assert "Ask for approval" in shown(marketer.get(page("campaign", "change", made.pk)))
    marketer.post(page("campaign", "start", made.pk))
    made.refresh_from_db()
    assert made.state == CampaignState.IN_REVIEW
    assert marketer.post(page("campaign", "approve", made.pk)).status_code == 403

    approver.post(page("campaign", "send_back", made.pk), {"comment": "Mind the spelling"})
    made.refresh_from_db()
    assert made.state == CampaignState.DRAFT
    assert AuditEntry.objects.filter(action="sent back").exists()

    marketer.post(page("campaign", "start", made.pk))
    assert "Approve: 3 people" in shown(approver.get(page("campaign", "approve", made.pk)))
    seen = re.search(r'name="seen" value="(\w+)"', approver.get(page("campaign", "approve", made.pk)).content.decode())
    assert seen
    approver.post(page("campaign", "approve", made.pk), {"seen": "of another day"})
    made.refresh_from_db()
    assert made.state == CampaignState.IN_REVIEW
    approver.post(page("campaign", "approve", made.pk), {"seen": seen[1]})
    made.refresh_from_db()
    assert made.approved_by_name == "approver"
    assert made.runs.count() == 1


def test_it_is_paused_resumed_and_stopped_to_be_edited() -> None:
    browser = administrator()
    made = draft(schedule_kind="crontab", crontab="0 9 * * 1")
    browser.post(page("campaign", "start", made.pk))
    states = []
    for step in ("pause", "resume", "stop"):
        assert browser.get(page("campaign", step, made.pk)).status_code == 405
        browser.post(page("campaign", step, made.pk))
        made.refresh_from_db()
        states.append(made.state)

    assert states == ["paused", "active", "draft"]


def test_what_is_on_its_way_is_not_changed() -> None:
    browser, made = administrator(), campaign("sale")

    answer = browser.post(page("campaign", "change", made.pk), {"name": "Other"})

    assert answer.status_code == 403
    assert browser.post(page("campaign", "delete", made.pk), {"post": "yes"}).status_code == 403
    assert "id_starts_wall" not in shown(browser.get(page("campaign", "change", made.pk)))


def test_a_copy_is_a_draft_that_has_not_happened() -> None:
    browser = administrator()
    made = campaign("sale", "sale-warm", name="Sale", crontab="0 9 * * 1", schedule_kind="crontab")
    begun(made)

    for _ in range(2):
        browser.post(page("campaign", "duplicate", made.pk))

    copies = Campaign.objects.exclude(pk=made.pk).order_by("id")
    assert [one.name for one in copies] == ["Sale (copy)", "Sale (copy 2)"]
    assert {one.state for one in copies} == {"draft"}
    assert letters(copies[0]) == letters(made)
    assert not copies[0].runs.exists()
    assert made.runs.count() == 1


STEPS = ["start", "approve", "send_back", "pause", "resume", "stop", "duplicate", "rehearse"]


@pytest.mark.parametrize("step", STEPS)
def test_support_looks_and_does_nothing(step: str) -> None:
    made = draft()
    browser = member("Support")

    assert browser.post(page("campaign", step, made.pk)).status_code == 403
    assert browser.get(page("campaign", "before", made.pk)).status_code == 200
    opened = shown(browser.get(page("campaign", "change", made.pk)))
    assert "Start …" not in opened
    assert "Duplicate" not in opened


def test_it_is_sent_to_oneself_by_a_test_account_alone() -> None:
    browser, made = administrator(), draft()

    asked = shown(browser.get(page("campaign", "rehearse", made.pk)))
    empty = shown(browser.post(page("campaign", "rehearse", made.pk), {}))
    tried = shown(browser.post(page("campaign", "rehearse", made.pk), {"email": "me@example.com", "locale": "ko"}))

    assert 'name="email"' in asked
    assert 'name="push"' not in asked, "its channels say otherwise"
    assert "Write an address in one field at least." in empty
    assert "There is no active test account for email" in tried
    assert not Notification.objects.exists()


def test_data_is_shown_as_json_again() -> None:
    save(filled(data=json.dumps({"product": "재킷"})))

    assert Campaign.objects.get().data == {"product": "재킷"}
