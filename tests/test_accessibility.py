"""Pages for everyone: axe finds nothing on any kind of page (WCAG 2.2 AA), and Lighthouse little on an entity's."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import serving
import test_browser
from selenium import webdriver
from serving import Site
from test_browser import CHROMIUM, FOREIGN_PAGES, OWN_PAGES, WIDTHS, address, settle, width

own_site, foreign_site, browser = serving.own_site, serving.foreign_site, test_browser.browser

MODULES = Path(__file__).resolve().parent / "accessibility" / "node_modules"
AXE = MODULES / "axe-core" / "axe.min.js"
LIGHTHOUSE = MODULES / "lighthouse" / "cli" / "index.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = (
    "const done = arguments[1]; axe.run(document, {runOnly: arguments[0]}).then(done, (error) => done(String(error)));"
)
ENTITY = "/doc/person/viktor-yesin"
BEST = 95  # of a hundred

if not AXE.is_file():
    if os.environ.get("CI"):
        raise RuntimeError("axe is needed here: npm ci --prefix tests/accessibility")
    pytest.skip("axe is not installed: npm ci --prefix tests/accessibility", allow_module_level=True)

PAGES = [
    *(("own_site", name, size, "en") for name in OWN_PAGES for size in ("narrow", "wide")),
    *(("own_site", name, "narrow", "ru") for name in OWN_PAGES),
    *(("foreign_site", name, "wide", "en") for name in FOREIGN_PAGES),
]


def faults(browser: webdriver.Chrome) -> tuple[list[str], int]:
    """(what axe finds on the page that is open: rule and element, how many rules it passed)."""
    settle(browser)
    browser.execute_script(AXE.read_text(encoding="utf-8"))
    result: Any = browser.execute_async_script(RUN, RULES)
    assert isinstance(result, dict), result
    found = [
        f"{violation['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]
    return found, len(result["passes"])


@pytest.mark.parametrize(("site", "name", "size", "language"), PAGES)
def test_axe_finds_nothing(
    request: pytest.FixtureRequest, browser: webdriver.Chrome, site: str, name: str, size: str, language: str
) -> None:
    width(browser, WIDTHS[size])
    url = address(request.getfixturevalue(site), name)
    browser.get(f"{url}{'&' if '?' in url else '?'}lang={language}")
    found, passed = faults(browser)
    assert passed >= 15
    assert found == []


@pytest.mark.parametrize("name", ["home", "entity", "ontology", "search"])
def test_axe_finds_nothing_in_the_dark(browser: webdriver.Chrome, own_site: Site, name: str) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    )
    try:
        width(browser, WIDTHS["wide"])
        browser.get(address(own_site, name))
        found, passed = faults(browser)
        assert passed >= 15
        assert found == []
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_lighthouse_finds_little_on_an_entitys_page(own_site: Site, tmp_path: Path) -> None:
    """Its performance is simulated from what the page loads, for a slow phone."""
    node = shutil.which("node")
    assert node is not None
    flags = "--headless=new --no-sandbox --disable-gpu --disable-quic --disable-background-networking --no-proxy-server"
    report = tmp_path / "report.json"
    line: list[str | Path] = [
        node,
        LIGHTHOUSE,
        own_site.url[:-1] + ENTITY,
        "--quiet",
        "--output=json",
        f"--output-path={report}",
    ]
    line += ["--only-categories=performance,accessibility", f"--chrome-flags={flags}"]
    subprocess.run(line, env={**os.environ, "CHROME_PATH": str(CHROMIUM)}, timeout=120, check=True)
    found = json.loads(report.read_text(encoding="utf-8"))
    scores = {name: 100 * category["score"] for name, category in found["categories"].items()}
    print("lighthouse:", scores)
    assert {"performance", "accessibility"} == scores.keys()
    assert min(scores.values()) >= BEST
    sent = sum(item["transferSize"] for item in found["audits"]["network-requests"]["details"]["items"])
    print(f"an entity's page with all that it loads: {sent} bytes")
    assert 1_000 < sent < 100_000
