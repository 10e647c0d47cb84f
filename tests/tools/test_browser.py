"""A real browser on the servers that people will look at first."""

import pytest
from selenium.webdriver.common.by import By

from tests.helpers.browser import chromium, needs_chromium
from tests.spec.stages import STAGES

PAGES = {
    "1": [("", "Hello, World!")],
    "2": [("part2.wsgiapp:app", "Hello world from a simple WSGI application!"),
          ("part2.flaskapp:app", "Hello world from Flask!"),
          ("part2.pyramidapp:app", "Hello world from Pyramid!"),
          ("part2.djangoapp:app", "Hello world from Django!")],
    "3g": [("", "Hello, World!")],
    "3z": [("part2.djangoapp:app", "Hello world from Django!")],  # as make serve does
}
CASES = [pytest.param(STAGES[name], application, text, id=f"{name}-{application or 'hello'}")
         for name, pages in PAGES.items() for application, text in pages]


@pytest.fixture(scope="module")
def browser():
    with chromium() as driver:
        yield driver


@needs_chromium
@pytest.mark.xdist_group("browser")
@pytest.mark.claim("1.6")
@pytest.mark.parametrize(("stage", "application", "text"), CASES)
def test_page_shows_its_text_through_five_reloads(stage, application, text, browser, start_stage):
    server = start_stage(stage.name, *filter(None, [application]))
    browser.get(f"http://localhost:{server.port}/hello")
    for _ in range(5):
        assert browser.find_element(By.TAG_NAME, "body").text == text
        browser.refresh()
    assert browser.find_element(By.TAG_NAME, "body").text == text
    assert server.exit_status is None
    assert server.stderr == ""
