"""A person's way through the site in Chromium: pages that work, fit, and obey their own security policy."""

import base64
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import serving
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from serving import Site

own_site, foreign_site = serving.own_site, serving.foreign_site

OUTPUT = Path(__file__).resolve().parent / "output"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
WIDTHS = {"narrow": 390, "middle": 820, "wide": 1280}
OWN_PAGES = {
    "home": "/",
    "class": "/browse/",
    "entity": "/doc/person/pavel-s-zolotarev",
    "dialogue": "/doc/dialogue/us-russia-mil-to-mil",
    "ontology": "/ontology",
    "graph": "/graph/stimson-report-2022",
    "query": "/sparql",
    "answer": "/sparql?query=SELECT%20*%20%7B%20%3Fs%20%3Fp%20%3Fo%20%7D%20LIMIT%2050",
    "fault": "/sparql?query=SELECT%20nonsense",
    "about": "/about",
    "search": "/search?q=strategic",
    "why": "/why?subject=https://w3id.org/tracktwo/id/person/pavel-s-zolotarev"
    "&property=http://www.w3.org/1999/02/22-rdf-syntax-ns%23type&object=https://w3id.org/tracktwo/ontology%23Officer",
    "around": "/around?iri=https://w3id.org/tracktwo/id/person/pavel-s-zolotarev",
    "links": "/links?iri=https://w3id.org/tracktwo/id/state/russia&property=https://w3id.org/tracktwo/ontology%23isOnSideOf",
    "questions": "/query/",
    "limits": "/limits",
    "dumps": "/dump/",
    "dataset": "/dataset",
    "timeline": "/query/meetings-by-dialogue",
    "network": "/query/who-met-whom",
    "tree": "/query/topics-from-broad-to-narrow",
    "columns": "/query/ranks-side-by-side",
    "narrowed": "/browse/meeting?isHeldAs=virtual",
    "beyond": "/describe?iri=http%3A%2F%2Fxmlns.com%2Ffoaf%2F0.1%2FPerson",
    "concept": "/doc/topic/arms-control",
    "saved": "/query/third-meeting-participants",
    "missing": "/nothing/here",
}
FOREIGN_PAGES = {
    "foreign-home": "/",
    "foreign-lighthouse": "/about/%CF%86%CE%AC%CF%81%CE%BF%CF%82/%CE%9A%CF%8C%CF%81%CE%B1%CE%BA%CE%B1%CF%82",
    "foreign-harbour": "/about/%CE%BB%CE%B9%CE%BC%CE%AC%CE%BD%CE%B9/%CE%A0%CE%B5%CE%B9%CF%81%CE%B1%CE%B9%CE%AC%CF%82",
    "foreign-chart": "/about/chart/%CE%A3%CE%B1%CF%81%CF%89%CE%BD%CE%B9%CE%BA%CF%8C%CF%82",
    "foreign-script": "/about/ship/script",
    "foreign-text": "/about/ship/text",
    "foreign-values": "/about/ship/values",
    "foreign-nested": "/about/ship/nested",
    "foreign-lists": "/about/route/lists",
    "foreign-islands": "/islands",
    "foreign-beyond": "/describe?iri=http%3A%2F%2Fwww.wikidata.org%2Fentity%2FQ41",
}
PAGES = [*(("own_site", name) for name in OWN_PAGES), *(("foreign_site", name) for name in FOREIGN_PAGES)]

if CHROMIUM is None or DRIVER is None:
    if os.environ.get("CI"):
        raise RuntimeError("chromium and chromedriver are needed here: apt-get install chromium chromium-driver")
    pytest.skip("chromium or chromedriver is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = Options()
    options.binary_location = str(CHROMIUM)
    for flag in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--no-proxy-server",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    OUTPUT.mkdir(exist_ok=True)
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    try:
        driver.set_page_load_timeout(20)
        yield driver
    finally:
        driver.quit()


def width(browser: webdriver.Chrome, pixels: int) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": pixels, "height": 900, "deviceScaleFactor": 1, "mobile": pixels < 600},
    )


def complaints(browser: webdriver.Chrome) -> list[str]:
    """What the console holds, violations of the security policy among it; reading empties it."""
    return logged(browser, "browser")


def logged(browser: webdriver.Chrome, kind: str) -> list[str]:
    """The messages of one of the browser's logs since it was last read."""
    entries = browser.get_log(kind)  # type: ignore[no-untyped-call]  # selenium leaves it untyped
    return [str(entry["message"]) for entry in entries]


def settle(browser: webdriver.Chrome) -> None:
    """Wait until no query of the page is at work any more, and nothing changes its looks."""
    WebDriverWait(browser, 10).until(
        lambda driver: driver.execute_script(
            "return !document.querySelector('[aria-busy=true], form.running') && !document.getAnimations().length"
        )
    )


def shoot(browser: webdriver.Chrome, name: str) -> None:
    """The whole page as a picture, for people to look at."""
    size = browser.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 3000), "scale": 1}
    picture: dict[str, Any] = browser.execute_cdp_cmd(
        "Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True, "clip": clip}
    )
    (OUTPUT / f"{name}.png").write_bytes(base64.b64decode(picture["data"]))


def address(site: Site, name: str) -> str:
    path = {**OWN_PAGES, **FOREIGN_PAGES}[name]
    if path == "/browse/":
        found = re.search(r'href="(/browse/[^"]+)"', site.get("/", serving.HTML).text)
        assert found
        path = found[1]
    return site.url[:-1] + path


@pytest.mark.parametrize(
    ("site", "name", "size", "language"),
    [
        *((site, name, size, "en") for site, name in PAGES for size in WIDTHS),
        *(("own_site", name, size, "ru") for name in OWN_PAGES for size in WIDTHS),
    ],
)
def test_a_page_fits_and_complains_of_nothing(
    browser: webdriver.Chrome, request: pytest.FixtureRequest, site: str, name: str, size: str, language: str
) -> None:
    url = address(request.getfixturevalue(site), name)
    width(browser, WIDTHS[size])
    complaints(browser)
    browser.get(f"{url}{'&' if '?' in url else '?'}lang={language}")
    settle(browser)
    shoot(browser, f"{name}-{size}-{language}")
    expected = {"missing": "404", "fault": "400"}.get(name)
    assert [said for said in complaints(browser) if not (expected and expected in said)] == []
    overflow = browser.execute_script(
        "const limit = document.documentElement.clientWidth;"
        "return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > limit + 1"
        " && !e.closest('.scroll') && !e.closest('.skip') && getComputedStyle(e).position !== 'absolute')"
        ".slice(0, 5).map(e => e.tagName + ' ' + e.className + ' ' + e.textContent.slice(0, 60))"
    )
    assert overflow == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= WIDTHS[size]


@pytest.mark.parametrize("size", ["narrow", "wide"])
def test_pictures_use_the_width_there_is(browser: webdriver.Chrome, own_site: Site, size: str) -> None:
    width(browser, WIDTHS[size])
    browser.get(address(own_site, "timeline"))
    shown = {
        room: [text.is_displayed() for text in browser.find_elements(By.CSS_SELECTOR, f"svg.timeline text.{room}")]
        for room in WIDTHS
    }
    assert len(shown["wide"]) == len(shown["narrow"]) > 5
    assert all(shown[size])
    assert not any(shown["wide" if size == "narrow" else "narrow"])
    ends = browser.execute_script(
        "const picture = document.querySelector('svg.timeline').getBoundingClientRect();"
        "return [...document.querySelectorAll('svg.timeline text')].map(text => text.getBoundingClientRect())"
        ".filter(box => box.width && (box.left < picture.left - 1 || box.right > picture.right + 1)).length"
    )
    assert ends == 0
    browser.get(address(own_site, "network"))
    scrolls = browser.execute_script(
        "const place = document.querySelector('svg.network').closest('.scroll');"
        "return place.scrollWidth > place.clientWidth"
    )
    assert scrolls == browser.find_element(By.CSS_SELECTOR, "p.wider").is_displayed() == (size == "narrow")
    browser.get(address(own_site, "columns"))
    table, text = (
        browser.find_element(By.CSS_SELECTOR, selector).rect["width"]
        for selector in ("table.columns", "article > header")
    )
    assert table > text


def test_the_way_from_home_to_an_answer(browser: webdriver.Chrome, own_site: Site) -> None:
    width(browser, WIDTHS["wide"])
    complaints(browser)
    browser.get(own_site.url)
    browser.find_element(By.CSS_SELECTOR, "ul.cards a").click()
    assert "/browse/" in browser.current_url
    heading = browser.find_element(By.TAG_NAME, "h1").text
    browser.find_element(By.CSS_SELECTOR, "ul.list a").click()
    assert "/doc/" in browser.current_url
    assert heading.split()[0] != browser.find_element(By.TAG_NAME, "h1").text
    entity = browser.current_url
    browser.find_element(By.CSS_SELECTOR, "dl.rows dd a[title]").click()
    assert entity != browser.current_url
    browser.back()
    note = browser.find_element(By.CSS_SELECTOR, "a.note")
    note.click()
    assert "#source-" in browser.current_url
    browser.find_element(By.LINK_TEXT, "Query").click()
    assert browser.current_url.endswith("/sparql")
    browser.find_element(By.CSS_SELECTOR, "ul.plain a").click()
    WebDriverWait(browser, 10).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, "table tbody tr"))
    assert len(browser.find_element(By.ID, "query").get_attribute("value") or "") > 50
    assert complaints(browser) == []


def test_a_query_of_ones_own_runs(browser: webdriver.Chrome, own_site: Site) -> None:
    complaints(browser)
    count = "SELECT (COUNT(*) AS ?n) WHERE { ?s a tt:Dialogue }"
    dialogues = int(own_site.query(count, "text/csv").text.split()[1])
    assert dialogues >= 14
    browser.get(own_site.url + "sparql")
    WebDriverWait(browser, 10).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, "form[data-ready]"))
    time.sleep(0.5)
    assert not browser.find_elements(By.CSS_SELECTOR, "#answer > *"), "the sample runs only when asked"
    browser.find_element(By.CSS_SELECTOR, "form .code").click()  # the editor, which takes the place of the plain field
    keys = ActionChains(browser).key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL)
    keys.send_keys("SELECT (COUNT(*) AS ?n) WHERE { ?s a tt:Dialogue . }").send_keys(Keys.ESCAPE).perform()
    browser.find_element(By.CSS_SELECTOR, "form .run button").click()
    WebDriverWait(browser, 10).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, "#answer td"))
    assert browser.find_element(By.CSS_SELECTOR, "#answer td").text.split()[0] == str(dialogues)
    assert complaints(browser) == []


def test_without_scripts_the_form_works(browser: webdriver.Chrome, own_site: Site) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(own_site.url + "sparql")
        field = browser.find_element(By.ID, "query")
        field.clear()
        field.send_keys("SELECT (COUNT(*) AS ?n) WHERE { ?s a tt:Dialogue }")
        browser.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
        cell = WebDriverWait(browser, 20).until(lambda page: page.find_element(By.CSS_SELECTOR, "#answer td"))
        assert cell.text.startswith("1")
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.parametrize("name", OWN_PAGES)
def test_without_scripts_a_page_says_all_of_it(browser: webdriver.Chrome, own_site: Site, name: str) -> None:
    """What scripts add is buttons, cards and the editor: no heading, row or link is theirs."""
    url = address(own_site, name)
    parts = ("main h1", "main h2", "main tbody tr", "main svg a", "header.site a", "main a[href]")
    counts = []
    for disabled in (False, True):
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": disabled})
        try:
            browser.get(url)
            counts.append([len(browser.find_elements(By.CSS_SELECTOR, part)) for part in parts])
            assert browser.find_element(By.CSS_SELECTOR, "main h1").is_displayed() or not disabled
        finally:
            browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    scripted, plain = counts
    assert plain[0] == 1
    if name not in ("query", "answer", "fault"):  # there the editor takes over
        assert scripted == plain


def test_a_card_comes_with_the_pointer_and_goes_with_escape(browser: webdriver.Chrome, own_site: Site) -> None:
    width(browser, WIDTHS["wide"])
    complaints(browser)
    browser.get(own_site.url + "doc/meeting/us-russia-mil-to-mil-meeting-3?lang=en")
    link = browser.find_element(By.CSS_SELECTOR, "main table a[data-iri$='person/viktor-yesin']")
    ActionChains(browser).move_to_element(link).perform()
    card = WebDriverWait(browser, 5).until(lambda page: page.find_element(By.CSS_SELECTOR, ".card-shown"))
    assert "Viktor Yesin" in card.text
    assert "person" in card.text
    ActionChains(browser).send_keys(Keys.ESCAPE).perform()
    WebDriverWait(browser, 5).until(lambda page: not page.find_elements(By.CSS_SELECTOR, ".card-shown"))
    assert complaints(browser) == []


def test_a_card_can_be_pointed_at_and_goes_when_the_pointer_leaves_it(
    browser: webdriver.Chrome, own_site: Site
) -> None:
    """WCAG 2.2, success criterion 1.4.13; the link is described by its card while it is shown."""
    width(browser, WIDTHS["wide"])
    browser.get(own_site.url + "doc/meeting/us-russia-mil-to-mil-meeting-3?lang=en")
    link = browser.find_element(By.CSS_SELECTOR, "main table a[data-iri$='person/viktor-yesin']")
    ActionChains(browser).move_to_element(link).perform()
    card = WebDriverWait(browser, 5).until(lambda page: page.find_element(By.CSS_SELECTOR, ".card-shown"))
    assert card.get_attribute("id") == link.get_attribute("aria-describedby")
    ActionChains(browser).move_to_element(card).pause(0.6).perform()
    assert browser.find_elements(By.CSS_SELECTOR, ".card-shown") == [card]
    ActionChains(browser).move_to_element(browser.find_element(By.CSS_SELECTOR, "h1")).perform()
    WebDriverWait(browser, 5).until(lambda page: not page.find_elements(By.CSS_SELECTOR, ".card-shown"))
    assert link.get_attribute("aria-describedby") is None


def test_what_is_to_be_copied_has_a_button(browser: webdriver.Chrome, own_site: Site) -> None:
    browser.get(own_site.url + "doc/person/viktor-yesin?lang=en")
    lines = browser.find_elements(By.CSS_SELECTOR, "code.copied")
    buttons = browser.find_elements(By.CSS_SELECTOR, "code.copied + button")
    assert len(lines) == len(buttons) >= 5
    browser.execute_cdp_cmd(
        "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    )
    buttons[0].click()
    WebDriverWait(browser, 5).until(lambda _: buttons[0].text == "Copied")
    copied = browser.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert copied == "https://w3id.org/tracktwo/id/person/viktor-yesin"


def test_the_keyboard_reaches_the_content_first(browser: webdriver.Chrome, own_site: Site) -> None:
    browser.get(own_site.url + "doc/person/pavel-s-zolotarev")
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    focused = browser.switch_to.active_element
    assert focused.text == "Skip to the content"
    assert focused.location["x"] >= 0
    focused.send_keys(Keys.ENTER)
    assert browser.current_url.endswith("#content")


def test_nothing_is_asked_of_another_host(browser: webdriver.Chrome, own_site: Site) -> None:
    logged(browser, "performance")
    for path in ("", "doc/person/pavel-s-zolotarev", "ontology", "sparql"):
        browser.get(own_site.url + path)
    said = logged(browser, "performance")
    asked = [json.loads(text)["message"] for text in said]
    urls = {m["params"]["request"]["url"] for m in asked if m["method"] == "Network.requestWillBeSent"}
    assert len(urls) >= 6
    assert {own_site.url} == {"/".join(url.split("/")[:3]) + "/" for url in urls if not url.startswith("data:")}


def test_hostile_data_runs_nothing(browser: webdriver.Chrome, foreign_site: Site) -> None:
    for path in (
        "about/ship/script",
        "about/ship/links",
        "named/hostile",
        "sparql?query=SELECT%20*%20%7B%20%3Fs%20rdfs%3Acomment%20%3Fo%20%7D",
    ):
        browser.get(foreign_site.url + path)  # an alert would make this raise
        assert browser.find_elements(By.CSS_SELECTOR, "main h1")
        for script in browser.find_elements(By.CSS_SELECTOR, "script:not([type='application/ld+json'])"):
            assert (script.get_attribute("src") or "").startswith(f"{foreign_site.url}static/")
            assert not script.get_attribute("textContent")


STYLED = ["site.css", "editor.css"]


@pytest.mark.parametrize("name", STYLED)
def test_every_rule_of_a_style_sheet_is_understood(browser: webdriver.Chrome, own_site: Site, name: str) -> None:
    """A browser drops what it can't read, and a block that is not closed swallows what follows."""
    text = re.sub(r"/\*.*?\*/", "", own_site.get(f"/static/{name}").text, flags=re.DOTALL)
    depths = [0]
    for sign in re.findall(r"[{}]", text):
        depths.append(depths[-1] + (1 if sign == "{" else -1))
    assert (0, 0) == (min(depths), depths[-1])
    browser.get(own_site.url + "sparql")
    kept = browser.execute_script(
        "const count = (rules) => [...rules].reduce((sum, rule) => sum + 1 + count(rule.cssRules || []), 0);"
        "const sheet = [...document.styleSheets].find((one) => one.href.includes(arguments[0]));"
        "return [count(sheet.cssRules), sheet.cssRules.length];",
        name,
    )
    assert [text.count("{"), depths[1:].count(0)] == kept
    assert kept[0] > 50


@pytest.mark.parametrize("name", ["entity", "dialogue", "ontology", "home"])
def test_a_page_is_printed_dark_on_white_and_whole(browser: webdriver.Chrome, own_site: Site, name: str) -> None:
    """Whatever the screen is like: what is folded, the page's address and its IRI are on the paper, too."""
    width(browser, WIDTHS["middle"])
    media = {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    try:
        browser.get(address(own_site, name))
        settle(browser)
        shoot(browser, f"{name}-print")
        assert browser.execute_script(_CONTRAST) == []
        ground = "return getComputedStyle(document.body).backgroundColor"
        assert browser.execute_script(ground) == "rgb(255, 255, 255)"
        folded = "return [...document.querySelectorAll('main details:not([open])')].length"
        assert browser.execute_script(folded) > 0
        hidden = (
            "return [...document.querySelectorAll('main details:not(.facets) > :not(summary)')]"
            ".filter(e => e.textContent.trim() && !e.checkVisibility({contentVisibilityAuto: true}))"
            ".map(e => e.textContent.slice(0, 40))"
        )
        assert browser.execute_script(hidden) == []
        assert browser.find_element(By.CSS_SELECTOR, "footer .address").text == address(own_site, name)
        assert not browser.find_element(By.CSS_SELECTOR, "header.site form").is_displayed()
        if name == "entity":
            assert browser.find_element(By.CSS_SELECTOR, "p.iri code").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


def test_the_head_of_a_page_is_low_on_a_phone(browser: webdriver.Chrome, own_site: Site) -> None:
    """The name beside the languages, the search as wide as the page, the ways in on one line that scrolls."""
    width(browser, 360)
    for language in ("en", "ru"):
        browser.get(f"{own_site.url}about?lang={language}")
        parts = (".name", "nav.languages", "form.find input", "nav.ways a:first-child", "nav.ways a:last-child")
        name, languages, search, first, last = (
            browser.find_element(By.CSS_SELECTOR, f"header.site {part}").rect for part in parts
        )
        assert abs(name["y"] - languages["y"]) < 12
        assert search["width"] > 300
        assert first["y"] == last["y"]
        assert browser.find_element(By.CSS_SELECTOR, "header.site").size["height"] < 150


def test_words_of_a_table_are_whole_and_its_hidden_edge_is_shaded(browser: webdriver.Chrome, own_site: Site) -> None:
    width(browser, 360)
    browser.get(own_site.url + "doc/person/viktor-yesin?lang=en")
    wraps = "return [...new Set([...document.querySelectorAll('th, td')].map(e => getComputedStyle(e).overflowWrap))]"
    assert browser.execute_script(wraps) == ["break-word"]
    shade = "return getComputedStyle(document.querySelector('.scroll table').parentElement).backgroundAttachment"
    assert browser.execute_script(shade) == "local, local, scroll, scroll"


def test_the_query_behind_links_is_a_link_at_the_edge(browser: webdriver.Chrome, own_site: Site) -> None:
    width(browser, WIDTHS["wide"])
    browser.get(own_site.url + "doc/dialogue/us-russia-mil-to-mil?lang=en")
    edges = browser.execute_script(
        "return [...document.querySelectorAll('.heading > a.ask, .wide > dt > a.ask')].map(e =>"
        " [Math.round(e.getBoundingClientRect().right), getComputedStyle(e).textDecorationLine])"
    )
    assert len(edges) > 6
    assert len({tuple(edge) for edge in edges}) == 1
    assert edges[0][1] == "underline"


def test_a_drawn_tree_has_one_type_at_all_levels(browser: webdriver.Chrome, own_site: Site) -> None:
    browser.get(address(own_site, "tree"))
    fonts = browser.execute_script(
        "return [...new Set([...document.querySelectorAll('ul.tree li > a')].map(e => getComputedStyle(e).font))]"
    )
    assert len(fonts) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser: webdriver.Chrome, own_site: Site, scheme: str) -> None:
    """WCAG 2.2, success criterion 1.4.3: a contrast of 4.5 to 1."""
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    width(browser, WIDTHS["wide"])
    try:
        for name in ("home", "entity", "answer", "fault"):
            browser.get(address(own_site, name))
            settle(browser)
            shoot(browser, f"{name}-{scheme}")
            poor = browser.execute_script(_CONTRAST)
            assert poor == [], name
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


_CONTRAST = """
const parts = c => c.match(/[\\d.]+/g).map(Number);
const part = v => v / 255 <= .03928 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4;
const light = c => { const [r, g, b] = parts(c).map(part);
  return .2126 * r + .7152 * g + .0722 * b; };
const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
  if (parts(c).length < 4 || parts(c)[3] > 0) return c; } return 'rgb(255, 255, 255)'; };
const written = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.getClientRects().length;
return [...document.querySelectorAll('body *')].filter(written).map(e => {
  const a = light(getComputedStyle(e).color), b = light(ground(e));
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  return [ratio, e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 30)]; })
  .filter(([ratio]) => ratio < 4.5).slice(0, 5);
"""
