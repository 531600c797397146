"""The starter templates hold up: every channel in both languages, valid HTML, known mail programs, and no spam."""

import json
import re
import subprocess
from collections.abc import Iterator
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import Element

import html5lib
import pytest

from accounts.channels import Channel
from templates_app.content import PUSH_PAYLOAD_LIMIT, EmailText, PushText, payload_size
from templates_app.files import checking, reading
from templates_app.gathered import completed
from templates_app.rendering import compile_content
from templates_app.starter import STARTERS
from templates_app.variables import LINK_STAND_INS
from tests.needs import may_do_without

NAMES: Final = sorted(folder.parent.name for folder in STARTERS.glob("*/template.json"))
LOCALES: Final = ("ko", "en")
EMAILS: Final = [(name, locale) for name in NAMES for locale in LOCALES]

#: What some mail program lacks, and why the emails are right without it. Titles of caniemail.com.
DOES_WITHOUT: Final = {
    # Gmail in a phone's browser, and with other providers' addresses, takes style attributes alone
    "<style> element": "colours, sizes and distances are in the elements too",
    "Class selector": "for the dark and for columns alone",
    "Descendant combinator": "for the dark and for columns alone",
    "ID selector": "of MJML, for old versions of Outlook on the web",
    "@media": "columns have a width of their own, or get one from conditional comments",
    "@media (prefers-color-scheme)": "Gmail makes its own dark colours, and Outlook for Windows stays light",
    "color-scheme CSS property": "mail programs that do not know it choose colours by themselves",
    "color-scheme meta tag": "mail programs that do not know it choose colours by themselves",
    "<body> element": "the page's colour is on an element inside too",
    "border-radius": "corners are square",
    "cursor": "the usual one for a link is shown",
    "display:none": "the preheader is hidden by its size too",
    "max-height property": "the preheader is hidden from Outlook by mso-hide",
    "opacity": "the preheader is hidden by its size, or by mso-hide",
    "outline": "for images, of which there are none",
    "overflow": "the preheader is hidden from Outlook by mso-hide",
    "target attribute": "links open as the mail program likes",
    "word-spacing": "set to what is usual",
}


@cache
def folder() -> reading.Folder:
    found = reading.read(STARTERS)
    assert found.mistakes == []
    return found


@cache
def said(name: str, locale: str, channel: Channel = Channel.EMAIL) -> Any:
    entry = folder().entries[name]
    partials = {part.name: checking.as_partial(part) for part in folder().parts.values()}
    data = {**completed(entry.sample), **LINK_STAND_INS}
    return compile_content(entry.content, partials).render(channel, locale, data)


def test_there_are_ten() -> None:
    assert NAMES == [
        "one-time-code", "order-shipped", "password-reset", "payment-failed", "price-drop", "restock", "review-request",
        "security-alert", "weekly-digest", "welcome",
    ]  # fmt: skip


@pytest.mark.django_db
def test_none_of_them_has_a_mistake() -> None:
    found = reading.read(STARTERS)

    checking.check(found)

    assert found.mistakes == []


@pytest.mark.parametrize("name", NAMES)
def test_each_speaks_both_languages_on_every_channel(name: str) -> None:
    assert {channel: sorted(texts) for channel, texts in folder().entries[name].content.items()} == {
        channel.value: sorted(LOCALES) for channel in Channel
    }
    for locale in LOCALES:
        push = said(name, locale, Channel.PUSH)
        assert isinstance(push, PushText)
        assert payload_size(push) < PUSH_PAYLOAD_LIMIT


@pytest.mark.parametrize("name", NAMES)
def test_what_people_can_opt_out_of_says_how(name: str) -> None:
    entry = folder().entries[name]
    category = folder().categories[entry.about["category"]]
    for locale in LOCALES:
        email = said(name, locale)
        offers = LINK_STAND_INS["unsubscribe_url"] in email.html and LINK_STAND_INS["unsubscribe_url"] in email.text
        assert offers == (not category.get("is_critical", False))
        if category["consent"] == "opt_in":
            assert LINK_STAND_INS["optout_url"] in said(name, locale, Channel.SMS).body


@pytest.mark.parametrize(("name", "locale"), EMAILS)
def test_emails_are_valid_html_in_their_language(name: str, locale: str) -> None:
    email = said(name, locale)

    tree = parsed(email.html)

    assert (tree.get("lang"), tree.findtext("head/title")) == (locale, email.subject)
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert len(list(tree.iter("h1"))) == 1
    assert all((link.get("href") or "").startswith("https://") for link in tree.iter("a"))


@pytest.mark.parametrize(("name", "locale"), EMAILS)
def test_emails_fetch_nothing_and_are_not_cut(name: str, locale: str) -> None:
    html = said(name, locale).html

    assert not re.search(r"<(?:img|link|script|iframe)\b|@import|@font-face|url\(", html)
    assert len(html.encode()) < 102 * 1024  # where Gmail cuts


@pytest.mark.parametrize("name", NAMES)
def test_emails_have_colours_for_the_dark(name: str) -> None:
    html = said(name, "ko").html

    assert '<meta name="color-scheme" content="light dark">' in html
    assert "@media (prefers-color-scheme: dark)" in html
    # whatever words have a colour of their own in the light have one in the dark
    for cell in parsed(html).iter("td"):
        if any(";color:" in (inner.get("style") or "") for inner in cell.findall("div")):
            assert (cell.get("class") or "") in {"words", "quiet", "head", "code"}


@pytest.mark.parametrize(("name", "locale"), EMAILS)
def test_gmail_outlook_and_apple_mail_show_what_is_used(name: str, locale: str) -> None:
    features = json.loads((Path(__file__).parent / "caniemail" / "features.json").read_text())["features"]
    lacking = {
        title: [client for client, answer in features[title].items() if answer == "n"]
        for title in set(_used(said(name, locale).html))
        if title in features and title not in DOES_WITHOUT
    }

    assert {title: clients for title, clients in lacking.items() if clients} == {}


def test_nothing_is_excused_that_every_mail_program_shows_or_no_starter_uses() -> None:
    features = json.loads((Path(__file__).parent / "caniemail" / "features.json").read_text())["features"]
    used = {title for name, locale in EMAILS for title in _used(said(name, locale).html)}

    assert [title for title in DOES_WITHOUT if title not in used or "n" not in features[title].values()] == []


def parsed(html: str) -> Element:
    """Raises for the first thing that HTML does not allow."""
    root: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)
    return root


def _used(html: str) -> Iterator[str]:
    """The features of an email as caniemail.com titles them."""
    tree = parsed(html)
    styles = [sheet.text or "" for sheet in tree.iter("style")]
    for element in tree.iter():
        if callable(element.tag):  # a comment
            continue
        yield from (f"<{element.tag}> element", f"<{element.tag}>")
        if re.fullmatch("h[1-6]", element.tag):
            yield "<h1> to <h6> elements"
        yield from (f"{name} attribute" for name in element.attrib)
        if element.get("name") == "color-scheme":
            yield "color-scheme meta tag"
        styles.append("x{" + element.get("style", "") + "}")
    for sheet in styles:
        yield from _used_by_css(sheet)


def _used_by_css(sheet: str) -> Iterator[str]:
    for rule, condition in re.findall(r"(@[a-z-]+)\s*([^{;]*)", sheet):
        yield rule
        yield from (f"{rule} {feature})" for feature in re.findall(r"\([a-z-]+", condition))
    for name, value in re.findall(r"(?:^|[{;])\s*([a-z-]+)\s*:\s*([^;{}]+)", sheet):
        yield from (name, f"{name} property", f"{name} CSS property", f"{name}:{value.strip()}")
        yield from (f"{unit} unit" for unit in re.findall(r"\d(px|em|rem|%|vw|vh|pt)\b", value))
        yield from (f"{function}()" for function in re.findall(r"([a-z-]+)\(", value))
        if "!important" in value:
            yield "!important keyword"
    for selector in re.findall(r"(?:^|[{};,])\s*([^{};,@]+?)\s*(?=[{,])", sheet):
        yield from (title for title, sign in _SELECTORS.items() if re.search(sign, selector))


_SELECTORS: Final = {
    "Class selector": r"\.[a-z]",
    "ID selector": r"#[a-z]",
    "Descendant combinator": r"[a-z] [a-z.]",
    "Child combinator": ">",
    "Attribute selector": r"\[",
    "Universal selector *": r"\*",
    ":root": ":root",
    ":hover": ":hover",
}


@pytest.mark.skipif(may_do_without("spamassassin"), reason="needs Debian's spamassassin, which is not installed")
@pytest.mark.parametrize(("name", "locale"), EMAILS)
def test_spamassassin_takes_them_for_ham(name: str, locale: str) -> None:
    """By its local rules: what it would ask of the network concerns who sends."""
    email: EmailText = said(name, locale)
    message = EmailMessage()
    message["From"] = "Bongsu Shop <news@shop.example.com>"
    message["To"] = "jimin@mail.example.org"
    message["Subject"] = email.subject
    message["Date"] = "Wed, 25 Nov 2026 05:00:00 +0000"
    message["Message-ID"] = f"<{name}.{locale}@shop.example.com>"
    message.set_content(email.text)
    message.add_alternative(email.html, subtype="html")

    answer = subprocess.run(
        ["spamassassin", "-L", "-t"], input=message.as_bytes(), capture_output=True, check=False, timeout=60
    ).stdout.decode(errors="replace")

    score = re.search(r"X-Spam-Status: (\w+), score=(-?[\d.]+)", answer)
    assert score is not None, answer[:2000]
    # spam begins at 5; advertising of real senders is seldom below 2
    assert score[1] == "No", answer
    assert float(score[2]) < 2, answer
