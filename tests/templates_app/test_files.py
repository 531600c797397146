"""Templates as files: what is pulled and pushed again changes nothing, and mistakes change nothing either."""

import json
import tempfile
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry, Category
from templates_app import publishing
from templates_app.files import layout, positions, reading
from templates_app.models import Partial, Template, TemplateVersion
from tests import builders

pytestmark = pytest.mark.django_db

CONTENT: dict[str, dict[str, dict[str, Any]]] = {
    "push": {"ko": {"title": "안녕", "body": "{{ name }}님", "badge": 3, "buttons": [{"id": "a", "label": "보기"}]}},
    "sms": {"ko": {"body": "안녕 {{ name }}\n"}, "en": {"body": "Hello {{ name }}"}},
    "email": {"ko": {"subject": "안녕", "html": "<p>{{ name }}</p>", "text": ""}},
}


def run(*words: Any) -> str:
    out = StringIO()
    call_command("templates", *map(str, words), stdout=out, stderr=out)
    return out.getvalue()


def refused(*words: Any) -> list[str]:
    """Every line that is told of what is wrong."""
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("templates", *map(str, words), stdout=StringIO(), stderr=out)
    return out.getvalue().splitlines()


def shown(root: Path) -> dict[str, str]:
    return {file.relative_to(root).as_posix(): file.read_text() for file in sorted(root.rglob("*")) if file.is_file()}


def write(root: Path, **files: Any) -> None:
    """A template that is right, with some files of its own."""
    usual = {
        "template.json": {"title": "Hello", "category": "news", "default_locale": "ko"},
        "sample.json": {"name": "지민"},
        "sms.ko.txt": "안녕 {{ name }}\n",
    }
    builders.category()
    for path, said in {**usual, **files}.items():
        if said is None:
            continue
        file = root / "hello" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(said if isinstance(said, str) else json.dumps(said, ensure_ascii=False, indent=2) + "\n")


def test_a_template_becomes_a_folder(tmp_path: Path) -> None:
    builders.published("hello", CONTENT, sample_data={"name": "지민"})
    Partial.objects.create(name="footer", title="Footer", kind="html", texts={"ko": "<p>끝</p>", "en": "<p>End</p>"})

    run("pull", tmp_path)

    files = shown(tmp_path)
    assert list(files) == [
        "_partials/footer/en.html",
        "_partials/footer/ko.html",
        "_partials/footer/partial.json",
        "hello/email.ko/body.html",
        "hello/email.ko/subject.txt",
        "hello/email.ko/text.txt",
        "hello/push.ko.json",
        "hello/sample.json",
        "hello/sms.en.txt",
        "hello/sms.ko.txt",
        "hello/template.json",
    ]
    assert files["hello/sms.ko.txt"] == "안녕 {{ name }}\n\n"
    assert (
        files["hello/template.json"] == '{\n  "title": "Hello",\n  "category": "news",\n  "default_locale": "ko"\n}\n'
    )


def test_what_was_pulled_changes_nothing_when_it_is_pushed_or_pulled_again(tmp_path: Path) -> None:
    builders.published("hello", CONTENT, sample_data={"name": "지민"})
    run("pull", tmp_path)
    before = shown(tmp_path)

    assert run("pull", tmp_path).endswith("0 files written, 0 removed, 8 as they were.\n")
    assert "0 drafts made, 0 published" in run("push", tmp_path, "--publish")

    assert shown(tmp_path) == before
    assert TemplateVersion.objects.count() == 1


def test_what_is_said_no_more_is_removed_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    builders.published("hello", CONTENT, sample_data={"name": "지민"})
    run("pull", tmp_path)
    for path in ("hello/sms.fr.txt", "hello/notes.md", "hello/email.fr/subject.txt", "other/sms.ko.txt"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("x\n")

    run("pull", tmp_path)

    left = {path for path in shown(tmp_path) if shown(tmp_path)[path] == "x\n"}
    assert left == {"hello/notes.md", "other/sms.ko.txt"}
    assert not (tmp_path / "hello/email.fr").exists()


def test_a_draft_is_pulled_when_it_is_asked_for(tmp_path: Path) -> None:
    template = builders.template("hello")
    publishing.create_draft(template, publishing.Draft({"sms": {"ko": {"body": "x"}}}))

    assert "hello: nothing is published" in run("pull", tmp_path)
    assert shown(tmp_path) == {}
    run("pull", tmp_path, "--drafts")

    assert shown(tmp_path)["hello/sms.ko.txt"] == "x\n"


def test_a_change_becomes_a_draft_and_is_published_when_asked(tmp_path: Path) -> None:
    builders.published("hello", CONTENT, sample_data={"name": "지민"})
    run("pull", tmp_path)
    (tmp_path / "hello/sms.en.txt").write_text("Good morning {{ name }}\n")

    diff = run("push", tmp_path, "--dry-run")
    assert "--- a/hello/sms.en.txt\n+++ b/hello/sms.en.txt" in diff
    assert "-Hello {{ name }}\n+Good morning {{ name }}\n" in diff
    assert TemplateVersion.objects.count() == 1
    assert "hello: draft v2\n1 drafts made, 0 published" in run("push", tmp_path)
    assert "0 drafts made, 0 published" in run("push", tmp_path)
    assert "hello: v2 published" in run("push", tmp_path, "--publish")

    published = TemplateVersion.objects.get(state="published")
    assert published.content == {**CONTENT, "sms": {**CONTENT["sms"], "en": {"body": "Good morning {{ name }}"}}}


def test_where_an_approval_is_due_it_is_asked_for(tmp_path: Path) -> None:
    builders.category(needs_approval=True)
    write(tmp_path)

    assert "hello: v1 waits for an approval" in run("push", tmp_path, "--publish")
    run("push", tmp_path, "--publish")

    assert [one.state for one in TemplateVersion.objects.all()] == ["in_review"]


def test_a_partial_that_changes_brings_its_templates_along(tmp_path: Path) -> None:
    write(tmp_path, **{"email.ko/subject.txt": "x\n", "email.ko/body.html": "<p>{% render 'end' %}</p>\n"})
    partial = tmp_path / "_partials/end"
    partial.mkdir(parents=True)
    (partial / "partial.json").write_text('{"title": "End", "kind": "html"}')
    (partial / "ko.html").write_text("끝\n")
    run("push", tmp_path, "--publish")
    (partial / "ko.html").write_text("마침\n")

    assert "partial end: changed\nhello: draft v2\nhello: v2 published" in run("push", tmp_path, "--publish")

    assert TemplateVersion.objects.get(state="published").partials["end"]["texts"] == {"ko": "마침"}
    assert AuditEntry.objects.filter(model="templates_app.partial", action="changed").count() == 1


def test_categories_are_made_where_they_are_missing_and_never_changed(tmp_path: Path) -> None:
    write(tmp_path, **{"template.json": {"title": "Hello", "category": "ads"}})
    said = {"ads": {"name": "Ads", "consent": "opt_in", "label": "(광고)"}, "news": {"name": "Other"}}
    (tmp_path / "_categories.json").write_text(json.dumps(said))

    run("push", tmp_path)

    assert list(Category.objects.order_by("slug").values_list("slug", "name", "consent")) == [
        ("ads", "Ads", "opt_in"),
        ("news", "News", "opt_out"),
    ]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"sms.ko.txt": "ab\n{{ name | nope }}\n"}, "hello/sms.ko.txt:2:11: there is no filter 'nope'."),
    ({"sms.ko.txt": "ab {{ nom }}\n"}, "hello/sms.ko.txt:1:7: With the sample data: sms.ko.body: nom is missing"),
    ({"sms.ko.txt": "\n"}, "hello/sms.ko.txt:1:1: body: is missing or empty."),
    ({"sms.en.txt": "x\n", "sms.ko.txt": None}, "hello/template.json:1:1: sms says nothing in ko"),
    ({"sms.KO.txt": "x\n"}, "hello/sms.KO.txt:1:1: write the locale as ko."),
    ({"sms.korean.txt": "x\n"}, "hello/sms.korean.txt:1:1: 'korean': Not a locale."),
    ({"fax.ko.txt": "x\n"}, "hello/fax.ko.txt:1:1: unknown file"),
    ({"email.ko/logo.png": "x"}, "hello/email.ko/logo.png:1:1: unknown file"),
    ({"sms.ko.txt": "\ufeffx\n"}, "hello/sms.ko.txt:1:1: begins with a byte order mark"),
    ({"sms.ko.txt": "x" * 1_000_001}, "hello/sms.ko.txt:1:1: larger than 1,000,000 bytes."),
    ({"template.json": None}, "hello/template.json:1:1: is missing"),
    (
        {"template.json": {"title": "x", "category": "newz"}},
        "hello/template.json:3:15: there is no category 'newz'; did you mean 'news'?",
    ),
    (
        {"template.json": {"title": "x", "category": "news", "rooting": "all"}},
        "hello/template.json:4:14: 'rooting' is unknown; did you mean 'routing'?",
    ),
    ({"template.json": {"title": "x", "category": "news", "routing": "al"}}, "hello/template.json:4:14: routing:"),
    ({"template.json": '{"title": "x",\n "title": "y"}'}, "hello/template.json:2:2: 'title' stands here twice."),
    ({"template.json": '{"title": "x",\n}'}, "hello/template.json:2:1: not JSON"),
    ({"sample.json": '{"name": NaN}'}, "hello/sample.json:1:10: NaN is no number of JSON."),
    (
        {"schema.json": {"type": "object", "properties": {"name": {"type": "number"}}}},
        "hello/sample.json:2:11: name",
    ),
    ({"schema.json": {"type": "thing"}}, "hello/schema.json:"),
    (
        {"push.ko.json": {"title": "가\n나 {{ a | nope }}", "body": "x"}},
        "hello/push.ko.json:2:25: title: there is no filter 'nope'.",
    ),
    ({"push.ko.json": {"title": "x", "body": "x", "ttl": -1}}, "hello/push.ko.json:4:10: ttl: must be a whole"),
    (
        {"email.ko/subject.txt": "x\n", "email.ko/body.mjml": "<mjml>\n<mj-body><mj-foo/></mj-body></mjml>\n"},
        "hello/email.ko/body.mjml:",
    ),
]


@pytest.mark.parametrize(("files", "message"), WRONG)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, files: dict[str, Any], message: str) -> None:
    write(tmp_path, **files)

    told = refused("push", tmp_path)

    assert [line for line in told if line.startswith(message)], told
    assert not Template.objects.exists()


def test_all_mistakes_are_told_at_once_and_nothing_is_changed(tmp_path: Path) -> None:
    write(
        tmp_path,
        **{
            "push.ko.json": {"title": "{{ a | x1 }}", "body": "{{ a | x2 }}"},
            "sms.ko.txt": "{{ a | x3 }}\n",
            "email.ko/subject.txt": "{{ a | x4 }}\n",
            "email.ko/body.html": "{{ a | x5 }}\n",
        },
    )
    (tmp_path / "second").mkdir()
    (tmp_path / "second/sms.ko.txt").write_text("x\n")
    (tmp_path / "stray.txt").write_text("x\n")

    told = "\n".join(refused("push", tmp_path, "--publish"))

    assert all(f"'x{number}'" in told for number in range(1, 6)), told
    assert "second/template.json:1:1: is missing" in told
    assert "stray.txt:1:1: unknown file" in told
    assert not Template.objects.exists()


def test_nothing_outside_of_the_folder_is_read_or_written(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret\n")
    root = tmp_path / "root"
    write(root)
    (root / "hello/sms.en.txt").symlink_to(outside / "secret.txt")
    (root / "linked").symlink_to(outside)

    told = refused("push", root)

    assert [line.partition(":")[0] for line in told] == ["hello/sms.en.txt", "linked"]
    (root / "hello/sms.en.txt").unlink()
    (root / "linked").unlink()
    run("push", root, "--publish")
    (root / "hello/sms.ko.txt").unlink()
    (root / "hello/sms.ko.txt").symlink_to(outside / "secret.txt")
    with pytest.raises(CommandError, match="symbolic link"):
        run("pull", root)
    assert (outside / "secret.txt").read_text() == "secret\n"


def test_who_pushed_is_told(tmp_path: Path, django_user_model: Any) -> None:
    someone = django_user_model.objects.create_user("minji")
    write(tmp_path)

    run("push", tmp_path, "--by", "minji")

    step = TemplateVersion.objects.get().steps.get()
    assert (step.by, step.kind) == (someone, "written")
    with pytest.raises(CommandError, match="Nobody is called nobody"):
        run("push", tmp_path, "--by", "nobody")


#: Words as people paste them: line breaks of all kinds, emoji, quotes, backslashes; no Liquid.
WORDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0{}\ufeff"), min_size=1, max_size=30
).filter(str.strip)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e6, 1e6).map(lambda n: n + 0.0) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
LOCALES = st.sampled_from(["ko", "en", "ko-KR", "zh-Hant-TW"])
TEXTS = {
    "push": st.fixed_dictionaries(
        {"title": WORDS, "body": WORDS}, optional={"badge": st.integers(0, 9), "link": WORDS, "sound": st.just("")}
    ),
    "sms": st.fixed_dictionaries({"body": WORDS}),
    "email": st.fixed_dictionaries({"subject": WORDS, "text": WORDS}, optional={"preheader": st.just("")}),
}
CONTENTS = st.fixed_dictionaries(
    {},
    optional={
        channel: st.tuples(texts, st.dictionaries(LOCALES, texts, max_size=2)).map(lambda it: {**it[1], "ko": it[0]})
        for channel, texts in TEXTS.items()
    },
).filter(bool)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=CONTENTS, sample=st.dictionaries(WORDS, VALUES, max_size=3), is_draft=st.booleans())
def test_pull_and_push_are_each_others_reverse(content: Any, sample: Any, is_draft: bool) -> None:
    Template.objects.all().delete()
    version = publishing.create_draft(builders.template("hello"), publishing.Draft(content, sample))
    if not is_draft:
        publishing.publish(version, timezone.now())
    version.refresh_from_db()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        run("pull", root, "--drafts")
        files = shown_exactly(root)
        assert "0 drafts made" in run("push", root)
        assert TemplateVersion.objects.count() == 1
        Template.objects.all().delete()
        run("push", root)
        run("pull", root, "--drafts")
        assert shown_exactly(root) == files
    again = TemplateVersion.objects.get()
    assert (again.content, again.sample_data) == (version.content, version.sample_data)


def shown_exactly(root: Path) -> dict[str, bytes]:
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in root.rglob("*") if file.is_file()}


@given(VALUES.filter(lambda value: isinstance(value, dict | list)))
def test_the_place_of_every_value_is_found(value: Any) -> None:
    source = layout.written(value)

    for way, inner in _ways(value):
        line, column = positions.inside(source, way)
        found, _end = json.JSONDecoder().raw_decode(source, positions.index_of(source, line, column))
        assert found == inner


def _ways(value: Any) -> list[tuple[tuple[str | int, ...], Any]]:
    inner: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [((), value), *(((key, *way), one) for key, child in inner for way, one in _ways(child))]


def test_a_folder_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    assert [one.message for one in reading.read(tmp_path / "nowhere").mistakes] == ["is no folder."]


JUNK = st.one_of(
    st.binary(max_size=40),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(
        st.sampled_from(["title", "category", "default_locale", "kind", "body", "badge", "buttons", "overrides", "news",
                         "name", "consent", "quiet_from", "digest_minutes", "routing_order", "seen_within_days",
                         "properties"]),
        VALUES | st.sampled_from(["news", "html", "ko", "{{ a.b[0] }}", "{% render 'end' %}", "opt_in", ["push"]]),
        max_size=5,
    ).map(lambda value: json.dumps(value).encode()),
)  # fmt: skip
PATHS = st.sampled_from(
    [
        "hello/template.json", "hello/sample.json", "hello/schema.json", "hello/push.ko.json", "hello/sms.ko.txt",
        "hello/email.ko/subject.txt", "hello/email.ko/body.mjml", "hello/email.ko/body.html", "hello/push..json",
        "hello/email./text.txt", "hello/sms.txt", "_partials/end/partial.json", "_partials/end/ko.html",
        "_partials/x.html", "_categories.json", "안녕/template.json", "a/b/c/d.txt", "x.txt",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.dictionaries(PATHS, JUNK, max_size=6), is_dry=st.booleans())
def test_whatever_stands_in_the_folder_is_taken_or_told(files: dict[str, bytes], is_dry: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write(root)
        for path, data in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
        words = ("push", root, *(["--dry-run"] if is_dry else ["--publish"]))
        try:
            run(*words)
        except CommandError as error:
            assert "nothing was changed" in str(error)  # noqa: PT017 - either is right
