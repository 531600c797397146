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


def test_everything_arrives_by_the_first_choices(tmp_path: Path) -> None:
    page = told(tmp_path)

    assert "attempt 1, by twilio-live" in page
    assert "vonage" not in page
    assert "Everything arrived, once." in page
    assert page.count("digested with 2 others, as ") == 3
    assert "digested 3 gathered under post-1 since " in page


@pytest.mark.parametrize(("down", "instead"), [("twilio", "vonage"), ("sendgrid", "mandrill")])
def test_with_a_provider_down_another_of_its_channel_delivers_and_says_why(
    tmp_path: Path, down: str, instead: str
) -> None:
    page = told(tmp_path, "--down", down)

    assert f"attempt 1, by {down}-live, The provider could not be reached" in page
    assert f"attempt 2, by {instead}-live, because {down}-live had failed" in page
    assert "Everything arrived, once." in page
