"""Whoever sees masks in place of addresses saves none: not what is stored, and not a mask in its place."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import Application, Category, Preference, Recipient
from accounts.staff.unspoilt import masks_in, personal
from campaigns.models import Campaign, Segment
from notifications.models import ProviderAccount
from templates_app import publishing
from templates_app.models import Partial, Template
from tests.browser.test_admin_pages import stage  # noqa: F401 - a fixture: a row of every model that has a page
from tests.builders import administrator, category, complaints, shown, template
from tests.campaigns.stage import campaign
from tests.config.test_roles import signed_in

pytestmark = pytest.mark.django_db

#: What a shop writes, of which every part looks like somebody's.
WORDS = "help@shop.example +821098765432 https://shop.example/?token=abcdef&to=a%40shop.example " + "SPRING2026" * 6
#: Of a person.
EMAIL, PHONE, NAME = "jimin.kim@people.example", "+821012345678", "jimin.kim@id.example"


class Controls(HTMLParser):
    """What the form of a page would send, by name, but for its token."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self._is_inside, self._textarea, self._select = False, "", ""
        self.feed(page)
        self.sent.pop("csrfmiddlewaretoken", None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        name, value = has.get("name") or "", has.get("value")
        match tag:
            case "form":
                self._is_inside = (has.get("id") or "").endswith("_form")
            case "input" if self._is_inside and name and has.get("type") not in ("submit", "checkbox", "file"):
                self.sent[name] = value or ""
            case "input" if self._is_inside and name and "checked" in has:
                self.sent[name] = value or "on"
            case "select" if self._is_inside:
                self._select = name
            case "option" if self._select and "selected" in has:
                self.sent[self._select] = value or ""
            case "textarea" if self._is_inside:
                self._textarea = name
                self.sent[name] = ""
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "form":
                self._is_inside = False
            case "select":
                self._select = ""
            case "textarea":
                self.sent[self._textarea] = self.sent.get(self._textarea, "").removeprefix("\n")
                self._textarea = ""
            case _:
                pass

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.sent[self._textarea] += data


def sent_by(browser: Client, page: str) -> dict[str, str]:
    """What the page's form sends when nothing is typed."""
    return Controls(shown(browser.get(page))).sent


def page_of(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


# --- what people write ---------------------------------------------------------------------------------


def test_a_marketer_who_saves_another_field_leaves_the_data_of_a_campaign_as_it_is() -> None:
    draft = campaign("sale", state="draft", data={"contact": WORDS})
    browser = signed_in("M")

    form = sent_by(browser, page_of(draft))
    answer = browser.post(page_of(draft), {**form, "name": "Another name"})

    assert answer.status_code == 302, complaints(answer)
    draft.refresh_from_db()
    assert (draft.name, draft.data) == ("Another name", {"contact": WORDS})


def test_a_marketer_leaves_the_rules_of_a_segment_as_they_are() -> None:
    rules = {"field": "attributes.owner", "is": "is", "value": "kim@corp.example"}
    segment = Segment.objects.create(name="Theirs", rules=rules)
    browser = signed_in("M")

    answer = browser.post(page_of(segment), {**sent_by(browser, page_of(segment)), "name": "Others"})

    assert answer.status_code == 302, complaints(answer)
    segment.refresh_from_db()
    assert (segment.name, segment.rules) == ("Others", rules)


def test_an_editor_leaves_the_words_of_a_draft_as_they_are() -> None:
    content = {"sms": {"ko": {"body": WORDS}}}
    draft = publishing.create_draft(template(), publishing.Draft(content, {}))
    browser = signed_in("E")

    form = sent_by(browser, page_of(draft))
    answer = browser.post(page_of(draft), {**form, "sample_data": '{"name": "지민"}'})

    assert answer.status_code == 302, complaints(answer)
    draft.refresh_from_db()
    assert (draft.content, draft.sample_data) == (content, {"name": "지민"})


def test_a_mask_that_was_copied_from_a_page_is_refused_and_nothing_is_saved() -> None:
    draft = campaign("sale", state="draft", data={"contact": "help@shop.example", "phone": "+821098765432"})
    browser = signed_in("M")
    form = sent_by(browser, page_of(draft))

    for masked in ('{"contact": "h***@shop.example", "phone": 1}', '{"phone": "+8210***32", "name": "kim"}'):
        (told,) = complaints(browser.post(page_of(draft), {**form, "data": masked, "name": "Another name"}))
        assert "would be saved in its place" in told

    draft.refresh_from_db()
    assert draft.data == {"contact": "help@shop.example", "phone": "+821098765432"}
    assert draft.name != "Another name"


def test_whoever_sees_addresses_may_write_stars() -> None:
    draft = campaign("sale", state="draft", data={"contact": "help@shop.example"})
    browser = administrator()

    answer = browser.post(
        page_of(draft), {**sent_by(browser, page_of(draft)), "data": '{"contact": "h***@shop.example"}'}
    )

    assert answer.status_code == 302, complaints(answer)
    draft.refresh_from_db()
    assert draft.data == {"contact": "h***@shop.example"}


@pytest.mark.parametrize(
    ("given", "stored", "masks"),
    [
        pytest.param("h***@shop.example", "help@shop.example", ["h***@shop.example"], id="all-of-it"),
        pytest.param('{"a":"h***@shop.example"}', '{"b": "help@shop.example"}', ["h***@shop.example"], id="a-part"),
        pytest.param("https://b.example/?token=***", "https://a.example/?token=abc", ["***"], id="in-a-link"),
        pytest.param("buy *** now", "buy help@shop.example", [], id="stars-of-ones-own"),
        pytest.param("h***@shop.example", "h***@shop.example", [], id="stored-like-that"),
        pytest.param("help@shop.example", "help@shop.example", [], id="as-it-is"),
        pytest.param("", "help@shop.example", [], id="emptied"),
    ],
)
def test_a_mask_is_known_by_what_it_stands_for(given: str, stored: str, masks: list[str]) -> None:
    assert masks_in(given, stored) == masks


# --- what says something of a person -------------------------------------------------------------------


def helper() -> User:
    """May do everything on every page, and see no addresses."""
    user = User.objects.create(username="helper", is_staff=True)
    user.user_permissions.set(Permission.objects.exclude(codename="see_addresses"))
    return user


def helpers_browser() -> Client:
    browser = Client()
    browser.force_login(helper())
    return browser


def test_who_a_person_is_stays_as_it_is_whatever_is_sent() -> None:
    jimin = Recipient.objects.create(
        external_id=NAME, email=EMAIL, phone=PHONE, attributes={"mother": EMAIL}, locale="ko"
    )
    Preference.objects.create(recipient=jimin, category=category(), allowed=True, source=EMAIL)
    browser = helpers_browser()

    form = sent_by(browser, page_of(jimin))
    assert not {"external_id", "email", "phone", "attributes", "preferences-0-source"} & set(form)
    forged = {"email": "j***@people.example", "external_id": "x", "phone": "", "attributes": "{}"}
    answer = browser.post(page_of(jimin), {**form, **forged, "locale": "en", "preferences-0-source": "j***"})

    assert answer.status_code == 302, complaints(answer)
    jimin.refresh_from_db()
    assert (jimin.external_id, jimin.email, jimin.phone, jimin.locale) == (NAME, EMAIL, PHONE, "en")
    assert jimin.attributes == {"mother": EMAIL}
    assert jimin.preferences.get().source == EMAIL


def test_a_user_keeps_their_name_and_address() -> None:
    user = User.objects.create(username=NAME, email=EMAIL, is_staff=True)
    browser = helpers_browser()

    answer = browser.post(page_of(user), {**sent_by(browser, page_of(user)), "email": "x@y.example"})

    assert answer.status_code == 302, complaints(answer)
    user.refresh_from_db()
    assert (user.username, user.email) == (NAME, EMAIL)


def test_a_new_person_is_written_down_as_typed() -> None:
    typed = {"external_id": NAME, "email": EMAIL, "phone": PHONE, "attributes": "{}", "locale": "not one"}
    inlines = {f"{name}-{kind}_FORMS": 0 for name in ("devices", "preferences") for kind in ("TOTAL", "INITIAL")}
    browser, page = helpers_browser(), "/admin/accounts/recipient/add/"

    again = Controls(shown(browser.post(page, {**typed, **inlines}))).sent
    assert {name: again[name] for name in ("external_id", "email", "phone")} == {
        "external_id": NAME, "email": EMAIL, "phone": PHONE,
    }  # fmt: skip
    assert browser.post(page, {**again, "locale": "ko"}).status_code == 302
    assert Recipient.objects.get().email == EMAIL


# --- every form ----------------------------------------------------------------------------------------

#: Fields with words that people write, and that say nothing of a person: whoever may change them reads them as they
#: are. A new field with words stands here, or in `unspoilt._PERSONAL`.
WRITTEN = {
    "accounts.application": {"name", "rate_limit"},
    "accounts.category": {"name", "slug", "label", "routing_order"},
    "auth.group": {"name"},
    "campaigns.campaign": {"name", "data", "starts_wall", "ends_wall", "crontab", "zone"},
    "campaigns.segment": {"name", "rules"},
    "django_celery_beat.crontabschedule": {"minute", "hour", "day_of_month", "month_of_year", "day_of_week"},
    "django_celery_beat.periodictask": {
        "name", "task", "args", "kwargs", "headers", "description", "queue", "exchange", "routing_key",
    },
    # the locale, country and zone of a person are shown to everybody who may see people
    "accounts.recipient": {"locale", "country", "time_zone"},
    # what is typed for them goes in and never comes out
    "notifications.provideraccount": {"name", "endpoint", "new_credentials", "settings"},
    "notifications.route": {"prefix"},
    "notifications.smsprice": {"destination", "currency"},
    "templates_app.partial": {"title", "texts"},
    "templates_app.template": {"name", "title", "default_locale", "routing_order"},
    "templates_app.templateversion": {"content", "sample_data", "schema"},
}  # fmt: skip


#: Numbers, moments, and what is chosen among.
WORDLESS = (
    forms.BooleanField, forms.ChoiceField, forms.DateField, forms.DateTimeField, forms.DurationField,
    forms.IntegerField, forms.ModelChoiceField, forms.MultipleChoiceField, forms.SplitDateTimeField, forms.TimeField,
)  # fmt: skip


def words_of(form: type[forms.ModelForm[Any]]) -> set[str]:
    return {name for name, field in form.base_fields.items() if not field.disabled and not isinstance(field, WORDLESS)}


def forms_of(request: Any) -> Iterator[tuple[str, set[str]]]:
    """The words that each page's form takes of somebody, those of the rows beneath it included, by model."""
    for model, pages in admin.site._registry.items():
        row = model._base_manager.order_by("pk").first() or model()
        if pages.has_change_permission(request, row):
            yield model._meta.label_lower, words_of(pages.get_form(request, row, change=True))
            for formset, inline in pages.get_formsets_with_inlines(request, row):
                yield inline.model._meta.label_lower, words_of(formset.form)


def test_no_form_of_those_who_see_masks_takes_what_says_something_of_a_person() -> None:
    request = RequestFactory().get("/")
    request.user = helper()

    taken: dict[str, set[str]] = {}
    for model, words in forms_of(request):
        taken.setdefault(model, set()).update(words)

    assert {model: words for model, words in taken.items() if words} == WRITTEN


def test_those_who_see_addresses_write_them() -> None:
    request = RequestFactory().get("/")
    request.user = User.objects.create(username="all", is_staff=True, is_superuser=True)

    taken = dict(forms_of(request))

    assert set(personal(Recipient)) <= taken["accounts.recipient"]
    assert set(personal(Preference)) <= taken["accounts.preference"]
    assert set(personal(User)) <= taken["auth.user"]


@pytest.mark.usefixtures("stage")
def test_no_field_on_any_page_is_masked_and_no_person_is_shown() -> None:
    knowing, masked = administrator_of_stage(), helpers_browser()
    spelled_out()

    opened = 0
    differing: dict[str, str] = {}
    seen: dict[str, str] = {}
    for model in admin.site._registry:
        page = page_of(model._base_manager.order_by("pk").last() or model())
        as_it_is, as_seen = sent_by(knowing, page), shown(masked.get(page))
        sent = Controls(as_seen).sent
        opened += bool(sent)
        differing |= {f"{page} {name}": value for name, value in sent.items() if value != as_it_is[name]}
        seen |= {f"{page} {secret}": as_seen for secret in (EMAIL, PHONE, NAME) if secret in as_seen}

    assert (differing, seen) == ({}, {})
    assert opened > 15


def administrator_of_stage() -> Client:
    browser = Client()
    browser.force_login(User.objects.get(username="admin"))
    return browser


def spelled_out() -> None:
    """Addresses of the shop wherever people write, and a person's wherever there is one."""
    for named in (Application, Campaign, Category, Segment):
        named.objects.filter(pk=named.objects.latest("pk").pk).update(name="help@shop.example")
    Campaign.objects.update(data={"contact": WORDS}, state="draft")
    Segment.objects.update(rules={"field": "attributes.x", "is": "is", "value": WORDS})
    Template.objects.update(title=WORDS[:80])
    publishing.create_draft(
        Template.objects.earliest("pk"), publishing.Draft({"sms": {"ko": {"body": WORDS}}}, {"x": WORDS})
    )
    Partial.objects.update(title=WORDS[:80], texts={"ko": WORDS})
    ProviderAccount.objects.update(settings={"sender": "+821098765432"})
    Preference.objects.update(source=EMAIL)
    Recipient.objects.update(external_id=NAME, email=EMAIL, phone=PHONE, attributes={"mother": EMAIL})
    User.objects.update(email=EMAIL, first_name=EMAIL, last_name=PHONE)
