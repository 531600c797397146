"""The pages of reports: what they show, to whom, and what they cost."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from campaigns.models import Campaign, Export
from campaigns.reports import exporting
from tests.builders import administrator, category, shown
from tests.campaigns.reports import scene
from tests.campaigns.reports.written import hour, reaction, run_of, turnout
from tests.campaigns.stage import campaign

pytestmark = pytest.mark.django_db


def streamed(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


def signed_in(*rights: str, name: str = "somebody") -> Client:
    user = User.objects.create(username=name, is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    browser = Client()
    browser.force_login(user)
    return browser


def report(of: Campaign, query: str = "", browser: Client | None = None) -> str:
    page = reverse("admin:campaigns_campaign_report", args=[of.pk])
    return _text((browser or administrator()).get(f"{page}{query}"))


def reports(query: str = "", browser: Client | None = None) -> str:
    return _text((browser or administrator()).get(f"{reverse('admin:reports')}{query}"))


def _text(answer: Any) -> str:
    return re.sub(r"\s+", " ", unescape(shown(answer)))


def table(page: str, heading: str) -> list[list[str]]:
    """The cells of the table beneath a heading, as a person reads them."""
    part = page[page.index(heading) :]
    body = part[part.index("<tbody>") : part.index("</tbody>")]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", body)
    return [
        [re.sub(r"<[^>]+>", " ", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in rows
    ]


def test_the_report_of_a_run_tells_all_that_is_counted() -> None:
    of = scene.shown()
    run = of.runs.latest("planned_for")

    page = report(of, f"?run={run.pk}")

    assert ["Messages by push", "40,500 ± 2.3 %", "41,000"] in table(page, "Expected, and what came")
    assert ["Cost of sms", "88.20 USD ± 4.1 %", "91.35 USD"] in table(page, "Expected, and what came")
    assert "The recipient opted out." in page
    assert "The message was accepted and then bounced." in page
    assert "110,000 people planned, of whom 10,000 are held out" in page
    assert "B is better than A with more than 99.9 %" in page
    assert "Too early" not in page
    assert [row[0].split()[0] for row in table(page, "By variant</h2>")] == ["A", *_CHANNELS, "B", *_CHANNELS]
    assert [row[0] for row in table(page, "By channel</h2>")] == _CHANNELS
    assert "91.35 USD 24 without price" in re.sub(r"<[^>]+>", " ", page).replace("  ", " ")


_CHANNELS = ["push", "sms", "email"]


def test_all_runs_lead_to_each_of_them() -> None:
    of = scene.shown()

    page = report(of)

    assert "2 runs together" in page
    assert [f"?run={run.pk}" in page for run in of.runs.all()] == [True, True]
    assert "Export its deliveries" not in page


def test_a_campaign_that_never_ran_says_so() -> None:
    assert "It has not gone out yet" in report(campaign())


def test_the_report_of_a_large_campaign_takes_few_statements_none_of_which_reads_the_log(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    of = scene.shown()
    run = of.runs.latest("planned_for")
    browser = administrator()
    report(of, f"?run={run.pk}", browser)

    with django_assert_max_num_queries(20) as asked:
        report(of, f"?run={run.pk}", browser)

    assert not [one["sql"] for one in asked.captured_queries if "notifications_delivery" in one["sql"]]


def test_a_span_tells_each_campaign_template_category_and_channel() -> None:
    of = campaign("sale", "welcome")
    run = run_of(of)
    for letter, sent in (("A", 10), ("B", 30)):
        turnout(run.arms.get(letter=letter), sent, channel="push" if letter == "A" else "email")
    single = run.arms.get(letter="A").version_id
    assert single is not None
    turnout(single, 5)
    browser = administrator()

    found = {
        by: [
            (row[0].split(" when")[0].strip(), row[4]) for row in table(reports(f"?by={by}", browser), f"By {by}</h2>")
        ]
        for by in ("campaign", "template", "category", "channel")
    }

    assert found == {
        "campaign": [(of.name, "40"), ("No campaign: asked for by the API", "5")],
        "template": [("Welcome", "30"), ("Sale", "15")],
        "category": [(category().name, "45")],
        "channel": [("email", "35"), ("push", "10")],
    }


def test_a_span_has_what_was_planned_and_done_on_its_days_alone() -> None:
    arm = run_of(campaign()).arms.get()
    for days, sent in ((0, 1), (6, 2), (7, 4), (29, 8), (30, 16)):
        turnout(arm, sent, hour=hour(days))
        reaction(arm, "clicked", sent, hour=hour(days))
    browser, today = administrator(), datetime.now(UTC).date()

    def figures(since: int, until: int = 0) -> list[str]:
        days = (today - timedelta(days=since), today - timedelta(days=until))
        (row,) = table(reports(f"?since={days[0]}&until={days[1]}", browser), "By campaign</h2>")
        return [row[4], row[7].split()[0]]

    assert figures(6) == ["3", "3"]
    assert figures(29) == ["15", "15"]
    assert figures(7, 7) == ["4", "4"]
    assert table(reports("", browser), "By campaign</h2>")[0][4] == "15", "thirty days where nobody says otherwise"


@pytest.mark.parametrize(
    ("sort", "order"),
    [("", ["b", "c", "a"]), ("sent", ["a", "c", "b"]), ("name", ["a", "b", "c"]), ("-clicked", ["c", "b", "a"]),
     ("-clicked_rate", ["a", "c", "b"]), ("nonsense", ["b", "c", "a"])],
)  # fmt: skip
def test_lines_are_ordered_as_asked(sort: str, order: list[str]) -> None:
    for name, sent, clicked in (("a", 10, 9), ("b", 300, 10), ("c", 200, 100)):
        arm = run_of(campaign(f"sale-{name}", name=name)).arms.get()
        turnout(arm, sent)
        reaction(arm, "clicked", clicked)

    assert [row[0].split()[0] for row in table(reports(f"?sort={sort}"), "By campaign</h2>")] == order


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?since=2026-05-02&until=2026-05-01", "This day comes after the last one."),
        ("?since=2020-01-01&until=2026-05-01", "At most 366 days"),
        ("?since=yesterday", "Enter a valid date."),
        ("?since=9999-12-30&until=9999-12-31", "less than or equal to 2999-12-31"),
        ("?since=0001-01-01&until=0001-01-02", "greater than or equal to 2000-01-01"),
        ("?by=weather", "Select a valid choice."),
    ],
)
def test_days_that_are_none_are_refused_at_their_field(query: str, said: str) -> None:
    assert said in reports(query)


def test_a_line_shows_when_it_happened() -> None:
    arm = run_of(campaign("sale", name="mine")).arms.get()
    turnout(arm, 7, hour=hour(3))
    other = run_of(campaign("welcome", name="other")).arms.get()
    turnout(other, 100, hour=hour(1))

    browser = administrator()

    page = reports("?by=template&key=sale", browser)

    assert "When: Sale" in page
    assert "7, at most 7 in a day" in page
    assert "When: " not in reports("?by=campaign&key=nonsense", browser)


def test_figures_are_a_file_too() -> None:
    of = scene.shown()
    browser = administrator()

    campaign_file = browser.get(reverse("admin:campaigns_campaign_summary", args=[of.pk]))
    span_file = browser.get(f"{reverse('admin:reports_file')}?by=channel")

    lines = streamed(campaign_file).splitlines()
    assert lines[0].startswith("\ufeffvariant,channel,people,planned,")
    assert lines[0].endswith(
        "converted_of_sent,unsubscribed_of_sent,complained_of_sent,revenue KRW,cost KRW,revenue USD,cost USD"
    )
    assert any(line.startswith("A,email,,") for line in lines)
    assert "suppressed,The recipient opted out.,17960" in lines
    assert streamed(span_file).splitlines()[0].startswith("\ufeffchannel,name,planned,")


def test_a_file_of_days_that_are_wrong_says_what_is_wrong_with_them() -> None:
    answer = administrator().get(f"{reverse('admin:reports_file')}?since=2026-05-02&until=2026-05-01")

    assert (answer.status_code, answer["Content-Type"]) == (400, "text/plain; charset=utf-8")
    assert "since: This day comes after the last one." in answer.content.decode()


@pytest.mark.parametrize("name", ["reports", "reports_file"])
def test_reports_are_for_those_who_may_see_campaigns(name: str) -> None:
    address = reverse(f"admin:{name}")

    assert signed_in("view_campaign").get(address).status_code == 200
    assert signed_in("view_template", name="other").get(address).status_code == 403


def test_a_file_of_deliveries_is_for_those_who_may_take_people_away_and_for_who_asked() -> None:
    of = scene.shown()
    run = of.runs.first()
    assert run is not None
    ask = reverse("admin:campaigns_campaign_ask_export", args=[run.pk])
    assert signed_in("view_campaign", "see_addresses").post(ask).status_code == 403
    mine = signed_in("view_campaign", "export_recipient", name="mine")

    page: Any = mine.post(ask)
    export = Export.objects.get()

    assert page.url == reverse("admin:campaigns_campaign_export", args=[export.pk])
    assert "0 %" in _text(mine.get(page.url))
    exporting.go_on(clock=lambda: datetime.now(UTC))
    progress = mine.get(f"{page.url}progress/").json()
    assert (progress["percent"], progress["is_done"]) == (100, True)
    file = mine.get(f"{page.url}deliveries.csv")
    assert streamed(file).startswith("\ufeffexternal_id,channel,variant,state")
    assert "no-store" in file["Cache-Control"]
    others = signed_in("view_campaign", "export_recipient", "see_addresses", name="others")
    assert {others.get(f"{page.url}{end}").status_code for end in ("", "progress/", "deliveries.csv")} == {404}
    assert "Files that you asked for" in report(of, f"?run={run.pk}", mine)
    assert "Files that you asked for" not in report(of, f"?run={run.pk}", others)


def test_a_file_with_addresses_is_not_handed_to_who_may_see_them_no_more() -> None:
    run = scene.shown().runs.first()
    assert run is not None
    browser = signed_in("view_campaign", "export_recipient", "see_addresses")
    browser.post(reverse("admin:campaigns_campaign_ask_export", args=[run.pk]))
    exporting.go_on(clock=lambda: datetime.now(UTC))
    file = reverse("admin:campaigns_campaign_export_file", args=[Export.objects.get().pk])
    assert browser.get(file).status_code == 200

    User.objects.get(username="somebody").user_permissions.remove(Permission.objects.get(codename="see_addresses"))

    assert browser.get(file).status_code == 403
