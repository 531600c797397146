"""A campaign starts with links that lead somewhere, and with no others."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from campaigns.checking import look_at
from campaigns.models import Campaign, Variant
from campaigns.vocabulary import CampaignState
from templates_app.content import RawContent
from tests.builders import application, published
from tests.campaigns.stage import campaign, crowd, segment

pytestmark = pytest.mark.django_db


def draft(**values: object) -> Campaign:
    return campaign(state=CampaignState.DRAFT, **values)


def problems(of: Campaign) -> dict[str, str]:
    return {one.field: one.message for one in look_at(of, later()).problems}


def later() -> datetime:
    return timezone.now() + timedelta(seconds=1)


LINKS = [
    ('<a href="/sale">x</a>', "/sale"),
    ('<a href="{{ url }}">x</a>', "ftp://shop.example.com"),
    ('<a href="http:shop">x</a>', "http:shop"),
    ('<a href="www.shop.example">x</a>', "www.shop.example"),
    ('<a href="#">x</a>', "#"),
    ('<a href="https://">x</a>', "https://"),
    ('<a href="https://ok.example/a b">x</a>', "https://ok.example/a b"),
    ('<a href="ftp://{{ recipient.host }}">x</a>', "ftp://…"),
    ('<a href="www.{{ recipient.page }}">x</a>', "www.…"),
]


@pytest.mark.parametrize(("html", "link"), LINKS)
def test_a_link_that_is_no_web_page_is_refused(html: str, link: str) -> None:
    crowd(1)
    made = draft(data={"url": "ftp://shop.example.com"})
    content: RawContent = {"email": {"ko": {"subject": "세일", "html": f"<p>{html}</p>"}}}
    Variant.objects.create(campaign=made, letter="B", template=published("links", content).template)

    assert f"B: the link “{link}” leads nowhere" in problems(made)["variants"]


RUNNING = [
    '<a href="javascript:alert(1)">x</a>',
    '<area href=" JavaScript:x">',
    '<a href="javascript:x" href="https://ok.example">x</a>',
    '<a href="javascript:alert(1)//{{ recipient.page }}">x</a>',
]


@pytest.mark.parametrize("html", RUNNING)
def test_a_link_that_runs_a_program_is_refused_in_every_language(html: str) -> None:
    crowd(1)
    made = draft()
    said = {"subject": "세일", "html": f"<p>{html}</p>"}
    usual: RawContent = {"email": {"ko": said}}
    other: RawContent = {"email": {"ko": {**said, "html": "<p>x</p>"}, "en": said}}
    Variant.objects.create(campaign=made, letter="B", template=published("usual", usual).template)
    Variant.objects.create(campaign=made, letter="C", template=published("other", other).template)

    found = [one.message for one in look_at(made, later()).problems]
    assert any(one.startswith("B: email.ko.html: a link begins with javascript:") for one in found)
    assert any(one.startswith("C: the link “") and "leads nowhere: it runs a program" in one for one in found)


@pytest.mark.parametrize("link", ["", " ", "{{ url }}"])
def test_an_empty_link_is_refused(link: str) -> None:
    crowd(1)
    made = draft(data={"url": ""})
    content: RawContent = {"email": {"ko": {"subject": "세일", "html": f'<p><a href="{link}">x</a></p>'}}}
    Variant.objects.create(campaign=made, letter="B", template=published("links", content).template)

    assert f"B: the link “{link if '{' not in link else ''}” is empty" in problems(made)["variants"]


def by_push(template: str = "pushed", **texts: object) -> Campaign:
    crowd(1, prefix=template)
    content: RawContent = {"push": {"ko": {"title": "세일", "body": "시작", **texts}}}
    made = Campaign.objects.create(
        application=application(),
        name=template,
        state=CampaignState.DRAFT,
        channels=["push"],
        segment=segment(template),
    )
    Variant.objects.create(campaign=made, letter="A", template=published(template, content).template)
    return made


ASTRAY = ["ftp://x", "shop.example", "shop.example:80/x", "file:///etc", "//x", "https://", "http:shop"]


@pytest.mark.parametrize("link", ASTRAY)
def test_a_push_that_leads_neither_to_the_web_nor_into_an_app_is_refused(link: str) -> None:
    button = {"id": "go", "label": "Go", "link": link}
    said: list[dict[str, object]] = [{"link": link}, {"buttons": [button]}, {"overrides": {"ios": {"link": link}}}]
    for number, texts in enumerate(said):
        assert f"A: the link “{link}” leads nowhere" in problems(by_push(f"pushed-{number}", **texts))["variants"]


@pytest.mark.parametrize("link", ["javascript:x", "data:text/html,x"])
def test_a_push_that_runs_a_program_is_refused(link: str) -> None:
    assert "push.ko.link: a link begins with javascript:" in problems(by_push(link=link))["data"]


PUSHED = ["", "https://shop.example", "myapp://sale/1", "/sale", "tel:+8210", "{{ recipient.page }}"]


@pytest.mark.parametrize("link", PUSHED)
def test_a_push_may_lead_into_an_app(link: str) -> None:
    assert problems(by_push(link=link)) == {}


GOOD = [
    "https://shop.example.com",
    "mailto:a@example.com",
    "tel:+821012345678",
    "#top",
    "{{ recipient.page }}",
    "HTTPS://shop.example.com/{{ recipient.page }}",
]


@pytest.mark.parametrize("link", GOOD)
def test_a_link_that_leads_somewhere_is_not(link: str) -> None:
    crowd(1, attributes={"page": "https://shop.example.com/me"})
    made = draft()
    content: RawContent = {"email": {"ko": {"subject": "세일", "html": f'<p><a href="{link}">x</a></p>'}}}
    Variant.objects.create(campaign=made, letter="B", template=published("links", content).template)

    assert problems(made) == {}
