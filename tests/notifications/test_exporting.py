"""All that is held on a person, handed out."""

import json
from typing import Any

import pytest
from django.utils import timezone

from accounts.channels import Channel
from accounts.consent import Choice, choose, refuse
from accounts.models import Recipient, SoftBounce
from accounts.replies import Reply, Wish
from accounts.suppressions import Actor, Cause, Via, Witness, heed, suppress
from notifications.vocabulary import Lane
from tests.api.shop import DATA, Shop, jimin, opted_out, shop
from tests.builders import administrator, person
from tests.notifications.road import accepted, dispatched
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db


def told(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert "no-store" in answer["Cache-Control"]
    found: dict[str, Any] = json.loads(b"".join(answer.streaming_content))
    return found


def waits_for_its_next_channel(api: Shop, whom: str) -> None:
    way = {"policy": "escalate", "order": ["sms", "push"], "escalate_after": 5}
    accepted("sms", "push", by=api, recipients=[whom], routing=way)


def somebody(providers: Running) -> tuple[Shop, Recipient]:
    api, who = shop(), jimin(attributes={"grade": "gold"})
    opted_out(who, api.category, "email")
    suppress(Channel.EMAIL, who.email, Cause.HARD_BOUNCE, timezone.now(), Witness(Actor.PROVIDER, Via.RECEIPT, "a"))
    accepted("sms", "email", by=api)
    accepted("sms", by=api, recipients=[{"phone": who.phone}])
    dispatched(Lane.SMS)
    heed(Reply(who.phone, Wish.START, "START", timezone.now(), "ref-1"), "twilio-live")
    person("haneul", phone="+821099998888")
    choose(who, [Choice(allowed=True)], timezone.now(), Witness(Actor.ADMIN, Via.ADMIN, "minji"))
    for address in (who.email, "haneul@people.example"):
        refuse(Channel.EMAIL, address, api.category, timezone.now(), Witness(Actor.RECIPIENT, Via.ONE_CLICK))
        SoftBounce.objects.create(address=address, times=[timezone.now()])
    waits_for_its_next_channel(api, "jimin")
    waits_for_its_next_channel(api, "haneul")
    accepted("sms", by=api, recipients=["haneul"])
    return api, who


def test_an_export_has_all_tables_and_nobody_else(providers: Running) -> None:
    api, who = somebody(providers)

    answer = api.get("/v1/recipients/jimin/export")
    found = told(answer)

    assert answer["Content-Disposition"] == 'attachment; filename="jimin.json"'
    assert {name: len(rows) for name, rows in found.items() if name != "exported_at"} == {
        "recipients": 1,
        "devices": 2,
        "preferences": 2,
        "suppressions": 1,
        "refusals": 1,
        "soft_bounces": 1,
        "consent_log": 3,
        "escalations": 1,
        "digest_entries": 0,
        "digests": 0,
        "received_replies": 1,
        "deliveries": 4,
        "engagements": 0,
        "conversions": 0,
        "segment_members": 0,
    }
    assert found["recipients"][0]["attributes"] == {"grade": "gold"}
    assert found["suppressions"][0]["cause"] == "hard_bounce"
    assert "haneul" not in json.dumps(found)
    assert "+821099998888" not in json.dumps(found)
    sent = next(one for one in found["deliveries"] if one["state"] == "sent")
    assert (sent["template"], sent["data_of_notification"], sent["address"]) == ("restock", DATA, who.phone)
    assert any(moment["what"] == "sent" for moment in sent["timeline"])


def test_a_long_log_is_read_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    api = shop()
    jimin()
    for _ in range(5):
        accepted("sms", by=api)
    monkeypatch.setattr("notifications.exporting._PAGE", 2)

    ids = [one["id"] for one in told(api.get("/v1/recipients/jimin/export"))["deliveries"]]

    assert len(set(ids)) == 5
    assert ids == sorted(ids, reverse=True)


def test_it_is_for_those_who_may_read_recipients() -> None:
    jimin()

    assert shop(scopes=["recipients:write"]).get("/v1/recipients/jimin/export").status_code == 403
    assert shop().get("/v1/recipients/nobody/export").status_code == 404


def test_the_admin_hands_it_out_as_well() -> None:
    who, browser = jimin(), administrator()
    address = f"/admin/notifications/erasure/export/{who.pk}/"

    assert address in browser.get(f"/admin/accounts/recipient/{who.pk}/change/").content.decode()
    assert told(browser.get(address))["recipients"][0]["external_id"] == "jimin"
