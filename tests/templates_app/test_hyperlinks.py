"""Links are found where a browser would find them."""

from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates_app.hyperlinks import in_html, in_words


@pytest.mark.parametrize(
    ("html", "urls"),
    [
        ('<a href="https://a.example/x">x</a>', ["https://a.example/x"]),
        ("<a href='https://a.example/x'>x</a>", ["https://a.example/x"]),
        ("<a href=https://a.example/x>x</a>", ["https://a.example/x"]),
        ('<A\nCLASS="b"\tHREF = "HTTP://a.example/x"\n>x</A>', ["HTTP://a.example/x"]),
        ('<a title="a > b" href="https://a.example">x</a>', ["https://a.example"]),
        ("<a title='href=\"https://no.example\"' href=\"https://a.example\">x</a>", ["https://a.example"]),
        ('<a/href="https://a.example"/>', ["https://a.example"]),
        ('<a href="https://a.example"href="https://b.example">', ["https://a.example"]),
        ('<area shape="rect" href="https://a.example/map">', ["https://a.example/map"]),
        ('<a href=" https://a.example/\n x ">', ["https://a.example/ x"]),
        # references: whole ones, numbers, and what only looks like one
        ('<a href="https://a.example/?a=1&amp;b=2&#38;c=3&#x26;d=4">', ["https://a.example/?a=1&b=2&c=3&d=4"]),
        ('<a href="https://a.example/?a=1&copy=2&lt=3&reg">', ["https://a.example/?a=1&copy=2&lt=3®"]),
        # comments that Outlook alone reads have links too
        ('<!--[if mso]><a href="https://a.example">x</a><![endif]-->', ["https://a.example"]),
        ('<!--[if !mso]><!--><a href="https://a.example">x</a><!--<![endif]-->', ["https://a.example"]),
        ('<!-- <a href="https://a.example">x</a> --><a href="https://b.example">', ["https://b.example"]),
        ('<style>a::after{content:"<a href=https://a.example>"}</STYLE><a href="https://b.example">', ["https://b.example"]),
        # none
        ('<a href="mailto:a@b.example">', []),
        ('<a href="tel:+8210">', []),
        ('<a href="#top">', []),
        ('<a href="/p/1">', []),
        ('<a href="javascript:alert(1)">', []),
        ('<a href="https://a.example" data-untracked>', []),
        ('<a DATA-UNTRACKED="" href="https://a.example">', []),
        ('<a data-href="https://a.example">', []),
        ('<abbr href="https://a.example">', []),
        ('<link href="https://a.example">', []),
        ('<a href>', []),
        ('<a href="">', []),
        ('<a href="https://a.example>never closed', []),
        ('<!-- <a href="https://a.example">', []),
        ('&lt;a href="https://a.example"&gt;', []),
    ],
)  # fmt: skip
def test_a_link_of_html_is_found_however_it_is_written(html: str, urls: list[str]) -> None:
    assert [link.url for link in in_html(html)] == urls


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("see https://a.example/x.", ["https://a.example/x"]),
        ("(https://a.example/x)", ["https://a.example/x"]),
        ("https://a.example/x_(y)", ["https://a.example/x_(y)"]),
        ("https://a.example/p/1에서 확인하세요", ["https://a.example/p/1"]),
        ("https://a.example/상품/겨울-신발 새로", ["https://a.example/상품/겨울-신발"]),
        ("두 곳: http://a.example, https://b.example/?q=1&r=2!", ["http://a.example", "https://b.example/?q=1&r=2"]),
        ("<https://a.example>", ["https://a.example"]),
        ("https:// a.example and ftp://a.example", []),
    ],
)
def test_a_link_among_words_ends_where_the_sentence_goes_on(text: str, urls: list[str]) -> None:
    found = in_words(text)
    assert [link.url for link in found] == urls
    assert [text[link.start : link.end] for link in found] == urls


@given(
    st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=0x3000, exclude_categories=["Cs"])), max_size=4),
    st.sampled_from(["'", '"']),
    st.text(max_size=20),
)
def test_what_was_escaped_is_read_as_it_was(paths: list[str], quote: str, between: str) -> None:
    urls = [f"https://a.example/{path}" for path in paths]
    html = escape(between).join(f"<a class=x href={quote}{escape(url)}{quote}>{escape(between)}</a>" for url in urls)

    found = in_html(html)

    assert [link.url for link in found] == [url.rstrip("".join(map(chr, range(33)))) for url in urls]
    assert all(html[link.start] == html[link.end - 1] == quote for link in found)


@given(st.text("<>ahref='\"/= -![]htps:.&amp;#scyl\n"))
def test_no_markup_is_too_odd_to_be_read(html: str) -> None:
    done = 0
    for link in in_html(html):
        assert done <= link.start < link.end <= len(html)
        done = link.end
