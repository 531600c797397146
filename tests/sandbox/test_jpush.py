"""The sandbox refuses what JPush refuses, sends once under a cid, and our adapter understands it."""

import json
import time
from typing import Any
from uuid import UUID, uuid4

import pytest

from notifications.providers.contract import (
    Accepted,
    Account,
    AddressDead,
    ContentBad,
    CredentialBad,
    NoFunds,
    Outcome,
    Response,
    Throttled,
    Transient,
)
from notifications.providers.jpush.numbers import JpushNumbers
from notifications.providers.jpush.send import CODES, Jpush
from sandbox.exchange import Answer, Call
from sandbox.keys import Keys
from sandbox.providers.jpush import Jpush as Simulator
from templates_app.content import PushText
from tests.providers.examples import message
from tests.sandbox.world import REGISTRATION_ID, Ask, Running, Said

DAY = 86_400


def code(said: Said) -> int:
    """The code of a refusal."""
    found: int = said.json()["error"]["code"]
    return found


def android(**changes: Any) -> dict[str, Any]:
    return {"notification": {"android": {"alert": "안녕하세요"} | changes}}


def test_a_good_push_is_answered_with_an_id_and_what_is_left_of_the_quota(sandbox: Running) -> None:
    said = sandbox.send(sandbox.jpush())
    assert (said.status, said.http_version) == (200, "2")
    assert said.json()["sendno"] == "0"
    assert said.json()["msg_id"].isdecimal()
    assert [said.headers[f"x-rate-limit-{name}"] for name in ("quota", "remaining")] == ["600", "599"]
    assert 1 <= int(said.headers["x-rate-limit-reset"]) <= 60


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"platform": None}, 1003),
        ({"platform": []}, 1003),
        ({"platform": ["symbian"]}, 1003),
        ({"audience": {}}, 1002),
        ({"audience": {"registration_id": []}}, 1002),
        ({"audience": {"registration_id": [""]}}, 1003),
        ({"audience": {"registration_id": ["short"]}}, 1003),
        ({"audience": {"registration_id": [f"{REGISTRATION_ID}0"]}}, 1003),
        ({"audience": {"registration_id": REGISTRATION_ID}}, 1003),
        ({"audience": {"registration_id": [REGISTRATION_ID] * 1001}}, 1003),
        ({"audience": {"registration_ids": [REGISTRATION_ID]}}, 1009),
        # an iPhone, by its third digit
        ({"audience": {"registration_id": [f"1a1{REGISTRATION_ID[3:]}"]}}, 1011),
        ({"notification": None}, 1002),
        ({"notification": {"android": {}}}, 1002),
        (android(aler="x"), 1009),
        (android(priority=3), 1003),
        (android(style=4), 1003),
        (android(intent={}), 1002),
        (android(extras="x"), 1003),
        (android(alert="가" * 1400), 1005),
        ({"message": {"title": "x"}}, 1002),
        ({"options": {"time_to_live": 259_201}}, 1003),
        ({"options": {"time_to_live": "3600"}}, 1003),
        ({"options": {"ttl": 3600}}, 1009),
        ({"options": {"sendno": 0}}, 1003),
        ({"options": {"override_msg_id": 1}}, 1003),
        ({"notifcation": {}}, 1009),
        ({"cid": 7}, 1003),
    ],
)
def test_a_bad_push_is_refused_with_its_code(sandbox: Running, changes: dict[str, Any], expected: int) -> None:
    said = sandbox.send(sandbox.jpush(**changes))
    assert (said.status, code(said)) == (400, expected), said.body


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 10_000, b"[]", b"7"])
def test_what_is_no_object_is_refused(sandbox: Running, body: bytes) -> None:
    said = sandbox.send(sandbox.jpush().but(body=body))
    assert (said.status, code(said)) == (400, 1003)


def test_a_required_key_that_is_absent_is_missing(sandbox: Running) -> None:
    whole = json.loads(sandbox.jpush().body)
    for name in ("platform", "audience", "notification"):
        rest = {key: value for key, value in whole.items() if key != name}
        assert code(sandbox.send(sandbox.jpush().but(body=json.dumps(rest).encode()))) == 1002


def test_only_the_apps_own_secret_opens(sandbox: Running) -> None:
    ask = sandbox.jpush()
    for given in (None, "Basic eDp5", "Bearer x", ask.headers["authorization"] + "="):
        said = sandbox.send(ask.with_headers(authorization=given))
        assert (said.status, code(said)) == (401, 1004)


def test_only_what_exists_is_answered(sandbox: Running) -> None:
    ask = sandbox.jpush()
    got = sandbox.send(ask.but(method="GET", body=b""))
    assert (got.status, code(got)) == (405, 1001)
    assert sandbox.send(ask.but(url=ask.url.replace("/v3/push", "/v2/push"))).status == 404


def test_a_dry_run_is_answered_and_not_recorded(sandbox: Running) -> None:
    delivery_id = str(uuid4())
    ask = sandbox.jpush(delivery_id)
    assert sandbox.send(ask.but(url=f"{ask.url}/validate")).status == 200
    assert sandbox.admin("GET", f"record/{delivery_id}").status == 404


def test_each_device_of_an_audience_is_a_message(sandbox: Running) -> None:
    delivery_id = str(uuid4())
    devices = [REGISTRATION_ID, f"1a0{'7' * 16}"]
    sandbox.send(sandbox.jpush(delivery_id, audience={"registration_id": devices}))
    assert [attempt["address"] for attempt in sandbox.row(delivery_id)["attempts"]] == devices


# --- cids --------------------------------------------------------------------------------------------
def test_cids_are_this_apps_and_no_two_are_alike(sandbox: Running) -> None:
    found = sandbox.cids(10) + sandbox.cids(10)
    assert len(set(found)) == 20
    app_key = sandbox.credentials["jpush"]["app_key"]
    for cid in found:
        own, _, uuid = cid.partition("-")
        assert (own, str(UUID(uuid))) == (app_key, uuid)


@pytest.mark.parametrize(
    ("query", "count"), [("", 1), ("?count=3", 3), ("?count=11&type=push", 10), ("?count=1000", 10)]
)
def test_who_does_not_pay_gets_ten_cids_at_a_time(sandbox: Running, query: str, count: int) -> None:
    assert len(sandbox.send(sandbox.jiguang(f"/v3/push/cid{query}")).json()["cidlist"]) == count


@pytest.mark.parametrize("query", ["?count=0", "?count=1001", "?count=x", "?count=", "?type=sms", "?cuont=3"])
def test_a_bad_question_for_cids_is_refused(sandbox: Running, query: str) -> None:
    said = sandbox.send(sandbox.jiguang(f"/v3/push/cid{query}"))
    assert (said.status, code(said)) == (400, 1003)


def test_under_one_cid_a_message_is_sent_once_and_the_first_result_comes_again(sandbox: Running) -> None:
    delivery_id, [cid] = str(uuid4()), sandbox.cids()
    first, second = (sandbox.send(sandbox.jpush(delivery_id, cid=cid)) for _ in range(2))
    assert first.status == second.status == 200
    assert first.json() == second.json()
    assert sandbox.row(delivery_id)["accepted"] == 1


def test_a_push_whose_answer_was_lost_is_not_sent_again_under_its_cid(sandbox: Running) -> None:
    delivery_id, [cid] = str(uuid4()), sandbox.cids()
    sandbox.admin("PUT", "faults/jpush", {"mode": "reset_after_body", "remaining": 1})
    assert sandbox.send(sandbox.jpush(delivery_id, cid=cid)).error
    assert sandbox.send(sandbox.jpush(delivery_id, cid=cid)).status == 200
    assert sandbox.row(delivery_id)["accepted"] == 1


@pytest.mark.parametrize("fault", [{"mode": "reset"}, {"status": 503}])
def test_a_push_that_was_not_taken_leaves_its_cid_unused(sandbox: Running, fault: dict[str, object]) -> None:
    delivery_id, [cid] = str(uuid4()), sandbox.cids()
    sandbox.admin("PUT", "faults/jpush", fault | {"remaining": 1})
    sandbox.send(sandbox.jpush(delivery_id, cid=cid))
    sandbox.send(sandbox.jpush(delivery_id, cid=cid))
    row = sandbox.row(delivery_id)
    assert (row["accepted"], row["refused"]) == (1, 1)


def test_a_cid_that_was_not_handed_out_is_refused(sandbox: Running) -> None:
    app_key, [cid] = sandbox.credentials["jpush"]["app_key"], sandbox.cids()
    other = "0" if cid[-1] != "0" else "1"
    for bad in (f"{app_key}-{uuid4()}", cid[:-1] + other, cid.replace(app_key, "f" * 24), "x"):
        said = sandbox.send(sandbox.jpush(cid=bad))
        assert (said.status, code(said)) == (400, 1003)
        assert "cid" in said.json()["error"]["message"]


class Headers:
    """The headers of a simulator that is asked without a server."""

    def __init__(self, ask: Ask) -> None:
        self._named = ask.headers

    def get(self, key: str, default: Any = None) -> Any:
        return self._named.get(key, default)


def asked(simulator: Simulator, ask: Ask, at: float) -> Answer:
    """What the simulator would answer at that moment; what it takes is kept."""
    path, _, query = ask.url.partition("/jpush")[2].partition("?")
    call = Call(ask.method, path, Headers(ask), ask.body, at, query=query)
    answer = simulator.answer(call)
    if not answer.refused:
        simulator.keep(call, answer)
    return answer


def test_a_cid_is_good_for_a_day_and_outlives_a_restart(sandbox: Running) -> None:
    keys, now = Keys.ensure(sandbox.folder / "sandbox" / "keys.json"), time.time()
    given = asked(Simulator(keys), sandbox.jiguang("/v3/push/cid?count=2"), now)
    early, late = json.loads(given.body)["cidlist"]
    again = Simulator(keys)
    assert asked(again, sandbox.jpush(cid=early), now + DAY - 2).refused == ""
    assert asked(again, sandbox.jpush(cid=late), now + DAY + 2).refused == "400 1003"
    assert asked(again, sandbox.jpush(cid=early), now + DAY + 2).refused == "400 1003"


# --- fates, and what our adapter makes of them --------------------------------------------------------
def jpush(sandbox: Running) -> Account:
    given = sandbox.credentials["jpush"]
    credentials = {name: given[name] for name in ("app_key", "master_secret")}
    return Account("jpush", given["endpoint"], credentials)


def sent(sandbox: Running, device: str = REGISTRATION_ID, **overrides: Any) -> Outcome:
    """What our adapter makes of the sandbox's answer."""
    request = Jpush().compose(message(PushText("재입고", "안녕하세요"), device, **overrides), jpush(sandbox), None)
    said = sandbox.send(Ask(request.url, request.headers, request.body))
    return Jpush().interpret(Response(said.status, said.headers, said.body))


@pytest.mark.parametrize("code", CODES)
def test_every_code_can_be_ordered_by_a_device(sandbox: Running, code: int) -> None:
    outcome = sent(sandbox, f"1a0dead{code}00000000")
    verdict, _ = CODES[code]
    assert type(outcome) is verdict
    assert outcome.detail.startswith(str(code))  # type: ignore[union-attr]


def test_what_our_adapter_sends_is_taken(sandbox: Running) -> None:
    delivery_id = uuid4()
    numbers = JpushNumbers()
    ask = numbers.ask(jpush(sandbox), 2)
    said = sandbox.send(Ask(ask.url, ask.headers, ask.body, ask.method))
    first, second = numbers.read(Response(said.status, said.headers, said.body))  # type: ignore[misc]
    rich: dict[str, Any] = {"delivery_id": delivery_id, "data": {"item": "1"}}
    assert isinstance(sent(sandbox, number=first, **rich), Accepted)
    assert sent(sandbox, number=first, **rich) == sent(sandbox, number=first, **rich)
    assert isinstance(sent(sandbox, number=second, delivery_id=uuid4()), Accepted)
    assert sandbox.row(str(delivery_id))["accepted"] == 1


def test_our_adapter_knows_a_device_and_a_cid_that_are_none(sandbox: Running) -> None:
    assert isinstance(sent(sandbox, "x" * 19), AddressDead)
    unknown = sent(sandbox, number=f"{jpush(sandbox).credentials['app_key']}-{uuid4()}")
    assert isinstance(unknown, Transient)
    assert unknown.stale_number


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        ({"status": 429, "retry_after": 17}, Throttled),
        ({"status": 503}, Transient),
        ({"status": 500}, Transient),
        ({"status": 401}, CredentialBad),
        ({"status": 400}, ContentBad),
        ({"status": 403, "reason": "2005"}, NoFunds),
    ],
)
def test_a_fault_is_understood(sandbox: Running, fault: dict[str, Any], meaning: type[Outcome]) -> None:
    sandbox.admin("PUT", "faults/jpush", fault)
    outcome = sent(sandbox)
    assert type(outcome) is meaning
    if isinstance(outcome, Throttled):
        assert outcome.retry_after == 17
