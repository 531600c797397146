from typing import Any
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from accounts.replies import Reply, Wish
from notifications.providers.contract import Account, Callback, Forged, Receipt
from notifications.providers.twilio.receipts import TwilioReceipts
from notifications.providers.twilio.send import CODES
from notifications.vocabulary import ReceiptKind
from tests.providers.examples import AT, DELIVERY, HOSTILE_BODIES

URL = f"https://bongsu.test/webhooks/twilio/shop/{DELIVERY}"
SECRET = "s3cret"
ACCOUNT = Account("twilio", "https://twilio.test", {"account_sid": "AC" + "0f" * 16, "auth_token": SECRET})
SID = "SM" + "2d" * 16
DELIVERED = {"MessageSid": SID, "MessageStatus": "delivered", "To": "+821012345678", "ApiVersion": "2010-04-01"}


def callback(
    form: dict[str, Any] | bytes = DELIVERED, *, url: str = URL, signature: str | None = None, secret: str = SECRET
) -> Callback:
    """A status callback, signed by Twilio's own library unless it brings a signature."""
    body = form if isinstance(form, bytes) else urlencode(form, doseq=True).encode()
    if signature is None:
        signature = RequestValidator(secret).compute_signature(url, form if isinstance(form, dict) else {})
    headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature}
    return Callback(url, headers, body, AT)


def receipts_in(callback: Callback) -> list[Receipt]:
    return [one for one in TwilioReceipts().parse(callback) if isinstance(one, Receipt)]


def parse(status: str, code: str = "", url: str = URL) -> list[tuple[ReceiptKind, str]]:
    form = {"MessageSid": SID, "MessageStatus": status} | ({"ErrorCode": code} if code else {})
    return [(receipt.kind, receipt.detail) for receipt in receipts_in(callback(form, url=url))]


# --- who says it -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "genuine",
    [
        callback(),
        callback(url=URL + "?a=b"),
        callback(url=URL.replace(".test/", ".test:8443/")),
        callback({**DELIVERED, "Body": "재입고 & more", "Empty": ""}),
        callback({**DELIVERED, "SomethingNew": "x"}),
    ],
)
def test_a_callback_that_twilio_signed_is_genuine(genuine: Callback) -> None:
    TwilioReceipts().verify(genuine, ACCOUNT)


SIGNATURE = callback().headers["x-twilio-signature"]


@pytest.mark.parametrize(
    "forged",
    [
        callback(secret="another account's"),
        callback(signature=""),
        callback(signature="nonsense"),
        callback(signature="서명"),
        callback({**DELIVERED, "MessageStatus": "failed"}, signature=SIGNATURE),
        callback({**DELIVERED, "ErrorCode": "21610"}, signature=SIGNATURE),
        callback({}, signature=SIGNATURE),
        callback(url=URL + "?a=b", signature=SIGNATURE),
        callback(url=URL.replace(str(DELIVERY), str(DELIVERY).replace("0", "1")), signature=SIGNATURE),
        callback({**DELIVERED, "MessageStatus": ["delivered", "failed"]}, signature=SIGNATURE),
    ],
)
def test_a_callback_with_a_wrong_signature_or_a_changed_body_or_url_is_forged(forged: Callback) -> None:
    with pytest.raises(Forged):
        TwilioReceipts().verify(forged, ACCOUNT)


def test_an_account_without_an_auth_token_takes_no_callbacks() -> None:
    with pytest.raises(Forged):
        TwilioReceipts().verify(callback(secret=""), Account("twilio", "https://twilio.test", {}))


@pytest.mark.parametrize("body", [*HOSTILE_BODIES, b"a=1&" * 1000], ids=range(len(HOSTILE_BODIES) + 1))
def test_a_body_that_is_no_form_is_forged(body: bytes) -> None:
    with pytest.raises(Forged):
        TwilioReceipts().verify(callback(body, signature=SIGNATURE), ACCOUNT)


# --- what it says ------------------------------------------------------------------------------------
def test_a_receipt_names_the_delivery_the_moment_and_itself() -> None:
    assert receipts_in(callback()) == [Receipt(DELIVERY, ReceiptKind.DELIVERED, AT, "", f"{SID}:delivered:delivered")]


def test_the_same_callback_again_has_the_same_name() -> None:
    assert receipts_in(callback()) == receipts_in(callback())


@pytest.mark.parametrize(
    "status",
    ["queued", "accepted", "scheduled", "sending", "sent", "partially_delivered", "receiving", "received", "new", ""],
)
def test_a_message_on_its_way_is_no_news(status: str) -> None:
    assert parse(status) == []


def test_a_message_that_was_read_was_opened() -> None:
    assert parse("read") == [(ReceiptKind.OPENED, "")]


BOUNCES = {21211, 21614, 21635, 30005, 30006}


@pytest.mark.parametrize("status", ["undelivered", "failed", "canceled"])
@pytest.mark.parametrize("code", sorted({*CODES, 99999}))
def test_only_a_dead_number_bounces_and_only_stop_opts_out(status: str, code: int) -> None:
    kinds = [kind for kind, _ in parse(status, str(code))]
    if code in BOUNCES:
        assert kinds == [ReceiptKind.BOUNCED]
    elif code == 21610:
        assert kinds == [ReceiptKind.FAILED, ReceiptKind.OPTED_OUT]
    else:
        assert kinds == [ReceiptKind.FAILED]


def test_a_failure_says_why() -> None:
    assert parse("undelivered", "30003") == [(ReceiptKind.FAILED, "30003: the phone is off or out of reach")]


def test_an_unknown_code_is_named() -> None:
    [(_, detail)] = parse("failed", "99999")
    assert detail.startswith("99999: ")


def test_two_pieces_of_news_in_one_callback_have_two_names() -> None:
    form = {"MessageSid": SID, "MessageStatus": "failed", "ErrorCode": "21610"}
    refs = [receipt.event_ref for receipt in receipts_in(callback(form))]
    assert len(set(refs)) == len(refs) == 2


@pytest.mark.parametrize("code", ["", "none", "-1", "٣", "9" * 5000])
def test_a_code_that_is_no_number_is_only_a_failure(code: str) -> None:
    assert [kind for kind, _ in parse("failed", code)] == [ReceiptKind.FAILED]


@pytest.mark.parametrize("path", ["/", "/webhooks/twilio/shop/", "/webhooks/twilio/shop/7", f"/{DELIVERY}/more"])
def test_a_callback_for_no_delivery_of_ours_is_left_out(path: str) -> None:
    assert parse("delivered", url="https://bongsu.test" + path) == []


def test_a_callback_never_makes_an_endless_name() -> None:
    form = {"MessageSid": "x" * 10_000, "MessageStatus": "delivered"}
    [receipt] = receipts_in(callback(form))
    assert len(receipt.event_ref) < 120


# --- what people send us -----------------------------------------------------------------------------
INBOUND = {"MessageSid": SID, "SmsStatus": "received", "From": "+821012345678", "To": "+15005550006", "Body": "STOP"}
HEARD_AT = URL.rpartition("/")[0] + "/inbound"


def heard(**changes: str) -> list[Receipt | Reply]:
    incoming = callback(INBOUND | changes, url=HEARD_AT)
    TwilioReceipts().verify(incoming, ACCOUNT)
    return list(TwilioReceipts().parse(incoming))


@pytest.mark.parametrize(
    ("form", "wish", "keyword"),
    [
        ({"Body": "STOP"}, Wish.STOP, "stop"),
        ({"Body": "수신거부"}, Wish.STOP, "수신거부"),
        ({"Body": "Unstop"}, Wish.START, "unstop"),
        ({"Body": "Arrêt", "To": "+33612345678"}, Wish.STOP, "arret"),
        # what Twilio acted on counts, whatever the words are
        ({"Body": "ARRET", "OptOutType": "STOP"}, Wish.STOP, "stop"),
        ({"Body": "yes", "OptOutType": "START"}, Wish.START, "start"),
        ({"Body": "STOP", "OptOutType": "START"}, Wish.START, "stop"),
    ],
)
def test_a_keyword_that_a_person_sends_is_a_wish(form: dict[str, str], wish: Wish, keyword: str) -> None:
    assert heard(**form) == [Reply("+821012345678", wish, keyword, AT, SID)]


@pytest.mark.parametrize(
    "form",
    [
        {"Body": "stop by at five"},
        {"Body": "yes"},
        {"Body": ""},
        {"Body": "HELP", "OptOutType": "HELP"},
        {"Body": "STOP", "OptOutType": "something new"},
        {"From": "12345"},
        {"From": "whatsapp:+821012345678"},
        {"MessageSid": ""},
    ],
)
def test_whatever_else_a_person_sends_is_none_of_ours(form: dict[str, str]) -> None:
    assert heard(**form) == []


def test_a_wish_in_somebody_elses_name_is_forged() -> None:
    signature = callback(INBOUND, url=HEARD_AT).headers["x-twilio-signature"]
    for forged in (INBOUND | {"From": "+821087654321"}, INBOUND | {"Body": "START"}):
        with pytest.raises(Forged):
            TwilioReceipts().verify(callback(forged, url=HEARD_AT, signature=signature), ACCOUNT)


def test_the_text_that_a_person_sends_is_in_nothing_that_is_kept() -> None:
    assert "secret words" not in repr(heard(Body="secret words", OptOutType="STOP"))
