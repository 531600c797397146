"""`manage.py application`: keys for those who have no browser at hand."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AppKey, Application
from tests.builders import Caller, person

pytestmark = pytest.mark.django_db

PATH = "/v1/recipients/jimin"


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("application", *words, stdout=out)
    return out.getvalue()


def shown(*words: str) -> Caller:
    new = json.loads(run(*words))
    return Caller(new["key"], new["secret"])


def test_create_makes_an_application_and_a_key_that_works() -> None:
    person()

    new = shown("create", "shop", "--rate-limit", "7/s")

    assert new.get(PATH).status_code == 200
    shop = Application.objects.get()
    assert (shop.name, shop.rate_limit) == ("shop", "7/s")
    assert new.key.startswith("bk_live_")


def test_create_again_adds_a_key_to_the_same_application() -> None:
    run("create", "shop", "--rate-limit", "7/s")

    assert shown("create", "shop", "--test").key.startswith("bk_test_")

    assert Application.objects.get().rate_limit == "7/s"
    assert AppKey.objects.count() == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("create", "shop", "--rate-limit", "fast"), "a number, a slash"),
        (("create", ""), "blank"),
        (("create", "x" * 101), "at most 100"),
        (("rotate", "bk_live_nobody"), "does not exist"),
        (("rotate", "bk_live_nobody", "--overlap-hours", "nan"), "hours"),
        (("rotate", "bk_live_nobody", "--overlap-hours", "-1"), "hours"),
        (("rotate", "bk_live_nobody", "--overlap-hours", "1e300"), "hours"),
        (("revoke", "bk_live_nobody"), "does not exist"),
        (("delete", "shop"), "invalid choice"),
        ((), "verb"),
    ],
)
def test_what_cannot_be_done_is_said(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*words)

    assert not AppKey.objects.exists()


def test_rotate_shows_a_new_secret_and_the_old_one_stays_valid_for_a_while() -> None:
    person()
    old = shown("create", "shop")

    new = shown("rotate", old.key)

    assert (new.key, new.secret != old.secret) == (old.key, True)
    assert [who.get(PATH).status_code for who in (old, new)] == [200, 200]


def test_rotate_without_overlap_ends_the_old_secret() -> None:
    person()
    old = shown("create", "shop")

    new = shown("rotate", old.key, "--overlap-hours", "0")

    assert [who.get(PATH).status_code for who in (old, new)] == [401, 200]


def test_revoke_ends_a_key_once() -> None:
    person()
    key = shown("create", "shop")

    assert run("revoke", key.key) == "Revoked.\n"

    assert key.get(PATH).status_code == 401
    for verb in ("revoke", "rotate"):
        with pytest.raises(CommandError, match="revoked"):
            run(verb, key.key)
