"""What people paste, and what is made of it."""

import json
import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from notifications.providers.pasting import mended, tidied
from tests.providers.examples import encrypted_pem, pem, public_pem

KEY = pem(ec.generate_private_key(ec.SECP256R1()))
RSA = pem(rsa.generate_private_key(65537, 2048))
BODY = "".join(KEY.splitlines()[1:-1])


@pytest.mark.parametrize(
    "written",
    [
        "SG.key",
        "  SG.key\n",
        "\ufeffSG.key",
        "SG\u200b.key\u2060",
        '"SG.key"',
        "'SG.key'",
        "“SG.key”",
        "`SG.key`",
        ' "SG.key", ',
        "\"'SG.key'\"",
    ],
)
def test_quotes_and_spaces_around_a_key_are_no_part_of_it(written: str) -> None:
    assert tidied(written) == "SG.key"


@pytest.mark.parametrize("written", ["", '"', "''", 'a"b', '"a', "it's", "a b", "5' 11\""])
def test_what_could_be_meant_stays(written: str) -> None:
    assert tidied(written) == ("" if written == "''" else written)


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        KEY.strip(),
        KEY.replace("\n", ""),
        KEY.replace("\n", " "),
        KEY.replace("\n", "\\n"),
        KEY.replace("\n", "\r\n"),
        KEY.replace("\n", "\\r\\n"),
        KEY.replace("\n", "\n    "),
        KEY.replace("\n", "\n\n"),
        f'"{KEY}"',
        json.dumps(KEY),
        KEY.replace("-----", "—-—"),
        f"Bag Attributes\n{KEY}",
        BODY,
        "\n".join(re.findall(".{1,64}", BODY)),
    ],
    ids=range(15),
)
def test_a_key_whose_lines_were_lost_is_read_all_the_same(written: str) -> None:
    meant = tidied(written)
    assert load_pem_private_key(meant.encode(), None) is not None
    assert meant == KEY


@pytest.mark.parametrize(
    "written",
    [
        public_pem(ec.generate_private_key(ec.SECP256R1())),
        encrypted_pem(ec.generate_private_key(ec.SECP256R1())),
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nabc\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN A-----\nMIIB\n-----END B-----",
    ],
)
def test_another_block_stays_what_it_is(written: str) -> None:
    assert tidied(written).strip() == written.strip()


FILE = {"type": "service_account", "project_id": "shop", "private_key": RSA, "token_uri": "https://t.test"}
FCM = ("service_account",)


@pytest.mark.parametrize(
    "given",
    [
        {"service_account": json.dumps(FILE)},
        {"service_account": FILE},
        FILE,
        {"service_account": {**FILE, "private_key": RSA.replace("\n", "\\n")}},
        {"service_account": json.dumps(FILE).replace("\\n", "\n")},
        {"service_account": f"  '{json.dumps(FILE)}' "},
        {"Service-Account": FILE},
        {"serviceAccount": FILE},
    ],
)
def test_a_service_accounts_file_is_found_however_it_was_pasted(given: dict[str, object]) -> None:
    meant = mended(given, FCM)
    assert list(meant) == ["service_account"]
    assert json.loads(meant["service_account"]) == FILE


@pytest.mark.parametrize("name", ["auth_token", "authToken", "AUTH_TOKEN", "auth-token", " auth_token "])
def test_a_name_is_known_however_it_is_written(name: str) -> None:
    assert mended({name: "x"}, ["account_sid", "auth_token"]) == {"auth_token": "x"}


@pytest.mark.parametrize("given", [{"auth_token": 5}, {"auth_token": None}, {"auth_token": ["x"]}, {"other": "x"}, {}])
def test_what_nobody_understands_is_left_to_the_check(given: dict[str, object]) -> None:
    assert mended(given, ["auth_token"]) == given


@pytest.mark.parametrize("value", ["{", '{"a": ', "{" * 100_000, '{"private_key": 5}', "{}"])
def test_broken_json_stays_broken(value: str) -> None:
    assert mended({"service_account": value}, FCM) == {"service_account": value.strip()}
