"""What the masks of pages leave, and that a text which is cut shows no half of an address."""

import pytest

from accounts.masking import masked, masked_beginning
from accounts.staff.eyes import masked_page, masked_text

EMAIL, TOKEN = "jimin.kim@example.com", "f00d" * 16


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("홍길동@회사.한국", "홍***@회사.한국", id="letters-of-any-script"),
        pytest.param("a@b, c@d", "a***@b, c***@d", id="two"),
        pytest.param("a@b.co_c@d.com", "a***@b.co_***@d.com", id="without-anything-between"),
        pytest.param("x" * 500 + "@b.com", "x***@b.com", id="longer-than-an-address-can-be"),
        pytest.param("?q=jimin%40example.com", "?q=j***%40example.com", id="in-a-link"),
        pytest.param("next=%3Fq%3Djimin%2540example.com", "next=%***%2540example.com", id="in-a-link-in-a-link"),
        pytest.param("%40example", "%40example", id="nobody-before-the-sign"),
        pytest.param("jimin@ home", "jimin@ home", id="nothing-behind-the-sign"),
        pytest.param("@", "@", id="the-sign-alone"),
        pytest.param("call %2B821012345678", "call %2B821***78", id="number-in-a-link"),
        pytest.param("40 of 400 people", "40 of 400 people", id="numbers"),
    ],
)
def test_what_a_page_shows_of_an_address(text: str, shown: str) -> None:
    assert masked_text(text) == shown


POSTS, GETS = '<form id="f" method="post">', '<form method="get">'
MASKED = "j***@example.com"
KEPT = [
    pytest.param(f'{POSTS}<input value="{TOKEN}">', id="a-long-word"),
    pytest.param(f'{POSTS}<option value="{EMAIL}">a</option>', id="choice"),
    pytest.param(f"{POSTS}<TEXTAREA>\n&lt;p&gt;{EMAIL}</TEXTAREA>", id="text"),
    pytest.param(f'<script>if (a<b) x("{EMAIL}")</script>', id="script"),
    pytest.param(f"<script>{EMAIL}", id="script-without-an-end"),
]


@pytest.mark.parametrize("page", KEPT)
def test_what_a_form_saves_and_a_script_does_is_kept(page: str) -> None:
    assert masked_page(page) == page


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        pytest.param(f"<p>{EMAIL}</p>", f"<p>{MASKED}</p>", id="text"),
        pytest.param(f'<p title="{EMAIL}">', f'<p title="{MASKED}">', id="attribute"),
        pytest.param(f'<p title="a > {EMAIL}">', f'<p title="a > {MASKED}">', id="attribute-with-a-sign"),
        pytest.param(f"{POSTS}{EMAIL}</form>", f"{POSTS}{MASKED}</form>", id="text-of-a-form"),
        pytest.param(f'{POSTS}<input title="{EMAIL}">', f'{POSTS}<input title="{MASKED}">', id="word-beside-a-field"),
        pytest.param(f'{POSTS}<a data-x="" value="{EMAIL}">', f'{POSTS}<a data-x="" value="{MASKED}">', id="no-field"),
        pytest.param(f"{POSTS}<textarea></textarea>{EMAIL}", f"{POSTS}<textarea></textarea>{MASKED}", id="behind-text"),
        pytest.param(f'{GETS}<input value="{EMAIL}">', f'{GETS}<input value="{MASKED}">', id="what-is-looked-for"),
        pytest.param(f'{GETS}<input value="{TOKEN}">', f'{GETS}<input value="f00d***">', id="token-looked-for"),
        pytest.param(f"<textarea>{EMAIL}</textarea>", f"<textarea>{MASKED}</textarea>", id="outside-of-forms"),
        pytest.param(f'{POSTS}</form><input value="{EMAIL}">', f'{POSTS}</form><input value="{MASKED}">', id="behind"),
        pytest.param(f"<script>a<b</script>{EMAIL}", f"<script>a<b</script>{MASKED}", id="behind-a-script"),
        pytest.param(f"a < b {EMAIL} <", f"a < b {MASKED} <", id="signs-that-are-no-tags"),
    ],
)
def test_what_is_only_shown_is_masked(page: str, shown: str) -> None:
    assert masked_page(page) == shown


@pytest.mark.parametrize("most", [0, 1, 5, 12, 13, 20, 30, 33])
def test_a_text_that_is_cut_shows_no_half_of_an_address(most: int) -> None:
    text = f"write to {EMAIL}, +821012345678 or {TOKEN} today"

    assert masked(text)[:most].startswith(masked_beginning(text, most))
    assert len(masked_beginning(text, most)) > most - len(EMAIL)


@pytest.mark.parametrize("text", ["x" * 300_000, f"{EMAIL} " * 20_000, "a." * 200_000])
def test_a_long_text_is_cut_before_it_is_masked(text: str) -> None:
    shown = masked_beginning(text, 2_000)

    assert "jimin" not in shown
    assert len(shown) <= 2_000
    assert masked(text).startswith(shown)
