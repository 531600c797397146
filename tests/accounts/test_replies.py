"""What people answer: keywords, whole and in two languages, and the last of them decides."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from unicodedata import normalize

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import keywords
from accounts.channels import Channel
from accounts.models import ReceivedReply, Suppression
from accounts.replies import Reply, Wish, e164, wish_in
from accounts.suppressions import Cause, forget_replies, heed, suppress
from tests.at_once import in_threads
from tests.builders import witness

PHONE = "+821012345678"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


# --- what is a keyword -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "wish"),
    [
        # English, as carriers know them
        ("STOP", Wish.STOP),
        ("stop", Wish.STOP),
        (" Stop. ", Wish.STOP),
        ("STOP ALL", Wish.STOP),
        ("opt-out", Wish.STOP),
        ("Unsubscribe!", Wish.STOP),
        ("CANCEL", Wish.STOP),
        ("END", Wish.STOP),
        ("quit", Wish.STOP),
        ("REVOKE", Wish.STOP),
        ("ＳＴＯＰ", Wish.STOP),
        ("START", Wish.START),
        ("UNSTOP", Wish.START),
        # Korean
        ("수신거부", Wish.STOP),
        ("수신 거부", Wish.STOP),
        ("[수신거부]", Wish.STOP),
        (normalize("NFD", "수신거부"), Wish.STOP),
        ("해지", Wish.STOP),
        ("그만!", Wish.STOP),
        ("수신동의", Wish.START),
        ("수신거부 해제", Wish.START),
        # no keywords
        ("", None),
        ("stop by at five", None),
        ("please stop", None),
        ("YES", None),
        ("HELP", None),
        ("안녕하세요", None),
        ("수신거부 방법 알려주세요", None),
        ("STOP" + " " * 100_000, None),
        ("\0", None),
    ],
)
def test_only_a_text_that_is_a_keyword_as_a_whole_is_a_wish(text: str, wish: Wish | None) -> None:
    found = wish_in(text)

    assert (found[0] if found else None) == wish


@pytest.mark.parametrize(
    ("text", "person", "sender", "wish"),
    [
        ("Arrêt !", "+15145550199", "", Wish.STOP),  # a French word in Canada
        ("ARRET", "+12125550199", "", None),  # and in New York, where it is none
        ("BAJA", "+34600123456", "", Wish.STOP),
        ("alta", "+34600123456", "", Wish.START),
        ("配信停止", "+819012345678", "", Wish.STOP),
        ("ストップ", "+819012345678", "", Wish.STOP),
        ("TD", "+8613800138000", "", Wish.STOP),
        ("退订", "+8613800138000", "", Wish.STOP),
        ("T", PHONE, "", None),  # a letter is a keyword only where senders print it
        ("TC", "+84901234567", "", Wish.STOP),
        ("หยุด", "+66812345678", "", Wish.STOP),
        ("İPTAL", "+905321234567", "", Wish.STOP),
        ("إلغاء", "+971501234567", "", Wish.STOP),
        ("ABMELDEN", "+15145550199", "+4915112345678", Wish.STOP),  # by the country of the sender's own number
        ("stop", "+34600123456", "", Wish.STOP),  # everywhere
        ("수신거부", "+34600123456", "", Wish.STOP),
        ("baja", "no number", "BONGSU", None),
    ],
)
def test_keywords_are_those_of_the_countries_that_a_sender_writes_to(
    text: str, person: str, sender: str, wish: Wish | None
) -> None:
    found = wish_in(text, person, sender)

    assert (found[0] if found else None) == wish


def test_no_language_says_stop_by_a_word_for_start() -> None:
    for language, words in keywords.STOP.items():
        assert not words & keywords.START[language]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("821012345678", PHONE),
        ("+821012345678", PHONE),
        ("12345", None),
        ("AcmeInc", None),
        ("whatsapp:+821012345678", None),
        ("+0123456789", None),
        ("8" * 16, None),
        ("٨٢١٠١٢٣٤٥٦٧٨", None),
        ("", None),
    ],
)
def test_only_a_number_in_full_is_somebodys(written: str, number: str | None) -> None:
    assert e164(written) == number


# --- what follows ----------------------------------------------------------------------------------------
def said(wish: Wish, minute: int, ref: str = "") -> Reply:
    return Reply(PHONE, wish, wish.value, NOW + timedelta(minutes=minute), ref or f"{wish}-{minute}")


def causes() -> list[str]:
    return sorted(Suppression.objects.filter(channel="sms", address=PHONE).values_list("cause", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("replies", "is_stopped"),
    [
        ([said(Wish.STOP, 1)], True),
        ([said(Wish.START, 1)], False),
        ([said(Wish.STOP, 1), said(Wish.START, 2)], False),
        ([said(Wish.START, 2), said(Wish.STOP, 1)], False),
        ([said(Wish.STOP, 1), said(Wish.START, 2), said(Wish.STOP, 3)], True),
        # the provider repeats the first call after all
        ([said(Wish.STOP, 1), said(Wish.START, 2), said(Wish.STOP, 1)], False),
        # the same message, told again with another time, is the same message
        ([said(Wish.STOP, 1, "m1"), said(Wish.START, 2), said(Wish.STOP, 9, "m1")], False),
        # in doubt, stop
        ([said(Wish.START, 1), said(Wish.STOP, 1)], True),
        ([said(Wish.STOP, 1), said(Wish.START, 1)], True),
    ],
)
def test_the_last_word_decides(replies: Sequence[Reply], *, is_stopped: bool) -> None:
    for reply in replies:
        heed(reply, "twilio-live")

    assert causes() == (["stop"] if is_stopped else [])


@pytest.mark.django_db
@pytest.mark.parametrize("cause", [Cause.HARD_BOUNCE, Cause.COMPLAINT, Cause.MANUAL])
def test_start_lifts_stop_and_nothing_else(cause: Cause) -> None:
    suppress(Channel.SMS, PHONE, cause, NOW, witness())
    heed(said(Wish.STOP, 1), "twilio-live")
    assert causes() == sorted([cause, "stop"])

    heed(said(Wish.START, 2), "twilio-live")

    assert causes() == [cause]


@pytest.mark.django_db
def test_start_does_not_lift_what_the_provider_learned_of_later() -> None:
    suppress(Channel.SMS, PHONE, Cause.STOP, NOW + timedelta(minutes=5), witness("21610"))

    heed(said(Wish.START, 1), "twilio-live")

    assert causes() == ["stop"]


@pytest.mark.django_db
def test_only_this_number_and_only_text_messages_are_meant() -> None:
    suppress(Channel.SMS, "+821087654321", Cause.STOP, NOW, witness())
    suppress(Channel.EMAIL, PHONE, Cause.STOP, NOW, witness())

    heed(said(Wish.START, 1), "twilio-live")

    assert Suppression.objects.count() == 2


@pytest.mark.django_db
def test_of_a_message_the_keyword_is_kept_until_it_is_forgotten() -> None:
    assert heed(said(Wish.STOP, 1), "twilio-live")
    assert not heed(said(Wish.STOP, 1), "twilio-live")
    kept = ReceivedReply.objects.get()
    assert (kept.account, kept.phone, kept.keyword) == ("twilio-live", PHONE, "stop")

    assert forget_replies(NOW) == 0
    assert forget_replies(NOW + timedelta(minutes=2)) == 1
    assert causes() == ["stop"]


@pytest.mark.django_db
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(Wish), st.integers(0, 5)), min_size=1, max_size=6, unique=True).flatmap(
        lambda words: st.lists(st.sampled_from(words), max_size=6).flatmap(
            lambda again: st.permutations([*words, *again])
        )
    )
)
def test_neither_order_nor_repetition_of_messages_makes_a_difference(told: list[tuple[Wish, int]]) -> None:
    ReceivedReply.objects.all().delete()
    Suppression.objects.all().delete()

    for wish, minute in told:
        heed(said(wish, minute), "twilio-live")

    last = max(minute for _, minute in told)
    assert causes() == (["stop"] if (Wish.STOP, last) in told else [])


@pytest.mark.django_db(transaction=True)
def test_messages_that_come_in_at_the_same_moment_are_heeded_one_by_one() -> None:
    messages = [said(wish, minute) for minute in range(3) for wish in Wish]

    in_threads(*(partial(heed, reply, "twilio-live") for reply in messages))

    assert causes() == ["stop"]
    assert ReceivedReply.objects.count() == 6
