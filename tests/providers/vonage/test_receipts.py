import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from accounts.replies import Reply, Wish
from notifications.providers.contract import Account, Callback, Forged, Receipt
from notifications.providers.vonage.receipts import ERRORS, VonageReceipts
from notifications.vocabulary import ReceiptKind
from tests.providers.examples import AT, DELIVERY, HOSTILE_BODIES
from tests.providers.published import specification

URL = "https://bongsu.test/v1/webhooks/vonage-live"
SECRET = "s3cret"
ACCOUNT = Account("vonage", "https://vonage.test", {"api_key": "a1b2c3d4", "signature_secret": SECRET})
NOW = str(int(AT.timestamp()))
#: The specification's own example of a receipt, and our reference.
DELIVERED = {
    "msisdn": "447700900000",
    "to": "AcmeInc",
    "network-code": "12345",
    "messageId": "0A0000001234567B",
    "price": "0.03330000",
    "status": "delivered",
    "scts": "2001011400",
    "err-code": "0",
    "api-key": "abcd1234",
    "client-ref": str(DELIVERY),
    "message-timestamp": "2020-01-01T14:00:00.000Z",
    "timestamp": NOW,
    "nonce": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
}


def signed(fields: dict[str, str], secret: str = SECRET) -> dict[str, str]:
    """With a `sig`, made step by step as "Manually generate a signature" says."""
    text = ""
    for name in sorted(fields):
        text += "&" + name + "=" + fields[name].replace("&", "_").replace("=", "_")
    return fields | {"sig": hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest().upper()}


def as_json(fields: dict[str, Any], url: str = URL) -> Callback:
    return Callback(url, {"content-type": "application/json"}, json.dumps(fields).encode(), AT)


def as_form(fields: dict[str, str]) -> Callback:
    return Callback(URL, {"content-type": "application/x-www-form-urlencoded"}, urlencode(fields).encode(), AT)


def as_query(fields: dict[str, str]) -> Callback:
    return Callback(f"{URL}?{urlencode(fields)}", {}, b"", AT)


FORMATS = [as_json, as_form, as_query]


def receipts_in(callback: Callback) -> list[Receipt]:
    return [one for one in VonageReceipts().parse(callback) if isinstance(one, Receipt)]


def parse(**changes: str) -> list[tuple[ReceiptKind, str]]:
    return [(one.kind, one.detail) for one in receipts_in(as_json(DELIVERED | changes))]


def verify(callback: Callback, account: Account = ACCOUNT) -> None:
    VonageReceipts().verify(callback, account)


# --- who says it -------------------------------------------------------------------------------------
@pytest.mark.parametrize("written", FORMATS)
@pytest.mark.parametrize(
    "fields",
    [
        DELIVERED,
        DELIVERED | {"to": "R&B=재입고 + more"},
        DELIVERED | {"something-new": "x", "empty": ""},
        {"timestamp": NOW},
    ],
)
def test_a_call_that_vonage_signed_is_genuine_in_every_format(written: Any, fields: dict[str, str]) -> None:
    verify(written(signed(fields)))


def test_a_signature_may_be_in_small_letters() -> None:
    fields = signed(DELIVERED)
    verify(as_json(fields | {"sig": fields["sig"].lower()}))


def test_the_signature_is_the_one_that_vonages_own_library_makes() -> None:
    # The example with which Vonage's Java library tests itself: RequestSigningTest, HMAC-SHA-256.
    fields = {"a": "alphabet", "b": "bananas", "timestamp": "2100"}
    sig = "8d1b0428276b6a070578225914c3502cc0687a454dfbbbb370c76a14234cb546"
    callback = Callback(f"{URL}?{urlencode(fields | {'sig': sig})}", {}, b"", datetime.fromtimestamp(2100, UTC))
    verify(callback, Account("vonage", "", {"signature_secret": "abcde"}))


@pytest.mark.parametrize("written", FORMATS)
@pytest.mark.parametrize(
    "forged",
    [
        DELIVERED,
        DELIVERED | {"sig": ""},
        DELIVERED | {"sig": "서명"},
        signed(DELIVERED, "another account's"),
        signed(DELIVERED) | {"status": "failed"},
        signed(DELIVERED) | {"err-code": "9"},
        signed(DELIVERED) | {"client-ref": str(DELIVERY).replace("0", "1")},
        signed(DELIVERED) | {"something-new": "x"},
        {name: value for name, value in signed(DELIVERED).items() if name != "price"},
        {},
    ],
)
def test_a_call_with_a_wrong_signature_or_changed_parameters_is_forged(written: Any, forged: dict[str, str]) -> None:
    with pytest.raises(Forged):
        verify(written(forged))


@pytest.mark.parametrize("written", FORMATS)
def test_two_parameters_do_not_pass_as_one(written: Any) -> None:
    fields = signed(DELIVERED)
    code, stamp = fields.pop("err-code"), fields.pop("message-timestamp")
    merged = fields | {f"err-code={code}&message-timestamp": stamp}
    with pytest.raises(Forged):
        verify(written(merged))


@pytest.mark.parametrize("written", FORMATS)
@pytest.mark.parametrize(("seconds", "genuine"), [(-301, False), (-299, True), (299, True), (301, False)])
def test_an_old_call_is_worthless(written: Any, seconds: int, genuine: bool) -> None:
    stamp = str(int((AT + timedelta(seconds=seconds)).timestamp()))
    callback = written(signed(DELIVERED | {"timestamp": stamp}))
    if genuine:
        verify(callback)
    else:
        with pytest.raises(Forged):
            verify(callback)


@pytest.mark.parametrize("stamp", ["", "soon", "-1", "9" * 30, "9" * 5000, "2026-11-23 12:00:00", "1e9"])
def test_a_call_without_a_time_is_forged(stamp: str) -> None:
    with pytest.raises(Forged):
        verify(as_json(signed(DELIVERED | {"timestamp": stamp})))


def test_an_account_without_a_signature_secret_takes_no_calls() -> None:
    with pytest.raises(Forged):
        verify(as_json(signed(DELIVERED, "")), Account("vonage", "https://vonage.test", {}))


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", ""])
@pytest.mark.parametrize(
    "body",
    [*HOSTILE_BODIES, b"a=1&" * 1000, b'{"sig": 7}', b'{"sig": "\\ud800"}'],
    ids=range(len(HOSTILE_BODIES) + 3),
)
def test_a_body_that_is_no_call_of_vonages_is_forged_and_says_nothing(body: bytes, content_type: str) -> None:
    callback = Callback(URL, {"content-type": content_type}, body, AT)
    with pytest.raises(Forged):
        verify(callback)
    assert receipts_in(callback) == []


# --- what it says ------------------------------------------------------------------------------------
@pytest.mark.parametrize("written", FORMATS)
def test_a_receipt_names_the_delivery_the_moment_and_itself(written: Any) -> None:
    assert receipts_in(written(DELIVERED)) == [
        Receipt(DELIVERY, ReceiptKind.DELIVERED, AT, "", "0A0000001234567B:delivered:delivered")
    ]


def test_the_delivery_is_the_one_that_was_signed_not_the_one_in_the_address() -> None:
    other = f"{URL}/{str(DELIVERY).replace('0', '1')}"
    [receipt] = receipts_in(as_json(DELIVERED, other))
    assert receipt.delivery_id == DELIVERY


def test_the_same_call_again_has_the_same_name_and_every_part_its_own() -> None:
    again = DELIVERED | {"nonce": "another", "timestamp": str(int(NOW) + 60)}
    other = DELIVERED | {"messageId": "0A0000001234567C"}
    [first], [second], [third] = (receipts_in(as_json(one)) for one in (DELIVERED, again, other))
    assert first.event_ref == second.event_ref != third.event_ref


@pytest.mark.parametrize("status", ["accepted", "unknown", "deleted", "new", "DELIVERED", ""])
def test_a_message_on_its_way_is_no_news(status: str) -> None:
    assert parse(status=status, **{"err-code": "1"}) == []


def test_a_message_that_the_network_keeps_is_deferred() -> None:
    assert [kind for kind, _ in parse(status="buffered")] == [ReceiptKind.DEFERRED]


def test_every_status_of_the_specification_is_known() -> None:
    receipt = specification("vonage_sms.json")["components"]["schemas"]["DeliveryReceipt"]
    kinds = {status: parse(status=status) for status in receipt["properties"]["status"]["x-possible-values"]}
    assert {status for status, news in kinds.items() if not news} == {"accepted", "unknown"}


@pytest.mark.parametrize("status", ["failed", "expired", "rejected", "undelivered"])
@pytest.mark.parametrize("code", ["0", *ERRORS, "17", "77", ""])
def test_only_a_dead_number_bounces_and_only_stop_opts_out(status: str, code: str) -> None:
    kinds = [kind for kind, _ in parse(status=status, **{"err-code": code})]
    if code in {"3", "4"}:
        assert kinds == [ReceiptKind.BOUNCED]
    elif code == "9":
        assert kinds == [ReceiptKind.FAILED, ReceiptKind.OPTED_OUT]
    else:
        assert kinds == [ReceiptKind.FAILED]


def test_the_table_has_every_code_that_is_documented() -> None:
    assert set(ERRORS) == {str(code) for code in (*range(1, 17), *range(50, 55), 95, 99)}


def test_a_failure_says_why() -> None:
    assert parse(status="expired", **{"err-code": "2"}) == [
        (ReceiptKind.FAILED, "expired 2: the phone is off or out of reach")
    ]


@pytest.mark.parametrize("code", ["", "0", "77", "+821012345678", "9" * 5000])
def test_an_unknown_code_is_not_quoted(code: str) -> None:
    assert parse(status="failed", **{"err-code": code}) == [(ReceiptKind.FAILED, "failed: no code that is known")]


def test_two_pieces_of_news_in_one_call_have_two_names() -> None:
    receipts = receipts_in(as_json(DELIVERED | {"status": "rejected", "err-code": "9"}))
    assert len({receipt.event_ref for receipt in receipts}) == len(receipts) == 2


@pytest.mark.parametrize("reference", ["", "7", "my-personal-reference", f"{DELIVERY}/more"])
def test_a_receipt_for_no_delivery_of_ours_is_left_out(reference: str) -> None:
    assert parse(**{"client-ref": reference}) == []


# --- what people send us -----------------------------------------------------------------------------
INBOUND = {
    "msisdn": "447700900001",
    "to": "447700900999",
    "messageId": "0A0000000123ABCD1",
    "text": "STOP",
    "type": "text",
    "keyword": "STOP",
    "message-timestamp": "2020-01-01T14:00:00.000Z",
    "api-key": "abcd1234",
    "timestamp": NOW,
    "nonce": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
}


@pytest.mark.parametrize("as_sent", FORMATS)
@pytest.mark.parametrize(
    ("text", "wish"), [("STOP", Wish.STOP), ("수신 거부", Wish.STOP), ("start", Wish.START), ("수신동의", Wish.START)]
)
def test_a_keyword_that_a_person_sends_is_a_wish(as_sent: Any, text: str, wish: Wish) -> None:
    callback = as_sent(signed(INBOUND | {"text": text}))
    verify(callback)
    [reply] = VonageReceipts().parse(callback)
    assert isinstance(reply, Reply)
    assert (reply.phone, reply.wish, reply.at, reply.ref) == ("+447700900001", wish, AT, "0A0000000123ABCD1")


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "stop by at five"},
        {"text": ""},
        {"text": "stop " * 1000},
        {"concat": "true", "concat-ref": "1", "concat-total": "2", "concat-part": "2"},
        {"msisdn": "AcmeInc"},
        {"msisdn": "12345"},
        {"messageId": ""},
    ],
)
def test_whatever_else_a_person_sends_is_none_of_ours(changes: dict[str, str]) -> None:
    callback = as_json(signed(INBOUND | changes))
    verify(callback)
    assert VonageReceipts().parse(callback) == []


def test_a_wish_in_somebody_elses_name_is_forged() -> None:
    whole = signed(INBOUND)
    for forged in (whole | {"msisdn": "447700900002"}, whole | {"text": "START"}, signed(INBOUND, "another's")):
        with pytest.raises(Forged):
            verify(as_json(forged))


def test_a_receipt_never_makes_an_endless_name() -> None:
    [receipt] = receipts_in(as_json(DELIVERED | {"messageId": "x" * 10_000}))
    assert len(receipt.event_ref) < 120
