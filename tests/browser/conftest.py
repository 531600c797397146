"""A real browser, Debian's chromium, in which the pages are opened as people open them."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tests.needs import may_do_without

#: Where the pictures go that people look at, if anywhere.
_PICTURES = os.environ.get("BROWSER_PICTURES", "")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs a browser; where there is none, it says so."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if may_do_without("chromium"):
                item.add_marker(pytest.mark.skip(reason="no chromium on the PATH: apt-get install chromium"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for the tests of a file. Its driver runs a loop in this thread, which nobody else could share."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    try:
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            yield browser
            browser.close()
    finally:
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A window of a phone's width, in Korean."""
    context = chromium.new_context(locale="ko-KR", viewport={"width": 360, "height": 740})
    yield context.new_page()
    context.close()


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Any:
    """Keeps a picture of a page, or of a part of one, under a name, where BROWSER_PICTURES names a folder.

    Of a page that is not `whole`, what the window shows.
    """

    def take(seen: Page | Locator, name: str, *, whole: bool = True) -> None:
        if not _PICTURES:
            return
        Path(_PICTURES).mkdir(parents=True, exist_ok=True)
        path = Path(_PICTURES) / f"{name}.png"
        if isinstance(seen, Locator):
            seen.screenshot(path=path)
        else:
            seen.screenshot(path=path, full_page=whole)

    return take
