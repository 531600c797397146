"""The embedded servers from a shell: `python -m config.embedded start|stop|status|urls|remove`."""

import argparse
import sys

from config import embedded


def main() -> int:
    """Run one command on the servers of BONGSU_RUN_DIR (default `.run`); 0 when all is as it was asked to be."""
    parser = argparse.ArgumentParser(prog="python -m config.embedded", description=embedded.__doc__)
    parser.add_argument("command", choices=["start", "stop", "status", "urls", "remove"])
    folder = embedded.run_dir()
    match parser.parse_args().command:
        case "start":
            try:
                started = embedded.start_unless_given()
            except embedded.ServiceUnavailable as error:
                print(error, file=sys.stderr)
                return 1
            if started is None:
                print("DATABASE_URL and REDIS_URL name servers already: nothing to start.")
            else:
                _print_urls(started)
        case "stop":
            embedded.stop(folder)
        case "remove":
            embedded.remove(folder)
        case "status":
            now = embedded.status(folder)
            print(f"PostgreSQL {'answers' if now.postgres else 'does not run'}")
            print(f"Redis      {'answers' if now.redis else 'does not run'}")
            return 0 if now.postgres and now.redis else 1
        case _:
            _print_urls(embedded.urls(folder))
    return 0


def _print_urls(services: embedded.Services) -> None:
    print(f"DATABASE_URL={services.database_url}")
    print(f"REDIS_URL={services.redis_url}")


if __name__ == "__main__":
    sys.exit(main())
