"""The outside world in a box: push, SMS and email providers that answer, refuse and call back as the real ones do."""
