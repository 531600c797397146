"""What changed between two versions, as people read it."""

from hypothesis import given
from hypothesis import strategies as st

from templates_app.diffing import Kind, Mark, diff, words

BEFORE = {
    "push": {"ko": {"title": "재입고", "body": "신발이 왔어요"}, "en": {"title": "Back", "body": "Shoes are back"}},
    "sms": {"ko": {"body": "왔어요"}},
}
AFTER = {
    "push": {"ko": {"title": "재입고", "body": "운동화가 왔어요"}, "en": {"title": "Back", "body": "Shoes are back"}},
    "email": {"ko": {"subject": "왔어요"}},
}


def test_what_changed_comes_first_by_channel_and_locale() -> None:
    told = [(one.channel, one.locale, one.field, one.kind) for one in diff(BEFORE, AFTER)]

    assert told == [
        ("push", "ko", "body", Kind.CHANGED),
        ("sms", "ko", "body", Kind.REMOVED),
        ("email", "ko", "subject", Kind.ADDED),
        ("push", "en", "title", Kind.SAME),
        ("push", "en", "body", Kind.SAME),
        ("push", "ko", "title", Kind.SAME),
    ]


def test_words_are_compared_whole() -> None:
    parts = [(part.mark, part.text) for part in words("신발이 왔어요", "운동화가 왔어요")]

    assert parts == [(Mark.DELETED, "신발이"), (Mark.INSERTED, "운동화가"), (Mark.KEPT, " 왔어요")]


def test_values_that_are_no_text_and_sample_data_are_compared_too() -> None:
    found = diff(
        {"push": {"ko": {"badge": 1}}}, {"push": {"ko": {"badge": 2}}}, samples=({"name": "a"}, {"name": ["a"]})
    )

    assert [(one.field, one.kind) for one in found] == [("badge", Kind.CHANGED), ("name", Kind.CHANGED)]


texts = st.text(alphabet="ab 신발\n.", max_size=60)


@given(texts, texts)
def test_both_texts_can_be_read_out_of_what_changed(before: str, after: str) -> None:
    parts = words(before, after)

    assert "".join(part.text for part in parts if part.mark is not Mark.INSERTED) == before
    assert "".join(part.text for part in parts if part.mark is not Mark.DELETED) == after


def test_a_long_text_without_lines_is_told_as_a_whole() -> None:
    assert len(words("a " * 100_000, "b " * 100_000)) == 2
