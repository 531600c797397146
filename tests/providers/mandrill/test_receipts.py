import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from notifications.providers.contract import Account, Callback, Forged, Receipt
from notifications.providers.mandrill.receipts import EVENTS, MandrillReceipts
from notifications.providers.mandrill.send import REJECTIONS
from notifications.vocabulary import ReceiptKind
from tests.providers.examples import AT, DELIVERY, HOSTILE_BODIES, LINKS

URL = "https://bongsu.test/v1/webhooks/mail"
KEY = "webhook-key-22-letters"
ACCOUNT = Account("mail", "https://mandrill.test", {"webhook_key": KEY})


def signature(url: str = URL, key: str = KEY, **form: str) -> str:
    """As Mandrill's guide has it: base64 of HMAC-SHA1 over the URL and the sorted names and values."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    return b64encode(hmac.digest(key.encode(), signed.encode(), "sha1")).decode()


def callback(body: bytes, signed: str = "", url: str = URL) -> Callback:
    return Callback(url, {"x-mandrill-signature": signed}, body, AT)


def form(**fields: str) -> bytes:
    return urlencode(fields).encode()


def event(kind: str, **more: Any) -> dict[str, Any]:
    """An event of a message as Mandrill's own examples show one."""
    message = {
        "ts": 1763899100,
        "subject": "재입고",
        "email": "kim@x.example",
        "sender": "hello@bongsu.example",
        "tags": [],
        "opens": [],
        "clicks": [],
        "state": "sent",
        "metadata": {"bongsu_delivery_id": str(DELIVERY)},
        "_id": "abc",
        "_version": "v",
    }
    return {"event": kind, "_id": "abc", "ts": 1763899200, "msg": message | more}


def parse(*events: object) -> list[Receipt]:
    return list(MandrillReceipts().parse(callback(form(mandrill_events=json.dumps(events)))))


# --- who says it -------------------------------------------------------------------------------------
@pytest.mark.parametrize("events", ["[]", json.dumps([event("open")]), json.dumps([{"a": "서명 & = + %"}])])
@pytest.mark.parametrize("url", [URL, URL + "?a=b&c=d", "https://bongsu.test:8443/v1/webhooks/mail"])
def test_a_call_that_mandrill_signed_is_genuine(events: str, url: str) -> None:
    body = form(mandrill_events=events)
    MandrillReceipts().verify(callback(body, signature(url, mandrill_events=events), url), ACCOUNT)


def test_every_field_is_signed_in_the_order_of_the_names() -> None:
    body = form(z="last", mandrill_events="[]", a="", M="capitals first")
    signed = signature(z="last", mandrill_events="[]", a="", M="capitals first")
    MandrillReceipts().verify(callback(body, signed), ACCOUNT)


BODY = form(mandrill_events="[]")
RIGHT = signature(mandrill_events="[]")


@pytest.mark.parametrize(
    "forged",
    [
        callback(BODY),
        callback(BODY, "nonsense"),
        callback(BODY, "서명"),
        callback(BODY, signature(key="another", mandrill_events="[]")),
        callback(BODY, RIGHT.lower()),
        callback(BODY, RIGHT, URL + "/"),
        callback(BODY, RIGHT, URL.replace("https", "http")),
        callback(BODY, RIGHT, URL + "?a=b"),
        callback(form(mandrill_events="[ ]"), RIGHT),
        callback(form(mandrill_events="[]", more="x"), RIGHT),
        callback(b"[]", RIGHT),
        callback(b"", RIGHT),
        callback(b"\xff\xfe", RIGHT),
        callback(b"mandrill_events=%ff", RIGHT),
        callback(b"a=b&" * 1000, RIGHT),
        Callback(URL, {}, BODY, AT),
    ],
)
def test_a_call_with_a_wrong_signature_or_a_changed_body_or_address_is_forged(forged: Callback) -> None:
    with pytest.raises(Forged) as refusal:
        MandrillReceipts().verify(forged, ACCOUNT)
    assert KEY not in str(refusal.value)


@pytest.mark.parametrize("key", ["", "열쇠"])
def test_an_account_without_a_usable_key_takes_no_calls(key: str) -> None:
    with pytest.raises(Forged, match="webhook_key"):
        MandrillReceipts().verify(
            callback(BODY, signature(key=key, mandrill_events="[]")), Account("mail", "", {"webhook_key": key})
        )


# --- what it says ------------------------------------------------------------------------------------
def test_a_receipt_names_the_delivery_the_moment_and_itself() -> None:
    [receipt] = parse(event("delivered", diag="250 OK"))
    moment = datetime(2025, 11, 23, 12, 0, tzinfo=UTC)
    assert receipt == Receipt(DELIVERY, ReceiptKind.DELIVERED, moment, "250 OK", "abc:delivered:1763899200:delivered")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("delivered", [ReceiptKind.DELIVERED]),
        ("deferral", [ReceiptKind.DEFERRED]),
        ("open", [ReceiptKind.OPENED]),
        ("click", [ReceiptKind.CLICKED]),
        ("spam", [ReceiptKind.COMPLAINED]),
        ("unsub", [ReceiptKind.OPTED_OUT]),
        # A hard bounce kills the address; a soft one does not.
        ("hard_bounce", [ReceiptKind.BOUNCED]),
        ("soft_bounce", [ReceiptKind.BLOCKED]),
        # Nothing that changes a delivery.
        ("send", []),
        ("inbound", []),
        ("something_new", []),
        ("", []),
    ],
)
def test_every_event_has_its_receipts(kind: str, expected: list[ReceiptKind]) -> None:
    assert [receipt.kind for receipt in parse(event(kind))] == expected


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("hard-bounce", [ReceiptKind.BOUNCED]),
        ("invalid", [ReceiptKind.BOUNCED]),
        ("unsub", [ReceiptKind.FAILED, ReceiptKind.OPTED_OUT]),
        ("spam", [ReceiptKind.FAILED, ReceiptKind.COMPLAINED]),
        # None of these may disable an address.
        ("soft-bounce", [ReceiptKind.FAILED]),
        ("custom", [ReceiptKind.FAILED]),
        ("rule", [ReceiptKind.FAILED]),
        ("invalid-sender", [ReceiptKind.FAILED]),
        ("unsigned", [ReceiptKind.FAILED]),
        ("test-mode-limit", [ReceiptKind.FAILED]),
        ("something-new", [ReceiptKind.FAILED]),
    ],
)
def test_a_rejection_counts_against_the_address_only_where_it_is_about_the_address(
    reason: str, expected: list[ReceiptKind]
) -> None:
    assert [receipt.kind for receipt in parse(event("reject", reject={"reason": reason}))] == expected


@pytest.mark.parametrize("reject", [None, {}])
def test_a_rejection_without_a_reason_spares_the_address(reject: object) -> None:
    assert [receipt.kind for receipt in parse(event("reject", reject=reject))] == [ReceiptKind.FAILED]


def test_the_tables_have_no_line_that_is_not_tested() -> None:
    (kinds,) = test_every_event_has_its_receipts.pytestmark  # type: ignore[attr-defined]
    assert set(EVENTS) <= {kind for kind, _ in kinds.args[1]}
    (reasons,) = test_a_rejection_counts_against_the_address_only_where_it_is_about_the_address.pytestmark  # type: ignore[attr-defined]
    assert set(REJECTIONS) <= {reason for reason, _ in reasons.args[1]}


def test_a_repeated_call_has_the_same_names_and_another_event_has_others() -> None:
    later = event("open") | {"ts": 1763899201}
    events = [event("open"), event("click"), later, event("reject", reject={"reason": "unsub"})]
    refs = [receipt.event_ref for receipt in parse(*events)]
    assert refs == [receipt.event_ref for receipt in parse(*events)]
    assert len(set(refs)) == len(refs) == 5


def test_a_batch_gives_all_its_receipts_and_leaves_out_what_is_not_ours() -> None:
    found = parse(
        event("delivered"),
        {"type": "blacklist", "action": "add", "reject": {"email": "kim@x.example", "reason": "unsub"}},
        event("delivered", metadata={"bongsu_delivery_id": "somebody else's"}),
        event("delivered", metadata={"user_id": 111}),
        event("delivered", metadata=[]),
        {"event": 7},
        event("delivered") | {"ts": "soon"},
        event("delivered") | {"ts": 1e300},
        event("delivered") | {"msg": None},
        event("open"),
    )
    assert [receipt.kind for receipt in found] == [ReceiptKind.DELIVERED, ReceiptKind.OPENED]


def test_what_a_mail_server_says_is_kept_without_addresses_or_control_characters() -> None:
    diag = "smtp;550 5.1.1 <kim@people.example>: unknown\r\n\x1b[31m user kim@people.example " + "!" * 1000
    [receipt] = parse(event("hard_bounce", diag=diag, bounce_description="bad_mailbox"))
    assert receipt.detail.startswith("smtp;550 5.1.1 <(address)>: unknown[31m user (address)")
    assert "kim" not in receipt.detail
    assert len(receipt.detail) == 300


def test_without_a_mail_servers_words_mandrills_own_are_kept() -> None:
    [receipt] = parse(event("soft_bounce", bounce_description="mailbox_full"))
    assert receipt.detail == "mailbox_full"


@pytest.mark.parametrize("body", [*HOSTILE_BODIES, b"[null, 7, [], {}]"], ids=range(len(HOSTILE_BODIES) + 1))
def test_a_body_that_makes_no_sense_has_no_receipts(body: bytes) -> None:
    assert MandrillReceipts().parse(callback(body)) == []
    assert MandrillReceipts().parse(callback(b"mandrill_events=" + body)) == []
    assert MandrillReceipts().parse(callback(urlencode({"mandrill_events": body}).encode())) == []


def test_an_open_that_apples_proxy_caused_says_so() -> None:
    browser = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
    [program, person] = parse(event("open") | {"user_agent": "Mozilla/5.0"}, event("open") | {"user_agent": browser})

    assert program.detail.startswith("machine:")
    assert not person.detail


@pytest.mark.parametrize(("url", "told"), LINKS)
def test_a_click_says_where_it_led_and_not_whose_it_was(url: str | None, told: str) -> None:
    [receipt] = parse(event("click") | {"url": url})

    assert receipt.detail == told
