"""Recipients to send to, as a CSV file that the platform imports."""

import csv

from benchmarks.stage import Stage


def bring_in(stage: Stage, prefix: str, count: int, *, address: str) -> None:
    """Import `count` recipients named `<prefix><number>`, each with one address: a device, a phone or an email.

    No prefix may begin with another: a campaign to the shorter one would reach the people of both.
    """
    file = stage.run_dir / f"{prefix}.csv"
    with file.open("w", newline="", encoding="utf-8") as target:
        writer = csv.writer(target)
        writer.writerow(("external_id", "email", "phone", "locale", "country", "platform", "token"))
        for number in range(count):
            name = f"{prefix}{number:07}"
            email = f"{name}@example.com" if address == "email" else ""
            phone = f"+8210{number % 100_000_000:08}" if address == "phone" else ""
            platform, token = _device(prefix, number) if address == "device" else ("", "")
            writer.writerow((name, email, phone, "ko-KR", "KR", platform, token))
    stage.manage("import_recipients", str(file))
    file.unlink()


def _device(prefix: str, number: int) -> tuple[str, str]:
    """iPhones and Android phones in turn."""
    if number % 2:
        return "ios", prefix.encode().hex().ljust(48, "0")[:48] + f"{number:016x}"
    return "android", f"bench-token-{prefix}{number:08}"
