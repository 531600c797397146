"""Messages of one digest key: gathered while the window is open, and sent as one by the rules of that moment."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.authentication import create_key
from accounts.channels import Mode
from accounts.ids import new_id
from accounts.models import Recipient
from notifications import walking
from notifications.ledger import digests
from notifications.models import Delivery, Digest, DigestEntry, Notification
from templates_app import catalogue
from templates_app.models import TemplateVersion
from tests.api.shop import DATA, Shop, jimin, opted_out
from tests.notifications.gathering import PATH, asked, body, closed, gathering_shop, in_time, lines, names, sent
from tests.notifications.road import dispatched_all
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db

NUMBER = "+821012345678"


def test_three_of_one_key_become_one_message(providers: Running) -> None:
    caller = gathering_shop()
    jimin()
    for name in ("가", "나", "다"):
        asked(caller, name)
    assert not sent()
    assert closed(timezone.now() + timedelta(minutes=9)) == 0, "it is still being gathered"

    assert closed() == 1

    (digest,) = sent()
    assert (digest.state, names(digest)) == ("queued", ["가", "나", "다"])
    dispatched_all(in_time())
    digest.refresh_from_db()
    assert digest.state == "sent"
    assert len(providers.row(str(digest.pk))["attempts"]) == 1
    assert not Digest.objects.exists()
    assert not DigestEntry.objects.exists()
    assert closed() == 0


def test_what_people_read_is_the_list(providers: Running) -> None:
    caller = gathering_shop()
    jimin()
    asked(caller, "가")
    asked(caller, "나")
    closed()

    (digest,) = sent()
    edition = catalogue.edition(digest.notification.version_id)
    text: Any = edition.render(edition.channels[1], "ko", digest.notification.data)

    assert text.body.endswith("2건: 가, 나")


def test_the_answer_says_when_it_is_due_and_the_window_begins_with_the_first() -> None:
    caller = gathering_shop()
    jimin()

    first, second = asked(caller, "가"), asked(caller, "나")

    (told,), (later,) = first["recipients"], second["recipients"]
    assert (told["decision"], told["reason"], told["due_at"]) == ("gather", "digested", later["due_at"])
    assert told["explanation"].startswith("It is gathered into a digest with others (post-1, due ")
    assert (first["planned"], first["suppressed"]) == (0, 0)
    assert len(told["deliveries"]) == 1
    assert Digest.objects.count() == 1


def test_a_dry_run_says_the_same_and_writes_nothing() -> None:
    caller = gathering_shop()
    jimin()
    began = asked(caller, "가", dry_run=True)
    assert began["recipients"][0]["decision"] == "gather"
    assert not Digest.objects.exists()

    due = asked(caller, "가")["recipients"][0]["due_at"]
    again = asked(caller, "나", dry_run=True)

    assert again["recipients"][0]["due_at"] == due, "it would join what is there"
    assert DigestEntry.objects.count() == 1


def test_each_timeline_leads_to_the_other() -> None:
    caller = gathering_shop()
    jimin()
    item = Delivery.objects.get(pk=asked(caller, "가")["recipients"][0]["deliveries"][0])
    asked(caller, "나")
    due = Digest.objects.get().due_at
    gathered = f"It is gathered into a digest with others (post-1, due {due:%Y-%m-%d %H:%M:%S} UTC)."
    assert lines(item)[1:] == [f"gathered: {gathered}"]

    closed()

    (digest,) = sent()
    assert lines(item)[-1] == f"digested: with another, as {digest.pk}"
    assert any(line.startswith("digested: 2 gathered under post-1 since ") for line in lines(digest))
    answer = caller.get(f"/v1/deliveries/{item.pk}").json()
    assert (answer["state"], answer["reason"]) == ("suppressed", "digested")
    assert [moment["what"] for moment in answer["timeline"]] == ["accepted", "gathered", "digested"]


@pytest.mark.parametrize("other", [{"digest_key": "post-2"}, {"recipients": ["minsu"]}])
def test_other_keys_and_other_people_are_gathered_apart(other: dict[str, Any]) -> None:
    caller = gathering_shop()
    jimin()
    Recipient.objects.create(external_id="minsu", phone="+821087654321", locale="ko")
    asked(caller, "가")
    asked(caller, "나", **other)

    assert closed() == 2

    assert sorted(names(one) for one in sent()) == [["가"], ["나"]]


def test_the_next_window_begins_another() -> None:
    caller = gathering_shop()
    jimin()
    asked(caller, "가")
    Digest.objects.update(due_at=timezone.now())

    asked(caller, "나")

    assert Digest.objects.filter(is_open=True).count() == 1
    assert closed(timezone.now()) == 1
    assert [names(one) for one in sent()] == [["가"]]
    assert closed() == 1
    assert [names(one) for one in sent()] == [["가"], ["나"]]


def test_a_new_version_of_the_template_begins_another() -> None:
    caller = gathering_shop()
    jimin()
    asked(caller, "가")
    first = TemplateVersion.objects.get(template__name="comments")
    TemplateVersion.objects.filter(pk=first.pk).update(state="retired")
    TemplateVersion.objects.create(
        template=first.template, number=2, content=first.content, state="published", published_at=timezone.now()
    )
    catalogue.forget()
    asked(caller, "나")

    assert closed() == 2


@pytest.mark.parametrize(
    ("category", "changes"),
    [
        ({"digest_minutes": None}, {}),
        ({}, {"urgency": "critical"}),
        ({"is_critical": True}, {}),
        ({}, {"digest_key": None, "data": {"items": [{"name": "가"}], "count": 1}}),
    ],
    ids=["the category gathers nothing", "it is urgent", "the category is critical", "it names no key"],
)
def test_what_is_not_gathered_is_sent_at_once(category: dict[str, Any], changes: dict[str, Any]) -> None:
    caller = gathering_shop(**category)
    jimin()

    told = asked(caller, "가", **changes)

    assert told["recipients"][0]["decision"] == "send"
    assert [names(one) for one in sent()] == [["가"]]
    assert not Digest.objects.exists()


def test_what_is_refused_is_refused_at_once() -> None:
    caller = gathering_shop()
    opted_out(jimin(), caller.category)

    assert asked(caller, "가")["recipients"][0]["reason"] == "opted_out"
    assert not Digest.objects.exists()


def test_contacts_that_are_given_inline_are_known_by_their_address() -> None:
    caller = gathering_shop()
    who = {"phone": "+821099998888", "locale": "ko"}
    asked(caller, "가", recipients=[who])
    asked(caller, "", recipients=[{**who, "data": {"name": "나"}}])
    asked(caller, "다", recipients=[{**who, "phone": "+821099997777"}])

    closed()

    assert [(one.address, names(one)) for one in sent()] == [
        ("+821099998888", ["가", "나"]),
        ("+821099997777", ["다"]),
    ]


def test_an_audience_is_gathered_chunk_by_chunk() -> None:
    caller = gathering_shop()
    Recipient.objects.bulk_create(
        Recipient(external_id=f"p-{n}", phone=f"+82101{n:07}", locale="ko-KR") for n in range(30)
    )
    for name in ("가", "나"):
        answer = caller.post(PATH, body(name, recipients=None, audience={}, urgency="bulk"))
        assert answer.status_code == 202, answer.content
    while walking.walk(clock=timezone.now):
        pass
    assert Digest.objects.count() == 30

    assert closed() == 30

    assert [names(one) for one in sent()] == [["가", "나"]] * 30


def test_test_keys_and_live_keys_are_gathered_apart() -> None:
    live = gathering_shop()
    jimin()
    trial = Shop(live.application, *_key(live), live.category)
    asked(live, "가")
    asked(trial, "나")

    assert closed() == 2

    assert sorted((one.notification.mode, names(one)) for one in sent()) == [("live", ["가"]), ("test", ["나"])]


def _key(caller: Shop) -> tuple[str, str]:
    made = create_key(caller.application, Mode.TEST)
    return made.key, made.secret


def test_the_most_urgent_item_lends_its_urgency() -> None:
    caller = gathering_shop()
    jimin()
    asked(caller, "가", urgency="bulk")
    asked(caller, "나", urgency="normal")

    closed()

    assert sent()[0].notification.urgency == "normal"


def test_one_that_cannot_be_planned_holds_up_no_other() -> None:
    caller = gathering_shop()
    jimin()
    asked(caller, "가")
    asked(caller, "나", digest_key="post-2")
    Digest.objects.filter(key="post-1").update(version_id=new_id())
    due = in_time()

    assert closed(due) == 2

    assert [names(one) for one in sent()] == [["나"]]
    assert Digest.objects.get().due_at == due + timedelta(minutes=1)
    assert DigestEntry.objects.count() == 1


def test_what_is_more_than_one_message_takes_becomes_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "_ENTRIES", digests._ENTRIES.replace(str(digests.LARGEST), "2"))
    caller = gathering_shop()
    jimin()
    for name in ("가", "나", "다"):
        asked(caller, name)

    assert (closed(), closed(), closed()) == (1, 1, 0)

    assert [names(one) for one in sent()] == [["가", "나"], ["다"]]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"digest_key": ""}, "digest_key"),
        ({"digest_key": "x" * 201}, "digest_key"),
        ({"digest_key": "a\0b"}, "digest_key"),
        ({"send_at": "2026-11-30T10:00:00Z"}, "send_at"),
        ({"routing": {"policy": "first"}}, "routing"),
        ({"data": {}}, "data.name"),
        ({"template": "restock", "data": DATA}, "digest_key"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(changes: dict[str, Any], field: str) -> None:
    caller = gathering_shop()
    jimin()
    if "send_at" in changes:
        changes = {"send_at": (timezone.now() + timedelta(hours=1)).isoformat()}

    answer = caller.post(PATH, body("가") | changes)

    assert answer.status_code == 422, answer.content
    assert field in answer.content.decode()
    assert not Notification.objects.exists()
    assert not Digest.objects.exists()
