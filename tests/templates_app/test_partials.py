"""Parts that templates share: brought in by name, kept as they were with what is published."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.channels import Channel
from templates_app import catalogue, publishing, reviewing, sharing
from templates_app.content import EmailText, SmsText
from templates_app.models import Partial, TemplateVersion
from templates_app.rendering import ContentError, RenderError, compile_content
from tests.builders import administrator, published, shown, template

PARTIALS = "/admin/templates_app/partial/"
BASE = "<html>{% block body %}usual {{ usual }}{% endblock %}<p>{% render 'footer', to: name %}</p></html>"


def partials(**sources: str) -> dict[str, Any]:
    return {name: {"kind": "html", "texts": {"ko": source}} for name, source in sources.items()}


def html(source: str, data: dict[str, Any], **sources: str) -> str:
    raw = {"email": {"ko": {"subject": "s", "html": source}}}
    email = compile_content(raw, partials(**sources)).render(Channel.EMAIL, "ko", data)
    assert isinstance(email, EmailText)
    return email.html.partition("<body>")[2].removesuffix("</body></html>")


def test_a_partial_is_brought_in_with_what_it_is_given_and_escapes_it() -> None:
    assert html("{% render 'footer', to: a %}", {"a": "<b>"}, footer="to {{ to }}") == "to &lt;b&gt;"
    assert html("{% for i in l %}{% include 'row' %}{% endfor %}", {"l": [1, 2]}, row="[{{ i }}]") == "[1][2]"
    assert html("{% render 'row' for l as i %}", {"l": [1, 2]}, row="[{{ i }}]") == "[1][2]"


def test_a_layout_is_filled_and_says_what_it_needs() -> None:
    raw = {"email": {"ko": {"subject": "s", "html": "{% extends 'base' %}{% block body %}{{ mine }}{% endblock %}"}}}

    content = compile_content(raw, partials(base=BASE, footer="for {{ to }}", other="{{ other }}"))

    assert content.variables == {"mine", "name"}
    assert content.mentioned == {"mine", "name"}
    assert content.partials == {"base", "footer"}
    email = content.render(Channel.EMAIL, "ko", {"mine": "m", "name": "n"})
    assert email == EmailText(subject="s", html="<html>m<p>for n</p></html>")


def test_the_preheader_of_a_text_that_has_a_layout_is_the_layouts() -> None:
    raw = {"email": {"ko": {"subject": "s", "html": "{% extends 'base' %}", "preheader": "p"}}}

    with pytest.raises(ContentError, match=r"email.ko.preheader: where a layout is, it belongs there"):
        compile_content(raw, partials(base=BASE, footer="f"))


def test_plain_text_that_is_made_of_html_has_its_partials_without_markup() -> None:
    raw = {"email": {"ko": {"subject": "s", "html": "<p>{{ a }}</p>{% render 'footer' %}"}}}

    email = compile_content(raw, partials(footer="<p><b>bye</b></p>")).render(Channel.EMAIL, "ko", {"a": "hello"})

    assert isinstance(email, EmailText)
    assert "<b>bye</b>" in email.html
    assert email.text.split() == ["hello", "bye"]


def test_a_partial_speaks_the_language_of_the_text_or_its_own_first() -> None:
    known = {"sign": {"kind": "plain", "texts": {"en": "yours", "ko": "드림"}}}
    body = {"body": "{% render 'sign' %}"}
    content = compile_content({"sms": {"ko-KR": body, "en": body, "fr": body}}, known)

    said = [content.render(Channel.SMS, locale, {}) for locale in ("ko-KR", "en", "fr")]

    assert said == [SmsText("드림"), SmsText("yours"), SmsText("yours")]


WRONG: list[tuple[str, dict[str, str], str]] = [
    ("{% render 'foter' %}", {"footer": "x"}, "there is no partial 'foter'; did you mean 'footer'?"),
    (
        "x\n{% render 'a' %}",
        {"a": "1\n{{ b | nonsense }}"},
        "in the partial 'a', line 2: there is no filter 'nonsense'",
    ),
    ("{% render 'a' %}", {"a": "{% render 'b' %}", "b": "{% render 'a' %}"}, "the partial 'a' contains itself"),
    ("{% extends 'a' %}", {"a": "{% extends 'a' %}"}, "the partial 'a' contains itself"),
    ("{% render 'a' %}" * 100, {"a": "{% render 'b' %}" * 100, "b": "x"}, "contain each other too often"),
]


@pytest.mark.parametrize(("source", "sources", "message"), WRONG)
def test_what_is_wrong_with_a_partial_is_told(source: str, sources: dict[str, str], message: str) -> None:
    with pytest.raises(ContentError) as caught:
        html(source, {}, **sources)

    assert message in str(caught.value)


def test_a_partial_of_html_is_not_for_plain_texts() -> None:
    with pytest.raises(ContentError, match="there is no partial 'a'"):
        compile_content({"sms": {"ko": {"body": "{% render 'a' %}"}}}, partials(a="<b>"))


SMS = {"sms": {"ko": {"body": "{{ name }} {% render 'sign' %}"}}}


def kept(name: str = "sign", text: str = "드림", kind: str = "plain") -> Partial:
    return Partial.objects.create(name=name, title=name, kind=kind, texts={"ko": text})


@pytest.fixture
def browser() -> Client:
    return administrator()


@pytest.mark.django_db
def test_what_was_published_says_the_same_whatever_becomes_of_its_partials() -> None:
    kept(), kept("unused")
    version = published("hello", SMS)
    assert version.partials == {"sign": {"kind": "plain", "texts": {"ko": "드림"}}}

    Partial.objects.update(texts={"ko": "올림"})
    Partial.objects.all().delete()
    catalogue.forget()
    catalogue._compiled.clear()

    assert catalogue.edition(version.id).render(Channel.SMS, "ko", {"name": "지민"}) == SmsText("지민 드림")


@pytest.mark.django_db
def test_a_new_version_takes_partials_as_they_are_now() -> None:
    kept()
    first = published("hello", SMS)
    Partial.objects.update(texts={"ko": "올림"})

    second = publishing.create_draft(first.template, publishing.Draft(SMS))
    publishing.publish(second, timezone.now())

    assert second.partials["sign"]["texts"] == {"ko": "올림"}
    assert catalogue.edition(second.id).render(Channel.SMS, "ko", {"name": "지민"}) == SmsText("지민 올림")


@pytest.mark.django_db
def test_who_uses_a_partial_is_found_through_other_partials() -> None:
    kept(), kept("outer", "{% render 'sign' %}")
    direct, through = published("direct", SMS), {"sms": {"ko": {"body": "{% include 'outer' %}"}}}
    draft = publishing.create_draft(template("through"), publishing.Draft(through))
    publishing.create_draft(template("neither"), publishing.Draft({"sms": {"ko": {"body": "sign"}}}))

    assert sharing.users("sign") == ([direct], [draft])


@pytest.mark.django_db
def test_who_uses_a_partial_in_a_button_or_in_review_is_found() -> None:
    kept()
    button = {"id": "go", "label": "{% render 'sign' %}"}
    push = {"push": {"ko": {"title": "t", "body": "b", "buttons": [button]}}}
    draft = publishing.create_draft(template("button"), publishing.Draft(push))
    reviewed = publishing.create_draft(template("reviewed"), publishing.Draft(SMS))
    reviewing.submit_for_review(reviewed, timezone.now(), by=None)

    assert sharing.users("sign") == ([reviewed], [draft])


@pytest.mark.django_db
def test_what_is_approved_brings_in_what_was_reviewed() -> None:
    kept()
    version = publishing.create_draft(template("hello"), publishing.Draft(SMS))
    reviewing.submit_for_review(version, timezone.now(), by=None)
    Partial.objects.update(texts={"ko": "올림"})

    reviewing.approve(version, timezone.now(), by=None)

    assert catalogue.edition(version.id).render(Channel.SMS, "ko", {"name": "지민"}) == SmsText("지민 드림")


@pytest.mark.django_db
def test_what_was_sent_back_brings_in_partials_as_they_are_now() -> None:
    kept()
    version = publishing.create_draft(template("hello"), publishing.Draft(SMS))
    reviewing.submit_for_review(version, timezone.now(), by=None)
    reviewing.send_back(version, timezone.now(), by=None, comment="올림?")
    Partial.objects.update(texts={"ko": "올림"})

    publishing.publish(version, timezone.now())

    assert catalogue.edition(version.id).render(Channel.SMS, "ko", {"name": "지민"}) == SmsText("지민 올림")


@pytest.mark.django_db
def test_a_version_that_is_gone_back_to_brings_in_what_it_did() -> None:
    kept()
    first = published("hello", SMS)
    Partial.objects.update(texts={"ko": "올림"})
    publishing.publish(publishing.create_draft(first.template, publishing.Draft(SMS)), timezone.now())
    first.refresh_from_db()

    again = reviewing.roll_back(first, timezone.now(), by=None).version

    assert catalogue.edition(again.id).render(Channel.SMS, "ko", {"name": "지민"}) == SmsText("지민 드림")


def form(**values: Any) -> dict[str, Any]:
    return {"name": "sign", "title": "Sign", "kind": "plain", "texts": json.dumps({"ko": "드림"}), **values}


@pytest.mark.django_db
def test_the_page_of_a_partial_says_who_uses_it_and_that_they_keep_the_former_text(browser: Client) -> None:
    one = kept()
    published("hello", SMS)

    assert "hello v1" in shown(browser.get(f"{PARTIALS}{one.pk}/change/"))
    answer = browser.post(f"{PARTIALS}{one.pk}/change/", form(texts='{"ko": "올림"}'), follow=True)

    assert "publish a new version to bring in what changes here" in shown(answer)
    assert Partial.objects.get().texts == {"ko": "올림"}
    assert TemplateVersion.objects.get().partials["sign"]["texts"] == {"ko": "드림"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("texts", "why"),
    [
        ("[1]", "write an object"),
        ("{}", "This field is required"),
        ('{"ko_kr": "x"}', "write the locale as ko-KR"),
        ('{"ko": 7}', "write a text"),
        ('{"ko": "x\\n{% if %}"}', "sign.ko (line 2, column"),
        ('{"ko": "{{ a | nonsense }}"}', "there is no filter"),
        ('{"ko": "{% render \\"sign\\" %}"}', "contains itself"),
        ('{"ko": "{% render \\"none\\" %}"}', "there is no partial"),
    ],
)
def test_a_partial_that_could_not_be_used_is_not_kept(browser: Client, texts: str, why: str) -> None:
    assert why in shown(browser.post(f"{PARTIALS}add/", form(texts=texts))).replace("&#x27;", "'")

    assert not Partial.objects.exists()


@pytest.mark.django_db
def test_partials_are_listed_and_begun(browser: Client) -> None:
    assert browser.post(f"{PARTIALS}add/", form()).status_code == 302

    assert "sign" in shown(browser.get(PARTIALS))


def test_a_partial_brings_no_link_that_runs_a_program() -> None:
    raw = {"email": {"ko": {"subject": "s", "html": "{% include 'foot' %}"}}}
    content = compile_content(raw, partials(foot='<a href="{{ u }}">x</a>'))

    with pytest.raises(RenderError, match="a link begins with javascript:"):
        content.render(Channel.EMAIL, "ko", {"u": "javascript:x"})
