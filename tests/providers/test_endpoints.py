"""Which addresses cannot be right."""

import pytest

from notifications.providers import endpoints
from notifications.providers.contract import BadAccount


@pytest.mark.parametrize(
    ("provider", "endpoint"),
    [
        ("apns", "https://api.push.apple.com"),
        ("apns", "https://api.sandbox.push.apple.com:2197"),
        ("apns", "https://api.development.push.apple.com"),
        ("fcm", "https://fcm.googleapis.com/"),
        ("twilio", "https://api.dublin.ie1.twilio.com"),
        ("sendgrid", "https://api.eu.sendgrid.com"),
        ("vonage", "https://rest.nexmo.com"),
        ("mandrill", "https://mandrillapp.com"),
        ("twilio", "https://localhost:4000/twilio"),
        ("twilio", "https://proxy.example/twilio"),
        ("smtp", "smtp://mail.example:587"),
        ("smtp", "smtps://smtp.sendgrid.net:465"),
        ("twilio", "https://nottwilio.com"),
        ("twilio", ""),
    ],
)
def test_an_address_that_may_be_right_passes(provider: str, endpoint: str) -> None:
    endpoints.check(provider, endpoint)


@pytest.mark.parametrize(
    ("provider", "endpoint", "says"),
    [
        ("apns", "https://gateway.push.apple.com:2195", "is not where apns takes messages"),
        ("apns", "https://API.push.apple.com/3/device", "leave /3/device out"),
        ("fcm", "https://oauth2.googleapis.com", "is not where fcm takes messages"),
        ("fcm", "https://console.firebase.google.com", "is not where fcm takes messages"),
        ("fcm", "https://fcm.googleapis.com/v1/projects/x/messages:send", "leave /v1/projects"),
        ("twilio", "https://console.twilio.com", "is not where twilio takes messages"),
        ("twilio", "https://api.twilio.com/2010-04-01", "leave /2010-04-01 out"),
        ("twilio", "https://api.sendgrid.com", "belongs to sendgrid"),
        ("sendgrid", "https://app.sendgrid.com", "is not where sendgrid takes messages"),
        ("sendgrid", "https://smtp.sendgrid.net", "is not where sendgrid takes messages"),
        ("mandrill", "https://us1.api.mailchimp.com", "is not where mandrill takes messages"),
        ("mandrill", "https://mandrillapp.com/api/1.0", "leave /api/1.0 out"),
        ("vonage", "https://api.nexmo.com", "is not where vonage takes messages"),
        ("vonage", "https://dashboard.vonage.com", "is not where vonage takes messages"),
    ],
)
def test_an_address_that_is_wrong_is_told_why(provider: str, endpoint: str, says: str) -> None:
    with pytest.raises(BadAccount, match=says):
        endpoints.check(provider, endpoint)


@pytest.mark.parametrize(
    ("endpoint", "is_private"),
    [
        ("https://api.twilio.com", False),
        ("https://8.8.8.8", False),
        ("https://[2606:4700::1111]", False),
        ("https://127.0.0.1:4000", True),
        ("https://10.1.2.3", True),
        ("https://192.168.0.1", True),
        ("https://172.16.5.4", True),
        ("https://169.254.169.254", True),
        ("https://100.64.0.1", True),
        ("https://0.0.0.0", True),
        ("https://[::1]", True),
        ("https://[fd00::1]", True),
        ("https://[fe80::1]", True),
        ("https://[::ffff:127.0.0.1]", True),
        ("https://localhost", True),
        ("https://LOCALHOST.", True),
        ("https://sandbox.local", True),
        ("https://metadata.google.internal", True),
        ("https://intranet", True),
    ],
)
def test_a_private_network_is_known_by_its_addresses_and_names(endpoint: str, is_private: bool) -> None:
    assert endpoints.is_private(endpoint) is is_private
