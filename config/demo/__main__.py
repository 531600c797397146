"""`python -m config.demo`: start all parts, play some scenes, print what happened: every channel, and the rules.

Stays up until Ctrl-C; with `--exit` it stops after the report, with status 0 only if all came out as meant. With
`--down twilio` that provider answers 503 to everything, and others of its channel take over.
"""

import argparse
import json
import os
import signal
import sys
from itertools import chain
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console

from config import embedded
from config.demo.readers import Readers
from config.demo.stage import Stage, StageFailed
from config.embedded.places import Services


def main() -> int:
    """Set the stage, play, tell."""
    parser = argparse.ArgumentParser(prog="python -m config.demo", description=__doc__)
    parser.add_argument("--exit", action="store_true", help="stop after the report")
    parser.add_argument("--describe", type=Path, help="send nothing; write the addresses to this file and stay up")
    parser.add_argument("--down", metavar="PROVIDER", default="", help="a provider that answers 503 to everything")
    options = parser.parse_args()
    console = Console()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    stage = Stage(console)
    try:
        services = embedded.start_unless_given() or embedded.urls(embedded.run_dir())
        console.print(
            f"PostgreSQL  {services.database_url}\nRedis       {services.redis_url}", style="dim", highlight=False
        )
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        # the usual port is for people; programs may start several at the same moment
        stage.set(port=0 if options.describe or options.exit else 8000)
        if options.describe:
            options.describe.write_text(json.dumps(description(stage, services), indent=2))
            stage.wait()
        if options.down:
            stage.take_down(options.down)
            console.print(f"[yellow]{options.down} is down: it answers 503 to everything.[/yellow]")
        with Readers(stage.url, stage.sandbox["inbox_url"]) as readers:
            is_right = play(stage, readers, console)
            if options.exit:
                return 0 if is_right else 1
            console.print("Everything stays up until Ctrl-C.")
            stage.wait()
    except KeyboardInterrupt:
        console.print("Stopping …")
    except (StageFailed, embedded.ServiceUnavailable) as error:
        console.print(f"[red]{error}[/red]")
        return 1
    finally:
        stage.clear()
    return 0


def play(stage: Stage, readers: Readers, console: Console) -> bool:
    """Play every scene, tell its story, and say where to look; whether all of them came out as meant."""
    from django.utils import timezone

    from config.demo import campaign, cast, digest, guests, rules, scenes, story  # Django is set up by now

    key = cast.assemble(stage.sandbox)
    cast.with_understudies()
    rules.assemble(timezone.now())
    digest.assemble()
    guests.assemble()
    flaws = []
    caller = story.Caller(stage.url, key.key, key.secret)
    with_whom = (caller, stage.accepted_by_sandbox)
    ended = chain(scenes.played(*with_whom), digest.played(*with_whom))
    headlines = [one.headline for one in (*scenes.SCENES, digest.SCENE)]
    for number, headline in enumerate(headlines, start=1):
        with console.status(f"{headline} …"):
            done = next(ended)
        _headline(console, number, headline)
        story.show(done.endings, console)
        flaws += _flaws(console, number, done.flaw)
    number = len(headlines) + 1
    with console.status(f"{campaign.HEADLINE} …"):
        came = campaign.played(caller, readers, stage.taken_by_sandbox)
    _headline(console, number, campaign.HEADLINE)
    campaign.show(came, console)
    flaws += _flaws(console, number, came.flaw)
    verdict = "\n".join(flaws) or "Everything arrived, once, and every rule was kept."
    console.print(f"\n{verdict}", style="red" if flaws else "green", markup=False, highlight=False)
    name, password = cast.administrator(stage.run_dir)
    console.print(
        f"\nAPI and its description  {stage.url}/docs/\n"
        f"Admin                    {stage.url}/admin/  ({name} / {password})\n"
        f"Campaigns                {stage.url}/admin/campaigns/campaign/\n"
        f"  this one's report      {stage.url}/admin/campaigns/campaign/{came.campaign['id']}/report/\n"
        f"Inbox: what people saw   {stage.sandbox['inbox_url']}\n"
        f"Metrics                  {stage.url}/metrics\n"
        f"appKey : appSecret       {key.key}:{key.secret}\n"
        f"Logs                     {stage.run_dir / 'logs'}",
        highlight=False,
        soft_wrap=True,
    )
    return not flaws


def _headline(console: Console, number: int, words: str) -> None:
    console.print(f"\n[bold]{number}. {words}[/bold]", highlight=False)


def _flaws(console: Console, number: int, flaw: str) -> list[str]:
    """What went wrong in a scene, if anything; told at once."""
    if not flaw:
        return []
    told = f"Scene {number} did not come out as meant: {flaw}."
    console.print(told, style="red", markup=False, highlight=False)
    return [told]


def description(stage: Stage, services: Services) -> dict[str, Any]:
    """Where everything is, for programs that use the stage for plays of their own."""
    from config.demo import cast

    key = cast.assemble(stage.sandbox)
    return {
        "url": stage.url,
        "key": key.key,
        "secret": key.secret,
        "database_url": services.database_url,
        "redis_url": services.redis_url,
        "sandbox": stage.sandbox,
        "processes": stage.processes(),
    }


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
