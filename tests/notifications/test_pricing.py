"""Price lists: what an account pays, lists from files, and what one message came to."""

import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from notifications import diversion, pricing
from notifications.clock import clock
from notifications.models import ProviderAccount, SmsPrice
from notifications.planning.prices import Money
from notifications.pricing import UnusableList
from notifications.routes import routes
from notifications.vocabulary import Lane
from tests.api.shop import jimin
from tests.builders import administrator, shown
from tests.notifications.road import accepted, dispatched
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 25)
HEADER = "destination,per_segment,currency,valid_from\n"


def account(name: str = "sms-main") -> ProviderAccount:
    return ProviderAccount.objects.create(name=name, provider="twilio")


def imported(text: str | bytes, **whose: object) -> int:
    raw = text if isinstance(text, bytes) else text.encode()
    return pricing.import_list(io.BytesIO(raw), **({"provider": "twilio"} | whose), today=TODAY)  # type: ignore[arg-type]


def faults(text: str | bytes) -> list[tuple[int, str]]:
    with pytest.raises(UnusableList) as error:
        imported(text)
    assert not SmsPrice.objects.exists()
    return [(fault.line, fault.reason) for fault in error.value.faults]


def table(of: ProviderAccount, on: date = TODAY) -> dict[str, str]:
    return {place: str(price) for place, price in pricing.table_of(of, on).items()}


# --- lists -------------------------------------------------------------------------------------------
def test_a_list_is_taken_over() -> None:
    assert imported(HEADER + "KR,0.0250,USD,2026-01-01\n+82 10,0.02,usd,2026-01-01\n0044,0.04,GBP,\n") == 3
    assert table(account()) == {"KR": "0.025 USD", "8210": "0.02 USD", "44": "0.04 GBP"}
    assert SmsPrice.objects.get(destination="44").valid_from == TODAY


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + HEADER + "KR,0.02,USD,2026-01-01\n",
        "destination;per_segment;currency\r\nKR;0.02;USD\r\n",
        "Currency,Destination,Per Segment\nUSD,KR,0.02",
        HEADER + '\n"KR","0.02","USD",""\n\n',
    ],
)
def test_spreadsheets_write_in_several_ways(text: str) -> None:
    assert imported(text) == 1
    assert table(account()) == {"KR": "0.02 USD"}


def test_a_second_time_it_replaces_what_is_there() -> None:
    imported(HEADER + "KR,0.02,USD,2026-01-01\n")
    imported(HEADER + "KR,0.03,EUR,2026-01-01\nKR,0.04,EUR,2027-01-01\n")
    assert SmsPrice.objects.count() == 2
    assert table(account()) == {"KR": "0.03 EUR"}
    assert table(account("other"), date(2027, 1, 1)) == {"KR": "0.04 EUR"}


def test_what_an_account_has_agreed_to_goes_before_the_providers_list() -> None:
    one, other = account(), account("sms-other")
    imported(HEADER + "KR,0.03,USD,2026-06-01\n82,0.02,USD,\n")
    imported(HEADER + "KR,0.01,USD,2026-01-01\n", provider="", account=one)
    assert table(one) == {"KR": "0.01 USD", "82": "0.02 USD"}
    assert table(other) == {"KR": "0.03 USD", "82": "0.02 USD"}


def test_faults_are_told_by_their_lines_and_then_nothing_is_kept() -> None:
    text = HEADER + (
        "KR,0.02,USD,2026-01-01\n"
        "Korea,0.02,USD,2026-01-01\n"
        "\n"
        "JP,-1,USD,2026-01-01\n"
        "JP,0.0000001,USD,2026-01-01\n"
        "JP,NaN,USD,2026-01-01\n"
        "JP,\"0,02\",USD,2026-01-01\n"
        "JP,0.02,dollars,2026-01-01\n"
        "JP,0.02,USD,1.1.2026\n"
        "JP,0.02\n"
        "KR,0.03,USD,2026-01-01\n"
    )  # fmt: skip
    found = faults(text)
    assert [line for line, _ in found] == [3, 5, 6, 7, 8, 9, 10, 11, 12]
    assert "neither a country" in found[0][1]
    assert all("per_segment" in reason for _, reason in found[1:5])
    assert "currency" in found[5][1]
    assert "valid_from" in found[6][1]
    assert "2 cells" in found[7][1]
    assert "stands in line 2 already" in found[8][1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        (HEADER, "no price"),
        ("KR,0.02,USD\n", "missing"),
        ("destination,per_segment\nKR,1\n", "currency"),
        ("destination,per_segment,currency,note\nKR,1,USD,x\n", "note"),
        ("destination,per_segment,currency,currency\nKR,1,USD,USD\n", "twice"),
        ("destination,per_segment,currency\nKR,1,한국\n".encode("cp949"), "UTF-8"),
        ('destination,per_segment,currency\n"KR,1,USD\n', "CSV"),
        (b"\xff\xfe\x00", "UTF-8"),
        (HEADER + "K" * 5000 + ",1,USD,\n", "CSV"),
        (HEADER + "KR\0,1,USD,\n", ""),
        (HEADER + "KR,1,USD,\n" * (pricing.MAX_LINES + 1), "lines"),
    ],
)
def test_what_is_no_price_list_is_told_so(text: str | bytes, says: str) -> None:
    assert any(says in reason for _, reason in faults(text))


# --- the database ------------------------------------------------------------------------------------
@pytest.mark.parametrize("whose", ["nobody", "both"])
def test_a_price_is_of_a_provider_or_of_an_account(whose: str) -> None:
    of = {"nobody": {}, "both": {"provider": "twilio", "account": account()}}[whose]
    with pytest.raises(IntegrityError), transaction.atomic():
        SmsPrice.objects.create(destination="KR", per_segment=1, currency="USD", valid_from=TODAY, **of)


def test_a_price_stands_once() -> None:
    values = {"provider": "twilio", "destination": "KR", "per_segment": 1, "currency": "USD", "valid_from": TODAY}
    SmsPrice.objects.create(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        SmsPrice.objects.create(**values)


# --- pages -------------------------------------------------------------------------------------------
def upload(browser: Client, text: str, **fields: str) -> str:
    file = SimpleUploadedFile("prices.csv", text.encode(), "text/csv")
    address = reverse("admin:notifications_smsprice_import")
    return shown(browser.post(address, {"file": file, **fields}, follow=True))


def test_a_list_is_uploaded_on_a_page() -> None:
    browser = administrator()
    assert "Import a price list" in shown(browser.get(reverse("admin:notifications_smsprice_changelist")))
    assert "per_segment" in shown(browser.get(reverse("admin:notifications_smsprice_import")))

    page = upload(browser, HEADER + "KR,0.02,USD,2026-01-01\n", provider="twilio")

    assert "1 prices were taken over" in page
    assert ">KR<" in page


def test_faults_are_shown_on_the_page() -> None:
    page = upload(administrator(), HEADER + "<b>Korea</b>,0.02,USD,2026-01-01\n", provider="twilio")
    assert "Nothing was taken over" in page
    assert "<td>2</td>" in page
    assert "<b>Korea" not in page


@pytest.mark.parametrize("fields", [{}, {"provider": "sendgrid"}, {"account": "nobody"}, {"provider": "both"}])
def test_it_must_be_said_whose_prices_they_are(fields: dict[str, str]) -> None:
    one = account()
    if fields.get("provider") == "both":
        fields = {"provider": "twilio", "account": str(one.pk)}
    assert "errorlist" in upload(administrator(), HEADER + "KR,0.02,USD,\n", **fields)
    assert not SmsPrice.objects.exists()


def test_who_may_only_look_imports_nothing() -> None:
    user = User.objects.create(username="viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_smsprice"))
    browser = Client()
    browser.force_login(user)
    assert browser.get(reverse("admin:notifications_smsprice_import")).status_code == 403


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, ""),
        ({"destination": "Korea"}, "neither a country"),
        ({"currency": "dollar"}, "at most 3"),
        ({"currency": "$$$"}, "ISO 4217"),
        ({"per_segment": "-1"}, "greater than or equal to 0"),
        ({"per_segment": "0.0000001"}, "decimal places"),
        ({"provider": ""}, "Name a provider or an account"),
        ({"provider": "sendgrid"}, "valid choice"),
        ({"valid_from": "soon"}, "valid date"),
    ],
)
def test_a_price_is_written_by_hand(changes: dict[str, str], says: str) -> None:
    usual = {"provider": "twilio", "destination": "+82", "per_segment": "0.02", "currency": "usd"}
    answer = administrator().post(
        reverse("admin:notifications_smsprice_add"), usual | {"valid_from": "2026-01-01"} | changes
    )
    if says:
        assert says in shown(answer)
    else:
        assert answer.status_code == 302
        price = SmsPrice.objects.get()
        assert (price.destination, price.currency) == ("82", "USD")


# --- one message -------------------------------------------------------------------------------------
def page_of_a_text(**changes: Any) -> str:
    jimin()
    (delivery,) = accepted("sms", **changes)
    dispatched(Lane.SMS)
    return shown(administrator().get(reverse("admin:notifications_delivery_change", args=[delivery.pk])))


def test_a_messages_page_tells_its_parts_and_what_they_cost(providers: Running) -> None:
    SmsPrice.objects.create(
        provider="twilio", destination="82", per_segment=Decimal("0.03"), currency="USD", valid_from="2020-01-01"
    )
    long = {"user_name": "지" * 60, "product_name": "운" * 60}
    assert "2 parts (UCS-2), 0.06 USD by twilio-live" in page_of_a_text(data=long)


def test_what_reached_nobody_cost_nothing(providers: Running) -> None:
    SmsPrice.objects.create(provider="twilio", destination="82", per_segment=1, currency="USD", valid_from="2020-01-01")
    live, test = (ProviderAccount.objects.get(name=f"twilio-{mode}") for mode in ("live", "test"))
    diversion.divert(live, test, by="admin", at=clock.now())
    routes.forget()
    assert "USD" not in page_of_a_text()


def test_without_a_price_it_tells_the_parts_alone(providers: Running) -> None:
    page = page_of_a_text(data={"user_name": "Jimin", "product_name": "shoes"})
    assert "1 part (UCS-2)" in page
    assert "USD" not in page


def test_other_messages_have_neither(providers: Running) -> None:
    jimin()
    (delivery,) = accepted("email")
    page = shown(administrator().get(reverse("admin:notifications_delivery_change", args=[delivery.pk])))
    assert "(UCS-2)" not in page


def test_the_price_of_the_day_counts() -> None:
    for day, price in (("2020-01-01", "0.01"), ("2026-11-25", "0.02")):
        SmsPrice.objects.create(
            provider="twilio", destination="82", per_segment=Decimal(price), currency="USD", valid_from=day
        )
    one = account()
    assert pricing.table_of(one, date(2026, 11, 24)) == {"82": Money(Decimal("0.010000"), "USD")}
    assert pricing.table_of(one, TODAY) == {"82": Money(Decimal("0.020000"), "USD")}
