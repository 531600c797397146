"""The form of a campaign: what is typed is told at its field, and kept as it was meant."""

import json
import re
from typing import Any

import pytest
from django.urls import reverse

from campaigns.models import Campaign
from templates_app.content import RawContent
from tests.builders import administrator, published, shown
from tests.campaigns.pages import errors, filled, letters, page, save
from tests.campaigns.stage import SALE, campaign, crowd

pytestmark = pytest.mark.django_db

NEEDY: RawContent = {"email": {"ko": {"subject": "{{ product }}", "html": "<p>{{ product }}</p>"}}}


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


def test_data_is_shown_as_json_again() -> None:
    save(filled(data=json.dumps({"product": "재킷"})))

    assert Campaign.objects.get().data == {"product": "재킷"}
