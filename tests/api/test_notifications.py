"""One call: what is accepted, what the answer says, and what stands in the log afterwards."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.channels import Mode
from accounts.ids import new_id
from notifications.models import Batch, Delivery, Notification
from tests.api.shop import DATA, jimin, opted_out, shop

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/v1/notifications"


def asked(**changes: Any) -> dict[str, Any]:
    return {"template": "restock", "recipients": ["jimin"], "data": DATA, **changes}


def nothing_written() -> bool:
    return not (Notification.objects.exists() or Delivery.objects.exists() or Batch.objects.exists())


def test_the_answer_says_what_goes_where_and_the_log_says_the_same() -> None:
    jimin()

    answer = shop().post(PATH, asked())

    assert answer.status_code == 202, answer.content
    told = answer.json()
    assert [(fate["channel"], fate["decision"], len(fate["deliveries"])) for fate in told["recipients"]] == [
        ("push", "send", 2), ("sms", "send", 1), ("email", "send", 1),
    ]  # fmt: skip
    assert (told["planned"], told["suppressed"]) == (4, 0)
    assert {str(row.id) for row in Delivery.objects.all()} == {i for f in told["recipients"] for i in f["deliveries"]}
    assert Counter(Batch.objects.values_list("lane", "size")) == {
        ("ios", 1): 1, ("android", 1): 1, ("sms", 1): 1, ("email", 1): 1,
    }  # fmt: skip


def test_who_opted_out_is_told_and_logged_with_the_reason() -> None:
    caller = shop()
    opted_out(jimin(), caller.category, "sms")

    told = caller.post(PATH, asked()).json()

    (fate,) = [fate for fate in told["recipients"] if fate["channel"] == "sms"]
    assert (fate["decision"], fate["reason"]) == ("drop", "opted_out")
    assert "opted out" in fate["explanation"]
    row = Delivery.objects.get(pk=fate["deliveries"][0])
    assert (row.state, row.reason) == ("suppressed", "opted_out")


def test_urgency_chooses_the_lane() -> None:
    jimin()

    shop().post(PATH, asked(urgency="critical", channels=["sms"]))

    assert Batch.objects.get().lane == "sms.critical"


def test_a_dry_run_says_everything_and_writes_nothing() -> None:
    jimin()

    told = shop().post(PATH, asked(dry_run=True)).json()

    assert (told["id"], told["planned"]) == (None, 4)
    assert nothing_written()


def test_a_contact_given_inline_needs_no_recipient() -> None:
    told = shop().post(PATH, asked(recipients=[{"phone": "+82 10-9876-5432", "data": {"user_name": "민수"}}])).json()

    row = Delivery.objects.get(channel="sms")
    assert (row.address, row.data, row.recipient_id) == ("+821098765432", {"user_name": "민수"}, None)
    assert [fate["reason"] for fate in told["recipients"]] == ["no_address", "", "no_address"]


def test_a_later_send_at_holds_the_deliveries() -> None:
    jimin()
    at = timezone.now() + timedelta(hours=2)

    told = shop().post(PATH, asked(send_at=at.isoformat(), channels=["sms"])).json()

    assert told["recipients"][0]["decision"] == "hold"
    assert Delivery.objects.get().state == "scheduled"
    assert Batch.objects.get().due_at == at


BAD: list[tuple[str, Any, int, str]] = [
    ("unknown template", asked(template="nope"), 422, "template"),
    ("missing variable", asked(data={"user_name": "지민"}), 422, "data.product_name"),
    ("unknown recipient", asked(recipients=["jimin", "nobody"]), 422, "recipients[1]"),
    ("malformed phone", asked(recipients=[{"phone": "12"}]), 422, "recipients[0]"),
    ("malformed email", asked(recipients=["jimin", {"email": "a@@b"}]), 422, "recipients[1]"),
    ("malformed locale", asked(recipients=[{"email": "a@example.com", "locale": "!"}]), 422, "recipients[0]"),
    ("a contact without an address", asked(recipients=[{"locale": "ko"}]), 422, "recipients[0]"),
    ("an entry that is neither", asked(recipients=[7]), 422, "recipients[0]"),
    ("the same person twice", asked(recipients=["jimin", "jimin"]), 422, "recipients[1]"),
    ("nobody", asked(recipients=[]), 422, "recipients"),
    ("1,001 recipients", asked(recipients=[f"u{i}" for i in range(1001)]), 422, "recipients"),
    ("oversized push", asked(data={**DATA, "product_name": "가" * 1400}), 422, "data"),
    ("a past expires_at", asked(expires_at="2020-01-01T00:00:00Z"), 422, "expires_at"),
    ("expiry before sending", asked(send_at="2099-01-01T00:00:00Z"), 422, "send_at"),
    ("no moment at all", asked(send_at="tomorrow"), 422, "send_at"),
    ("unknown channel", asked(channels=["pigeon"]), 422, "channels[0]"),
    ("no channel", asked(channels=[]), 422, "channels"),
    ("unknown urgency", asked(urgency="asap"), 422, "urgency"),
    ("misspelt field", asked(recipient=["jimin"]), 422, "recipient"),
    ("NUL in the data", asked(data={**DATA, "user_name": "a\0b"}), 422, "data.user_name"),
    ("not an object", ["restock"], 422, "body"),
    ("data that is no object", asked(data=[1]), 422, "data"),
    ("no JSON", "{", 400, ""),
    ("NaN", '{"template": NaN}', 400, ""),
    ("nested without end", "[" * 100_000, 400, ""),
    ("over a megabyte", json.dumps(asked(data={**DATA, "x": "y" * 1_100_000})), 413, ""),
]


@pytest.mark.parametrize(("body", "status", "field"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_input_is_refused_with_the_field_and_leaves_nothing_behind(body: Any, status: int, field: str) -> None:
    jimin()

    answer = shop().post(PATH, body)

    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["detail"]
    if field:
        assert field in [error["field"] for error in problem["errors"]]
    assert nothing_written()


def test_the_wrong_content_type_is_refused() -> None:
    caller = shop()

    answer = caller.post(PATH, "template=restock", **{"Content-Type": "text/plain"})

    assert answer.status_code == 415
    assert answer.json()["title"] == "Send application/json."


@pytest.mark.parametrize("secret", ["bs_wrong", ""])
def test_a_wrong_secret_is_refused(secret: str) -> None:
    caller = shop()

    answer = type(caller)(caller.application, caller.key, secret, caller.category).post(PATH, asked())

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Basic")


def test_a_key_that_may_only_read_cannot_send() -> None:
    assert shop(scopes=["notifications:read"]).post(PATH, asked()).status_code == 403


def test_the_rate_limit_of_an_application_is_answered_with_429_and_retry_after() -> None:
    jimin()
    caller = shop(rate_limit="2/h")

    answers = [caller.post(PATH, asked(dry_run=True)) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert int(answers[2]["Retry-After"]) > 0


def test_the_same_key_and_body_give_the_first_answer_again() -> None:
    jimin()
    caller = shop()

    first, second = (caller.post(PATH, asked(), **{"Idempotency-Key": "order-1"}) for _ in range(2))

    assert first.json() == second.json()
    assert Notification.objects.count() == 1


def test_the_same_key_with_another_body_is_refused() -> None:
    jimin()
    caller = shop()
    caller.post(PATH, asked(), **{"Idempotency-Key": "order-1"})

    answer = caller.post(PATH, asked(urgency="critical"), **{"Idempotency-Key": "order-1"})

    assert answer.status_code == 422
    assert Notification.objects.count() == 1


def test_a_refused_request_leaves_its_key_unused() -> None:
    caller = shop()
    assert caller.post(PATH, asked(), **{"Idempotency-Key": "k"}).status_code == 422
    jimin()

    assert caller.post(PATH, asked(), **{"Idempotency-Key": "k"}).status_code == 202


def test_a_batch_accepts_the_good_entries_and_reports_the_others_by_index() -> None:
    jimin()

    answer = shop().post(
        f"{PATH}/batch", {"notifications": [asked(), asked(template="nope"), asked(urgency="x"), asked()]}
    )

    told = answer.json()
    assert answer.status_code == 202
    assert (told["accepted"], told["rejected"]) == (2, 2)
    assert [result["status"] for result in told["results"]] == [202, 422, 422, 202]
    assert told["results"][1]["problem"]["errors"][0]["field"] == "template"
    assert Notification.objects.count() == 2


def test_the_story_of_a_notification_can_be_read_by_its_own_application_only() -> None:
    jimin()
    caller, other = shop(), shop()
    told = caller.post(PATH, asked()).json()
    delivery = told["recipients"][0]["deliveries"][0]

    summary = caller.get(f"{PATH}/{told['id']}").json()
    page = caller.get(f"{PATH}/{told['id']}/deliveries?page_size=3").json()
    rest = caller.get(page["next"]).json()

    assert (summary["template"], summary["deliveries"]) == ("restock", {"queued": 4})
    assert [len(page["results"]), len(rest["results"])] == [3, 1]
    timeline = caller.get(f"/v1/deliveries/{delivery}").json()["timeline"]
    assert [moment["what"] for moment in timeline] == ["accepted", "queued"]
    for path in (f"{PATH}/{told['id']}", f"{PATH}/{told['id']}/deliveries", f"/v1/deliveries/{delivery}"):
        assert other.get(path).status_code == 404
    assert caller.get(f"{PATH}/{new_id()}").status_code == 404


def test_cancelling_withdraws_what_was_not_sent_and_can_be_repeated() -> None:
    jimin()
    caller = shop()
    told = caller.post(PATH, asked()).json()
    Delivery.objects.filter(queue="sms").update(state="sent")

    answers = [caller.post(f"{PATH}/{told['id']}/cancel", {}).json() for _ in range(2)]

    assert answers == [{"cancelled": 3, "too_late": 1}, {"cancelled": 0, "too_late": 1}]
    assert Counter(Delivery.objects.values_list("state", flat=True)) == {"cancelled": 3, "sent": 1}


def test_a_test_key_marks_its_notifications_as_tests() -> None:
    jimin()

    shop(mode=Mode.TEST).post(PATH, asked())

    assert Notification.objects.get().mode == "test"


def test_an_entry_that_is_no_object_spoils_only_itself() -> None:
    jimin()

    told = shop().post(f"{PATH}/batch", {"notifications": [asked(), 7, "x", None]}).json()

    assert (told["accepted"], told["rejected"]) == (1, 3)
    assert [result["status"] for result in told["results"]] == [202, 422, 422, 422]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channels": ["pigeon"]}, '"pigeon" is none of push, sms, email.'),
        ({"routing": {"order": ["push", "fax"]}}, '"fax" is none of push, sms, email.'),
        ({"urgency": "{now}"}, '"{now}" is none of critical, normal, bulk.'),
    ],
)
def test_where_one_word_of_a_few_is_asked_for_the_error_names_them(changes: dict[str, Any], message: str) -> None:
    jimin()

    answer = shop().post(PATH, asked(**changes))

    assert [error["message"] for error in answer.json()["errors"]] == [message]
