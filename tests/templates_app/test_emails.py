"""What is typed for an email, and what is sent: MJML, CSS, preheader, plain text, language."""

from typing import Any

import pytest

from accounts.channels import Channel
from templates_app.content import EmailText
from templates_app.plain_text import plain_text
from templates_app.rendering import ContentError, compile_content


def sent(data: dict[str, Any] | None = None, locale: str = "ko", **said: str) -> EmailText:
    text = compile_content({"email": {locale: {"subject": "s", **said}}}).render(Channel.EMAIL, locale, data or {})
    assert isinstance(text, EmailText)
    return text


def mjml(inside: str) -> str:
    return f"<mjml>\n<mj-body>\n<mj-section>\n<mj-column>\n{inside}\n</mj-column>\n</mj-section>\n</mj-body>\n</mjml>"


LOOP = "{% for i in items %}<tr><td>{{ i }}</td></tr>{% endfor %}"

SURVIVE: list[tuple[str, dict[str, Any], list[str]]] = [
    (mjml("<mj-text>{{ a }}</mj-text>"), {"a": "<b>"}, ["&lt;b&gt;"]),
    (mjml('<mj-text>{{ a | default: "x" }}</mj-text>'), {}, [">x<"]),
    (
        mjml('<mj-button href="{{ a }}?b=1&amp;c=2">go</mj-button>'),
        {"a": "https://x/"},
        ['href="https://x/?b=1&amp;c=2"'],
    ),
    (mjml("{% if a %}<mj-text>yes</mj-text>{% else %}<mj-text>no</mj-text>{% endif %}"), {}, [">no<"]),
    (mjml(f"<mj-table>{LOOP}</mj-table>"), {"items": ["1", "2"]}, [">1</td>", ">2</td>"]),
    (mjml("<mj-text>a<br>b &nbsp; <b>c</b></mj-text>"), {}, ["a<br>b", "<b>c</b>"]),
    (mjml('<mj-text color="{{ a }}">x</mj-text>'), {"a": "#123456"}, ["color:#123456"]),
]


@pytest.mark.parametrize(("source", "data", "pieces"), SURVIVE)
def test_liquid_survives_mjml_and_css(source: str, data: dict[str, Any], pieces: list[str]) -> None:
    html = sent(data, mjml=source).html
    assert [piece for piece in pieces if piece not in html] == []
    assert "lqd" not in html
    assert "{%" not in html


@pytest.mark.parametrize(("items", "rows"), [([], 0), (["1", "2"], 2)])
def test_a_loop_over_rows_stays_inside_its_table(items: list[str], rows: int) -> None:
    html = sent({"items": items}, html=f"<style>td {{ color: red }}</style><table>{LOOP}</table>").html
    table = html[html.index("<table") : html.index("</table>")]
    assert (table.count("<tr>"), table.count("<tbody>"), table.count("</tbody>")) == (rows, 1, 1)
    assert table.count("color: red") == rows


WRONG: list[tuple[dict[str, str], str]] = [
    (
        {"mjml": mjml("<mj-text>{{ a | nope }}</mj-text>")},
        r"email.ko.mjml \(line 5, column 17\): there is no filter",
    ),
    ({"mjml": mjml("{{ a }}\n<mj-text>x</mj-txt>")}, r"email.ko.mjml \(line 6, column 11\): </mj-txt> ends"),
    ({"mjml": mjml("<mj-foo></mj-foo>")}, "email.ko.mjml.*: mj-foo is no element"),
    ({"mjml": "<mjml>\n<mj-head>{{ a }}<mj-foo/></mj-head></mjml>"}, r"\(line 2, column 18\): unexpected element"),
    ({"mjml": mjml("{{ abcdefghij }}</mj-colum>")}, r"email.ko.mjml \(line 5, column 17\): </mj-colum> ends nothing"),
    ({"mjml": mjml('<mj-include path="/etc/passwd"/>')}, "email.ko.mjml.*include"),
    ({"mjml": "hello"}, "email.ko.mjml"),
    ({"mjml": mjml(""), "html": "<p>x"}, "email.ko.mjml: write either mjml or html"),
    ({"preheader": "p"}, "email.ko: an email needs html or text"),
    (
        {"mjml": "<mjml><mj-head><mj-preview>a</mj-preview></mj-head><mj-body></mj-body></mjml>", "preheader": "b"},
        "email.ko.preheader: the MJML has an mj-preview",
    ),
]


@pytest.mark.parametrize(("said", "message"), WRONG)
def test_a_mistake_is_told_where_it_was_typed(said: dict[str, str], message: str) -> None:
    with pytest.raises(ContentError, match=message):
        compile_content({"email": {"ko": {"subject": "s", **said}}})


def test_css_goes_into_the_elements_and_media_queries_stay() -> None:
    style = "<style>p { color: red } @media (max-width: 9px) { p { color: blue } }</style>"
    html = sent(html=f'{style}<link rel="stylesheet" href="/etc/passwd"><p>x</p>').html
    assert '<p style="color: red;">x</p>' in html
    assert "@media" in html
    assert "root:" not in html


@pytest.mark.parametrize("body", ["<p>x</p>", "<html><body><p>x</p></body></html>", "<!doctype html><html><p>x</p>"])
def test_the_preheader_stands_first_once_and_unseen(body: str) -> None:
    html = sent({"a": "<&"}, html=body, preheader="1 < {{ a }}").html
    assert html.count("1 &lt; &lt;&amp;") == 1
    assert html.index("display:none") < html.index("1 &lt;") < html.index("&#847;") < html.index("<p>x</p>")


@pytest.mark.parametrize(
    ("locale", "body", "tag"),
    [
        ("ko", "<p>x", '<html lang="ko" dir="ltr">'),
        ("ar-EG", "<p>x", '<html lang="ar-EG" dir="rtl">'),
        ("en", '<html lang="en-GB"><p>x', '<html lang="en-GB" dir="ltr">'),
        ("en", "<html><head></head><p>x", '<html lang="en" dir="ltr">'),
    ],
)
def test_a_document_says_its_language_and_character_set(locale: str, body: str, tag: str) -> None:
    html = sent(locale=locale, html=body).html
    assert html.count("<html") == 1
    assert tag in html
    assert html.lower().count("charset") == 1


def test_mjml_says_its_language_everywhere() -> None:
    html = sent(mjml=mjml("<mj-text>x</mj-text>")).html
    assert html.count('lang="ko" dir="ltr"') == 2
    assert "und" not in html.partition("<body")[2].partition("x")[0].replace("background", "")


TEXTS: list[tuple[str, str]] = [
    ("<p>a</p><p>b</p>", "a\n\nb"),
    ("<p>a<br>b   c</p>", "a\nb c"),
    ('<p><a href="https://x/">go</a></p>', "go (https://x/)"),
    ('<a href="https://x/">https://x/</a>', "https://x/"),
    ('<a href="https://x/"><img alt="logo"></a>', "logo (https://x/)"),
    ('<a href="#top">top</a>', "top"),
    ('<a href="mailto:a@b.example">write</a>', "write (a@b.example)"),
    ("<ul><li>a</li><li>b</li></ul>", "- a\n\n- b"),
    ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
    ("<head><title>t</title></head><style>p{}</style><p>a &amp; b</p>", "a & b"),
    ('<div style="display: none">hidden <img> <b>x</b></div>seen', "seen"),
]


@pytest.mark.parametrize(("html", "text"), TEXTS)
def test_plain_text_of_html(html: str, text: str) -> None:
    assert plain_text(html) == text


def test_plain_text_is_made_where_none_is_written_and_its_loops_run() -> None:
    text = sent(
        {"items": ["<1>", "2"], "url": "https://x/?a=1&b=2"},
        html=f'<p><a href="{{{{ url }}}}">go</a></p><table>{LOOP}</table>',
    )
    assert text.text.split() == ["go", "(https://x/?a=1&b=2)", "<1>", "2"]
    assert sent(html="<p>x</p>", text="own").text == "own"
