"""The inbox shows what people saw: every accepted message, and nothing that could do harm."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.sandbox.world import Ask, Running, Said


def get(sandbox: Running, path: str) -> Said:
    return sandbox.send(Ask(f"{sandbox.url}/{path}", method="GET"))


def shown(sandbox: Running, after: object = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(sandbox, f"inbox/messages?after={after}").json()["messages"]
    return found


@pytest.mark.parametrize("path", ["", "inbox", "inbox/inbox.css", "inbox/inbox.js", "inbox/messages", "elsewhere"])
def test_no_answer_lets_a_message_run_code(sandbox: Running, path: str) -> None:
    said = get(sandbox, path)
    assert said.status == (404 if path == "elsewhere" else 200)
    assert "script-src 'self';" in said.headers["content-security-policy"]
    assert said.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("provider", "kind", "seen"),
    [
        ("apns", "ios", {"title": "재입고", "body": "안녕하세요", "html": ""}),
        ("fcm", "android", {"title": "재입고", "body": "안녕하세요", "html": ""}),
        ("twilio", "sms", {"title": "", "body": "안녕하세요", "html": ""}),
        ("sendgrid", "email", {"title": "재입고", "body": "안녕하세요", "html": "<p>안녕하세요"}),
        ("mandrill", "email", {"title": "재입고", "body": "안녕하세요", "html": "<p>안녕하세요"}),
        ("vonage", "sms", {"title": "", "body": "안녕하세요", "html": ""}),
        ("jpush", "android", {"title": "재입고", "body": "안녕하세요", "html": ""}),
        ("pushy", "android", {"title": "재입고", "body": "안녕하세요", "html": ""}),
        ("webpush", "desktop", {"title": "재입고", "body": "안녕하세요", "html": ""}),
    ],
)
def test_a_message_looks_as_its_reader_sees_it(
    sandbox: Running, provider: str, kind: str, seen: dict[str, str]
) -> None:
    delivery_id = str(uuid4())
    sandbox.send(sandbox.asks(delivery_id)[provider])
    [message] = shown(sandbox)
    assert (message["kind"], message["provider"], message["delivery_id"]) == (kind, provider, delivery_id)
    assert {name: message[name] for name in seen} == seen


def test_a_push_shows_its_picture_and_its_link(sandbox: Running) -> None:
    own = {"link": "app://item/1", "image": "https://x.example/i.png"}
    sandbox.send(sandbox.apns(payload={"aps": {"alert": "Only a body"}, **own}))
    sandbox.send(sandbox.fcm(notification={"title": "t", "image": own["image"]}, data={"link": own["link"]}))
    assert [(message["link"], message["image"]) for message in shown(sandbox)] == [(own["link"], own["image"])] * 2


def test_a_refused_message_was_seen_by_nobody(sandbox: Running) -> None:
    sandbox.send(sandbox.apns("dead0410" + "ab" * 28))
    assert shown(sandbox) == []


def test_only_what_is_new_comes_again(sandbox: Running) -> None:
    sandbox.send(sandbox.twilio(Body="first"))
    [first] = shown(sandbox)
    sandbox.send(sandbox.twilio(Body="second"))
    assert [message["body"] for message in shown(sandbox)] == ["second", "first"]
    assert [message["body"] for message in shown(sandbox, first["number"])] == ["second"]


def test_what_came_before_the_newest_is_told_page_by_page(sandbox: Running) -> None:
    for body in ("first", "second", "third"):
        sandbox.send(sandbox.twilio(Body=body))
    [third, second, first] = shown(sandbox)
    assert [one["body"] for one in shown(sandbox, f"0&before={third['number']}")] == ["second", "first"]
    assert [one["body"] for one in shown(sandbox, f"{first['number']}&before={third['number']}")] == [second["body"]]


def test_many_messages_of_one_provider_hide_none_of_another(sandbox: Running) -> None:
    sandbox.send(sandbox.apns())
    for _ in range(201):
        sandbox.send(sandbox.twilio())
    assert {one["provider"] for one in shown(sandbox)} == {"twilio"}
    assert [one["provider"] for one in shown(sandbox, "0&each=provider")] == ["twilio"] * 200 + ["apns"]


def test_a_page_learns_that_the_record_was_deleted(sandbox: Running) -> None:
    before = get(sandbox, "inbox/messages").json()["memory"]
    assert get(sandbox, "inbox/messages").json()["memory"] == before
    sandbox.admin("DELETE", "record")
    assert get(sandbox, "inbox/messages").json()["memory"] != before


@pytest.mark.parametrize("after", ["", "-1", "x", "9" * 6000, "%D9%A3", "1&after=2"])
def test_a_strange_question_is_answered_all_the_same(sandbox: Running, after: str) -> None:
    said = get(sandbox, f"inbox/messages?after={after}")
    assert said.status == 200
    assert "messages" in json.loads(said.body)
