"""What data a template takes: suggested from its texts, checked at publishing and when a notification is accepted."""

from typing import Any

import pytest
from django.utils import timezone

from templates_app import publishing
from templates_app.models import TemplateVersion
from templates_app.publishing import NotPublishable
from templates_app.rendering import compile_content
from templates_app.schemas import Problem, SchemaError, compile_schema
from tests.builders import administrator, caller, published, template

ORDER = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "items": {"type": "array", "items": {"$ref": "#/$defs/item"}},
        "at": {"type": "string", "format": "date-time"},
    },
    "$defs": {"item": {"type": "object", "required": ["price"], "properties": {"price": {"type": "number"}}}},
}
FITS: dict[str, Any] = {"name": "지민", "items": [{"price": 1}]}


def problems(data: dict[str, Any], schema: dict[str, Any] = ORDER) -> tuple[Problem, ...]:
    compiled = compile_schema(schema)
    assert compiled is not None
    return compiled.problems(data)


DATA: list[tuple[dict[str, Any], str, str]] = [
    ({}, "name", "is missing."),
    ({"name": "a", "items": [{"price": "x"}]}, "items[0].price", 'the value is not of type "number".'),
    ({"name": "a", "items": [{"price": 1}, {}]}, "items[1].price", "is missing."),
    ({"name": "a", "at": "yesterday"}, "at", 'the value is not a "date-time".'),
    ({"name": 7}, "name", 'the value is not of type "string".'),
]


@pytest.mark.parametrize(("data", "path", "message"), DATA)
def test_what_does_not_fit_is_named_and_never_quoted(data: dict[str, Any], path: str, message: str) -> None:
    assert problems(data) == (Problem(path, message),)


def test_what_fits_and_what_is_unknown() -> None:
    assert problems(FITS) == ()
    assert problems({"b": 1}, {"properties": {}, "additionalProperties": False}) == (
        Problem("b", "is unknown to the template."),
    )
    assert compile_schema({}) is None


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"properties": {"a": schema}}
    return schema


LAUGHS = {f"l{n}": {"allOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 8} for n in range(5)} | {"l5": {"type": "string"}}
HOSTILE: list[tuple[Any, str]] = [
    ([], "write an object"),
    ({"type": "nonsense"}, "is no JSON Schema"),
    ({"$ref": "https://evil.example/schema"}, "refers elsewhere"),
    ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "/properties/a/$ref: refers elsewhere"),
    ({"$ref": "#/$defs/none"}, "there is no 'none'"),
    ({"$defs": {"a": {"properties": {"b": {"$ref": "#/$defs/a"}}}}, "$ref": "#/$defs/a"}, "leads back to itself"),
    ({"$dynamicRef": "#x"}, "is not taken"),
    ({"properties": {"a": {"$id": "https://a.example"}}}, "is not taken"),
    ({"$schema": "http://json-schema.org/draft-07/schema#"}, "another draft"),
    (deep(30), "levels deep"),
    ({"enum": ["x" * 70_000]}, "longer than"),
    ({"$ref": "#/$defs/l0", "$defs": LAUGHS}, "references followed"),
    ({"properties": {str(n): {} for n in range(3_000)}}, "parts"),
    ({"pattern": "("}, "is no JSON Schema"),
    ({"pattern": "(?=a)b"}, "is no JSON Schema"),
    ({"pattern": "(a)\\1"}, "is no JSON Schema"),
    ({"pattern": "((a{1000}){1000}){1000}"}, "is no JSON Schema"),
]


@pytest.mark.parametrize(("schema", "why"), HOSTILE)
def test_a_schema_that_reaches_out_or_has_no_end_is_refused(schema: Any, why: str) -> None:
    with pytest.raises(SchemaError) as caught:
        compile_schema(schema)

    assert why in str(caught.value)


def test_a_pattern_that_others_choke_on_takes_no_time() -> None:
    assert problems({"a": "a" * 50_000 + "!"}, {"properties": {"a": {"pattern": "^(a+)+$"}}})[0].path == "a"


def test_names_of_data_may_be_words_of_schemas() -> None:
    schema = {"properties": {"$ref": {"type": "string"}, "$id": {"const": {"$ref": "x"}}}}

    assert problems({"$ref": 1}, schema)[0].path == "$ref"


def suggested(body: str, sample: dict[str, Any] | None = None) -> dict[str, Any]:
    schema = compile_content({"sms": {"ko": {"body": body}}}).suggested_schema(sample or {})
    assert compile_schema(schema) is not None
    assert schema.pop("$schema").endswith("2020-12/schema")
    return schema


ANY = {"type": ["string", "number", "boolean", "null"]}
SUGGESTED: list[tuple[str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("{{ a }}", {}, {"a": ANY}, ["a"]),
    ("{{ a }}", {"a": "x"}, {"a": {"type": "string"}}, ["a"]),
    ("{{ a }}", {"a": 7}, {"a": {"type": "number"}}, ["a"]),
    ("{{ a }}", {"a": "https://x.example/"}, {"a": {"type": "string", "format": "uri"}}, ["a"]),
    ("{{ a | date }}", {"a": "2026-11-25T10:00:00Z"}, {"a": {"type": "string", "format": "date-time"}}, ["a"]),
    ("{{ a | money: 'KRW' }}", {}, {"a": {"type": "number"}}, ["a"]),
    ("{% if a %}x{% endif %}", {}, {"a": ANY}, []),
    ("{{ a.b }}", {}, {"a": {"type": "object", "properties": {"b": ANY}, "required": ["b"]}}, ["a"]),
    ("{% for i in a %}{{ i }}{% endfor %}", {}, {"a": {"type": "array", "items": ANY}}, ["a"]),
    (
        "{% for i in a %}{{ i.price | money: 'KRW' }}{% for j in i.tags %}{{ j }}{% endfor %}{% endfor %}",
        {"a": [{"price": 1.5, "tags": ["x"]}]},
        {
            "a": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "price": {"type": "number"},
                        "tags": {"type": "array", "items": {"type": "string"}},
                    },
                },
            }
        },
        ["a"],
    ),
    ("{{ a.size }}{{ a[0].name }}", {}, {"a": {"type": "array", "items": {"type": "object", "properties": {"name": ANY}}}}, ["a"]),  # noqa: E501
    ("{{ recipient.city }}{{ unsubscribe_url }}{% assign b = a %}{{ b }}", {}, {"a": ANY}, ["a"]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "sample", "properties", "required"), SUGGESTED)
def test_a_schema_is_suggested_from_the_text_and_its_sample(
    body: str, sample: dict[str, Any], properties: dict[str, Any], required: list[str]
) -> None:
    schema = suggested(body, sample)

    assert schema["properties"] == properties
    assert schema.get("required", []) == required


CONTENT = {"sms": {"ko": {"body": "{{ name }} {% for i in items %}{{ i.price }}{% endfor %}"}}}


@pytest.mark.django_db
def test_sample_data_that_does_not_fit_is_not_published() -> None:
    version = publishing.create_draft(template(), publishing.Draft(CONTENT, {"name": "a", "items": [{}]}, ORDER))

    with pytest.raises(NotPublishable, match=r"does not fit the schema: items\[0\]\.price is missing"):
        publishing.check(version.template, version)


def sendable(**more: Any) -> TemplateVersion:
    version = publishing.create_draft(template("order"), publishing.Draft(CONTENT, FITS, ORDER))
    publishing.publish(version, timezone.now())
    return version


def asked(data: Any, own: Any = None) -> dict[str, Any]:
    person = {"phone": "+821012345678", **({"data": own} if own else {})}
    return {"template": "order", "recipients": [person], "data": data}


@pytest.mark.django_db
def test_a_notification_whose_data_does_not_fit_is_refused_by_its_pointer() -> None:
    sendable()

    answer = caller().post("/v1/notifications", asked({"name": "a", "items": [{"price": "x"}]}))

    assert answer.status_code == 422, answer.content
    assert answer.json()["errors"] == [
        {"field": "data.items[0].price", "message": 'the value is not of type "number".'}
    ]


@pytest.mark.django_db
def test_what_is_given_for_one_recipient_alone_is_named_there() -> None:
    sendable()

    answer = caller().post("/v1/notifications", asked({"items": []}, own={"name": 7}))

    assert [error["field"] for error in answer.json()["errors"]] == ["recipients[0].data.name"]


@pytest.mark.django_db
def test_data_that_fits_is_accepted_and_the_schema_is_told() -> None:
    sendable()

    assert caller().post("/v1/notifications", asked(FITS)).status_code == 202
    assert caller().get("/v1/templates/order").json()["schema"] == ORDER


@pytest.mark.django_db
def test_a_draft_gets_a_schema_by_an_action_and_a_published_version_does_not() -> None:
    browser, fixed = administrator(), published("fixed", CONTENT)
    draft = publishing.create_draft(template("other"), publishing.Draft(CONTENT, FITS))

    chosen = [str(draft.pk), str(fixed.pk)]
    browser.post("/admin/templates_app/templateversion/", {"action": "suggest_schema", "_selected_action": chosen})

    draft.refresh_from_db()
    fixed.refresh_from_db()
    assert draft.schema["properties"]["items"]["items"]["properties"] == {"price": {"type": "number"}}
    assert fixed.schema == {}
