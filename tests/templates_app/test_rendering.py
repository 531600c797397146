"""Content + data + locale → text: what is asked for, what is escaped, what is refused."""

from typing import Any

import pytest

from accounts.channels import Channel
from templates_app.content import EmailText, PushText, SmsText
from templates_app.rendering import LONGEST_SOURCE, Compiled, ContentError, RenderError, compile_content


def sms(body: str) -> Compiled:
    return compile_content({"sms": {"ko": {"body": body}}})


def said(body: str, data: dict[str, Any] | None = None) -> str:
    text = sms(body).render(Channel.SMS, "ko", data or {})
    assert isinstance(text, SmsText)
    return text.body


OF_ITEMS: list[tuple[str, str, set[str], bool]] = [
    ("a list of messages", "{% for item in items %}{{ item.name }}{% endfor %}", {"name"}, False),
    ("a path in each", "{% for one in items %}{{ one.order.id | upcase }}{% endfor %}", {"order.id"}, False),
    ("what each may have", "{% for one in items %}{{ one.name | default: '?' }}{% endfor %}", set(), False),
    ("what some have", "{% for one in items %}{% if one.a %}{{ one.a }}{% endif %}{% endfor %}", set(), False),
    ("a loop that may not be taken", "{% if a %}{% for i in items %}{{ i.b }}{% endfor %}{% endif %}", set(), False),
    ("another list", "{% for one in orders %}{{ one.name }}{% endfor %}", set(), True),
    ("how many", "{{ count }} new", set(), False),
    ("how many of a list", "{{ items.size }} new", set(), False),
    ("one message", "{{ name }} wrote", set(), True),
    ("one message, perhaps", "{{ name | default: 'Somebody' }} wrote", set(), True),
    ("nothing of them", "There is news, {{ recipient.name }}", set(), False),
]


@pytest.mark.parametrize(("body", "of_items", "of_one"), [c[1:] for c in OF_ITEMS], ids=[c[0] for c in OF_ITEMS])
def test_a_text_says_what_it_needs_of_each_message_of_a_digest(body: str, of_items: set[str], of_one: bool) -> None:
    content = sms(body)

    assert content.asked.of_items == of_items
    assert [str(place) for place in content.of_one] == (["sms.ko"] if of_one else [])


def html(source: str, data: dict[str, Any] | None = None) -> str:
    email = compile_content({"email": {"ko": {"subject": "s", "html": source}}}).render(Channel.EMAIL, "ko", data or {})
    assert isinstance(email, EmailText)
    return email.html.partition("<body>")[2].removesuffix("</body></html>")


def push(data: dict[str, Any], **texts: str) -> PushText:
    text = compile_content({"push": {"ko": {"title": "t", "body": "b", **texts}}}).render(Channel.PUSH, "ko", data)
    assert isinstance(text, PushText)
    return text


ASKED: list[tuple[str, str, set[str], set[str]]] = [
    ("words only", "hello", set(), set()),
    ("a variable", "{{ a }}", {"a"}, set()),
    ("a path", "{{ a.b.c }}", {"a.b.c"}, set()),
    ("a filtered variable", "{{ a | upcase }}", {"a"}, set()),
    ("a default", "{{ a | default: 'x' }}", set(), {"a"}),
    ("a default that is a variable", "{{ a | default: b }}", {"b"}, {"a"}),
    ("a default that comes too late", "{{ a | upcase | default: 'x' }}", {"a"}, set()),
    ("a condition", "{% if a %}x{% endif %}", set(), {"a"}),
    ("inside a condition", "{% if a %}{{ b }}{% endif %}", set(), {"a", "b"}),
    ("beside a condition", "{% if a %}x{% endif %}{{ a }}", {"a"}, set()),
    ("a case", "{% case a %}{% when 1 %}{{ b }}{% endcase %}", set(), {"a", "b"}),
    ("a loop", "{% for i in items %}{{ i.name }}{{ b }}{% endfor %}", {"items"}, {"b"}),
    ("a name of its own", "{% assign n = a %}{{ n }}", {"a"}, set()),
    ("what was captured", "{% capture n %}{{ a }}{% endcapture %}{{ n }}", {"a"}, set()),
    ("the size of a list", "{{ items.size }}", {"items"}, set()),
    ("an item of a list", "{{ items[0].name }}", {"items"}, set()),
    ("a comment", "{% comment %}{{ a }}{% endcomment %}", set(), set()),
    ("raw", "{% raw %}{{ a }}{% endraw %}", set(), set()),
]


@pytest.mark.parametrize(("body", "required", "optional"), [case[1:] for case in ASKED], ids=[c[0] for c in ASKED])
def test_a_text_says_what_it_needs_and_what_it_would_like(body: str, required: set[str], optional: set[str]) -> None:
    content = sms(body)

    assert (set(content.variables), set(content.mentioned)) == (required, required | optional)
    assert content.asked_on(Channel.SMS).required == required
    assert content.asked_on(Channel.PUSH).required == set()


RENDERED: list[tuple[str, str, dict[str, Any], str]] = [
    ("words", "안녕", {}, "안녕"),
    ("a text", "{{ a }}", {"a": "b"}, "b"),
    ("a number", "{{ a }}", {"a": 7}, "7"),
    ("a truth", "{{ a }}", {"a": True}, "true"),
    ("nothing", "x{{ a }}", {"a": None}, "x"),
    ("a path", "{{ a.b }}", {"a": {"b": "c"}}, "c"),
    ("a default for what is missing", "{{ a | default: 'you' }}", {}, "you"),
    ("a condition on what is missing", "{% if a %}x{% else %}y{% endif %}", {}, "y"),
    ("a comparison with what is missing", "{% if a == 'b' %}x{% else %}y{% endif %}", {}, "y"),
    ("a loop", "{% for i in a %}{{ i }},{% endfor %}", {"a": [1, 2]}, "1,2,"),
    ("a range", "{% for i in (1..n) %}{{ i }}{% endfor %}", {"n": 3}, "123"),
    ("a given date", "{{ at | date: '%Y-%m-%d' }}", {"at": "2026-01-02T03:04:05Z"}, "2026-01-02"),
    ("markup, in a text that is not HTML", "{{ a }}", {"a": "<b>&\"'"}, "<b>&\"'"),
    ("Liquid in the data", "{{ a }}", {"a": "{{ b }}"}, "{{ b }}"),
]


@pytest.mark.parametrize(("body", "data", "text"), [case[1:] for case in RENDERED], ids=[case[0] for case in RENDERED])
def test_a_text_with_its_data(body: str, data: dict[str, Any], text: str) -> None:
    assert said(body, data) == text


@pytest.mark.parametrize("source", ["{{ a }}", "{{ a | upcase | downcase }}", "{% if a %}{{ a }}{% endif %}"])
def test_html_escapes_what_comes_from_data(source: str) -> None:
    assert html(f"<p>{source}</p>", {"a": "<b>&\"'"}) == "<p>&lt;b&gt;&amp;&#34;&#39;</p>"


def test_only_html_is_escaped() -> None:
    fields = {"subject": "{{ a }}", "html": "<html lang=ko dir=ltr charset=utf-8>{{ a }}", "text": "{{ a }}"}

    email = compile_content({"email": {"ko": fields}}).render(Channel.EMAIL, "ko", {"a": "R&D"})

    assert isinstance(email, EmailText)
    assert (email.subject, email.text) == ("R&D", "R&D")
    assert email.html.endswith("R&amp;D")


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"])
def test_no_header_can_be_smuggled_in_by_a_line_break(line_break: str) -> None:
    content = compile_content({"email": {"ko": {"subject": "Hi {{ a }}", "text": "{{ a }}"}}})

    email = content.render(Channel.EMAIL, "ko", {"a": f"you{line_break}Bcc: all@example.com{line_break}"})

    assert isinstance(email, EmailText)
    assert email.subject == "Hi you Bcc: all@example.com"
    assert len(email.text.splitlines()) == 2


def test_every_field_of_a_push_but_the_body_has_one_line() -> None:
    names = ["title", "image", "link", "sound", "collapse_key"]

    message = push({"a": "x\ny"}, **dict.fromkeys([*names, "body"], "{{ a }}"))

    assert [getattr(message, name) for name in names] == ["x y"] * 5
    assert message.body == "x\ny"


MISSING: list[tuple[str, str, dict[str, Any], str]] = [
    ("a variable", "{{ a }}", {}, "a"),
    ("a path", "{{ a.b }}", {"a": {}}, "a.b"),
    ("a path through a text", "{{ a.b }}", {"a": "x"}, "a.b"),
    ("a filtered variable", "{{ a | upcase }}", {}, "a"),
    ("a date", "{{ a | date: '%Y' }}", {}, "a"),
    ("a list", "{% for i in a %}{{ i }}{% endfor %}x", {}, "a"),
    ("inside a branch that is taken", "{% if a %}{{ b }}{% endif %}", {"a": 1}, "b"),
]


@pytest.mark.parametrize(("body", "data", "variable"), [case[1:] for case in MISSING], ids=[c[0] for c in MISSING])
def test_missing_data_is_named(body: str, data: dict[str, Any], variable: str) -> None:
    with pytest.raises(RenderError, match=r"sms\.ko\.body: .* is missing in the data") as caught:
        said(body, data)

    assert caught.value.variable == variable
    assert str(caught.value.place) == "sms.ko.body"


UNSUITABLE: list[tuple[str, str, dict[str, Any], str]] = [
    ("a text that becomes empty", "{{ a }}", {"a": "  "}, "nothing is left"),
    ("NUL", "{{ a }}", {"a": "x\0"}, "NUL"),
    ("NUL that the text makes", "{{ a | url_decode }}", {"a": "%00"}, "NUL"),
    ("a division by zero", "{{ a | divided_by: b }}", {"a": 1, "b": 0}, "cannot use this data at line 1"),
    ("a sum of words", "{{ a | sort }}", {"a": [1, "x"]}, "cannot use this data"),
    (
        "too many turns",
        "{% for i in a %}{% for j in a %}x{% endfor %}{% endfor %}",
        {"a": [1] * 101},
        "loops too often",
    ),
    ("a range without end", "{% for i in (1..n) %}x{% endfor %}", {"n": 10**9}, "loops too often"),
    ("too long", "{{ a }}", {"a": "x" * 100_001}, "too long"),
    ("too long in bytes", "{{ a }}", {"a": "가" * 33_334}, "too long"),
    (
        "too long by doubling",
        "{% assign s = a %}" + "{% assign s = s | append: s %}" * 30 + "{{ s }}",
        {"a": "x"},
        "too",
    ),
    ("the present moment", "{{ a | date: '%Y' }}", {"a": "now"}, "cannot use this data"),
]


@pytest.mark.parametrize(("body", "data", "why"), [case[1:] for case in UNSUITABLE], ids=[c[0] for c in UNSUITABLE])
def test_unsuitable_data_is_an_error_and_never_a_strange_message(body: str, data: dict[str, Any], why: str) -> None:
    with pytest.raises(RenderError, match=why):
        said(body, data)


def test_a_text_may_be_as_long_as_its_limit_and_html_ten_times_that() -> None:
    assert len(said("{{ a }}", {"a": "x" * 100_000})) == 100_000
    assert len(html("{{ a }}", {"a": "x" * 999_000})) == 999_000
    with pytest.raises(RenderError, match="too long"):
        html("{{ a }}", {"a": "x" * 1_000_001})


def test_a_field_that_may_be_empty_may_become_empty() -> None:
    assert push({"a": ""}, link="{{ a }}").link == ""


def test_where_nothing_is_written_nothing_is_rendered() -> None:
    for channel, locale in ((Channel.SMS, "en"), (Channel.PUSH, "ko")):
        with pytest.raises(RenderError, match="nothing is written"):
            sms("x").render(channel, locale, {})


CONTENT: list[tuple[str, Any, str]] = [
    ("nothing", {}, "content: write an object with at least one of push, sms, email"),
    ("a list", [1], "content: write an object"),
    ("an unknown channel", {"pigeon": {}}, "pigeon: unknown channel"),
    ("no locale", {"sms": {}}, "sms: write an object with a text per locale"),
    ("a channel that is a text", {"sms": "x"}, "sms: write an object with a text per locale"),
    ("a locale that is none", {"sms": {"korean!": {"body": "x"}}}, "sms.korean!: Not a locale"),
    ("a locale in another form", {"sms": {"ko_kr": {"body": "x"}}}, "sms.ko_kr: write the locale as ko-KR"),
    ("a text that is no object", {"sms": {"ko": "x"}}, "sms.ko: write an object with body"),
    ("an unknown field", {"sms": {"ko": {"body": "x", "title": "y"}}}, "sms.ko.title: unknown; one of body"),
    ("a missing field", {"push": {"ko": {"title": "x"}}}, "push.ko.body: is missing or empty"),
    ("an empty field", {"push": {"ko": {"title": "", "body": "x"}}}, "push.ko.title: is missing or empty"),
    ("a field that is a number", {"sms": {"ko": {"body": 7}}}, "sms.ko.body: write a text"),
    ("an email without a body", {"email": {"ko": {"subject": "x"}}}, "email.ko: an email needs html or text"),
    ("NUL", {"sms": {"ko": {"body": "x\0"}}}, "sms.ko.body: contains a NUL"),
    ("far too long", {"sms": {"ko": {"body": "x" * (LONGEST_SOURCE + 1)}}}, "sms.ko.body: 200001 characters"),
]


@pytest.mark.parametrize(("content", "message"), [case[1:] for case in CONTENT], ids=[case[0] for case in CONTENT])
def test_content_that_cannot_be_used_is_refused_with_its_place(content: Any, message: str) -> None:
    with pytest.raises(ContentError) as caught:
        compile_content(content)

    assert str(caught.value).startswith(message)
    assert (caught.value.line, caught.value.column) == (0, 0)


SYNTAX: list[tuple[str, str, tuple[int, int]]] = [
    ("an unknown tag", "ab{% nonsense %}", (1, 6)),
    ("an unknown filter", "one\ntwo {{ a | nonsense }}", (2, 12)),
    ("a file", "{% include 'x' %}", (1, 4)),
    ("another file", "{% render 'x' %}", (1, 4)),
    ("the present moment", "x {{ now }}", (1, 6)),
    ("today", "{{ 'x' | append: today }}", (1, 18)),
    ("a range that fills the memory", "{{ (1..1000000000) }}", (1, 4)),
]


@pytest.mark.parametrize(("body", "where"), [case[1:] for case in SYNTAX], ids=[case[0] for case in SYNTAX])
def test_a_mistake_in_a_text_is_shown_with_line_and_column(body: str, where: tuple[int, int]) -> None:
    with pytest.raises(ContentError, match=rf"^sms\.ko\.body \(line {where[0]}, column {where[1]}\): .+") as caught:
        sms(body)

    assert (caught.value.line, caught.value.column) == where
    assert str(caught.value.place) == "sms.ko.body"


def test_what_is_not_closed_is_shown_where_it_begins() -> None:
    with pytest.raises(
        ContentError, match=r"^sms\.ko\.body \(line 2, column 5\): if is not closed; write \{% endif %\}"
    ):
        sms("x\n {% if a %}")


def test_a_text_nested_without_end_is_refused() -> None:
    with pytest.raises(ContentError):
        sms("{% if a %}" * 5_000 + "{% endif %}" * 5_000)


LOCALES: list[tuple[tuple[str, ...], str, str, str | None]] = [
    (("ko", "en"), "en", "ko", "en"),
    (("ko", "en"), "en-GB", "ko", "en"),
    (("ko", "en-GB", "en"), "en-GB", "ko", "en-GB"),
    (("ko", "zh-Hant"), "zh-Hant-TW", "ko", "zh-Hant"),
    (("ko", "en"), "fr", "ko", "ko"),
    (("ko", "en"), "", "en", "en"),
    (("ko",), "fr", "ko-KR", "ko"),
    (("ko-KR",), "ko", "en", None),
    (("en",), "fr", "ko", None),
]


@pytest.mark.parametrize(("written", "wanted", "default", "best"), LOCALES)
def test_the_nearest_locale_that_is_written_is_used(
    written: tuple[str, ...], wanted: str, default: str, best: str | None
) -> None:
    content = compile_content({"sms": {locale: {"body": "x"} for locale in written}})

    assert content.best_locale(Channel.SMS, wanted, default) == best
    assert content.best_locale(Channel.PUSH, wanted, default) is None
    assert content.locales(Channel.SMS) == written


def test_channels_come_in_the_same_order_however_they_are_written() -> None:
    content = compile_content({"sms": {"ko": {"body": "x"}}, "push": {"ko": {"title": "x", "body": "y"}}})

    assert content.channels == (Channel.PUSH, Channel.SMS)


RUNNING: list[tuple[str, str, dict[str, Any]]] = [
    ("data alone", '<a href="{{ u }}">x</a>', {"u": "javascript:alert(1)"}),
    ("behind blanks, in capitals", "<a href=' {{ u }}'>x</a>", {"u": " \tJavaScript:alert(1)"}),
    ("broken by a line", '<a href="{{ u }}">x</a>', {"u": "java\nscript:alert(1)"}),
    ("another scheme", '<AREA HREF = "{{ u }}">', {"u": "vbscript:x"}),
    ("a page in the link", '<a class="b" href="{{ u }}?utm=1">x</a>', {"u": "data:text/html,x"}),
    ("in two parts", '<a href="{{ u }}{{ v }}">x</a>', {"u": "java", "v": "script:x"}),
    ("begun by the text", '<a href="ja{{ u }}">x</a>', {"u": "vascript:x"}),
    ("ended by the text", '<a href="{{ u }}script:x">x</a>', {"u": "java"}),
    ("without quotes", "<a href={{ u }}>x</a>", {"u": "javascript:x"}),
    ("as an attribute", "<a {{ u }}>x</a>", {"u": "href=javascript:x"}),
    ("of a number of them", '{% for u in us %}<a href="{{ u }}">x</a>{% endfor %}', {"us": ["/", "javascript:x"]}),
    ("in a branch", '<a href="{% if u %}{{ u }}{% endif %}">x</a>', {"u": "javascript:x"}),
    ("by another name", '{% assign v = u %}<a href="{{ v }}">x</a>', {"u": "javascript:x"}),
    ("as it is", "{{ u | safe }}", {"u": '<a href="&#106;avascript:x">x</a>'}),
    ("in the text itself", '<a href="javascript:x">x</a>', {}),
    ("in the text, before data", '<a href="&#106;avascript:x//{{ u }}">x</a>', {"u": "https://a.example"}),
    ("that is not followed", '<a data-untracked href="{{ u }}">x</a>', {"u": "javascript:x"}),
]


@pytest.mark.parametrize(("source", "data"), [case[1:] for case in RUNNING], ids=[case[0] for case in RUNNING])
def test_no_email_leaves_with_a_link_that_runs_a_program(source: str, data: dict[str, Any]) -> None:
    with pytest.raises(RenderError, match=r"email\.ko\.html: a link begins with javascript:"):
        html(source, data)


LEADING: list[tuple[str, str, dict[str, Any]]] = [
    ("a page", '<a href="{{ u }}">x</a>', {"u": "https://a.example"}),
    ("an address", '<a href="{{ u }}">x</a>', {"u": "mailto:a@a.example"}),
    ("a word like it", '<a href="{{ u }}">x</a>', {"u": "Java/script:x"}),
    ("behind the host", '<a href="https://a.example/{{ u }}">x</a>', {"u": "javascript:x"}),
    ("in words", '<p title="{{ u }}">{{ u }} = javascript:x</p>', {"u": "javascript:x"}),
    ("a picture", '<img src="{{ u }}">', {"u": "data:image/gif;base64,R0lGOD"}),
]


@pytest.mark.parametrize(("source", "data"), [case[1:] for case in LEADING], ids=[case[0] for case in LEADING])
def test_an_email_that_runs_no_program_leaves(source: str, data: dict[str, Any]) -> None:
    assert "x" in html(source, data) or "img" in html(source, data)


@pytest.mark.parametrize("link", ["javascript:x", " DATA:text/html,x", "vbscript:x"])
def test_no_push_leaves_with_a_link_that_runs_a_program(link: str) -> None:
    buttons: Any = [{"id": "a", "label": "A", "link": "{{ u }}"}]
    with pytest.raises(RenderError, match=r"push\.ko\.link: a link begins"):
        push({"u": link}, link="{{ u }}")
    with pytest.raises(RenderError, match=r"push\.ko\.buttons\.0\.link: a link begins"):
        push({"u": link}, buttons=buttons)

    assert push({"u": "myapp://sale"}, link="{{ u }}").link == "myapp://sale"
