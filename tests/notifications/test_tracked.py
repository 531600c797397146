"""Links that tell of clicks go where was signed, and nowhere else."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.ids import new_id
from notifications.tracked import BadToken, Click, NotALink, click_token, destination, open_token, read_click, read_open

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
