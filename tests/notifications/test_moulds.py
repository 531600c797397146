"""What becomes each person's own in a text: followed links, the picture, and the links by which they choose."""

import json
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts import links
from accounts.channels import Channel
from accounts.ids import new_id
from accounts.links import Subject
from notifications import moulds
from notifications.moulds import moulded
from notifications.tracked import Click, read_click, read_open
from templates_app.catalogue import CategoryFacts
from templates_app.content import EmailText, PushText, RawContent, SmsText, Text
from templates_app.rendering import Compiled, compile_content

CATEGORY = CategoryFacts(new_id(), "news", "opt_out", is_critical=False, in_doubt="resend")
DELIVERY = new_id()
SHOP = "https://shop.example/products/12345?utm_source=newsletter&utm_medium=email&utm_campaign=spring"


def hrefs(html: str) -> list[str]:
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value or "" for name, value in attrs if name in {"href", "src"})

    Reader().feed(html)
    return found


def mail(html: str) -> EmailText:
    return EmailText("subject", html, f"See {SHOP}")


def sent(text: Text, **flags: Any) -> Text:
    return moulded(text, replace(CATEGORY, **flags)).filled(DELIVERY, {})


def leads(url: str) -> Click:
    before, token = url.split("/c/")
    assert before == "http://localhost:8000"
    return read_click(token)


def test_links_of_an_email_lead_through_here_and_its_end_tells_of_opens() -> None:
    text = sent(
        mail(
            f'<body><a href="{SHOP.replace("&", "&amp;")}">a</a> <a href=http://b.example>b</a> '
            f'<a href="{SHOP}">c</a></body>'
        )
    )

    assert isinstance(text, EmailText)
    first, second, third, picture = hrefs(text.html)
    assert leads(first) == leads(third) == Click(DELIVERY, 0, SHOP)
    assert leads(second) == Click(DELIVERY, 1, "http://b.example")
    assert read_open(picture.removeprefix("http://localhost:8000/e/").removesuffix(".gif")) == DELIVERY
    assert text.html.endswith('border:0"></body>')
    assert text.text == f"See {SHOP}"


@pytest.mark.parametrize(
    "href",
    [
        "http://localhost:8000/u/token", "http://localhost:8000/p/token", "http://localhost:8000/o/token",
        "mailto:a@b.example", "tel:+82", "#top", "https:///nowhere", "https://a.example/a b",
    ],
)  # fmt: skip
def test_what_is_ours_or_no_web_page_stays(href: str) -> None:
    html = f'<p><a href="{href}">x</a>'
    assert sent(mail(html), track_opens=False) == mail(html)


def test_an_email_without_a_body_tag_ends_with_the_picture() -> None:
    text = sent(mail("<p>x</p>"))
    assert isinstance(text, EmailText)
    assert text.html.startswith('<p>x</p><img src="http://localhost:8000/e/')


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        (mail(f'<a href="{SHOP}">a</a>'), {"is_critical": True}),
        (mail(f'<a href="{SHOP}">a</a>'), {"track_clicks": False, "track_opens": False}),
        (EmailText("subject", "", f"See {SHOP}"), {}),
        (PushText("title", "body", link=SHOP), {}),
        (SmsText(f"See {SHOP}"), {}),
        (SmsText(f"See {SHOP}"), {"track_texts": True, "is_critical": True}),
        (SmsText("See http://localhost:8000/o/abcdefghijkl"), {"track_texts": True}),
    ],
)
def test_what_is_not_to_be_followed_stays_as_it_is(text: Text, flags: dict[str, bool]) -> None:
    assert sent(text, **flags) == text


def test_opens_and_clicks_are_followed_each_by_its_own_wish() -> None:
    html = f'<a href="{SHOP}">a</a>'
    clicks, opens = sent(mail(html), track_opens=False), sent(mail(html), track_clicks=False)
    assert isinstance(clicks, EmailText)
    assert isinstance(opens, EmailText)
    assert "/c/" in clicks.html
    assert "/e/" not in clicks.html
    assert "/c/" not in opens.html
    assert "/e/" in opens.html


def test_links_of_text_messages_are_followed_where_the_category_says_so() -> None:
    text = sent(SmsText(f"새 신발: {SHOP}. 수신거부 http://localhost:8000/o/abcdefghijkl"), track_texts=True)
    assert isinstance(text, SmsText)
    before, url = text.body.split(". 수신거부")[0].split(": ")
    assert before == "새 신발"
    assert leads(url) == Click(DELIVERY, 0, SHOP)
    assert text.body.endswith("/o/abcdefghijkl")


def test_everybody_gets_links_of_their_own_from_one_text() -> None:
    mould = moulded(mail(f'<a href="{SHOP}">a</a>'), CATEGORY)
    people = [new_id() for _ in range(3)]
    texts = [mould.filled(one, {}) for one in people]
    assert [leads(hrefs(text.html)[0]).delivery_id for text in texts if isinstance(text, EmailText)] == people


def test_the_257th_link_of_an_email_is_followed_too() -> None:
    html = "".join(f'<a href="https://a.example/{number}">x</a>' for number in range(300))
    text = sent(mail(html))
    assert isinstance(text, EmailText)
    clicks = [leads(url) for url in hrefs(text.html)[:-1]]
    assert [click.url for click in clicks] == [f"https://a.example/{number}" for number in range(300)]
    assert clicks[-1].number == 255


# --- rendered once for many --------------------------------------------------------------------------
FOOTER = '<p><a href="{{ unsubscribe_url }}">수신 거부</a> {{preferences_url}}</p>'
DATA = {"name": "지민 & <b>", "url": SHOP, "which": "unsubscribe_url", "show": True}
PARTIALS: Any = {
    "footer": {"kind": "html", "texts": {"ko": FOOTER}},
    "button": {"kind": "html", "texts": {"ko": "{{ url }}"}},
}


def to(person: Subject, content: RawContent) -> tuple[Text, Text | None]:
    """What a person gets if it is rendered for them alone, and what they get from a mould; None where there is none."""
    (channel,) = map(Channel, content)
    compiled = _compiled(json.dumps(content))
    category = replace(CATEGORY, track_texts=True)
    asked = compiled.links_on(channel)
    own = links.urls(asked, person, category.id)
    alone = moulded(compiled.render(channel, "ko", {**DATA, **own}), category)
    if not compiled.writes_links_as_they_are(channel):
        return alone.filled(DELIVERY, own), None
    mould = moulded(compiled.render(channel, "ko", {**DATA, **moulds.marks(asked)}), category)
    return alone.filled(DELIVERY, own), mould.filled(DELIVERY, own) if mould.fits_all else None


@cache
def _compiled(content: str) -> Compiled:
    return compile_content(json.loads(content), PARTIALS)


def email(html: str, text: str = "", subject: str = "세일") -> RawContent:
    said: dict[str, Any] = {"subject": subject, "html": html}
    return {"email": {"ko": {**said, "text": text} if text else said}}


AS_THEY_ARE = {
    "in an attribute": email(FOOTER),
    "in the plain text": email(f"<p>x</p>{FOOTER}", "Hello {{ name }}: {{ unsubscribe_url }}, {{ preferences_url }}."),
    "in the subject": email("<p>x</p>", subject="Leave: {{ unsubscribe_url }}"),
    "if they are there": email(
        "{% if unsubscribe_url %}<a href='{{ unsubscribe_url }}'>x</a>{% else %}none{% endif %}"
    ),
    "unless they are": email("{% unless preferences_url %}none{% else %}{{ preferences_url }}{% endunless %}"),
    "in the middle of an address of ours": email('<a href="{{ unsubscribe_url }}?from=mail#x">x</a>'),
    "in a partial": email("<p>{{ name }}</p>{% include 'footer' %}"),
    "in a loop": email("{% for one in (1..3) %}<a href={{ unsubscribe_url }}>{{ one }}</a>{% endfor %}"),
    "in a case": email("{% case show %}{% when true %}{{ unsubscribe_url }}{% endcase %}"),
    "beside links that are followed": email(
        f'<body><a href="{{{{ url }}}}">a</a>{FOOTER}<a href="{SHOP}">b</a></body>'
    ),
    "in a style, a comment and a title": email(f"<title>{{{{ unsubscribe_url }}}}</title><!-- {FOOTER} -->{FOOTER}"),
    "in a text message": {"sms": {"ko": {"body": "{{ name }} {{ url }} 수신거부 {{ optout_url }}. {{ optout_url }}"}}},
}
REWORKED = {
    "cut": email("{{ unsubscribe_url | truncate: 30 }}"),
    "compared": email("{% if unsubscribe_url contains 'u/a' %}a{% else %}b{% endif %}{{ unsubscribe_url }}"),
    "not there": email("{% if show and unsubscribe_url %}{{ unsubscribe_url }}{% endif %}"),
    "measured": email("{{ unsubscribe_url.size }}{{ unsubscribe_url }}"),
    "under another name": email("{% assign it = unsubscribe_url %}{{ it | upcase }}"),
    "kept and changed": email("{% capture it %}{{ unsubscribe_url }}{% endcapture %}{{ it | upcase }}"),
    "handed to a partial": email("{% render 'button', url: unsubscribe_url %}"),
    "looked up by a name from the data": email("{{ unsubscribe_url }}{{ [which] | upcase }}"),
    "chosen by": email("{% case unsubscribe_url %}{% when 'x' %}a{% else %}{{ unsubscribe_url }}{% endcase %}"),
    "named anew sometimes": email(
        "{{ unsubscribe_url }}{% if 1 == 2 %}{% assign unsubscribe_url = 1 %}{% endif %}{{ unsubscribe_url | upcase }}"
    ),
    "in a link that is followed": email('<a href="https://b.example/?then={{ unsubscribe_url }}">x</a>'),
    "in a link of a text message": {"sms": {"ko": {"body": "https://b.example/?then={{ optout_url }}"}}},
    "in a button": {
        "push": {
            "ko": {
                "title": "t",
                "body": "b",
                "buttons": [{"id": "stop", "label": "그만", "link": "{{ unsubscribe_url }}"}],
            }
        }
    },
}
PEOPLE = st.one_of(
    st.builds(lambda person: Subject(Channel.EMAIL, recipient_id=person), st.uuids()),
    st.builds(lambda number: Subject(Channel.SMS, address=f"+8210{number:08}"), st.integers(0, 99_999_999)),
)


@pytest.mark.parametrize("content", AS_THEY_ARE.values(), ids=AS_THEY_ARE)
@settings(max_examples=20)
@given(PEOPLE)
def test_who_gets_a_text_rendered_once_for_many_gets_what_would_be_rendered_for_them(
    content: RawContent, person: Subject
) -> None:
    alone, from_mould = to(person, content)

    assert from_mould == alone
    assert moulds._SECRET not in str(from_mould)


@pytest.mark.parametrize("content", REWORKED.values(), ids=REWORKED)
def test_a_text_in_which_something_is_done_with_a_persons_own_link_is_rendered_for_each(content: RawContent) -> None:
    alone, from_mould = to(Subject(Channel.EMAIL, recipient_id=new_id()), content)

    assert from_mould is None
    assert moulds._SECRET not in str(alone)
