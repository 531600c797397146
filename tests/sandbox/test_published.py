"""What every simulator refuses, in the shape that its provider publishes; FCM's answers by Google's own document."""

from typing import Any

import pytest

from tests.providers.published import assert_fits, discovered, specification
from tests.sandbox.contracts import Contract
from tests.sandbox.world import Running


# --- errors --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 500])
def test_sendgrids_errors_are_as_published(sandbox: Running, sendgrid_contract: Contract, status: int) -> None:
    sandbox.admin("PUT", "faults/sendgrid", {"status": status})

    said = sandbox.send(sandbox.sendgrid(sandbox.mail()))

    assert said.status == status
    sendgrid_contract.check(said.json(), "ErrorResponse")


def _mandrills() -> list[tuple[int, str]]:
    """The answers of `messages/send` other than 200, and their schemas' names."""
    return [
        (401, "InvalidKeyError"),
        (402, "PaymentRequiredError"),
        (404, "MessageSubaccountNotFoundError"),
        (422, "ValidationError"),
        (500, "ServerError"),
    ]


@pytest.mark.parametrize(("status", "schema"), _mandrills())
def test_mandrills_errors_are_as_published(
    sandbox: Running, mandrill_contract: Contract, status: int, schema: str
) -> None:
    sandbox.admin("PUT", "faults/mandrill", {"status": status})

    said = sandbox.send(sandbox.mandrill(sandbox.message()))

    assert said.status == status
    mandrill_contract.check(said.json(), schema)


def test_no_answer_that_mandrill_publishes_is_left_out() -> None:
    document = specification("mandrill.json")
    published = set(document["paths"]["/messages/send.json"]["post"]["responses"]) - {"200"}
    assert published <= {str(status) for status, _ in _mandrills()}


@pytest.mark.parametrize("status", [*range(1, 16), 22, 23, 29, 32, 33])
def test_vonages_errors_are_as_published(sandbox: Running, vonage_contract: Contract, status: int) -> None:
    sandbox.admin("PUT", "faults/vonage", {"status": 500, "reason": str(status)})

    said = sandbox.send(sandbox.vonage())

    assert said.status == 200
    vonage_contract.check(said.json(), "Error")
    assert [part["status"] for part in said.json()["messages"]] == [str(status)]


@pytest.mark.parametrize(("status", "code"), [(400, "21610"), (401, ""), (404, ""), (429, ""), (500, ""), (503, "")])
def test_twilios_errors_have_the_fields_that_its_own_library_reads(sandbox: Running, status: int, code: str) -> None:
    # the published description has no schema for errors; base/version.py of the library reads these
    sandbox.admin("PUT", "faults/twilio", {"status": status, "reason": code})

    said = sandbox.send(sandbox.twilio()).json()

    assert {name: type(value) for name, value in said.items()} == {
        "code": int, "message": str, "more_info": str, "status": int,
    }  # fmt: skip
    assert said["status"] == status


@pytest.mark.parametrize(
    "ask",
    [
        {"token": "unregistered-" + "t" * 30},
        {"token": "invalid-" + "t" * 30},
        {"token": "quota-" + "t" * 30},
        {"token": "third-party-" + "t" * 30},
        {"notifcation": {}},
    ],
)
def test_fcms_errors_are_a_google_rpc_status(sandbox: Running, ask: dict[str, Any]) -> None:
    # cloud.google.com/apis/design/errors, "Error model": the discovery document has none
    said = sandbox.send(sandbox.fcm(**ask))

    error = said.json()["error"]
    assert (error["code"], set(error) <= {"code", "message", "status", "details"}) == (said.status, True)
    assert all(detail["@type"].startswith("type.googleapis.com/") for detail in error["details"])


# --- Google's discovery document -----------------------------------------------------------------------
def test_fcms_answer_fits_the_document_that_comes_with_googles_client(sandbox: Running) -> None:
    document = discovered("fcm", "v1")

    said = sandbox.send(sandbox.fcm())

    assert_fits(said.json(), {"$ref": "#/components/schemas/Message"}, document)


def test_both_copies_of_fcms_description_know_the_same_fields() -> None:
    ours, theirs = (
        specification("fcm_v1.json")["components"]["schemas"],
        discovered("fcm", "v1")["components"]["schemas"],
    )
    for name in ("Message", "AndroidConfig", "AndroidNotification", "Notification", "ApnsConfig", "SendMessageRequest"):
        assert set(ours[name]["properties"]) == set(theirs[name]["properties"]), name
