"""The pages of campaigns: written, looked at, started, watched and ended by people who may."""

from typing import Any

import pytest
from django.test import Client

from campaigns.models import Campaign
from tests.builders import administrator, application, published, shown
from tests.campaigns.stage import SALE, begun, campaign, crowd, segment, worked_off

pytestmark = pytest.mark.django_db


def filled(**values: Any) -> dict[str, Any]:
    """A form as somebody fills it in: one variant, by email, at once."""
    usual = {
        "name": "Spring sale", "mode": "live", "data": "{}", "channels": ["email"], "holdout_percent": 0,
        "schedule_kind": "now", "zone": "Asia/Seoul", "late_hours": 24, "urgency": "bulk", "split": "fixed",
        "goal": "click", "test_percent": 100, "decide_after_hours": 4, "decide_by_hours": 24, "sure_percent": 95,
        "variants-TOTAL_FORMS": 2, "variants-INITIAL_FORMS": 0, "variants-0-weight": 1, "variants-1-weight": 1,
    }  # fmt: skip
    return {**usual, **values}


def test_a_draft_is_written_and_started() -> None:
    crowd(3)
    browser = administrator()
    version = published("sale", SALE)
    given = filled(
        application=application().pk, segment=segment().pk, **{"variants-0-template": version.template_id}
    )
    answer = browser.post("/admin/campaigns/campaign/add/", given)
    assert answer.status_code == 302, shown(answer)
    made = Campaign.objects.get()
    page = answer.url
    answer = browser.post(f"/admin/campaigns/campaign/{made.pk}/start/", follow=True)
    made.refresh_from_db()
    worked_off()
    run = made.runs.get()
    assert made.state in ("active", "ended")
