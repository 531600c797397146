"""What no SMTP can carry is not begun: it would be read as something else, or as commands of whoever wrote it."""

from typing import Any

import msgspec
import pytest

from notifications.providers.contract import Envelope
from notifications.wire.dialogue import Listener, Unfit, check

GOOD = Envelope(
    url="smtp://mail.example:587",
    hello="bongsu.example",
    username="postbote",
    password="geheim",
    sender="hello@bongsu.example",
    recipient="kim@people.example",
    content=b"Subject: hello\r\n\r\n.\r\n",
)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"url": "smtps://[::1]:465"},
        {"url": "smtp://mail.example"},
        {"recipient": "지민@people.example"},
        {"recipient": "", "content": b""},
        {"hello": "[192.0.2.1]"},
    ],
)
def test_what_can_be_carried_passes(changes: dict[str, Any]) -> None:
    check(msgspec.structs.replace(GOOD, **changes))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"recipient": "kim@people.example>\r\nRCPT TO:<spy@people.example"}, "one address"),
        ({"recipient": "kim @people.example"}, "one address"),
        ({"recipient": "kim\0@people.example"}, "one address"),
        ({"sender": ""}, "one address"),
        ({"sender": "<>"}, "one address"),
        ({"hello": "bongsu.example\r\nNOOP"}, "name of a host"),
        ({"hello": ""}, "name of a host"),
        ({"url": "http://127.0.0.1:25"}, "smtp://host:port"),
        ({"url": "smtp://mail.example:587/path"}, "smtp://host:port"),
        ({"url": "smtp://한국.example:587"}, "smtp://host:port"),
        ({"content": b"Subject: a\n\nbare line feeds\n"}, "CRLF"),
        ({"content": b"Subject: a\r\n\r\nhidden end\r\n\n.\r\nMAIL FROM:<a@b.c>\r\n"}, "CRLF"),
        ({"content": b"a\rb\r\n"}, "CRLF"),
        ({"content": b"a\n\rb"}, "CRLF"),
    ],
)
def test_what_cannot_be_carried_is_told(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        check(msgspec.structs.replace(GOOD, **changes))


def heard(*pieces: bytes) -> list[tuple[int, bytes]]:
    listener, replies = Listener(), []
    for piece in pieces:
        listener.hear(piece)
        while reply := listener.reply():
            replies.append((reply.code, reply.lines))
    return replies


@pytest.mark.parametrize(
    ("pieces", "replies"),
    [
        ([b"250 ok\r\n"], [(250, b"250 ok\r\n")]),
        ([b"250-a\r\n25", b"0 b\r\n"], [(250, b"250-a\r\n250 b\r\n")]),
        ([b"250 a\r\n550 b\r\n354 c\r\n"], [(250, b"250 a\r\n"), (550, b"550 b\r\n"), (354, b"354 c\r\n")]),
        ([b"250\r\n"], [(250, b"250\r\n")]),
        ([b"250 ok\n"], [(250, b"250 ok\n")]),
        ([b"250-never ends"], []),
    ],
)
def test_replies_are_cut_out_of_whatever_pieces_arrive(pieces: list[bytes], replies: list[tuple[int, bytes]]) -> None:
    assert heard(*pieces) == replies


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 200 OK\r\n", b"25 ok\r\n", b"150 ok\r\n", b"\r\n", b"\xff\xfe\n", b"250-" + b"x" * 70_000]
)
def test_what_is_no_reply_ends_the_dialogue(said: bytes) -> None:
    with pytest.raises(Unfit):
        heard(said)
