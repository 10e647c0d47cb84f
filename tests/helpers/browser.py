"""A real browser, headless Chromium, for tests; they are skipped where there is none."""

import os
import shutil
import signal
import tempfile
from contextlib import contextmanager, suppress

import psutil
import pytest
from selenium import webdriver

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which(
    "google-chrome")
CHROMEDRIVER = shutil.which("chromedriver")
needs_chromium = pytest.mark.skipif(
    not (CHROMIUM and CHROMEDRIVER), reason="Chromium and ChromeDriver are not installed")

FLAGS = ["--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage"]


@contextmanager
def chromium():
    """A selenium WebDriver with a profile of its own. All its processes and files go with it."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in [*FLAGS, *["--no-sandbox"] * (os.geteuid() == 0)]:
        options.add_argument(flag)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        options.add_argument(f"--user-data-dir={home}/profile")
        service = webdriver.ChromeService(
            CHROMEDRIVER, env={**os.environ, "HOME": home, "TMPDIR": home})
        driver = webdriver.Chrome(options, service)
        family = psutil.Process(service.process.pid).children(recursive=True)
        try:
            yield driver
        finally:
            driver.quit()
            for process in family:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
            psutil.wait_procs(family, timeout=20)
