"""Machines are told from people by what they say they are, and by being too quick."""

import pytest

from tests.tracking.seen import BROWSER
from tracking.machines import hasty, machine

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    "user_agent",
    [
        BROWSER,
        f"{IPHONE} Mobile/15E148",
        f"{IPHONE} Mobile/15E148 KAKAOTALK 10.5.5",
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
        "Mozilla/5.0 (Linux; Android 13; CUBOT P80) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari",
        "okhttp/4.12.0",
    ],
)  # fmt: skip
def test_what_may_be_a_person_is_one(user_agent: str) -> None:
    assert machine(user_agent) == ""


@pytest.mark.parametrize(
    "user_agent",
    [
        "Mozilla/5.0",
        f"{WINDOWS} Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0",
        "",
        "facebookexternalhit/1.1; kakaotalk-scrap/1.0; +https://devtalk.kakao.com/",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "WhatsApp/2.23.20.0",
        "python-requests/2.32.0",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/130.0.0.0 Safari/537.36",
        "BarracudaCentral",
    ],
)  # fmt: skip
def test_what_says_that_it_is_a_machine_is_one(user_agent: str) -> None:
    assert machine(user_agent)


@pytest.mark.parametrize(
    ("seconds", "is_hasty"), [(-1.0, True), (0.5, True), (1.99, True), (2.0, False), (None, False)]
)
def test_nobody_reads_within_two_seconds(seconds: float | None, is_hasty: bool) -> None:
    assert bool(hasty(seconds)) == is_hasty
