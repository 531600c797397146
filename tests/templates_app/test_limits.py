"""What a text may cost: hostile words and data end in a text or in a clear error, and soon."""

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.channels import Channel
from templates_app.language.limits import LARGEST, PATIENCE, Clock, weight
from templates_app.rendering import ContentError, RenderError, compile_content

#: Seconds in which everything ends, many times what is allowed, so that a busy machine is no failure.
BOUND = 5.0


def outcome(body: str, data: dict[str, Any], *, field: str = "text", clock: Clock | None = None) -> str:
    raw = {"email": {"ko": {"subject": "s", "text": "t", field: body}}}
    try:
        content = compile_content(raw, clock=clock) if clock else compile_content(raw)
        return f"text: {getattr(content.render(Channel.EMAIL, 'ko', data), field)}"
    except (ContentError, RenderError) as error:
        return f"error: {error}"


class Ticking:
    """A clock on which every look takes as long as it is told."""

    def __init__(self, seconds: float, *, at_work: bool = True) -> None:
        self.now, self.seconds, self.at_work = 0.0, seconds, at_work

    def clock(self) -> Clock:
        return Clock(self.wall, lambda: self.now if self.at_work else 0.0)

    def wall(self) -> float:
        self.now += self.seconds
        return self.now


LONG = "{% for i in (1..1000) %}{% if a %}{% endif %}{% endfor %}x"


@pytest.mark.parametrize(
    "body",
    [
        LONG,
        "{% for i in (1..1000) %}{% endfor %}" * 9,
        "{% for i in (1..1000) %}{% comment %}{% endcomment %}{% endfor %}x",
        "{% for i in (1..1000) %}{{ a | upcase }}{% endfor %}",
        "{% for i in (1..1000) %}{% assign b = a %}{% endfor %}x",
        "{% for i in (1..1000) %}{% capture b %}x{% endcapture %}{% endfor %}x",
        "{% tablerow i in (1..1000) %}x{% endtablerow %}",
        "{% for i in (1..1000) %}{% cycle 'a', 'b' %}{% endfor %}",
        "{% for i in (1..1000) %}x{% endfor %}",
    ],
)
def test_a_deadline_is_looked_at_by_whatever_takes_time(body: str) -> None:
    slow = Ticking(PATIENCE / 8).clock()

    assert outcome(body, {"a": "y"}, clock=slow) == "error: email.ko.text: the text takes too long with this data."
    assert outcome(body, {"a": "y"}).startswith("text: ")


def test_a_machine_that_is_busy_with_others_is_not_the_fault_of_the_text() -> None:
    waiting = Ticking(PATIENCE * 3, at_work=False).clock()

    assert outcome(LONG, {"a": "y"}, clock=waiting) == "text: x"


def test_what_took_too_long_once_is_tried_once_more() -> None:
    ticking = Ticking(0)
    jumps = iter([0.0, PATIENCE * 2])

    def wall() -> float:
        ticking.now += next(jumps, 0.0)
        return ticking.now

    assert outcome(LONG, {"a": "y"}, clock=Clock(wall, lambda: ticking.now)) == "text: x"


BIG = "가" * 90_000
NESTED: Any = "x"
for _ in range(400):
    NESTED = {"a": [NESTED]}

HOSTILE: list[tuple[str, str, dict[str, Any]]] = [
    ("loops in loops", "{% for i in (1..100) %}" * 5 + "x" + "{% endfor %}" * 5, {}),
    ("loops after loops", "{% for i in (1..9999) %}{% endfor %}" * 500, {}),
    ("a huge range", "{% for i in (1..99999999999999999999) %}x{% endfor %}", {}),
    ("a range by data", "{% for i in (1..n) %}x{% endfor %}", {"n": 10**4000}),
    ("doubling", "{% assign s = a %}" + "{% assign s = s | append: s %}" * 200 + "{{ s }}", {"a": "xxxx"}),
    ("captured doubling", "{% assign s = a %}" + "{% capture s %}{{ s }}{{ s }}{% endcapture %}" * 200, {"a": "xx"}),
    ("replacing by more", "{{ a | replace: '가', a }}", {"a": BIG}),
    ("replacing nothing", "{{ a | replace: '', a }}", {"a": BIG}),
    ("joining with much", "{{ b | join: a }}", {"a": BIG, "b": list(range(10_000))}),
    ("joining much", "{{ b | concat: b | concat: b | join: '' }}", {"b": [BIG] * 400}),
    ("splitting into letters", "{{ a | split: '' | join: a }}", {"a": BIG}),
    ("splitting again and again", "{% for i in (1..9000) %}{% assign b = a | split: '' %}{% endfor %}", {"a": BIG}),
    ("sorting", "{% for i in (1..9000) %}{% assign c = b | sort %}{% endfor %}", {"b": list(range(40_000, 0, -1))}),
    ("each once", "{{ b | uniq | size }}", {"b": [{"a": n} for n in range(30_000)]}),
    (
        "comparing",
        "{% for i in (1..9000) %}{% if b == c %}{% endif %}{% endfor %}",
        {"b": [[n] for n in range(50_000)], "c": [[n] for n in range(50_000)]},
    ),
    ("seeking", "{% for i in (1..9000) %}{% if b contains 'x' %}{% endif %}{% endfor %}", {"b": list(range(200_000))}),
    ("growing numbers", "{% assign n = a %}" + "{% assign n = n | times: n %}" * 100 + "{{ n }}", {"a": 10**9}),
    ("a number without end", "{{ a | plus: 1 }}", {"a": "1e999999999"}),
    ("ceiling", "{{ a | ceil }}", {"a": "1e999999999"}),
    ("rounding", "{{ a | round: 999999999 }}", {"a": 1.5}),
    ("summing", "{{ a | sum }}", {"a": ["1e999999999", "1"]}),
    ("a long date", "{{ a | date: f }}", {"a": "2026-01-01", "f": "%999999999Y"}),
    ("many dates", "{{ a | date: f }}", {"a": "2026-01-01", "f": "%c" * 30}),
    ("broken tags", "{{ a | strip_html }}", {"a": "<" * 90_000}),
    ("broken comments", "{{ a | strip_html }}", {"a": "<!--" * 20_000}),
    ("broken markup", "{{ a | strip_html }}", {"a": "<a " * 30_000}),
    ("blanks", "{{ a | squish }}", {"a": " " * 90_000 + "x"}),
    ("entities", "{{ a | escape_once }}", {"a": "&amp" * 20_000}),
    ("printing much", "{{ b }}", {"b": ["x" * 1000] * 10_000}),
    ("nesting in data", "{{ a }}", {"a": NESTED}),
    ("nesting in data, filtered", "{{ a | join: 'x' }}", {"a": [NESTED]}),
    ("nesting in the text", "{% if a %}" * 5_000, {}),
    ("braces", "{" * 200_000, {}),
    ("open braces", "{{" * 100_000, {}),
    ("open tags", "{%" * 100_000, {}),
    ("closed braces", "{{}}" * 50_000, {}),
    ("open raws", "{% raw %}" * 20_000, {}),
    ("open comments", "{% comment %}" * 15_000, {}),
    ("open docs", "{% doc %}" * 20_000, {}),
    ("many filters", "{{ a" + " | upcase" * 20_000 + " }}", {"a": "x"}),
    ("many conditions", "{% if a" + " or a" * 30_000 + " %}x{% endif %}", {"a": False}),
    ("a long path", "{{ a" + "[a" * 5_000 + "]" * 5_000 + " }}", {"a": "a"}),
    ("many variables", "{{ a }}" * 28_000, {"a": "x"}),
    ("macros of parentheses", "{% if " + "(" * 9_000 + "a" + ")" * 9_000 + " %}x{% endif %}", {"a": 1}),
    ("liquid in a tag", "{% liquid\n" + "assign a = b\n" * 15_000 + "%}", {"b": 1}),
    ("a class", "{{ a.__class__.__mro__ }}{{ ''.__class__ }}", {"a": "x"}),
    ("a method", "{{ a.upper }}{{ a.items }}{{ b.keys }}{{ b['__init__'] }}", {"a": "x", "b": {}}),
    ("the loop's own", "{% for i in b %}{{ forloop.__class__ }}{{ forloop.it }}{% endfor %}", {"b": [1]}),
    ("right to left", "{{ a | upcase }}\u202e{{ a }}", {"a": "\u202eשלום\u2066"}),
    ("emoji", "{{ a | truncate: 2 | particle: '이/가' }}👨‍👩‍👧‍👦", {"a": "👨‍👩‍👧‍👦" * 50}),
    ("NUL", "{{ a | upcase }}", {"a": "\0"}),
    ("half a letter", "{{ a | url_encode }}{{ a }}", {"a": "\ud800"}),
    ("odd bytes", "{{ a | base64_decode }}", {"a": "//79/A=="}),
    ("what rounds", "{{ a | divided_by: 0.0 }}{{ a | modulo: 0 }}", {"a": 1}),
]


@pytest.mark.parametrize("field", ["text", "html"])
@pytest.mark.parametrize(("body", "data"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_whatever_is_tried_ends_soon_in_a_text_or_in_a_clear_error(field: str, body: str, data: dict[str, Any]) -> None:
    began = time.thread_time()

    said = outcome(body, data, field=field)

    assert time.thread_time() - began < BOUND
    assert said.startswith(("text: ", "error: email.ko."))
    assert "<class" not in said
    assert "object at" not in said


def test_what_is_weighed_is_counted_until_it_is_too_much() -> None:
    assert [weight(one) for one in ("abc", "", 7, None, [1, 2], {"a": "b"})] == [3, 0, 1, 1, 5, 4]
    assert weight([["x" * 1000] * 1000] * 1000) > LARGEST
    assert weight(2**300) > LARGEST


NAMES = st.sampled_from(["a", "b", "items", "__class__", "size", "now"])
VALUES = st.one_of(
    st.text(max_size=8), st.sampled_from(["\0", "\u202e", "👨‍👩‍👧", "1e999999999", "가", "<b>"]),
    st.integers(-(10**40), 10**40), st.floats(), st.booleans(), st.none(),
)  # fmt: skip
DATA = st.dictionaries(NAMES, st.recursive(VALUES, lambda v: st.lists(v) | st.dictionaries(NAMES, v), max_leaves=12))
FILTERS = st.sampled_from(
    [
        "append: a",
        "replace: a, b",
        "replace: '', a",
        "split: ''",
        "split: a",
        "join: a",
        "concat: items",
        "times: b",
        "plus: a",
        "date: a",
        "date: 'long', a",
        "money: a",
        "money: 'KRW'",
        "percent",
        "number: b",
        "particle: a",
        "sort",
        "uniq",
        "map: 'a'",
        "where: 'a', b",
        "sum",
        "slice: a, b",
        "truncate: b",
        "default: a",
        "escape",
        "strip_html",
        "first",
        "last",
        "size",
        "base64_decode",
        "url_decode",
        "round: b",
        "divided_by: a",
        "safe",
        "particle: '이/가'",
    ]
)
EXPRESSIONS = st.builds(
    lambda name, filters: " | ".join([name, *filters]),
    st.one_of(NAMES, st.builds("{}.{}".format, NAMES, NAMES), st.builds("{}[{}]".format, NAMES, NAMES)),
    st.lists(FILTERS, max_size=3),
)
BODIES = st.recursive(
    st.one_of(st.builds("{{{{ {} }}}}".format, EXPRESSIONS), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.builds("{{% for i in {} %}}{}{{% endfor %}}".format, NAMES, inner),
        st.builds("{{% for i in ({}..{}) %}}{}{{% endfor %}}".format, NAMES, NAMES, inner),
        st.builds("{{% if {} == {} %}}{}{{% endif %}}".format, NAMES, NAMES, inner),
        st.builds("{{% assign a = {} %}}{}".format, EXPRESSIONS, inner),
        st.builds("{{% capture b %}}{}{{% endcapture %}}{}".format, inner, inner),
        st.builds("{}{}".format, inner, inner),
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=BODIES, data=DATA, field=st.sampled_from(["text", "html"]))
def test_words_and_data_made_at_random_end_in_a_text_or_in_an_error_of_ours(
    body: str, data: dict[str, Any], field: str
) -> None:
    began = time.thread_time()

    said = outcome(body, data, field=field)

    assert time.thread_time() - began < BOUND
    assert said.startswith(("text: ", "error: email.ko"))
    assert said == outcome(body, data, field=field)
