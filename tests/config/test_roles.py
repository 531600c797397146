"""What each role may do on every page of the admin, and that support sees no address on any."""

from collections.abc import Iterator
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.channels import Channel
from accounts.consent import Witness
from accounts.models import Actor, Category, ReceivedReply, Recipient, Refusal, Suppression, SuppressionCause, Via
from accounts.staff.eyes import masked_page
from accounts.suppressions import suppress
from notifications.models import DeadLetter, Delivery, DeliveryEvent, Notification
from tests.builders import category, device, person, published, shown

pytestmark = pytest.mark.django_db

#: Model: who may view (v), add (a), change (c), delete (d): E is an editor, A an approver, M a marketer, O an operator,
#: S support, X an administrator. Models that are not here are nobody's but the superuser's.
TABLE = {
    "accounts.application": "O:v X:vacd",
    "accounts.appkey": "O:v X:vc",
    "accounts.auditentry": "X:v",
    "accounts.cap": "E:v A:v M:v O:v X:vacd",
    "accounts.category": "E:v A:v M:v O:v S:v X:vacd",
    "accounts.consentchange": "O:v S:v X:v",
    "accounts.device": "O:vc S:v X:vcd",
    "accounts.preference": "O:v S:v X:vacd",
    "accounts.receivedreply": "O:v S:v X:vcd",
    "accounts.recipient": "O:v S:v X:vac",
    "accounts.refusal": "O:v S:v X:vd",
    "accounts.suppression": "O:vad S:v X:vacd",
    "auth.group": "X:vacd",
    "auth.user": "X:vacd",
    "campaigns.campaign": "A:v M:vacd O:v S:v X:vacd",
    "campaigns.run": "A:v M:v O:v S:v X:v",
    "campaigns.segment": "A:v M:vacd O:v S:v X:vacd",
    "django_celery_beat.clockedschedule": "X:vacd",
    "django_celery_beat.crontabschedule": "X:vacd",
    "django_celery_beat.intervalschedule": "X:vacd",
    "django_celery_beat.periodictask": "X:vacd",
    "django_celery_beat.solarschedule": "X:vacd",
    "notifications.batch": "O:v X:v",
    "notifications.deadletter": "O:v S:v X:v",
    "notifications.delivery": "O:v S:v X:v",
    "notifications.erasure": "X:v",
    "notifications.notification": "M:v O:v S:v X:v",
    "notifications.provideraccount": "O:vac X:vacd",
    "notifications.route": "O:vacd X:vacd",
    "notifications.smsprice": "O:vacd X:vacd",
    "templates_app.partial": "E:vac A:v M:v O:v S:v X:vacd",
    "templates_app.template": "E:vac A:v M:v O:v S:v X:vacd",
    "templates_app.templateversion": "E:vacd A:v M:v O:v S:v X:vacd",
}
ROLES = {
    "E": "Template editor", "A": "Approver", "M": "Marketer", "O": "Operator", "S": "Support", "X": "Administrator",
}  # fmt: skip
EMAIL, PHONE, TOKEN = "jimin.kim@example.com", "+821012345678", "f00d" * 16


def member(letter: str) -> User:
    user = User.objects.create(username=f"role-{letter}", is_staff=True)
    user.groups.add(Group.objects.get(name=ROLES[letter]))
    return user


def signed_in(letter: str) -> Client:
    browser = Client()
    browser.force_login(member(letter))
    return browser


@pytest.mark.parametrize("letter", ROLES)
def test_a_role_may_do_what_the_table_says_and_nothing_else(letter: str) -> None:
    request = RequestFactory().get("/")
    request.user = member(letter)
    may = {}
    for model, pages in admin.site._registry.items():
        asked = {
            "v": pages.has_view_permission(request), "a": pages.has_add_permission(request),
            "c": pages.has_change_permission(request), "d": pages.has_delete_permission(request),
        }  # fmt: skip
        if letters := "".join(name for name, allowed in asked.items() if allowed):
            may[model._meta.label_lower] = letters

    told = {model: dict(one.split(":") for one in row.split()) for model, row in TABLE.items()}
    assert may == {model: row[letter] for model, row in told.items() if letter in row}


def test_every_registered_page_is_in_the_table() -> None:
    assert {model._meta.label_lower for model in admin.site._registry} == set(TABLE)


EXTRA = [
    ("E", "templates_app.approve_templateversion", False),
    ("E", "templates_app.submit_templateversion", True),
    ("E", "templates_app.route_template", False),
    ("A", "templates_app.approve_templateversion", True),
    ("A", "templates_app.rollback_templateversion", True),
    ("S", "accounts.see_addresses", False),
    ("S", "accounts.export_recipient", False),
    ("S", "notifications.replay_deadletter", False),
    ("O", "notifications.replay_deadletter", True),
    ("O", "accounts.see_addresses", True),
    ("O", "accounts.export_recipient", False),
    ("X", "accounts.export_recipient", True),
]


@pytest.mark.parametrize(("letter", "permission", "has"), EXTRA)
def test_a_role_has_its_rights_beyond_pages(letter: str, permission: str, *, has: bool) -> None:
    assert member(letter).has_perm(permission) is has


@pytest.fixture
def jimin() -> Recipient:
    owner = person("jimin", email=EMAIL, phone=PHONE, attributes={"contact": f"{EMAIL} or {PHONE}"})
    made = device(owner)
    type(made).objects.filter(pk=made.pk).update(token=TOKEN)
    by = Witness(Actor.ADMIN, Via.ADMIN, "admin", f"asked by {EMAIL}")
    suppress(Channel.EMAIL, EMAIL, SuppressionCause.MANUAL, timezone.now(), by)
    suppress(Channel.SMS, PHONE, SuppressionCause.STOP, timezone.now(), by)
    Refusal.objects.create(address=EMAIL, channel="email", category=category())
    ReceivedReply.objects.create(
        phone=PHONE, wish="stop", keyword="STOP", account="twilio-live", ref="r1", said_at=timezone.now()
    )
    _log_of(owner)
    return owner


def _log_of(owner: Recipient) -> None:
    from tests.builders import application  # noqa: PLC0415

    version = published()
    notification = Notification.objects.create(
        application=application(), version=version, category=version.template.category, mode="live",
        urgency="normal", data={"code": "482913", "to": EMAIL},
    )  # fmt: skip
    delivery = Delivery.objects.create(
        notification=notification, recipient=owner, channel="email", queue="email", state="failed", address=EMAIL,
        reason="no_address", attempt=1,
    )  # fmt: skip
    DeadLetter.objects.create(
        delivery=delivery, notification=notification, queue="email", detail=f"550 <{EMAIL}> {PHONE}", at=timezone.now()
    )
    DeliveryEvent.objects.create(
        id=delivery.id, delivery=delivery, at=timezone.now(), attempt=1, kind="failed", detail=f"550 {EMAIL} {PHONE}"
    )


def pages_of(browser: Client) -> Iterator[tuple[str, str]]:
    """Every list, page, history and search that a person can open."""
    yield "/admin/", shown(browser.get("/admin/"))
    for model, pages in admin.site._registry.items():
        root = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        if browser.get(root).status_code != 200:
            continue
        asked = [root, *(f"{root}?q={term}" for term in ("jimin", "jimin.kim%40example.com", "%2B821012345678", TOKEN))]
        for row in model._base_manager.all()[:5]:
            asked += [f"{root}{row.pk}/change/", f"{root}{row.pk}/history/"]
        for address in asked:
            answer = browser.get(address, follow=True)
            assert answer.status_code == 200, (address, pages, answer.status_code)
            yield address, answer.content.decode()
    whys = ("jimin", "jimin.kim%40example.com", "%2B821012345678")
    for who in whys if browser.get("/admin/notifications/delivery/why/").status_code == 200 else ():
        yield f"why {who}", shown(browser.get(f"/admin/notifications/delivery/why/?who={who}"))


def found_in(page: str) -> list[str]:
    secrets = (EMAIL, EMAIL.replace("@", "%40"), PHONE, PHONE[1:], TOKEN, "482913", "role-S@")
    return [page[max(0, page.index(secret) - 60) :][:140] for secret in secrets if secret in page]


def test_support_sees_no_address_on_any_page(jimin: Recipient) -> None:
    browser = signed_in("S")

    opened = dict(pages_of(browser))

    assert {address: found_in(page) for address, page in opened.items() if found_in(page)} == {}
    assert len(opened) > 50
    assert "j***@example.com" in opened[f"/admin/accounts/recipient/{jimin.pk}/change/"]
    assert "jimin" in opened["/admin/accounts/recipient/?q=jimin.kim%40example.com"], "searching works"


def test_an_operator_sees_them(jimin: Recipient) -> None:
    page = shown(signed_in("O").get(f"/admin/accounts/recipient/{jimin.pk}/change/"))

    assert EMAIL in page
    assert PHONE in page


@pytest.mark.parametrize("action", ["consents_as_csv", "consents_as_json"])
@pytest.mark.parametrize(("letter", "may"), [("S", False), ("O", False), ("X", True)])
def test_only_administrators_export(jimin: Recipient, action: str, letter: str, *, may: bool) -> None:
    answer = signed_in(letter).post(
        "/admin/accounts/recipient/", {"action": action, "_selected_action": [str(jimin.pk)]}
    )

    assert ("Content-Disposition" in answer.headers) is may


def test_support_cannot_replay(jimin: Recipient) -> None:
    letter = DeadLetter.objects.get()

    signed_in("S").post("/admin/notifications/deadletter/", {"action": "replay", "_selected_action": [str(letter.pk)]})

    assert DeadLetter.objects.exists()


def test_an_editor_moves_no_template_to_a_category_without_approvals() -> None:
    strict = category("strict", needs_approval=True)
    owner = published().template
    type(owner).objects.update(category=strict)
    values = {
        "name": "other", "title": "New title", "category": category("lax").pk, "default_locale": "ko",
        "routing": "first", "versions-TOTAL_FORMS": 0, "versions-INITIAL_FORMS": 0,
    }  # fmt: skip

    answer = signed_in("E").post(f"/admin/templates_app/template/{owner.pk}/change/", values)

    assert answer.status_code == 302, answer.content
    owner.refresh_from_db()
    assert (owner.title, owner.name, owner.category, owner.routing) == ("New title", "welcome", strict, "")


def test_an_editor_cannot_change_the_rules_of_a_category() -> None:
    rules = category()

    answer = signed_in("E").post(f"/admin/accounts/category/{rules.pk}/change/", {"needs_approval": ""})

    assert answer.status_code == 403
    assert Category.objects.get() == rules


def test_forms_and_their_tokens_survive_the_mask() -> None:
    csrf = f'<input type="hidden" name="csrfmiddlewaretoken" value="{"a1" * 32}">'
    script = (
        '<script src="/static/unfold/js/a/very/long/name/that/goes/on/and/on/for/ever.js">let a = "x@y.zz"</script>'
    )

    assert masked_page(csrf + script) == csrf + script
    assert masked_page('<a href="?q=a.b%40c.kr&amp;p=1">홍길동@회사.한국</a>') == (
        '<a href="?q=a***%40c.kr&amp;p=1">홍***@회사.한국</a>'
    )
    assert Suppression.objects.count() == 0


@pytest.mark.parametrize("letter", "EAMOX")
def test_every_page_opens_for_every_role_that_may_see_it(jimin: Recipient, letter: str) -> None:
    assert len(dict(pages_of(signed_in(letter)))) > 10


def test_the_roles_can_be_made_again_and_keep_what_was_given_by_hand() -> None:
    migration = import_module("notifications.migrations.0019_roles")
    support = Group.objects.get(name="Support")
    support.permissions.add(Permission.objects.get(codename="view_batch"))
    before = set(support.permissions.values_list("codename", flat=True))

    with connection.schema_editor() as editor:
        migration.make_roles(apps, editor)
        assert set(support.permissions.values_list("codename", flat=True)) == before
        migration.remove_roles(apps, editor)
        assert not Group.objects.filter(name__in=ROLES.values()).exists()
        migration.make_roles(apps, editor)

    assert Group.objects.filter(name__in=ROLES.values()).count() == len(ROLES)


@pytest.mark.parametrize(("letter", "status"), [("S", 403), ("O", 403), ("X", 200)])
def test_only_administrators_take_all_that_is_held_on_a_person(jimin: Recipient, letter: str, status: int) -> None:
    assert signed_in(letter).get(f"/admin/notifications/erasure/export/{jimin.pk}/").status_code == status
