"""Links that tell of clicks go where was signed, and nowhere else; each person's own, found once."""

from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.ids import new_id
from notifications import tracked
from notifications.tracked import BadToken, Click, NotALink, click_token, destination, open_token, read_click, read_open
from templates_app.catalogue import CategoryFacts
from templates_app.content import EmailText, PushText, SmsText, Text

CATEGORY = CategoryFacts(new_id(), "news", "opt_out", is_critical=False, in_doubt="resend")
DELIVERY = new_id()
SHOP = "https://shop.example/products/12345?utm_source=newsletter&utm_medium=email&utm_campaign=spring"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

visible = st.characters(min_codepoint=33, exclude_categories=["Cs", "Cc", "Z"], exclude_characters="\\")
urls = st.builds(
    lambda scheme, host, path: f"{scheme}{host}/{path}",
    st.sampled_from(["http://", "https://"]),
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?(\.[a-z]{2,5}){1,3}(:[0-9]{1,5})?", fullmatch=True),
    st.text(visible, max_size=300),
)


@given(urls, st.uuids(), st.integers(0, 255))
def test_any_url_arrives_as_it_was(url: str, delivery: Any, number: int) -> None:
    assert read_click(click_token(delivery, number, destination(url))) == Click(delivery, number, url)


@given(st.uuids())
def test_a_picture_knows_its_delivery(delivery: Any) -> None:
    assert read_open(open_token(delivery)) == delivery


@pytest.mark.parametrize(
    ("token", "read"),
    [(click_token(DELIVERY, 3, destination(SHOP)), read_click), (open_token(DELIVERY), read_open)],
    ids=["click", "open"],
)
def test_no_other_token_than_the_signed_one_is_taken(token: str, read: Any) -> None:
    def others() -> Iterator[str]:
        for place in range(len(token)):
            yield from (
                token[:place] + other + token[place + 1 :] for other in ALPHABET + "+/=é" if other != token[place]
            )
            yield token[:place]
            yield token[:place] + token[place + 1 :]
        yield from ("", "=", token + "=", token + "A", token + "\n", " " + token, "A" * 400)

    for other in others():
        with pytest.raises(BadToken):
            read(other)


def test_a_picture_is_no_link_and_a_link_no_picture() -> None:
    with pytest.raises(BadToken):
        read_click(open_token(DELIVERY))
    with pytest.raises(BadToken):
        read_open(click_token(DELIVERY, 0, destination(SHOP)))


def test_links_outlast_the_key_that_signed_them(settings: Settings) -> None:
    link, picture = click_token(DELIVERY, 0, destination(SHOP)), open_token(DELIVERY)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert read_click(link).url == SHOP
    assert read_open(picture) == DELIVERY
    assert click_token(DELIVERY, 0, destination(SHOP)) != link

    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(BadToken):
        read_click(link)


def test_links_of_version_1_can_be_read_for_ever(settings: Settings) -> None:
    """Whoever changes the form, the words or the signature has to read the old ones as well."""
    settings.SECRET_KEY = "of old"
    old = "EgGJAAAAAHAAgAAAAAAAAAEHAwcUNHwQQWxoZGxiSth6bOaBvQgAEYqfe6pRay6kJA"
    assert read_click(old) == Click(UUID("01890000-0000-7000-8000-000000000001"), 7, SHOP)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example", "javascript:alert(1)", "//a.example", "mailto:a@b.example", "", "https://", "https:///x",
        "https://a.example/a b", "https://a.example/\r\nSet-Cookie: a=b", "https://[::1/x", "https://a.example/\ud800",
        f"https://a.example/{'x' * 1500}", f"https://a.example/{'가' * 500}", "https:a.example",
        "https://a.example\\@b.example/",
    ],
)  # fmt: skip
def test_only_addresses_of_web_pages_are_signed(url: str) -> None:
    with pytest.raises(NotALink):
        destination(url)


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
    return tracked.marked(text, replace(CATEGORY, **flags)).of(DELIVERY)


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
    marked = tracked.marked(mail(f'<a href="{SHOP}">a</a>'), CATEGORY)
    people = [new_id() for _ in range(3)]
    texts = [marked.of(one) for one in people]
    assert [leads(hrefs(text.html)[0]).delivery_id for text in texts if isinstance(text, EmailText)] == people


def test_the_257th_link_of_an_email_is_followed_too() -> None:
    html = "".join(f'<a href="https://a.example/{number}">x</a>' for number in range(300))
    text = sent(mail(html))
    assert isinstance(text, EmailText)
    clicks = [leads(url) for url in hrefs(text.html)[:-1]]
    assert [click.url for click in clicks] == [f"https://a.example/{number}" for number in range(300)]
    assert clicks[-1].number == 255
