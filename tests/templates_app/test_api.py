"""GET /v1/templates: what can be sent, and what each template asks for."""

import pytest

from templates_app import publishing
from tests.builders import caller, published, template

pytestmark = pytest.mark.django_db

CONTENT = {
    "sms": {"en": {"body": "Hello {{ name }}"}, "ko": {"body": "{{ name }} {% if grade %}{{ grade }}{% endif %}"}},
    "email": {"ko": {"subject": "s", "text": "{{ recipient.city | default: '' }}x"}},
}
WELCOME = {
    "name": "welcome",
    "version": 1,
    "category": "news",
    "default_locale": "ko",
    "channels": [{"channel": "sms", "locales": ["en", "ko"]}, {"channel": "email", "locales": ["ko"]}],
    "variables": ["name"],
    "of_items": [],
    "mentioned": ["grade", "name", "recipient.city"],
    "sample_data": {"name": "지민"},
    "schema": {},
}


def test_a_template_says_what_it_asks_for_and_in_which_languages_it_speaks() -> None:
    published("welcome", CONTENT, sample_data={"name": "지민"})

    answer = caller().get("/v1/templates/welcome")

    assert (answer.status_code, answer.json()) == (200, WELCOME)


def test_all_published_templates_are_listed_by_name() -> None:
    published("welcome", CONTENT, sample_data={"name": "지민"})
    published("goodbye")
    publishing.create_draft(template("unfinished"), publishing.Draft(CONTENT))

    answer = caller().get("/v1/templates")

    assert [told["name"] for told in answer.json()] == ["goodbye", "welcome"]
    assert answer.json()[1] == WELCOME


def test_nothing_published_is_an_empty_list() -> None:
    assert caller().get("/v1/templates").json() == []


@pytest.mark.parametrize("name", ["nobody", "unfinished", "%00", "a%20b"])
def test_what_is_not_published_is_not_found(name: str) -> None:
    publishing.create_draft(template("unfinished"), publishing.Draft(CONTENT))

    answer = caller().get(f"/v1/templates/{name}")

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
