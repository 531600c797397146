"""A campaign starts when it is ready, and by two where its category wants that."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from accounts.models import AuditEntry, Category, Recipient
from accounts.staff import audit
from accounts.staff.audit import Deed
from campaigns import reviewing
from campaigns.checking import look_at
from campaigns.models import Campaign, Run, Segment, Variant
from campaigns.vocabulary import CampaignState, RunState
from templates_app.content import RawContent
from tests.builders import category, published
from tests.campaigns.stage import SALE, begun, campaign, crowd, segment, worked_off

pytestmark = pytest.mark.django_db


def later(seconds: float = 1) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)


def draft(*templates: str, **values: object) -> Campaign:
    return campaign(*templates, state=CampaignState.DRAFT, **values)


def somebody(name: str) -> User:
    return User.objects.create(username=name, is_staff=True)


def problems(of: Campaign) -> dict[str, str]:
    return {one.field: one.message for one in look_at(of, later()).problems}


def test_a_campaign_that_is_started_now_begins_at_once() -> None:
    crowd(5)
    made = draft()

    reviewing.start(made.pk, later(), by=None)

    assert Run.objects.get(campaign=made).state == RunState.STARTING
    assert worked_off(later(2)) == 5


def test_who_starts_twice_in_a_row_sends_once_and_what_has_ended_can_go_out_again() -> None:
    crowd(5)
    made = draft()
    reviewing.start(made.pk, later(), by=None)

    first = str(Run.objects.get().pk)

    with pytest.raises(reviewing.NotAllowed, match="It was started already"):
        reviewing.start(made.pk, later(2), by=None)
    with pytest.raises(reviewing.NotAllowed, match="A run of it is on its way"):
        reviewing.start(made.pk, later(2), by=None, after=first)

    Run.objects.update(state=RunState.FINISHED)
    reviewing.start(made.pk, later(60), by=None, after=first)
    Run.objects.update(state=RunState.FINISHED)
    with pytest.raises(reviewing.NotAllowed, match="It was started already"):
        reviewing.start(made.pk, later(120), by=None, after=first)
    assert Run.objects.count() == 2


def test_one_for_later_waits_for_its_moment() -> None:
    crowd(5)
    made = draft(schedule_kind="once", starts_wall="2031-05-01T09:00", zone="Asia/Seoul")

    reviewing.start(made.pk, later(), by=None)

    made.refresh_from_db()
    assert (made.state, made.next_at and made.next_at.isoformat()) == ("active", "2031-05-01T00:00:00+00:00")
    assert made.periodic_task is not None
    assert not Run.objects.exists()


def test_whoever_asked_for_approval_does_not_give_it() -> None:
    crowd(1)
    made = draft()
    Category.objects.update(needs_approval=True)
    writer, other = somebody("writer"), somebody("other")

    assert reviewing.start(made.pk, later(), by=writer).campaign.state == CampaignState.IN_REVIEW
    with pytest.raises(reviewing.NotAllowed, match="somebody else has to look at it"):
        reviewing.approve(made.pk, later(), by=writer)
    assert not Run.objects.exists()
    reviewing.approve(made.pk, later(), by=other)

    made.refresh_from_db()
    assert made.approved_by_name == "other"
    assert Run.objects.filter(campaign=made).exists()
    assert [one.action for one in AuditEntry.objects.filter(model="campaigns.campaign").order_by("id")] == [
        "submitted",
        "approved",
    ]


def test_what_was_changed_since_it_was_read_is_not_approved() -> None:
    crowd(1)
    made = draft()
    Category.objects.update(needs_approval=True)
    reviewing.start(made.pk, later(), by=somebody("writer"))
    made.refresh_from_db()
    seen = reviewing.fingerprint(made)
    assert seen == reviewing.fingerprint(Campaign.objects.get(pk=made.pk))

    made.segment.changed_at = later()
    made.segment.save()

    with pytest.raises(reviewing.NotAllowed, match="changed since you looked at it"):
        reviewing.approve(made.pk, later(), by=somebody("other"), seen=seen)


def nested() -> tuple[Segment, Segment]:
    """A segment that is another one, by its rules."""
    inner = segment("inner", {"field": "country", "is": "is", "value": "KR"})
    return segment("outer", {"field": "segment", "is": "in", "value": str(inner.pk)}), inner


def widened(some: Segment) -> None:
    some.rules, some.changed_at = {}, later()
    some.save()


def test_a_segment_within_the_segment_that_was_changed_since_it_was_read_is_not_approved() -> None:
    crowd(1, country="KR")
    outer, inner = nested()
    made = draft(segment=outer)
    Category.objects.update(needs_approval=True)
    reviewing.start(made.pk, later(), by=somebody("writer"))
    seen = reviewing.fingerprint(Campaign.objects.get(pk=made.pk))

    widened(inner)

    with pytest.raises(reviewing.NotAllowed, match="changed since you looked at it"):
        reviewing.approve(made.pk, later(), by=somebody("other"), seen=seen)


def test_a_segment_within_the_segment_that_was_changed_after_the_approval_is_not_written_to() -> None:
    crowd(1, country="KR")
    outer, inner = nested()
    made = draft(segment=outer, schedule_kind="crontab", crontab="0 9 * * *", zone="UTC")
    Category.objects.update(needs_approval=True)
    reviewing.start(made.pk, later(), by=somebody("writer"))
    reviewing.approve(made.pk, later(), by=somebody("other"))
    widened(inner)
    made.refresh_from_db()

    run = begun(made)

    assert (run.state, "“inner” was changed after the campaign was approved" in run.note) == (RunState.FAILED, True)


def test_who_wrote_it_does_not_approve_it_whoever_asked() -> None:
    crowd(1)
    made = draft()
    Category.objects.update(needs_approval=True)
    writer, helper, other = somebody("writer"), somebody("helper"), somebody("other")
    audit.note(made, Deed("added"), writer)
    audit.note(made.variants.get(), Deed("changed", "", {"weight": 1}, {"weight": 2}), helper)
    reviewing.start(made.pk, later(), by=None)

    for one in (writer, helper):
        with pytest.raises(reviewing.NotAllowed, match="You wrote a part of this yourself"):
            reviewing.approve(made.pk, later(), by=one)
    reviewing.approve(made.pk, later(), by=other)

    # what was approved is nobody's any more: of a later change, its writer alone may not approve
    Run.objects.update(state=RunState.FINISHED)
    reviewing.stop(made.pk, later(), by=other)
    audit.note(made, Deed("changed"), other)
    reviewing.start(made.pk, later(60), by=None)
    with pytest.raises(reviewing.NotAllowed, match="You wrote a part of this yourself"):
        reviewing.approve(made.pk, later(60), by=other)
    reviewing.approve(made.pk, later(60), by=writer)


def test_an_audience_that_was_changed_after_the_approval_is_not_written_to() -> None:
    crowd(1)
    made = draft(schedule_kind="crontab", crontab="0 9 * * *", zone="UTC")
    Category.objects.update(needs_approval=True)
    reviewing.start(made.pk, later(), by=somebody("writer"))
    reviewing.approve(made.pk, later(), by=somebody("other"))
    made.segment.changed_at = later(60)
    made.segment.save()
    made.refresh_from_db()

    run = begun(made)

    assert run.state == RunState.FAILED
    assert "was changed after the campaign was approved" in run.note
    assert worked_off() == 0


def test_what_is_sent_back_is_a_draft_again_with_a_word_why() -> None:
    crowd(1)
    made = draft()
    Category.objects.update(needs_approval=True)
    reviewing.start(made.pk, later(), by=somebody("writer"))

    with pytest.raises(reviewing.NotAllowed, match="Say what should be changed"):
        reviewing.send_back(made.pk, by=somebody("other"), comment=" ")
    reviewing.send_back(made.pk, by=None, comment="Too loud.")

    made.refresh_from_db()
    assert (made.state, made.submitted_by) == (CampaignState.DRAFT, None)
    assert AuditEntry.objects.latest("id").detail == "Too loud."


def test_a_category_that_changed_since_is_asked_when_it_starts() -> None:
    crowd(1)
    made = draft()
    Recipient.objects.all().delete()
    with pytest.raises(reviewing.NotReady, match="Nobody is in"):
        reviewing.start(made.pk, later(), by=None)
    assert Campaign.objects.get(pk=made.pk).state == CampaignState.DRAFT


def test_a_paused_campaign_starts_no_run_and_goes_on_with_the_next_moment() -> None:
    crowd(1)
    made = draft(schedule_kind="crontab", crontab="0 9 * * *", zone="UTC")
    reviewing.start(made.pk, later(), by=None)

    assert reviewing.pause(made.pk, later(), by=None).state == CampaignState.PAUSED
    assert reviewing.resume(made.pk, later(), by=None).state == CampaignState.ACTIVE
    assert not Run.objects.exists()


def test_a_schedule_that_makes_no_sense_any_more_is_told_to_whoever_resumes_it() -> None:
    made = campaign(schedule_kind="crontab", crontab="0 9 * * *", zone="Asia/Atlantis", state=CampaignState.PAUSED)
    Campaign.objects.filter(pk=made.pk).update(next_at=later(-60))

    with pytest.raises(reviewing.NotAllowed, match=r"“Asia/Atlantis”.*Stop the campaign, change its schedule"):
        reviewing.resume(made.pk, later(), by=None)
    assert Campaign.objects.get(pk=made.pk).state == CampaignState.PAUSED


def test_what_is_on_its_way_cannot_be_stopped_for_changes() -> None:
    crowd(1)
    made = draft()
    reviewing.start(made.pk, later(), by=None)

    with pytest.raises(reviewing.NotAllowed, match="cancel the run first"):
        reviewing.stop(made.pk, later(), by=None)
    Run.objects.update(state=RunState.FINISHED)
    assert reviewing.stop(made.pk, later(), by=None).state == CampaignState.DRAFT


KOREAN: RawContent = {"email": {"ko": {"subject": "세일", "html": "<p>세일</p>"}}}


def with_languages(first: RawContent, second: RawContent, *locales: str) -> Campaign:
    for locale in locales:
        Recipient.objects.create(external_id=f"reads-{locale}", email=f"{locale}@example.com", locale=locale)
    made = Campaign.objects.create(
        name="languages", application=campaign("other").application, segment=segment("all"), channels=["email"]
    )
    for letter, content in zip("AB", (first, second), strict=True):
        template = published(f"words-{letter.lower()}", content).template
        Variant.objects.create(campaign=made, letter=letter, template=template)
    return made


def test_a_variant_that_lacks_a_language_which_another_speaks_is_refused() -> None:
    made = with_languages(SALE, KOREAN, "ko", "en")

    assert problems(made)["variants"].startswith("B: words-b does not speak en, which 1 person reads")


def test_a_language_that_no_variant_speaks_is_told_and_not_refused() -> None:
    made = with_languages(SALE, SALE, "ko", "ja")

    found = look_at(made, later())

    assert [one.field for one in found.problems] == []
    assert list(found.warnings) == ["1 person reads ja; they get it in ko."]


TOO_QUICK = [
    (100_000, 100, 60, "At 100,000 a minute all 60 people are planned within a second", "at most 6 a minute"),
    (30, 50, 60, "At 30 a minute all 30 people are planned within 60 seconds", "at most 3 a minute"),
    (2, 100, 5, "At 2 a minute all 5 people are planned within 150 seconds", "use a fixed split: they are too few"),
]


@pytest.mark.parametrize(("pace", "test_percent", "people", "told", "right"), TOO_QUICK)
def test_who_wants_an_adaptive_split_that_is_over_before_it_can_learn_is_told_the_right_pace(
    pace: int, test_percent: int, people: int, told: str, right: str
) -> None:
    crowd(people)
    made = draft("sale", "outlet", split="adaptive", throttle_per_minute=pace, test_percent=test_percent)

    found = look_at(made, later())

    assert not found.problems
    learns = "An adaptive split learns from what people did minutes ago."
    assert list(found.warnings) == [f"{learns} {told}, before it can: {right}."]


def test_an_adaptive_split_that_has_ten_minutes_is_not_warned_of() -> None:
    crowd(60)
    made = draft("sale", "outlet", split="adaptive", throttle_per_minute=6)

    assert not look_at(made, later()).warnings


def test_who_compares_a_template_with_itself_is_told_so() -> None:
    crowd(1)
    made = draft()
    Variant.objects.create(campaign=made, letter="B", template=made.variants.get().template)

    found = look_at(made, later())

    assert not found.problems
    assert list(found.warnings) == ["A and B say the same, sale: whatever differs between them is chance."]


def test_a_variant_that_speaks_no_language_of_the_audience_is_refused() -> None:
    made = with_languages(KOREAN, KOREAN, "en", "ja")

    assert "speaks none of the languages" in problems(made)["variants"]


def test_variants_of_different_categories_are_not_compared() -> None:
    crowd(1)
    made = draft("sale", "outlet")
    other = made.variants.get(letter="B").template
    other.category = category("bills")
    other.save(update_fields=["category"])

    assert "different categories, Bills and News" in problems(made)["variants"]


def test_what_the_templates_need_must_be_in_the_data() -> None:
    crowd(1)
    made = draft()
    needy: RawContent = {"email": {"ko": {"subject": "{{ product }}", "html": "<p>{{ product }}</p>"}}}
    Variant.objects.create(campaign=made, letter="B", template=published("needy", needy).template)

    assert problems(made)["data.product"] == "B: The template needs this."
