"""Text messages are counted as carriers count them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.planning.segments import segments
from notifications.providers.gsm import is_gsm


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("é" * 160, 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        # an escaped character is not cut in two: 152 + a euro sign leave a place of the first part empty
        ("a" * 152 + "€" + "a" * 151, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("가" * 70, 1),
        ("가" * 71, 2),
        ("가" * 134, 2),
        ("가" * 135, 3),
        # one letter that the alphabet lacks makes all of it UCS-2
        ("a" * 70 + "ê", 2),
        # outside the basic plane: two places each, and never cut in two
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 66, 2),
        ("😀" * 67, 3),
    ],
)
def test_a_text_has_as_many_parts_as_its_alphabet_makes_it(text: str, parts: int) -> None:
    assert segments(text) == parts


@pytest.mark.parametrize("text", ["[]{}\\^~|€", "ÄÖÜ ñ à Ç", "\n\r"])
def test_the_alphabet_knows_its_extension(text: str) -> None:
    assert is_gsm(text)


@pytest.mark.parametrize("text", ["ç", "`", "가", "“", "\t"])
def test_what_looks_alike_is_not_in_the_alphabet(text: str) -> None:
    assert not is_gsm(text)


@given(st.text(max_size=700), st.text(max_size=50))
def test_more_text_never_has_fewer_parts(text: str, more: str) -> None:
    assert segments(text) <= segments(text + more)
