"""A category's form: all of its rules stand there, and those that cannot be meant together are refused."""

import pytest
from django.test import Client

from accounts.admin.categories import CategoryForm
from accounts.models import Category
from tests.accounts.test_admin import rules
from tests.builders import administrator, shown

pytestmark = pytest.mark.django_db

ADD = "/admin/accounts/category/add/"
NIGHT = {"quiet_from": "21:00", "quiet_until": "08:00"}


@pytest.fixture
def browser() -> Client:
    return administrator()


def test_every_rule_of_a_category_can_be_set(browser: Client) -> None:
    page = shown(browser.get(ADD))

    assert [name for name in CategoryForm().fields if f'name="{name}"' not in page] == []


def test_the_time_until_the_next_channel_is_set_there_and_may_be_none_at_all(browser: Client) -> None:
    answer = browser.post(ADD, rules(routing="escalate", escalate_after="0"))

    assert answer.status_code == 302, answer.content
    assert Category.objects.get().escalate_after == 0


def test_what_waited_may_go_out_over_all_of_the_day_that_quiet_hours_leave(browser: Client) -> None:
    assert browser.post(ADD, rules(**NIGHT, quiet_spread="780")).status_code == 302


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"routing": "escalate", "escalate_after": "1441"}, "At most a day"),
        ({"routing": "cheapest", "seen_within_days": "0"}, "within no days"),
        ({**NIGHT, "quiet_spread": "781"}, "than quiet hours leave"),
        ({"quiet_from": "09:00", "quiet_until": "18:00", "quiet_spread": "901"}, "than quiet hours leave"),
        ({"preset": "korean_advertising", "quiet_spread": "781"}, "than quiet hours leave"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_reason(browser: Client, changes: dict[str, str], says: str) -> None:
    page = shown(browser.post(ADD, rules(**changes)))

    assert says in page
    assert not Category.objects.exists()


def test_what_is_learned_of_messages_can_be_switched_off(browser: Client) -> None:
    assert browser.post(ADD, rules(track_texts="on", attribution_days="30")).status_code == 302

    made = Category.objects.get()
    assert (made.track_opens, made.track_clicks, made.track_texts) == (False, False, True)
    assert made.attribution_days == 30
