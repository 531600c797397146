"""What a text may do beside naming its data: Korean particles, dates and prices of its language, and clear mistakes."""

import re
from typing import Any

import pytest

from accounts.channels import Channel
from templates_app.content import EmailText, SmsText
from templates_app.language.particles import fitting
from templates_app.rendering import ContentError, RenderError, compile_content


def said(body: str, data: dict[str, Any] | None = None, locale: str = "ko") -> str:
    text = compile_content({"sms": {locale: {"body": body}}}).render(Channel.SMS, locale, data or {})
    assert isinstance(text, SmsText)
    return text.body


PARTICLES: list[tuple[str, str, str]] = [
    ("운동화", "이/가", "운동화가"),
    ("신발", "이/가", "신발이"),
    ("신발", "은/는", "신발은"),
    ("운동화", "은/는", "운동화는"),
    ("신발", "을/를", "신발을"),
    ("운동화", "를", "운동화를"),
    ("신발", "과/와", "신발과"),
    ("운동화", "와/과", "운동화와"),
    ("지민", "아/야", "지민아"),
    ("민수", "아/야", "민수야"),
    ("지민", "이랑/랑", "지민이랑"),
    ("민수", "이랑/랑", "민수랑"),
    ("부산", "으로/로", "부산으로"),
    ("서울", "으로/로", "서울로"),
    ("제주", "로", "제주로"),
    ("신발", "이에요/예요", "신발이에요"),
    # digits and numbers, by their Korean names
    ("1", "이/가", "1이"),
    ("2", "이/가", "2가"),
    ("7", "으로/로", "7로"),
    ("6", "으로/로", "6으로"),
    ("10", "이/가", "10이"),
    ("100", "으로/로", "100으로"),
    ("10,000", "은/는", "10,000은"),
    ("1,000,000,000,000", "을/를", "1,000,000,000,000를"),
    ("3.5", "이/가", "3.5가"),
    ("0", "이/가", "0이"),
    ("30%", "이/가", "30%가"),
    ("5kg", "이/가", "5kg이"),
    ("5km", "이/가", "5km가"),
    # Latin letters one by one, and words as they are read
    ("VIP", "은/는", "VIP는"),
    ("SMS", "은/는", "SMS는"),
    ("LTM", "이/가", "LTM이"),
    ("PR", "으로/로", "PR로"),
    ("HTML", "을/를", "HTML을"),
    ("iPhone", "을/를", "iPhone을"),
    ("Apple", "으로/로", "Apple로"),
    ("Nike", "이/가", "Nike가"),
    ("Facebook", "은/는", "Facebook은"),
    ("Samsung", "이/가", "Samsung이"),
    ("Music", "으로/로", "Music으로"),
    # what is in round brackets is not read; quotes are not heard
    ("신발(화이트)", "이/가", "신발(화이트)이"),
    ("운동화 (240)", "이/가", "운동화 (240)가"),
    ("'신발'", "을/를", "'신발'을"),
    ("「운동화」", "은/는", "「운동화」는"),
    ("[신발]", "이/가", "[신발]이"),
    ("(신발)", "이/가", "(신발)이"),
    ("신발!", "이/가", "신발!이"),
    ("신발 👟", "이/가", "신발 👟이"),
    # decomposed syllables, lone letters
    ("\u1109\u1175\u11ab\u1107\u1161\u11af", "이/가", "\u1109\u1175\u11ab\u1107\u1161\u11af이"),
    ("ㅋㅋ", "은/는", "ㅋㅋ은"),
    # nobody can tell
    ("👟", "이/가", "👟이(가)"),
    ("", "을/를", "을(를)"),
    ("靴", "으로/로", "靴(으)로"),
]


@pytest.mark.parametrize(("word", "particle", "together"), PARTICLES)
def test_a_particle_agrees_with_what_is_read_before_it(word: str, particle: str, together: str) -> None:
    assert word + fitting(word, particle) == together
    assert said(f"{{{{ word | particle: '{particle}' }}}}.", {"word": word}) == f"{together}."


def test_a_particle_follows_a_number_and_what_other_filters_made() -> None:
    assert said("{{ n | particle: '이/가' }}", {"n": 3}) == "3이"
    assert said("{{ a | upcase | particle: '은/는' }}", {"a": "vip"}) == "VIP는"


def test_a_particle_in_html_leaves_the_data_escaped() -> None:
    content = compile_content({"email": {"ko": {"subject": "s", "html": "{{ a | particle: '이/가' }}"}}})

    email = content.render(Channel.EMAIL, "ko", {"a": "<b>신발"})

    assert isinstance(email, EmailText)
    assert "<body>&lt;b&gt;신발이</body>" in email.html


AT = "2026-11-25T10:05:00Z"
LOCALISED: list[tuple[str, str, Any, str]] = [
    ("ko", "date", AT, "2026. 11. 25."),
    ("en", "date", AT, "Nov 25, 2026"),
    ("de", "date: 'long'", AT, "25. November 2026"),
    ("ko", "date: 'full'", AT, "2026년 11월 25일 수요일"),
    ("ja", "date: 'long'", AT, "2026年11月25日"),
    ("ko", "date: 'short time', 'Asia/Seoul'", AT, "오후 7:05"),
    ("en", "date: 'short time', 'Asia/Seoul'", AT, "7:05\u202fPM"),
    ("ko", "date: 'medium datetime', 'Asia/Seoul'", AT, "2026. 11. 25. 오후 7:05:00"),
    ("ko", "date: 'long', 'Asia/Seoul'", "2026-11-25T16:00:00Z", "2026년 11월 26일"),
    ("ko", "date: 'long'", "2026-11-26T01:00:00+09:00", "2026년 11월 26일"),
    ("ko", "date: 'MMMd'", "2026-11-25", "11월 25일"),
    ("en", "date: 'yMMMEd'", "2026-11-25", "Wed, Nov 25, 2026"),
    ("ko", "date: '%Y-%m-%d'", AT, "2026-11-25"),
    ("ko", "date: '%H:%M', 'Asia/Seoul'", AT, "19:05"),
    ("ko", "date: '%Y'", 0, "1970"),
    ("ko", "date: '%Y'", "0", "1970"),
    ("ko", "number", 1234567.5, "1,234,567.5"),
    ("de", "number", 1234567.5, "1.234.567,5"),
    ("de-CH", "number", 1234567, "1’234’567"),
    ("en", "number: 2", "3.14159", "3.14"),
    ("hi", "number", 1234567, "12,34,567"),
    ("ko", "number", 1, "1"),
    ("ko", "money: 'KRW'", 129000, "₩129,000"),
    ("en", "money: 'USD'", 12.5, "$12.50"),
    ("de", "money: 'EUR'", "1234.5", "1.234,50\xa0€"),
    ("ja", "money: 'jpy'", 980, "￥980"),
    ("ko", "percent", 0.15, "15%"),
    ("en", "percent: 1", 0.155, "15.5%"),
    ("xx", "number", 1234, "1,234"),
]


@pytest.mark.parametrize(("locale", "form", "value", "text"), LOCALISED)
def test_dates_and_numbers_are_written_as_the_language_of_the_text_does(
    locale: str, form: str, value: Any, text: str
) -> None:
    assert said(f"{{{{ v | {form} }}}}", {"v": value}, locale) == text


UNSUITABLE: list[tuple[str, Any, str]] = [
    ("date", "now", "give the moment in data"),
    ("date", "today", "give the moment"),
    ("date", "10:30", "is no date"),
    ("date", "x" * 100, "100 characters are no date"),
    ("date: 'nonsense!'", AT, "is no form of a date"),
    ("date: 'long', 'Mars/Base'", AT, "is no time zone"),
    ("date: 'long', '../../etc/passwd'", AT, "is no time zone"),
    ("date", 1e300, "is no moment"),
    ("number", "abc", "is no number"),
    ("number", "1e999999", "that can be written out"),
    ("number", "NaN", "that can be written out"),
    ("number: 99", 1, "from 0 to 10"),
    ("number", [], "not a list"),
    ("number", True, "not true or false"),
    ("number", None, "not nothing"),
    ("money: 'XYZQ'", 1, "is no currency"),
    ("particle: x", "신발", "is no particle that changes"),
]


@pytest.mark.parametrize(("form", "value", "why"), UNSUITABLE)
def test_what_cannot_be_written_is_told_with_its_place(form: str, value: Any, why: str) -> None:
    with pytest.raises(RenderError, match=rf"at line 1, column \d+.*{re.escape(why)}"):
        said(f"{{{{ v | {form} }}}}", {"v": value, "x": "?"})


@pytest.mark.parametrize("form", ["date", "number", "money: 'KRW'", "percent", "particle: '이/가'"])
def test_what_is_missing_is_named(form: str) -> None:
    with pytest.raises(RenderError, match="v is missing in the data"):
        said(f"{{{{ v | {form} }}}}")


MISTAKES: list[tuple[str, str]] = [
    ("{{ a | upcas }}", "line 1, column 8): there is no filter 'upcas'; did you mean 'upcase'?"),
    ("x\n{% fi a %}", "line 2, column 4): there is no tag 'fi' here"),
    ("x {{ a", "line 1, column 3): {{ is not closed; write }} where it ends"),
    ("x {% if a", "line 1, column 3): {% is not closed; write %} where it ends"),
    ("x\n {% if a %}", "line 2, column 5): if is not closed; write {% endif %} where it ends"),
    ("{% for i in a %}{% if i %}{% endif %}", "line 1, column 4): for is not closed; write {% endfor %}"),
    ("{% case a %}{% when 1 %}", "line 1, column 4): case is not closed"),
    ("{% comment %}x", "line 1, column 4): comment is not closed"),
    ("{% raw %}x", "line 1, column 1): raw is not closed"),
    ("{% render 'foter' %}", "line 1, column 4): there is no partial 'foter'"),
    ("{% include name %}", "line 1, column 4): write the name of the partial itself, in quotes"),
    ("{{ a | particle: '이다' }}", "line 1, column 18): '이다' is no particle that changes; one of 은/는"),
    ("{{ a | particle }}", "particle needs one of its forms"),
    ("{{ a b }}", "line 1, column"),
]


@pytest.mark.parametrize(("body", "message"), MISTAKES)
def test_a_mistake_is_told_in_words_with_line_and_column(body: str, message: str) -> None:
    with pytest.raises(ContentError, match=re.escape(message)):
        compile_content({"sms": {"ko": {"body": body}}})
