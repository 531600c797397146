"""Recipients and devices from a CSV file: what a good row does, and what becomes of a bad one."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.importing import Imported, Row, UnusableFile, import_file
from accounts.models import Device, Recipient
from tests.builders import apns_token, device, fcm_token, iphone, person

pytestmark = pytest.mark.django_db

HEADER = "external_id,email,phone,locale,country,time_zone,platform,service,token,app_version,attributes.grade\n"
JIMIN = f"jimin,Jimin@Example.com,010-1234-5678,ko_kr,kr,Asia/Seoul,ios,,{apns_token()},2.1,gold\n"


def imported(text: str | bytes, *, dry_run: bool = False) -> Imported:
    content = text.encode() if isinstance(text, str) else text
    return import_file(io.BytesIO(content), timezone.now(), dry_run=dry_run)


def counts(done: Imported) -> tuple[int, int, int, int, int]:
    return done.rows, done.created, done.updated, done.devices, len(done.rejected)


def reasons(done: Imported) -> list[tuple[int, str]]:
    return [(row.line, row.reason) for row in done.rejected]


def who() -> list[str]:
    return list(Recipient.objects.order_by("external_id").values_list("external_id", flat=True))


def everything() -> list[dict[str, Any]]:
    return [dict(row) for model in (Recipient, Device) for row in model.objects.order_by("id").values()]


def test_a_good_row_makes_a_person_with_a_device_in_normal_form() -> None:
    assert counts(imported(HEADER + JIMIN)) == (1, 1, 0, 1, 0)

    jimin = Recipient.objects.get()
    assert (jimin.external_id, jimin.email, jimin.phone) == ("jimin", "jimin@example.com", "+821012345678")
    assert (jimin.locale, jimin.country, jimin.time_zone) == ("ko-KR", "KR", "Asia/Seoul")
    assert jimin.attributes == {"grade": "gold"}
    phone = jimin.devices.get()
    assert (phone.platform, phone.service, phone.token, phone.app_version) == ("ios", "apns", apns_token(), "2.1")


def test_columns_come_in_any_order_and_only_external_id_is_needed() -> None:
    imported("attributes.city , external_id\n서울,jimin\n")

    assert Recipient.objects.get().attributes == {"city": "서울"}


def test_a_person_with_several_devices_has_a_row_for_each() -> None:
    rows = f"jimin,ios,{apns_token()}\njimin,android,{fcm_token()}\n"

    assert counts(imported(f"external_id,platform,token\n{rows}")) == (2, 1, 0, 2, 0)
    assert set(Recipient.objects.get().devices.values_list("service", flat=True)) == {"apns", "fcm"}


def test_importing_a_file_twice_adds_nothing_the_second_time() -> None:
    imported(HEADER + JIMIN)
    before = everything()

    assert counts(imported(HEADER + JIMIN)) == (1, 0, 1, 1, 0)

    moments = {"updated_at", "registered_at", "seen_at"}
    for old, new in zip(before, everything(), strict=True):
        assert {name for name in old if old[name] != new[name]} <= moments


def test_an_empty_cell_leaves_what_is_known() -> None:
    imported(HEADER + JIMIN)

    imported(HEADER + f"jimin,,,,,,ios,,{apns_token()},,\n")

    jimin = Recipient.objects.get()
    assert (jimin.email, jimin.phone, jimin.attributes) == ("jimin@example.com", "+821012345678", {"grade": "gold"})
    assert jimin.devices.get().app_version == "2.1"


def test_a_filled_cell_replaces_what_is_known_and_attributes_are_merged() -> None:
    person(email="old@example.com", attributes={"grade": "silver", "points": 7})

    imported("external_id,email,attributes.grade\njimin,new@example.com,gold\n")

    jimin = Recipient.objects.get()
    assert (jimin.email, jimin.attributes) == ("new@example.com", {"grade": "gold", "points": 7})


def test_a_token_that_somebody_has_moves_to_whom_the_file_names() -> None:
    device(person("minsu"))

    imported(f"external_id,platform,token\njimin,ios,{apns_token()}\n")

    assert [one.recipient.external_id for one in Device.objects.live()] == ["jimin"]


def test_of_two_rows_with_one_token_the_later_has_it() -> None:
    imported(f"external_id,platform,token\njimin,ios,{apns_token()}\nminsu,ios,{apns_token()}\n")

    assert [one.recipient.external_id for one in Device.objects.live()] == ["minsu"]


def test_a_retired_token_comes_back_as_a_new_device() -> None:
    old = device(person())
    Device.objects.filter(pk=old.pk).update(retired_at=timezone.now(), retired_because="Unregistered")

    imported(f"external_id,platform,token\njimin,ios,{apns_token()}\n")

    assert Device.objects.live().count() == 1
    assert Device.objects.count() == 2


@pytest.mark.parametrize("lines", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["no mark", "byte order mark"])
def test_files_come_from_all_kinds_of_programs(mark: str, lines: str) -> None:
    rows = ['"external_id","locale"', '"jimin","ko"', "", '"minsu","en"', ""]

    assert counts(imported(mark + lines.join(rows))) == (2, 2, 0, 0, 0)


def test_people_of_more_than_one_transaction_all_arrive() -> None:
    told: list[int] = []
    text = "external_id\n" + "".join(f"u{number}\n" for number in range(5_001)) + "-bad\n"

    done = import_file(io.BytesIO(text.encode()), timezone.now(), progress=told.append)

    assert counts(done) == (5_002, 5_001, 0, 0, 1)
    assert told == [5_000, 2]
    assert Recipient.objects.count() == 5_001


USELESS: list[tuple[str, str | bytes, str]] = [
    ("empty", "", "The file is empty"),
    ("only a byte order mark", "\ufeff", "The file is empty"),
    ("no header", JIMIN, "Unknown columns: 'jimin'"),
    ("an unknown column", "external_id,e_mail\njimin,a@example.com\n", "Unknown columns: 'e_mail'.*Known ones: ext"),
    ("an attribute without a name", "external_id,attributes.\n", "Unknown columns: 'attributes.'"),
    ("an attribute that no template can name", "external_id,attributes.a b\n", "Unknown columns: 'attributes.a b'"),
    ("no external_id", "email\na@example.com\n", "The column external_id is missing"),
    ("a blank first line", "\nexternal_id\n", "The column external_id is missing"),
    ("a column twice", "external_id,email,email\n", "named twice"),
    ("a comma too many", "external_id,\n", "Unknown columns: ''"),
    ("a quote without end", '"external_id\njimin\n', "first line cannot be read as CSV"),
    ("UTF-16, as a spreadsheet may save it", "external_id\njimin\n".encode("utf-16"), "Unknown columns"),
    ("NUL in the header", "external_id\0\njimin\n", "Unknown columns"),
]


@pytest.mark.parametrize(("text", "message"), [case[1:] for case in USELESS], ids=[case[0] for case in USELESS])
def test_a_file_that_cannot_be_used_is_refused_as_a_whole(text: str | bytes, message: str) -> None:
    with pytest.raises(UnusableFile, match=message):
        imported(text)

    assert who() == []


COLUMNS = "external_id,email,phone,locale,country,time_zone,platform,service,token,app_version"
BAD: list[tuple[str, str, str]] = [
    ("no external id", ",,,,,,,,,", "external_id: "),
    ("a bad external id", "지민,,,,,,,,,", "external_id: "),
    ("a bad email", "x,a@@b,,,,,,,,", "email: "),
    ("a bad phone", "x,,12,,,,,,,", "phone: "),
    ("a national phone without a country", "x,,010-1234-5678,,,,,,,", "phone: "),
    ("a bad locale", "x,,,korean!,,,,,,", "locale: "),
    ("a bad country", "x,,,,XX,,,,,", "country: "),
    ("a bad time zone", "x,,,,,Seoul,,,,", "time_zone: "),
    ("a platform without a token", "x,,,,,,ios,,,", "token: "),
    ("a token without a platform", f"x,,,,,,,,{apns_token()},", "platform: "),
    ("an unknown platform", f"x,,,,,,symbian,,{apns_token()},", "platform: "),
    ("a service of another platform", f"x,,,,,,ios,fcm,{apns_token()},", "service: "),
    ("a bad token", "x,,,,,,ios,,short,", "token: "),
    ("an app version too long", f"x,,,,,,ios,,{apns_token()},{'1' * 41}", "app_version: "),
    ("a cell too few", "x,,,,,,,,", "9 cells where the header names 10 columns."),
    ("a cell too many", "x,,,,,,,,,,", "11 cells where the header names 10 columns."),
    ("NUL", "x,,,k\0o,,,,,,", "Contains a NUL character"),
    ("NUL in the external id", "x\0,,,,,,,,,", "Contains a NUL character"),
    ("a quote that ends too early", '"x"y,,,,,,,,,', "Cannot be read as CSV"),
    ("a cell too long", f"x,{'a' * 10_001},,,,,,,,", "Cannot be read as CSV"),
]


@pytest.mark.parametrize(("row", "reason"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_row_is_reported_with_line_and_reason_and_stops_nothing(row: str, reason: str) -> None:
    done = imported(f"{COLUMNS}\nbefore,,,,,,,,,\n{row}\nafter,,,,,,,,,\n")

    ((line, said),) = reasons(done)
    assert (line, said.startswith(reason)) == (3, True), said
    assert who() == ["after", "before"]


def test_a_row_that_is_not_utf_8_spoils_only_itself() -> None:
    korean = "minsu,서울\n".encode("cp949")

    done = imported(b"external_id,attributes.city\njimin,Seoul\n" + korean + "sora,부산\n".encode())

    assert reasons(done) == [(3, "Is not UTF-8; save the file as UTF-8.")]
    assert who() == ["jimin", "sora"]


def test_a_quote_without_end_takes_the_rest_and_is_reported_where_it_begins() -> None:
    done = imported('external_id,locale\njimin,ko\nminsu,"ko\nsora,ko\n')

    ((line, said),) = reasons(done)
    assert (line, said.startswith("Cannot be read as CSV")) == (3, True)
    assert who() == ["jimin"]


def test_lines_are_counted_through_quoted_line_breaks_and_blank_lines() -> None:
    text = 'external_id,attributes.note\njimin,"one\ntwo\nthree"\n\nminsu,"a, ""b"""\n-bad,"four\nfive"\n'

    done = imported(text)

    assert [line for line, _ in reasons(done)] == [7]
    notes = Recipient.objects.order_by("external_id").values_list("attributes__note", flat=True)
    assert list(notes) == ["one\ntwo\nthree", 'a, "b"']


def test_a_dry_run_checks_every_row_and_writes_nothing() -> None:
    assert counts(imported(HEADER + JIMIN + "bad\n", dry_run=True)) == (2, 0, 0, 0, 1)

    assert who() == []


def test_values_do_not_reach_a_log() -> None:
    row = Row("jimin", {"email": "jimin@example.com"}, {"grade": "gold"}, iphone())

    assert not any(value in repr(row) for value in ("jimin@example.com", "gold", apns_token()))


def _run(path: Path, *options: str) -> str:
    out = io.StringIO()
    call_command("import_recipients", str(path), *options, stdout=out)
    return out.getvalue()


def _file(folder: Path, text: str) -> Path:
    path = folder / "people.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_command_says_what_came_of_the_file(tmp_path: Path) -> None:
    path = _file(tmp_path, HEADER + JIMIN)

    assert _run(path) == "1 rows read: 1 recipients created, 0 updated, 1 devices registered, 0 rows rejected.\n"
    assert _run(path) == "1 rows read: 0 recipients created, 1 updated, 1 devices registered, 0 rows rejected.\n"
    assert list(tmp_path.iterdir()) == [path]


def test_the_command_lists_rejected_rows_in_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _file(tmp_path, "external_id,locale\njimin,ko\n" + "-bad,ko\n" * 25)

    said = _run(path)

    report = tmp_path / "people.csv.rejected.csv"
    assert said.startswith("26 rows read: 1 recipients created")
    assert "25 rows rejected" in said
    assert str(report) in said
    rows = list(csv.DictReader(report.read_text(encoding="utf-8").splitlines()))
    assert [int(row["line"]) for row in rows] == list(range(3, 28))
    assert all(row["reason"].startswith("external_id: ") for row in rows)
    assert "First 20 of 25 rejected rows" in capsys.readouterr().err


def test_the_report_goes_where_it_is_wanted(tmp_path: Path) -> None:
    path = _file(tmp_path, "external_id\n-bad\n")

    _run(path, "--report", str(tmp_path / "why.csv"))

    assert {one.name for one in tmp_path.iterdir()} == {"people.csv", "why.csv"}


def test_the_command_in_a_dry_run(tmp_path: Path) -> None:
    path = _file(tmp_path, HEADER + JIMIN)

    assert _run(path, "--dry-run").startswith("1 rows checked: 0 recipients created")
    assert who() == []


def test_the_command_refuses_a_file_that_is_not_there_or_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no file"):
        _run(tmp_path / "nobody.csv")
    with pytest.raises(CommandError, match=r"people\.csv: The file is empty"):
        _run(_file(tmp_path, ""))
