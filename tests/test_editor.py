"""The query editor at /sparql, used in Chromium as a person would: by pointer, by keyboard, and without scripts."""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

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

from tracktwo.web import editor
from tracktwo.web.language import interface

own_site = serving.own_site

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src" / "editor"
STATIC = ROOT / "src" / "tracktwo" / "web" / "static"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
FLAGS = (
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
    "--window-size=1280,1000",
)
#: Longer than any deadline of a test, by far.
ENDLESS = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . FILTER (?c = ?f && ?f = ?i) }"
CLASSES = "SELECT ?class (COUNT(*) AS ?n) WHERE { ?x a ?class } GROUP BY ?class ORDER BY DESC(?n) ?class LIMIT 12"

if CHROMIUM is None or DRIVER is None:
    if os.environ.get("CI"):
        raise RuntimeError("chromium and chromedriver are needed here: apt-get install chromium chromium-driver")
    pytest.skip("chromium or chromedriver is not installed", allow_module_level=True)


class Page:
    """The editor's page: what a person does there, and what they then see."""

    def __init__(self, driver: webdriver.Chrome, site: Site) -> None:
        self.driver = driver
        self.site = site

    def open(self, query: str = "", fragment: str = "", language: str = "") -> "Page":
        asked = {name: value for name, value in (("query", query), ("lang", language)) if value}
        path = "sparql?" + urlencode(asked) if asked else "sparql"
        self.driver.get("about:blank")
        self.driver.get(self.site.url + path + fragment)
        self.until(lambda: self.driver.execute_script("return 'ready' in document.querySelector('form.ask').dataset"))
        return self

    def until(self, holds: Callable[[], Any], seconds: float = 15) -> Any:
        return WebDriverWait(self.driver, seconds, 0.05).until(lambda _: holds())

    def all(self, selector: str) -> list[Any]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> Any:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def inside(self, selector: str) -> list[Any]:
        """Elements of the editor proper, which has a shadow root."""
        return list(self.one(".code").shadow_root.find_elements(By.CSS_SELECTOR, selector))

    @property
    def text(self) -> str:
        return str(self.one("#query").get_attribute("value"))

    @property
    def status(self) -> str:
        return str(self.one(".status").text)

    @property
    def answer(self) -> str:
        return str(self.one("#answer").text)

    def press(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()

    def chord(self, modifier: str, key: str) -> None:
        ActionChains(self.driver).key_down(modifier).send_keys(key).key_up(modifier).perform()

    def write(self, text: str) -> None:
        """Replace what stands in the editor, key by key."""
        self.inside(".cm-content")[0].click()
        self.chord(Keys.CONTROL, "a")
        self.press(text)

    def run(self) -> str:
        self.one("form.ask button[type=submit]").click()
        return self.settled()

    def settled(self) -> str:
        """What the status says once nothing runs."""
        self.until(lambda: self.status and not self.status.startswith("Running"), 30)
        return self.status

    def show(self, title: str) -> None:
        next(tab for tab in self.all("#answer [role=tab]") if tab.text == title).click()

    def complaints(self, but: str = "") -> list[str]:
        """What the console holds, but what a test provoked; reading empties it."""
        entries = self.driver.get_log("browser")  # type: ignore[no-untyped-call]  # selenium leaves it untyped
        return [str(entry["message"]) for entry in entries if not (but and but in entry["message"])]


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = Options()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    try:
        found.set_page_load_timeout(30)
        yield found
    finally:
        found.quit()


@pytest.fixture
def page(driver: webdriver.Chrome, own_site: Site) -> Iterator[Page]:
    """The editor; whatever a test does there, the browser has nothing to complain of."""
    found = Page(driver, own_site)
    found.complaints()
    yield found
    assert found.complaints() == []


@pytest.fixture(scope="module")
def hasty_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same publication with less patience, served below a path."""
    folder = tmp_path_factory.mktemp("hasty")
    publication = serving.copy_of(serving.OWN, folder / "publication")
    settings = publication / "publication.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + "\n[limits]\nquery_seconds = 1\n", encoding="utf-8")
    port = serving.free_port()
    url = f"http://127.0.0.1:{port}/below/"
    with serving.serve(publication, folder / "releases", "--public-url", url, port=port, prefix="/below") as site:
        site.url = url
        yield site


def test_an_example_is_a_table_of_labels_and_links(page: Page) -> None:
    page.open()
    examples = page.all("#examples li")
    assert len(examples) > 20
    assert all(example.text.rstrip().endswith(("?", ".")) for example in examples)
    assert all(
        urlsplit(link.get_attribute("href")).path.startswith("/query/") for link in page.all("#examples li a.page")
    )
    title = page.all("#examples li a")[0].text
    page.all("#examples li a")[0].click()
    assert re.match(r"[1-9]\d* rows? in [\d.]+ m?s\.", page.settled())
    assert not page.text.startswith("#")
    page.one("details.use summary").click()
    cited = page.one("details.use .cite").text
    assert f"“{title}”" in cited
    assert cited.endswith(urlsplit(page.one("#examples li a.page").get_attribute("href")).path[1:])
    assert "query=" not in cited
    rows = page.all("#answer tbody tr")
    assert int(page.status.split()[0]) == len(rows)
    links = page.all("#answer td a")
    assert links
    assert not [link.text for link in links if "://" in link.text]
    target = links[0].get_attribute("href")
    label = links[0].text
    page.driver.get(target)
    assert label in page.one("h1").text


def test_literals_show_by_their_type(page: Page) -> None:
    values = (
        '"plain" "tagged"@en 12 1.25 true "2021-03-04"^^xsd:date "x"^^<http://example.org/type> <http://example.org/>'
    )
    page.open(f"SELECT ?v WHERE {{ VALUES ?v {{ {values} }} }}")
    assert page.settled().startswith("8 rows")
    shown = [cell.text for cell in page.all("#answer td")]
    expected = ["plain", "tagged en", "12", "1.25", "yes", "2021-03-04", "x http://example.org/type"]
    assert expected == shown[:7]
    assert [element.get_attribute("datetime") for element in page.all("#answer td time")] == ["2021-03-04"]
    assert [element.get_attribute("value") for element in page.all("#answer td data")] == ["12", "1.25"]
    assert page.one("#answer td a.external").get_attribute("href") == "http://example.org/"


def test_what_a_whole_column_shares_is_said_once(page: Page) -> None:
    page.open('SELECT ?v WHERE { VALUES ?v { "one"@en "two"@en } }')
    page.settled()
    assert page.one("#answer th").text == "v en"
    assert [cell.text for cell in page.all("#answer td")] == ["one", "two"]


PICTURES = {
    "bar": (CLASSES, "Bar chart", 12),
    "line": (
        "SELECT ?year ?n WHERE { VALUES (?year ?n) { (2018 3) (2019 5) (2020 4) (2021 9) } } ORDER BY ?year",
        "Line chart",
        4,
    ),
    "line of years that are called otherwise": (
        "SELECT ?y (COUNT(?day) AS ?n) WHERE { VALUES ?day { '2018-02-03'^^xsd:date '2019-02-03'^^xsd:date"
        " '2019-04-05'^^xsd:date '2021-01-01'^^xsd:date } BIND (YEAR(?day) AS ?y) } GROUP BY ?y ORDER BY ?y",
        "Line chart",
        3,
    ),
    "timeline": (
        'SELECT ?from ?what WHERE { VALUES (?from ?what) { ("2019-02-03"^^xsd:date "first")'
        ' ("2020"^^xsd:gYear "second") ("2021-07"^^xsd:gYearMonth "third") } }',
        "Timeline",
        3,
    ),
    "network": (
        "CONSTRUCT { ?c rdfs:subClassOf ?d } WHERE { ?c rdfs:subClassOf ?d FILTER (isIRI(?d)) } LIMIT 9",
        "Network",
        0,
    ),
}


@pytest.mark.parametrize("view", PICTURES)
def test_a_picture_is_chosen_where_the_columns_fit(page: Page, view: str) -> None:
    query, title, marks = PICTURES[view]
    page.open(query)
    assert f"Shown as {title.lower()}." in page.settled()
    page.until(lambda: page.all("#answer svg .mark"))
    assert page.one("#answer [role=tab][aria-selected=true]").text == title
    drawn = page.all("#answer svg .mark")
    assert len(drawn) == marks or (not marks and len(drawn) > 2)
    assert all(mark.get_attribute("aria-label") for mark in drawn)
    assert "table" in page.one("#picture-says").text
    page.show("Table")
    page.until(lambda: page.all("#answer tbody tr"))
    assert int(page.status.split()[0]) == len(page.all("#answer tbody tr"))


def test_a_picture_can_be_changed_and_its_link_keeps_the_change(page: Page) -> None:
    page.open("SELECT ?name ?a ?b WHERE { VALUES (?name ?a ?b) { ('x' 1 30) ('y' 2 20) ('z' 3 10) } }")
    page.settled()
    page.show("Bar chart")
    page.until(lambda: page.all("#answer svg .mark"))
    assert [mark.get_attribute("aria-label") for mark in page.all("#answer svg .mark")] == ["x: 30", "y: 20", "z: 10"]
    next(option for option in page.all("#answer select option") if option.text == "a").click()
    wanted = ["x: 1", "y: 2", "z: 3"]
    page.until(lambda: [mark.get_attribute("aria-label") for mark in page.all("#answer svg .mark")] == wanted)
    link = page.driver.current_url
    assert "view=bar" in link and "y=a" in link
    page.driver.get("about:blank")
    page.driver.get(link)
    page.until(lambda: [mark.get_attribute("aria-label") for mark in page.all("#answer svg .mark")] == wanted)


def test_marks_of_a_picture_are_reached_with_arrow_keys(page: Page) -> None:
    page.open(CLASSES)
    page.settled()
    page.until(lambda: page.all("#answer svg .mark"))
    labels = [mark.get_attribute("aria-label") for mark in page.all("#answer svg .mark")]
    page.driver.execute_script("document.querySelector('#answer svg .mark[tabindex=\"0\"]').focus()")
    page.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert labels[2] == page.driver.switch_to.active_element.get_attribute("aria-label")
    assert labels[2] == page.one("#answer .readout").text


def test_a_permalink_holds_the_query_and_back_returns(page: Page) -> None:
    page.open()
    page.write("ASK { ?s ?p ?o }")
    page.press(Keys.ESCAPE)
    page.chord(Keys.CONTROL, Keys.ENTER)
    assert page.settled().startswith("Yes")
    first = page.driver.current_url
    assert parse_qs(urlsplit(first).query)["query"] == [page.text]
    page.write("SELECT ?s WHERE { ?s a owl:Ontology }")
    page.press(Keys.ESCAPE)
    page.chord(Keys.CONTROL, Keys.ENTER)
    page.until(lambda: "row" in page.settled())
    page.driver.back()
    page.until(lambda: page.status.startswith("Yes"))
    assert page.driver.current_url == first
    assert page.text.startswith("ASK")
    page.driver.get("about:blank")
    page.driver.get(first)
    page.until(lambda: page.status.startswith("Yes"))


def test_an_error_is_marked_at_its_line(driver: webdriver.Chrome, own_site: Site) -> None:
    page = Page(driver, own_site).open()
    page.write("SELECT ?s WHERE {\n?s a owl:Class .\n?s nonsense ?o .\n")
    page.press(Keys.ESCAPE)
    status = page.run()
    assert status.startswith("400")
    assert page.one("#answer [role=alert] h2").text.startswith("Line 3")
    [mark] = page.inside(".cm-lintRange-error")
    assert mark.text.startswith("?s nonsense")
    assert page.inside(".cm-lint-marker-error")
    page.one("#answer [role=alert] button").click()
    assert page.driver.execute_script("return document.activeElement.className") == "code"
    assert page.complaints(but="status of 400") == []


def test_an_error_of_the_plain_page_is_marked_too(driver: webdriver.Chrome, own_site: Site) -> None:
    page = Page(driver, own_site).open("SELECT ?s\nWHERE { ?s nonsense }")
    assert page.one("#answer [role=alert] h2").text.startswith("Line 2")
    page.one("#answer [role=alert] button").click()
    assert page.driver.execute_script("return document.activeElement.className") == "code"
    [mark] = page.inside(".cm-lintRange-error")
    assert mark.text.startswith("WHERE")
    assert page.complaints(but="status of 400") == []


def test_a_query_over_its_time_is_told_below_a_path(driver: webdriver.Chrome, hasty_site: Site) -> None:
    page = Page(driver, hasty_site).open()
    page.write(ENDLESS)
    page.press(Keys.ESCAPE)
    status = page.run()
    assert status.startswith("504")
    assert page.one("#answer [role=alert] pre").text
    assert urlsplit(page.driver.current_url).path == "/below/sparql"
    assert page.complaints(but="status of 504") == []
    page.write(CLASSES)
    page.press(Keys.ESCAPE)
    assert "12 rows" in page.run()
    page.until(lambda: page.all("#answer svg a.mark"))
    assert page.one("#answer svg a.mark").get_attribute("href")
    assert "/below/" in page.driver.execute_script(
        "return document.querySelector('#answer svg a.mark').getAttribute('href')"
    )
    assert page.complaints() == []


def test_from_an_example_to_a_chart_a_link_a_fault_and_a_deadline(driver: webdriver.Chrome, hasty_site: Site) -> None:
    """One person's way through the editor."""
    page = Page(driver, hasty_site).open()
    page.one("#examples li a").click()
    assert "row" in page.settled()
    assert page.all("#answer tbody tr")
    page.write(CLASSES)
    page.press(Keys.ESCAPE)
    assert page.run().endswith("Shown as bar chart.")
    page.until(lambda: len(page.all("#answer svg .mark")) == 12)
    page.show("Table")
    page.until(lambda: len(page.all("#answer tbody tr")) == 12)
    link = driver.current_url
    driver.get("about:blank")
    driver.get(link)
    page.until(lambda: len(page.all("#answer tbody tr")) == 12)
    assert page.text == CLASSES
    page.write("SELECT ?s WHERE { ?s nonsense ?o }")
    page.press(Keys.ESCAPE)
    assert page.run().startswith("400")
    assert page.one("#answer h2").text.startswith("Line 1")
    page.write(ENDLESS)
    page.press(Keys.ESCAPE)
    assert page.run().startswith("504")
    assert page.complaints(but="Failed to load resource") == []


@pytest.mark.parametrize("way", ["button", "escape"])
def test_a_query_can_be_cancelled(page: Page, way: str) -> None:
    page.open()
    page.write(ENDLESS)
    page.press(Keys.ESCAPE)
    cancel = next(button for button in page.all("form.ask button") if button.text == "Cancel")
    assert not cancel.is_enabled()
    page.chord(Keys.CONTROL, Keys.ENTER)
    page.until(lambda: page.status.startswith("Running") and cancel.is_enabled())
    if way == "button":
        cancel.click()
    else:
        page.press(Keys.ESCAPE)
    assert page.settled().startswith("Cancelled after")
    assert not cancel.is_enabled()
    page.write("ASK {}")
    page.press(Keys.ESCAPE)
    page.until(lambda: page.run().startswith("Yes"))


def test_going_back_to_a_cancelled_query_does_not_start_it_again(page: Page) -> None:
    page.open()
    page.write(ENDLESS)
    page.press(Keys.ESCAPE)
    page.chord(Keys.CONTROL, Keys.ENTER)
    page.until(lambda: page.status.startswith("Running"))
    page.press(Keys.ESCAPE)
    assert page.settled().startswith("Cancelled after")
    page.write("ASK {}")
    page.press(Keys.ESCAPE)
    page.until(lambda: page.run().startswith("Yes"))
    page.driver.back()
    page.until(lambda: page.text == ENDLESS)
    assert page.status == "This query was cancelled; Run asks it again."
    assert page.answer == ""
    page.driver.forward()
    page.until(lambda: page.status.startswith("Yes"))


#: A star of one hub with many leaves, of which each has a long name.
STAR = (
    "SELECT ?hub ?leaf WHERE { { SELECT ?leaf WHERE { ?leaf a tt:Meeting } ORDER BY ?leaf LIMIT 50 }"
    " BIND (<https://w3id.org/tracktwo/ontology#Meeting> AS ?hub) }"
)


@pytest.mark.parametrize("wide", [True, False])
def test_the_hub_of_a_network_has_its_name_and_most_others_have_theirs(page: Page, wide: bool) -> None:
    size = {"width": 1280 if wide else 360, "height": 1000, "deviceScaleFactor": 1, "mobile": not wide}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        page.open(STAR)
        page.settled()
        page.until(lambda: len(page.all("#answer svg .mark")) == 51)
        names = page.driver.execute_script(
            "return [...document.querySelectorAll('#answer svg .mark')].map(mark => [mark.querySelector('text'),"
            " Number(mark.querySelector('circle').getAttribute('r'))]).map(([text, radius]) =>"
            " [radius, getComputedStyle(text).display !== 'none', text.getBoundingClientRect().toJSON(),"
            "  text.textContent])"
        )
        shown = [(box, text) for _, visible, box, text in names if visible]
        assert names[-1][0] == max(radius for radius, *_ in names), "the hub is drawn last, over all lines"
        assert names[-1][1:2] == [True]
        assert len(shown) >= (40 if wide else 30)
        for number, (one, _) in enumerate(shown):
            for other, _ in shown[:number]:
                apart = one["left"] >= other["right"] - 1 or other["left"] >= one["right"] - 1
                assert apart or one["top"] >= other["bottom"] - 3 or other["top"] >= one["bottom"] - 3
        assert page.driver.execute_script("return document.documentElement.scrollWidth") <= size["width"]
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_help_for_a_keyboard_is_for_those_who_have_one(page: Page) -> None:
    page.open()
    assert page.one("form.ask .keys").is_displayed()
    touch = [{"name": "pointer", "value": "coarse"}]
    size = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": touch})
    try:
        page.open()
        assert not page.one("form.ask .keys").is_displayed()
    finally:
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        page.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize(
    ("typed", "option"),
    [
        (
            "SELECT * WHERE { ?s a <https://w3id.org/tracktwo/ontology#Mee",
            "<https://w3id.org/tracktwo/ontology#Meeting>",
        ),
        ("SELECT * WHERE { ?s a встреч", "tt:Meeting"),
    ],
)
def test_completion_takes_whole_iris_and_labels_of_all_languages(page: Page, typed: str, option: str) -> None:
    page.open()
    page.write(typed)

    def options() -> list[str]:
        return [label.text for label in page.inside(".cm-tooltip-autocomplete .cm-completionLabel")]

    page.until(lambda: option in options())
    assert options()[0] == option
    time.sleep(0.3)  # what has only just appeared is not taken by a key that was meant for something else
    page.press(Keys.ENTER)
    page.until(lambda: page.text.rstrip(" }").endswith(option))


def test_completion_shows_classes_and_properties_with_labels(page: Page, own_site: Site) -> None:
    vocabulary = own_site.get("/vocabulary", "application/json").json()
    base = own_site.base_iri
    klass = next(
        row for row in vocabulary["classes"] if row["iri"].startswith(base) and " " in row["label"] and row["curie"]
    )
    property_ = next(
        row
        for row in vocabulary["properties"]
        if row["iri"].startswith(base) and len(row["label"]) > 6 and row["curie"]
    )

    def options() -> list[tuple[str, str]]:
        found = page.driver.execute_script(
            "return [...document.querySelector('.code').shadowRoot.querySelectorAll('.cm-tooltip-autocomplete li')]"
            ".map(row => ['Label', 'Detail'].map(part => row.querySelector('.cm-completion' + part)))"
            ".map(parts => parts.map(part => part?.textContent ?? ''))"
        )
        return [(label, detail) for label, detail in found]

    page.open()
    page.write("SELECT * WHERE { ?s a " + klass["label"].split()[0][:6])  # by its label, not by its name
    page.until(lambda: (klass["curie"], klass["label"]) in options())
    page.press(Keys.ESCAPE)
    page.write("SELECT * WHERE { ?s a " + klass["curie"])
    page.until(lambda: options()[:1] == [(klass["curie"], klass["label"])])
    page.until(lambda: page.inside(".cm-completionInfo"))
    assert klass["iri"] in page.inside(".cm-completionInfo")[0].text
    page.press(" ; " + property_["curie"][:-2])
    page.until(lambda: (property_["curie"], property_["label"]) in options())
    page.press(Keys.ESCAPE)
    page.write("PREFIX fo")
    page.until(lambda: page.inside(".cm-completionLabel"))
    time.sleep(0.3)  # what has only just appeared is not taken by a key that was meant for something else
    page.press(Keys.ENTER)
    page.until(lambda: page.text == f"PREFIX foaf: <{vocabulary['prefixes']['foaf']}>")


def test_the_query_can_be_used_elsewhere(page: Page, own_site: Site) -> None:
    query = 'SELECT ?name WHERE { ?x a owl:Ontology ; dcterms:title ?name FILTER (lang(?name) = "en") } LIMIT 1'
    page.open(query)
    page.settled()
    name = page.one("#answer td bdi").text
    release = own_site.get("/health").text.strip()
    page.one("details.use summary").click()
    code = {}
    for tab in page.all("details.use [role=tab]"):
        tab.click()
        code[tab.text] = page.one("#use-code").text
        assert query in code[tab.text]
        assert release in code[tab.text]
        assert f"{own_site.url}sparql" in code[tab.text]
    assert set(code) == {"curl", "Python, SPARQLWrapper", "Python, pandas", "R", "JavaScript"}
    cited = page.one("details.use .cite").text
    assert release in cited
    assert urlencode({"query": query}) in cited
    ran = [
        subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        for command in (
            ["bash", "-c", code["curl"]],
            [sys.executable, "-W", "ignore", "-c", code["Python, SPARQLWrapper"]],
            [sys.executable, "-W", "ignore", "-c", code["Python, pandas"]],
        )
    ]
    assert all(name in output for output in ran)
    if node := shutil.which("node"):
        script = ["--input-type=module", "-e", code["JavaScript"]]
        assert name in subprocess.run([node, *script], capture_output=True, text=True, timeout=30, check=True).stdout


@pytest.mark.parametrize("form", ["ASK { ?s ?p ?o }", "CONSTRUCT WHERE { ?s a owl:Ontology ; dcterms:title ?t }"])
def test_other_forms_can_be_used_elsewhere(page: Page, form: str) -> None:
    page.open(form)
    page.settled()
    page.one("details.use summary").click()
    for name in ("curl", "Python, SPARQLWrapper", "Python, pandas"):
        next(tab for tab in page.all("details.use [role=tab]") if tab.text == name).click()
        text = page.one("#use-code").text
        command = ["bash", "-c", text] if name == "curl" else [sys.executable, "-W", "ignore", "-c", text]
        output = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
        assert ("true" in output.lower()) if form.startswith("ASK") else ("Ontology" in output)


EMPTY = {
    "a pattern that nothing matches": (
        "SELECT * WHERE {\n  ?x a owl:Class ;\n    rdfs:label ?label ;\n    foaf:phone ?phone .\n}",
        "Without this triple pattern there would be rows",
        ["Line 4 ?x foaf:phone ?phone matches nothing in the data, even alone."],
    ),
    "a filter": (
        'SELECT * WHERE {\n  ?x a owl:Class ;\n    rdfs:label ?label .\n  FILTER (lang(?label) = "tlh")\n}',
        "Without this filter there would be rows",
        ['Line 4 FILTER (lang(?label) = "tlh")'],
    ),
    "two patterns at once": (
        "SELECT * WHERE {\n  ?x a owl:Class .\n  ?x foaf:phone ?phone .\n  ?x foaf:icqChatID ?chat .\n}",
        "nothing in the data matches",
        ["Line 3 ?x foaf:phone ?phone", "Line 4 ?x foaf:icqChatID ?chat"],
    ),
    "what comes after the patterns": (
        "SELECT ?x (COUNT(*) AS ?n) WHERE { ?x a owl:Class } GROUP BY ?x HAVING (COUNT(*) > 1000)",
        "The patterns do match",
        [],
    ),
}


@pytest.mark.parametrize("why", EMPTY)
def test_an_empty_answer_is_explained(page: Page, why: str) -> None:
    query, sentence, parts = EMPTY[why]
    page.open(query)
    assert page.settled().startswith("0 rows")
    page.until(lambda: page.all("#answer .why") and "Looking" not in page.one("#answer .why").text)
    assert sentence in page.one("#answer .why").text
    assert parts == [item.text for item in page.all("#answer .why li")]
    assert len(parts) == len(page.inside(".cm-lintRange-warning")) or not parts
    assert sentence in page.status
    assert all(f" {part.rstrip('.')}" in page.status for part in parts)


def test_looking_for_the_reason_stays_within_a_budget(page: Page) -> None:
    """However many patterns there are: so many questions, so many seconds, then it says that it does not know."""
    patterns = " ".join(f"?x{n} tt:wearsStars ?l{n} ." for n in range(60))
    page.open(f"SELECT * WHERE {{ {patterns} ?x0 foaf:phone ?a . ?x1 foaf:phone ?b }} LIMIT 1")
    assert page.settled().startswith("0 rows")
    began = time.monotonic()
    page.until(lambda: page.all("#answer .why") and "Looking" not in page.one("#answer .why").text)
    assert time.monotonic() - began < 8
    asked = page.driver.execute_script(
        "return performance.getEntriesByType('resource').filter(one => one.name.includes('/sparql')).length"
    )
    assert 1 < asked < 60


def test_an_unknown_name_of_ours_gets_the_nearest_that_there_is(page: Page) -> None:
    """Class and property alike; the same in the response's header, and the answer stays what it is."""
    for query, wrong, right in (
        ("SELECT ?x WHERE { ?x a tt:Oficer }", "Oficer", "Officer"),
        ("SELECT ?x WHERE { ?x a tt:Meeting OPTIONAL { ?x tt:isSesionOf ?y } }", "isSesionOf", "isSessionOf"),
    ):
        sentence = f"tt:{wrong} does not occur here. Did you mean tt:{right}?"
        assert sentence == page.site.query(query).headers["tracktwo-hint"]
        page.open(query)
        page.settled()
        assert [sentence] == [note.text for note in page.all("#answer p.cut")]
    page.open("SELECT ?x WHERE { ?x a tt:Officer } LIMIT 1")
    page.settled()
    assert not page.all("#answer p.cut")


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    page.open()
    page.driver.execute_script("[...document.querySelectorAll('header.site :is(a, input)')].at(-1).focus()")
    page.press(Keys.TAB)
    assert page.driver.execute_script("return document.activeElement.className") == "code"
    page.chord(Keys.CONTROL, "a")
    page.press("SELECT ?s WHERE { ?s a owl:Ontology . }")
    page.press(Keys.ESCAPE)
    page.chord(Keys.CONTROL, Keys.ENTER)
    assert "row" in page.settled()
    page.press(Keys.TAB)
    assert page.driver.switch_to.active_element.text == "Run"  # Tab leaves the editor
    page.driver.execute_script("document.querySelector('#answer [role=tab]').focus()")
    page.press(Keys.ARROW_RIGHT)
    assert page.driver.switch_to.active_element.text == "Raw"
    page.until(lambda: page.all("#answer pre.raw"))
    assert '"bindings"' in page.one("#answer pre.raw").text
    assert page.one("#answer [role=tab][aria-selected=true]").text == "Raw"
    outline = page.driver.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"


def test_answers_can_be_taken_as_files(page: Page, own_site: Site) -> None:
    page.open(CLASSES)
    page.settled()
    links = {link.text: link.get_attribute("href") for link in page.all("#answer .take a")}
    assert list(links) == ["CSV", "TSV", "JSON", "XML"]
    response = own_site.get(own_site.below(links["CSV"]))
    assert serving.kind(response) == "text/csv"
    assert len(response.text.strip().splitlines()) == 13


def test_a_query_too_long_for_a_link_runs_all_the_same(page: Page) -> None:
    page.open()
    page.driver.execute_script("arguments[0].focus()", page.one(".code"))
    values = " ".join(f'"{number:06d}"' for number in range(1500))
    page.driver.execute_script(
        "const box = document.querySelector('.code').shadowRoot.querySelector('.cm-content');"
        "const data = new DataTransfer(); data.setData('text/plain', arguments[0]);"
        "getSelection().selectAllChildren(box);"
        "box.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}))",
        f"SELECT (COUNT(*) AS ?n) WHERE {{ VALUES ?v {{ {values} }} }} #",
    )
    assert len(page.text) > 13_000
    assert page.run().startswith("1 row ")
    assert page.one("#answer td").text == "1500"
    assert "query=" not in page.driver.current_url


def test_hostile_text_stays_text(page: Page) -> None:
    page.open("SELECT ('<img src=x onerror=alert(1)><b>bold</b>' AS ?v) (<javascript:alert(2)> AS ?w) WHERE {}")
    page.settled()
    assert page.all("#answer td")[0].text == "<img src=x onerror=alert(1)><b>bold</b>"
    assert not page.all("#answer td img, #answer td b, #answer td a")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_screen(page: Page, width: int, scheme: str) -> None:
    cdp = page.driver.execute_cdp_cmd
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}
    cdp("Emulation.setDeviceMetricsOverride", size)
    cdp("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    try:
        for query in (
            "",
            CLASSES,
            PICTURES["network"][0],
            PICTURES["timeline"][0],
            "SELECT * WHERE { ?s ?p ?o } LIMIT 40",
        ):
            page.open(query)
            if query:
                page.settled()
                page.until(lambda: page.all("#answer svg .mark, #answer tbody tr"))
                page.driver.execute_script("document.querySelector('details.use').open = true")
            assert page.driver.execute_script("return document.documentElement.scrollWidth") <= width, query
    finally:
        cdp("Emulation.clearDeviceMetricsOverride", {})
        cdp("Emulation.setEmulatedMedia", {"features": []})


def sentences() -> set[str | tuple[str, str]]:
    """What the editor's sources say, by the functions of `words.js`."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted((SOURCES / "src").glob("*.js")))
    quoted = r'("(?:[^"\\]|\\.)*")'
    plain = re.findall(rf"\b(?:t|pieces)\({quoted}", text)
    counts = re.findall(rf"\bcounted\({quoted}, {quoted}", text)
    calls = re.findall(r"\b(?:t|pieces|counted)\((?!text, )", text.replace("(one, many, count", ""))
    assert len(calls) == len(plain) + len(counts)  # no sentence is put together where nobody finds it
    return {*(json.loads(one) for one in plain), *((json.loads(one), json.loads(many)) for one, many in counts)}


def test_the_server_knows_each_sentence_of_the_editor_and_none_besides() -> None:
    assert len(editor.SENTENCES) > 100
    assert sentences() == set(editor.SENTENCES)
    assert len(editor.SENTENCES) == len(set(editor.SENTENCES))


def test_the_table_of_words_has_each_form_that_the_language_counts_with() -> None:
    assert editor.words("en") == editor.words("el") == ""
    table = json.loads(editor.words("ru"))
    assert len(table) == len(editor.SENTENCES)
    assert table["{num} row"] == {"many": "{num} строк", "one": "{num} строка", "few": "{num} строки"}
    assert table["Cancel"] == interface("ru").gettext("Cancel") != "Cancel"


RUSSIAN = {
    "SELECT ?v WHERE { VALUES ?v { true 1.5 } }": r"2 строки за [\d,]+ м?с\.",
    "SELECT ?v WHERE { VALUES ?v { 1 2 3 4 5 } }": r"5 строк за [\d,]+ м?с\.",
    "SELECT ?n WHERE { VALUES (?n ?v) { ('x' 1.5) ('y' 24623) } }": r"2 строки за [\d,]+ м?с\.",
    "ASK {}": r"Да, за [\d,]+ м?с\.",
    CLASSES: r"12 строк за [\d,]+ м?с\. Вид ответа: столбчатая диаграмма\.",
}


@pytest.mark.parametrize("query", RUSSIAN)
def test_the_editor_speaks_the_language_of_its_page(page: Page, query: str) -> None:
    page.open(query, language="ru")
    page.until(lambda: re.fullmatch(RUSSIAN[query], page.status))
    assert [button.text for button in page.all("form.ask .run button")] == [
        "Выполнить",
        "Отменить",
        "Копировать ссылку",
    ]
    page.one("details.use summary").click()
    shown = page.one("main").text
    assert [] == [word for word in ("Take it as", "Answer", "Copy", "Release", "Use this", "runs") if word in shown]
    assert query in page.one("#use-code").text
    assert re.search(r"Запрошено \d{1,2} [а-я]+ \d{4}: ", page.one("details.use .cite").text)


def test_pictures_write_numbers_and_dates_as_the_language_does(page: Page) -> None:
    def labels() -> list[str]:
        page.until(lambda: page.all("#answer svg .mark"))
        return [str(mark.get_attribute("aria-label")) for mark in page.all("#answer svg .mark")]

    bars = "SELECT ?name ?n WHERE { VALUES (?name ?n) { ('x' 1.5) ('y' 24623) ('z' 1950) } }"
    for language, expected in (
        ("en", ["x: 1.5", "y: 24,623", "z: 1950"]),
        ("ru", ["x: 1,5", "y: 24\xa0623", "z: 1950"]),
    ):
        page.open(bars, language=language)
        assert expected == labels()
    dates = PICTURES["timeline"][0]
    for language, expected in (
        ("en", ["3 February 2019: first", "2020: second", "July 2021: third"]),
        ("ru", ["3 февраля 2019: first", "2020: second", "июль 2021: third"]),
    ):
        page.open(dates, language=language)
        assert expected == labels()


def test_everything_comes_from_the_site_itself(page: Page, own_site: Site) -> None:
    page.open(CLASSES)
    page.settled()
    page.until(lambda: page.all("#answer svg .mark"))
    loaded = page.driver.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert {"editor.js", "editor.css", "editor-pictures.js"} <= {urlsplit(url).path.split("/")[-1] for url in loaded}
    assert [url for url in loaded if not url.startswith(own_site.url)] == []


def test_without_scripts_there_is_a_plain_form(driver: webdriver.Chrome, own_site: Site) -> None:
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        driver.get(own_site.url + "sparql")
        field = driver.find_element(By.ID, "query")
        assert field.is_displayed()
        assert "SELECT" in field.text
        field.clear()
        field.send_keys(CLASSES)
        driver.find_element(By.CSS_SELECTOR, "form.ask button").click()
        WebDriverWait(driver, 15).until(lambda _: driver.find_elements(By.CSS_SELECTOR, "#answer tbody tr"))
        assert len(driver.find_elements(By.CSS_SELECTOR, "#answer tbody tr")) == 12
        assert driver.find_element(By.ID, "query").text == CLASSES
        driver.find_element(By.CSS_SELECTOR, "#examples li a").click()
        WebDriverWait(driver, 15).until(lambda _: "VALUES" in driver.find_element(By.ID, "query").text)
        assert "# title:" not in driver.find_element(By.ID, "query").text
        assert driver.find_elements(By.CSS_SELECTOR, "#answer tbody tr")
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_no_heading_skips_a_level(driver: webdriver.Chrome, own_site: Site) -> None:
    """Those of the closed parts, too, which axe does not look at."""
    driver.get(own_site.url + "sparql")
    WebDriverWait(driver, 10).until(lambda page: page.find_elements(By.CSS_SELECTOR, "details.use"))
    levels = driver.execute_script("return [...document.querySelectorAll('h1, h2, h3, h4')].map(e => +e.tagName[1])")
    assert levels[0] == 1
    assert len(levels) >= 3
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_the_built_files_are_what_the_sources_give(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        if os.environ.get("CI"):
            raise RuntimeError("npm is needed here: apt-get install npm")
        pytest.skip("npm is not installed")
    sources = tmp_path / "editor"
    shutil.copytree(SOURCES, sources, ignore=shutil.ignore_patterns("node_modules"))
    built = tmp_path / "static"
    built.mkdir()
    for command in (["npm", "ci"], ["npm", "run", "build", "--", str(built)]):
        done = subprocess.run(command, cwd=sources, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
    expected = {path.name: path.read_bytes() for path in built.iterdir()}
    assert set(expected) == {
        "editor.js", "editor-pictures.js", "editor-explain.js", "editor.css", "editor-licences.txt"
    }  # fmt: skip
    found = {path.name: path.read_bytes() for path in STATIC.glob("editor*")}
    assert {name for name in expected if expected[name] != found.get(name)} == set()
    assert set(expected) == set(found)


def test_the_lock_file_names_versions_and_no_host() -> None:
    lock = json.loads((SOURCES / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: about for name, about in lock["packages"].items() if name}
    assert len(packages) > 20
    assert [name for name, about in packages.items() if "resolved" in about] == []
    assert [name for name, about in packages.items() if not about.get("integrity")] == []


def test_every_bundled_package_has_its_licence() -> None:
    text = (STATIC / "editor-licences.txt").read_text(encoding="utf-8")
    sections = text.split("\n\n" + "-" * 72 + "\n\n")
    assert len(sections) > 15
    assert [section.splitlines()[0] for section in sections if len(section) < 500] == []
