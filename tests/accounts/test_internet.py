"""What is out on the internet, and what is in somebody's own network, however it is written."""

import pytest

from accounts.internet import host_trouble, is_public

PUBLIC = ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
NOT_PUBLIC = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.0.1",  # loopback, nobody, private
    "169.254.169.254", "100.64.0.1", "198.18.0.1", "192.0.2.1", "240.0.0.1", "255.255.255.255",  # metadata, shared, …
    "224.0.0.1", "239.255.255.250",  # multicast
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "ff0e::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::1",
    "5f00::1", "", "localhost", "8.8.8", "8.8.8.8/32", "127.1", "0x7f000001",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_that_anybody_reaches_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_all_others_are_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        "fcm.googleapis.com", "updates.push.services.mozilla.com", "web.push.apple.com",
        "wns2-par02p.notify.windows.com", "xn--3e0b707e.kr", "8.8.8.8", "[2001:4860:4860::8888]",
    ],
)  # fmt: skip
def test_hosts_out_there_are_no_trouble(host: str) -> None:
    assert host_trouble(host) == ""


@pytest.mark.parametrize(
    ("host", "trouble"),
    [
        ("localhost", "private network"),
        ("db", "private network"),
        ("a.localhost", "private network"),
        ("printer.local", "private network"),
        ("metadata.google.internal", "private network"),
        ("router.home.arpa", "private network"),
        ("10.0.0.1", "IPv4"),
        ("127.1", "IPv4"),
        ("2130706433", "IPv4"),
        ("0x7f.1", "IPv4"),
        ("0177.0.0.1", "IPv4"),
        ("8.8.8.8.0x1", "IPv4"),
        ("[::1]", "IPv6"),
        ("[::ffff:10.0.0.1]", "IPv6"),
        ("under_score.example.com", "not a host name"),
        ("-dash.example.com", "not a host name"),
        ("double..example.com", "not a host name"),
        ("example.com.", "not a host name"),
        (f"{'a' * 64}.example.com", "not a host name"),
        (".".join(["a" * 60] * 5), "not a host name"),
    ],
)
def test_a_host_that_cannot_be_out_there_is_told_why(host: str, trouble: str) -> None:
    assert trouble in host_trouble(host)
