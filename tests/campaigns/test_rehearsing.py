"""What a campaign says is sent to oneself first: every variant, through test accounts, and it counts nowhere."""

import pytest

from accounts.channels import Channel
from campaigns.models import Campaign
from campaigns.rehearsing import rehearse, spoken
from config.demo import cast
from notifications.models import Delivery
from templates_app.content import RawContent
from tests.builders import published
from tests.campaigns.stage import campaign
from tests.sandbox.world import Running

pytestmark = pytest.mark.django_db

NEEDY: RawContent = {"email": {"ko": {"subject": "{{ product }}", "html": "<p>{{ product }}</p>"}}}


@pytest.fixture
def stage(trusted_sandbox: Running) -> Running:
    cast.assemble(trusted_sandbox.state)
    return trusted_sandbox


def tried(of: Campaign, to: dict[Channel, str], locale: str = "ko") -> list[tuple[str, str, bool]]:
    found = rehearse(of, to, locale, may_name_people=False)
    return [(one.letter, one.channel.value, one.is_good) for one in found]


def test_every_variant_goes_to_the_address_of_each_channel(stage: Running) -> None:
    made = campaign("spring-sale", "summer-sale", channels=[])

    assert tried(made, {Channel.EMAIL: "me@example.com"}) == [("A", "email", True), ("B", "email", True)]
    assert not Delivery.objects.exists()


def test_whatever_is_typed_as_an_address_is_answered(stage: Running) -> None:
    made = campaign("spring-sale")

    for address in ("nobody", "a\0@b.example", "x" * 4096):
        assert tried(made, {Channel.EMAIL: address}) == [("A", "email", False)]


def test_what_a_channel_or_the_data_lacks_is_said_of_that_variant_alone(stage: Running) -> None:
    made = campaign("spring-sale", "summer-sale")
    made.variants.filter(letter="B").update(template=published("needy", NEEDY).template)

    found = list(rehearse(made, {Channel.EMAIL: "me@example.com"}, "ko", may_name_people=False))
    text = list(rehearse(made, {Channel.SMS: "+821012345678"}, "ko", may_name_people=False))

    assert [one.is_good for one in found] == [True, False]
    assert found[1].says == "product is missing in the data."
    assert {one.says for one in text} == {"spring-sale says nothing by sms.", "needy says nothing by sms."}


def test_the_channels_and_locales_that_are_asked_about_are_those_that_are_written() -> None:
    assert spoken(campaign("spring-sale")) == ([Channel.EMAIL], ["ko", "en"])
    assert spoken(campaign("autumn-sale", channels=[])) == ([Channel.PUSH, Channel.EMAIL], ["ko", "en"])
