"""Links are signed, never expire, and mean what they were made for, whoever alters them."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
import time_machine
from django.core.signing import Signer
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts import links
from accounts.channels import Channel
from accounts.links import BadLink, Subject

CATEGORY = uuid4()
SUBJECTS = [
    Subject(Channel.EMAIL, uuid4()),
    Subject(Channel.PUSH, uuid4()),
    Subject(Channel.EMAIL, address="김@people.example"),
    Subject(Channel.SMS, address="+821012345678"),
]


@pytest.mark.parametrize("subject", SUBJECTS, ids=["mail", "push", "contact", "number"])
def test_a_link_says_whom_and_what_it_is_about_for_ever(subject: Subject) -> None:
    token, preferences = links.unsubscribe_token(subject, CATEGORY), links.preferences_token(subject)

    with time_machine.travel(datetime(2126, 1, 1, tzinfo=UTC)):
        assert links.read_unsubscribe(token) == (subject, CATEGORY)
        assert links.read_preferences(preferences) == subject


@pytest.mark.parametrize("subject", SUBJECTS, ids=["mail", "push", "contact", "number"])
def test_links_are_signed_as_django_signs(subject: Subject) -> None:
    token = links.preferences_token(subject)

    assert Signer(sep=".", salt="accounts.links.p").sign(token.rpartition(".")[0]) == token


@pytest.mark.parametrize("subject", SUBJECTS, ids=["mail", "push", "contact", "number"])
def test_no_character_of_a_link_can_be_altered(subject: Subject) -> None:
    token = links.unsubscribe_token(subject, CATEGORY)
    for place, character in enumerate(token):
        for other in {"A", "B", "_", "."} - {character}:
            with pytest.raises(BadLink):
                links.read_unsubscribe(token[:place] + other + token[place + 1 :])
    for cut in (token[:-1], token[1:], "", ".", token + "A", token.partition(".")[0]):
        with pytest.raises(BadLink):
            links.read_unsubscribe(cut)


def test_a_link_for_one_thing_is_none_for_another() -> None:
    with pytest.raises(BadLink):
        links.read_preferences(links.unsubscribe_token(SUBJECTS[0], CATEGORY))
    with pytest.raises(BadLink):
        links.read_unsubscribe(links.preferences_token(SUBJECTS[0]))


def test_a_link_does_not_show_the_address() -> None:
    token = links.preferences_token(Subject(Channel.EMAIL, address="kim@people.example"))
    assert "kim" not in token
    assert b"kim" not in links._verified("p", token)


def test_links_outlive_the_key_they_were_signed_with() -> None:
    with override_settings(SECRET_KEY="before"):
        made = [links.preferences_token(subject) for subject in SUBJECTS]
        code = links.optout_code("+821012345678", CATEGORY)

    with override_settings(SECRET_KEY="now", SECRET_KEY_FALLBACKS=["before"]):
        assert [links.read_preferences(token) for token in made] == SUBJECTS
        assert links.read_optout(code, [CATEGORY]) == ("+821012345678", [CATEGORY])
    with override_settings(SECRET_KEY="now", SECRET_KEY_FALLBACKS=[]), pytest.raises(BadLink):
        links.read_optout(code, [CATEGORY])


# --- text messages -----------------------------------------------------------------------------------
@settings(max_examples=300, deadline=None)
@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_a_code_of_twelve_characters_stands_for_any_number_and_its_category(phone: str) -> None:
    code = links.optout_code(phone, CATEGORY)

    assert len(code) == 12
    assert code.isascii()
    assert code.isalnum()
    assert links.read_optout(code, [uuid4(), CATEGORY, uuid4()]) == (phone, [CATEGORY])
    with pytest.raises(BadLink):
        links.read_optout(code, [uuid4()])


def test_codes_of_neighbours_have_nothing_in_common() -> None:
    codes = {links.optout_code(f"+8210123456{last:02}", CATEGORY) for last in range(100)}
    assert len(codes) == 100
    assert len({code[:3] for code in codes}) > 90


@pytest.mark.parametrize("code", ["", "short", "A" * 13, "ÄÄÄÄÄÄÄÄÄÄÄÄ", "../../etc/pa", "            "])
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(BadLink):
        links.read_optout(code, [CATEGORY])


def test_hardly_any_code_that_is_guessed_means_anything() -> None:
    categories = [uuid4() for _ in range(20)]
    found = 0
    for number in range(5000):
        try:
            links.read_optout(f"guess{number:07}", categories)
            found += 1
        except BadLink:
            continue
    assert found <= 2
