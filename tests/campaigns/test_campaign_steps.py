"""What is done with a campaign on its pages: looked at, started, approved, paused and ended by people who may."""

import re
from html import unescape

import pytest
from django.utils import timezone

from accounts.models import AuditEntry
from campaigns import controlling
from campaigns.models import Campaign, Run
from campaigns.vocabulary import CampaignState
from notifications.models import Notification
from tests.builders import administrator, category, person, published, shown
from tests.campaigns.pages import confirmed, draft, errors, filled, letters, member, on_page, page
from tests.campaigns.stage import SALE, begun, campaign, worked_off

pytestmark = pytest.mark.django_db


def test_starting_asks_first_and_leads_to_the_run() -> None:
    browser, made = administrator(), draft()

    asked = shown(browser.get(page("campaign", "start", made.pk)))
    assert "Start: 3 people" in asked
    assert not made.runs.exists()
    answer = confirmed(browser, made, "start")

    run = made.runs.get()
    assert answer.headers["Location"] == page("run", "change", run.pk)
    assert worked_off() == 3


def test_a_double_click_starts_it_once_and_it_is_started_again_by_who_saw_its_run() -> None:
    browser, made = administrator(), draft()
    start, read = page("campaign", "start", made.pk), on_page(browser, made, "start")
    browser.post(start, read)

    twice = shown(browser.post(start, read, follow=True))
    assert "It was started already." in twice
    run = made.runs.get()
    assert browser.get(start).headers["Location"] == page("run", "change", run.pk)
    controlling.withdraw(run.pk, timezone.now())
    asked = shown(browser.get(start))
    assert f'name="after" value="{run.pk}"' in asked
    assert re.search(r"It went out at .*, Asia/Seoul to 0 people. This sends it once more", unescape(asked))
    assert "Send again: 3 people" in asked
    read = on_page(browser, made, "start")
    browser.post(start, read)
    browser.post(start, read)

    assert made.runs.count() == 2


def test_what_was_changed_since_it_was_read_does_not_start() -> None:
    browser, made = administrator(), draft()
    read = on_page(browser, made, "start")
    made.segment.changed_at = timezone.now()
    made.segment.save()

    told = shown(browser.post(page("campaign", "start", made.pk), read, follow=True))

    assert "It was changed since you looked at it" in told
    assert "It was changed since you looked at it" in shown(
        browser.post(page("campaign", "start", made.pk), follow=True)
    ), "who has read nothing starts nothing"
    assert not made.runs.exists()


def test_who_starts_it_is_told_how_it_goes_out() -> None:
    made = draft(
        schedule_kind="once", starts_wall="2031-05-01T09:00", late_hours=2, window_from="21:00", window_until="22:00",
        throttle_per_minute=2, holdout_percent=10,
    )  # fmt: skip

    told = shown(administrator().get(page("campaign", "start", made.pk)))

    assert "Sent only from 21:00 until 22:00, by the clock of Asia/Seoul." in told
    assert "At most 2 people a minute: about 2 minutes for all of them." in told
    assert "A start that is more than 2 h late is left out." in told
    assert "10 % get nothing, to be compared with." in told


def test_of_two_who_have_the_form_open_the_second_is_told_what_the_first_saved() -> None:
    first, second, made = administrator(), member("Marketer"), draft()
    change = page("campaign", "change", made.pk)
    opened = on_page(first, made, "change")
    variant = made.variants.get()
    form = filled("outlet", name=made.name, segment=made.segment_id, application=made.application_id) | {
        "variants-INITIAL_FORMS": 1, "variants-0-id": variant.pk, "variants-0-campaign": made.pk, **opened,
    }  # fmt: skip

    assert first.post(change, form | {"throttle_per_minute": 30}).status_code == 302
    told = errors(second.post(change, form | {"name": "Autumn sale"}))

    assert "changed throttle per minute at" in told
    assert "save again to put yours in its place" in told
    made.refresh_from_db()
    assert (made.name == "Autumn sale", made.throttle_per_minute) == (False, 30)
    again = dict(re.findall(r'name="(opened)" value="(\w+)"', told))
    assert second.post(change, form | again | {"name": "Autumn sale"}).status_code == 302
    made.refresh_from_db()
    assert made.name == "Autumn sale"


def test_reach_and_cost_are_told_before_the_start_and_beside_what_came_of_it() -> None:
    browser, made = administrator(), draft()
    for name in ("no-email-1", "no-email-2"):
        person(name)

    told = unescape(shown(browser.get(page("campaign", "estimate", made.pk))))
    assert "Of <strong>5</strong> people, <strong>3</strong> get something" in told
    confirmed(browser, made, "start")
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
    confirmed(marketer, made, "start")
    made.refresh_from_db()
    assert made.state == CampaignState.IN_REVIEW
    assert marketer.post(page("campaign", "approve", made.pk)).status_code == 403
    approver.post(page("campaign", "approve", made.pk))
    assert not made.runs.exists(), "who has read nothing approves nothing"

    approver.post(page("campaign", "send_back", made.pk), {"comment": "Mind the spelling"})
    made.refresh_from_db()
    assert made.state == CampaignState.DRAFT
    assert AuditEntry.objects.filter(action="sent back").exists()

    confirmed(marketer, made, "start")
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
    confirmed(browser, made, "start")
    states = []
    for step in ("pause", "resume", "stop"):
        assert browser.get(page("campaign", step, made.pk)).status_code == 405
        browser.post(page("campaign", step, made.pk))
        made.refresh_from_db()
        states.append(made.state)

    assert states == ["paused", "active", "draft"]


def test_what_is_on_its_way_is_not_changed() -> None:
    browser, made = administrator(), campaign("sale")

    told = shown(browser.post(page("campaign", "change", made.pk), {"name": "Other"}, follow=True))

    assert "Nothing was saved: it was started meanwhile" in told
    made.refresh_from_db()
    assert made.name != "Other"
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
