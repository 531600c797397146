"""The demo, as somebody sees it who has just cloned this; and with a provider down."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config import embedded

CHECKOUT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]


def told(run_dir: Path, *options: str) -> str:
    """What the demo prints, as one line; all must have arrived."""
    theirs = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    theirs |= {"BONGSU_RUN_DIR": str(run_dir), "COLUMNS": "200"}
    command = [sys.executable, "-m", "config.demo", "--exit", *options]
    try:
        done = subprocess.run(command, cwd=CHECKOUT, env=theirs, capture_output=True, text=True, check=False)
    finally:
        embedded.remove(run_dir)
    assert done.returncode == 0, done.stdout + done.stderr
    return " ".join(done.stdout.split())


def test_everything_arrives_by_the_first_choices_and_every_rule_is_seen_at_work(tmp_path: Path) -> None:
    page = told(tmp_path)

    assert "attempt 1, by twilio-live" in page
    assert "vonage" not in page
    assert "Everything arrived, once, and every rule was kept." in page
    for rule in (
        "minsu · sms · suppressed",
        "The recipient opted out (of this category).",
        "nara · sms · scheduled",
        "held by quiet hours 21:00-08:00",
        "yuna · sms · suppressed",
        "The recipient has had as many messages as the cap allows (1 of 1 in 24 h, category Weekly picks).",
        "haneul · ios · sent",
        "goes on by sms",
        "haneul · sms · delivered",
        "Nothing was heard of it on the channel before, so it takes this one as well (push).",
    ):
        assert rule in page
    for words in ("B is better than A with", "The guests of the demo open and click by themselves."):
        assert words in page
    assert page.count("digested with 2 others, as ") == 3
    assert "digested 3 gathered under post-1 since " in page


@pytest.mark.parametrize(("down", "instead"), [("twilio", "vonage"), ("sendgrid", "mandrill")])
def test_with_a_provider_down_another_of_its_channel_delivers_and_says_why(
    tmp_path: Path, down: str, instead: str
) -> None:
    page = told(tmp_path, "--down", down)

    assert f"attempt 1, by {down}-live, The provider could not be reached" in page
    assert f"attempt 2, by {instead}-live, because {down}-live had failed" in page
    assert "Everything arrived, once, and every rule was kept." in page
