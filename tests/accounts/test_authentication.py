"""Who calls: keys, secrets, scopes and limits, as a program meets them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from accounts import authentication
from accounts.authentication import WRONG_SECRETS, KeyUnusable, create_key, revoke, rotate
from accounts.channels import Mode
from accounts.models import AppKey, Application, Scope
from tests.builders import Caller, application, caller, fields_named, person

pytestmark = pytest.mark.django_db

PATH = "/v1/recipients/jimin"


@pytest.fixture(autouse=True)
def jimin() -> None:
    person()


def test_a_key_with_its_secret_is_let_in() -> None:
    assert caller().get(PATH).status_code == 200


def test_a_key_says_its_mode_and_a_secret_is_kept_as_a_digest_only() -> None:
    live, test = (create_key(application(), mode) for mode in (Mode.LIVE, Mode.TEST))

    assert live.key.startswith("bk_live_")
    assert test.key.startswith("bk_test_")
    assert live.secret not in repr(live)
    assert live.secret.encode() not in bytes(AppKey.objects.get(pk=live.key).digest)


HEADERS: list[tuple[str, str]] = [
    ("no header", ""),
    ("another scheme", "Bearer abc"),
    ("no Base64", "Basic %%%"),
    ("not UTF-8", "Basic //8="),
    ("no colon", "Basic YWJj"),
    ("no appKey", "Basic YTpi"),
    ("nothing after Basic", "Basic"),
]


@pytest.mark.parametrize("header", [case[1] for case in HEADERS], ids=[case[0] for case in HEADERS])
def test_who_does_not_say_who_they_are_is_asked_to(header: str) -> None:
    answer = Client(headers={"Authorization": header} if header else {}).get(PATH)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Basic realm="bongsu"'
    assert fields_named(answer) == set()


def refused(who: Caller) -> bool:
    answer = who.get(PATH)
    return bool(answer.status_code == 401 and answer["WWW-Authenticate"].startswith("Basic"))


@pytest.mark.parametrize("secret", ["", "bs_wrong", "비밀", "a:b"])
def test_a_wrong_secret_is_refused(secret: str) -> None:
    assert refused(caller().with_secret(secret))


def test_a_key_that_never_was_is_refused() -> None:
    assert refused(Caller(f"bk_live_{'a' * 20}", "bs_x"))


def test_a_revoked_key_is_refused_and_stays_so() -> None:
    who = caller()
    assert who.get(PATH).status_code == 200

    assert revoke(who.key, timezone.now())

    assert refused(who)
    assert not revoke(who.key, timezone.now())
    with pytest.raises(KeyUnusable):
        rotate(who.key, timezone.now(), timedelta(hours=1))


def test_an_application_that_is_not_active_is_refused() -> None:
    assert refused(caller(is_active=False))


def test_two_secrets_are_valid_while_one_is_rotated() -> None:
    old = caller()

    new = old.with_secret(rotate(old.key, timezone.now(), timedelta(hours=1)).secret)

    assert old.get(PATH).status_code == 200
    assert new.get(PATH).status_code == 200


def test_the_old_secret_ends_with_the_overlap() -> None:
    old = caller()

    new = old.with_secret(rotate(old.key, timezone.now() - timedelta(hours=2), timedelta(hours=1)).secret)

    assert refused(old)
    assert new.get(PATH).status_code == 200


def test_without_an_overlap_the_old_secret_ends_now() -> None:
    old = caller()

    new = old.with_secret(rotate(old.key, timezone.now(), timedelta(0)).secret)

    assert refused(old)
    assert new.get(PATH).status_code == 200


def test_a_second_rotation_ends_the_oldest_secret() -> None:
    first = caller()
    second = first.with_secret(rotate(first.key, timezone.now(), timedelta(hours=1)).secret)

    third = first.with_secret(rotate(first.key, timezone.now(), timedelta(hours=1)).secret)

    assert refused(first)
    assert [who.get(PATH).status_code for who in (second, third)] == [200, 200]


def test_what_is_changed_elsewhere_is_noticed_once_the_memory_of_a_process_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(authentication, "KEY_MEMORY", 0.0)
    who = caller()
    assert who.get(PATH).status_code == 200

    AppKey.objects.filter(pk=who.key).update(revoked_at=timezone.now())

    assert refused(who)


READS = [("get", PATH), ("get", f"{PATH}/devices"), ("get", f"{PATH}/preferences")]
WRITES = [
    ("put", PATH),
    ("patch", PATH),
    ("delete", PATH),
    ("put", f"{PATH}/devices"),
    ("post", f"{PATH}/devices"),
    ("delete", f"{PATH}/devices/00000000-0000-7000-8000-000000000000"),
    ("put", f"{PATH}/preferences"),
    ("patch", f"{PATH}/preferences"),
    ("delete", f"{PATH}/preferences"),
]
TEMPLATES = [("get", "/v1/templates"), ("get", "/v1/templates/welcome")]
NEEDS = [
    (scope, method, path)
    for scope, doors in (
        (Scope.RECIPIENTS_READ, READS),
        (Scope.RECIPIENTS_WRITE, WRITES),
        (Scope.TEMPLATES_READ, TEMPLATES),
    )
    for method, path in doors
]


@pytest.mark.parametrize(("scope", "method", "path"), NEEDS)
def test_every_door_asks_for_its_scope(scope: Scope, method: str, path: str) -> None:
    def knock(scopes: list[str]) -> Any:
        given: tuple[Any, ...] = () if method in ("get", "delete") else ({},)
        return getattr(caller(scopes=scopes), method)(path, *given)

    without = knock([other.value for other in Scope if other != scope])

    assert without.status_code == 403
    assert scope.value in without.json()["detail"]
    assert knock([scope.value]).status_code not in (401, 403)


def test_who_guesses_is_refused_for_a_while_even_with_the_right_secret() -> None:
    right = caller()
    allowed = int(WRONG_SECRETS.partition("/")[0])

    # The window may end once meanwhile, and then counts anew.
    answers: list[Any] = []
    while (not answers or answers[-1].status_code == 401) and len(answers) <= 2 * allowed:
        answers.append(right.with_secret("bs_guess").get(PATH))

    assert len(answers) > allowed
    for limited in (answers[-1], right.get(PATH)):
        assert limited.status_code == 429
        assert 1 <= int(limited["Retry-After"]) <= 60
        assert fields_named(limited) == set()
    assert Caller(right.key, right.secret, address="192.0.2.7").get(PATH).status_code == 200


def test_who_guesses_is_refused_in_every_second_of_the_minute() -> None:
    allowed = int(WRONG_SECRETS.partition("/")[0])
    let_in = []
    for second in range(60):
        with time_machine.travel(datetime(2026, 11, 1, 12, 0, second, tzinfo=UTC), tick=False):
            guesser = caller().with_secret("bs_guess")
            answers = [guesser.get(PATH).status_code for _ in range(allowed + 1)]
        if answers[-1] != 429:
            let_in.append(second)

    assert let_in == []


def test_each_application_has_a_rate_limit_of_its_own() -> None:
    modest, other = caller(rate_limit="2/d"), caller(rate_limit="2/d")

    answers = [modest.get(PATH) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2]["Retry-After"]) > 0
    assert answers[2]["Content-Type"] == "application/problem+json"
    assert other.get(PATH).status_code == 200


def test_the_keys_of_one_application_share_its_limit() -> None:
    owner = application(rate_limit="2/d")
    keys = [create_key(owner, Mode.LIVE), create_key(owner, Mode.TEST)]
    callers = [Caller(new.key, new.secret) for new in keys]

    assert [callers[turn % 2].get(PATH).status_code for turn in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("rate_limit", ["0/s", "10", "10/y", "ten/s", "10/s ", ""])
def test_a_rate_limit_has_one_form(rate_limit: str) -> None:
    with pytest.raises(ValidationError):
        Application(name="x", rate_limit=rate_limit).full_clean()
