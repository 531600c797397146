"""Korean particles agree with the sound before them: 운동화가, 신발이. Pure.

What is read last decides: a syllable with or without a final consonant, a digit by its Korean name, a Latin letter as
Koreans read it. What stands in round brackets is not read (National Institute of Korean Language, "괄호 뒤의 조사").
"""

import re
import unicodedata
from typing import Final

#: After a final consonant, after a vowel, and where nobody can tell.
_PAIRS: Final = (
    ("은", "는", "은(는)"),
    ("이", "가", "이(가)"),
    ("을", "를", "을(를)"),
    ("과", "와", "과(와)"),
    ("아", "야", "아(야)"),
    ("이랑", "랑", "(이)랑"),
    ("으로", "로", "(으)로"),
    ("으로서", "로서", "(으)로서"),
    ("으로써", "로써", "(으)로써"),
    ("이나", "나", "(이)나"),
    ("이라", "라", "(이)라"),
    ("이라고", "라고", "(이)라고"),
    ("이며", "며", "(이)며"),
    ("이에요", "예요", "이에요(예요)"),
)
#: 은/는, 는/은, 은 and 는 all ask for the same.
_FORMS: Final = {
    name: pair for pair in _PAIRS for name in (pair[0], pair[1], f"{pair[0]}/{pair[1]}", f"{pair[1]}/{pair[0]}")
}
#: What a mistaken author is offered.
KNOWN: Final = ", ".join(f"{pair[0]}/{pair[1]}" for pair in _PAIRS)

#: Characters at the end that are looked at; a name is no longer.
_NEAR: Final = 80
_NONE, _RIEUL, _OTHER = "", "ㄹ", "·"
_SYLLABLES: Final = range(0xAC00, 0xD7A4)
_RIEUL_INDEX: Final = 8
_FINALS_OF_DIGITS: Final = dict(zip("0123456789", (_OTHER, _RIEUL, _NONE, _OTHER, _NONE, _NONE, _OTHER, _RIEUL, _RIEUL, _NONE), strict=True))  # fmt: skip # noqa: E501
_FINALS_OF_LETTERS: Final = {"L": _RIEUL, "M": _OTHER, "N": _OTHER, "R": _RIEUL}
_SIGNS: Final = {
    "%": _NONE,
    "℃": _NONE,
    "°": _NONE,
    "$": _NONE,
    "€": _NONE,
    "₩": _OTHER,
    "원": _OTHER,
    "+": _NONE,
    "&": _NONE,
}
_UNITS: Final = {
    "kg": _OTHER, "g": _OTHER, "mg": _OTHER, "km": _NONE, "m": _NONE, "cm": _NONE, "mm": _NONE, "l": _NONE, "ml": _NONE,
    "kb": _NONE, "mb": _NONE, "gb": _NONE, "tb": _NONE,
}  # fmt: skip
_BRACKETED: Final = re.compile(r"\s*(?:\([^()]*\)|\uff08[^\uff08\uff09]*\uff09)\s*$")
_NUMBER: Final = re.compile(r"\d[\d,]*(?:\.\d+)?$", re.ASCII)
_WORD: Final = re.compile(r"[A-Za-z]+$")
_UNIT: Final = re.compile(r"\d\s?([A-Za-z]{1,2})$", re.ASCII)
#: Endings of English words that keep a consonant in Korean: 아이폰, 게임, 세일, 팁, 북, 뮤직, 웹.
_CLOSED: Final = re.compile(r"(?:[mn]|[aeiou][mn]e|ng|(?:^|[^aeiou])[aeiou](?:p|pp|k|ck|c|b|t)|oo[kp])$", re.IGNORECASE)
_LIQUID: Final = re.compile(r"(?:l|ll|[aeiou]le|[^aeiou]le)$", re.IGNORECASE)


def is_known(particle: str) -> bool:
    """Whether `particle` is one of those that change."""
    return particle in _FORMS


def fitting(word: str, particle: str) -> str:
    """The form of `particle`, such as 이/가, that follows `word`. Raises `KeyError` for an unknown particle."""
    closed, open_, either = _FORMS[particle]
    final = final_of(word)
    if final is None:
        return either
    if final == _RIEUL and closed.startswith("으로"):
        return open_
    return closed if final else open_


def final_of(word: str) -> str | None:
    """ "" after a vowel, ㄹ, another sign for any other consonant; None where it cannot be told how it is read."""
    near = unicodedata.normalize("NFC", word[-_NEAR:])
    while (shorter := _BRACKETED.sub("", near)) != near and any(_is_read(one) for one in shorter):
        near = shorter
    while near and not _is_read(near[-1]):
        near = near[:-1]
    return _final(near) if near else None


def _is_read(character: str) -> bool:
    return character in _SIGNS or unicodedata.category(character)[0] in "LN"


def _final(near: str) -> str | None:
    last = near[-1]
    if ord(last) in _SYLLABLES:
        index = (ord(last) - _SYLLABLES.start) % 28
        return _NONE if index == 0 else _RIEUL if index == _RIEUL_INDEX else _OTHER
    if last in _SIGNS:
        return _SIGNS[last]
    if number := _NUMBER.search(near):
        return _of_number(number[0])
    if unit := _UNIT.search(near):
        known = _UNITS.get(unit[1].lower())
        if known is not None:
            return known
    if word := _WORD.search(near):
        return _of_word(word[0])
    if "ㄱ" <= last <= "ㅎ":
        return _RIEUL if last == "ㄹ" else _OTHER
    if "ㅏ" <= last <= "ㅣ" or "ぁ" <= last <= "ヿ":
        return _OTHER if last in "んン" else _NONE
    return None


def _of_number(digits: str) -> str:
    """12 is 십이, 10 is 십, 10000 is 만; a billion billion is read by its last zeros: only 조 ends in a vowel."""
    whole = digits.replace(",", "")
    zeros = len(whole) - len(whole.rstrip("0"))
    if "." not in whole and 12 <= zeros < 16 and zeros < len(whole):
        return _NONE
    return _FINALS_OF_DIGITS[whole[-1]]


def _of_word(word: str) -> str:
    """VIP is read letter by letter, iPhone as a word."""
    if word.isupper():
        return _FINALS_OF_LETTERS.get(word[-1], _NONE)
    if len(word) == 1:
        return _FINALS_OF_LETTERS.get(word.upper(), _NONE)
    if _LIQUID.search(word):
        return _RIEUL
    return _OTHER if _CLOSED.search(word) else _NONE
