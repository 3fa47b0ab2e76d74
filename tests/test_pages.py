"""The pages as a browser parses them: well formed, labelled, footnoted, safe, and without a dead link."""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, urldefrag, urlencode, urljoin, urlsplit

import pytest
import serving
from conftest import PREFIXES, write_publication
from pyoxigraph import RdfFormat, parse
from serving import CHROME, HTML, N_TRIPLES, Site, kind

own_site, foreign_site = serving.own_site, serving.foreign_site

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
#: What the HTML standard closes by itself is written out here all the same; phrasing elements may not hold flow ones.
PHRASING = {"a", "bdi", "code", "span", "p", "h1", "h2", "dt", "summary", "label", "button"}
FLOW = {"div", "ul", "ol", "dl", "table", "section", "p", "h1", "h2", "pre", "article", "details"}
SCHEMES = ("http", "https", "mailto", "urn", "")
WHY = "/why?" + urlencode(
    {
        "subject": "https://w3id.org/tracktwo/id/person/pavel-s-zolotarev",
        "property": "http://www.w3.org/1999/02/22-rdf-syntax-ns#type",
        "object": "https://w3id.org/tracktwo/ontology#Officer",
    }
)
OWN_PAGES = [
    "/",
    "/browse",
    "/about",
    "/browse/person",
    "/browse/meeting?startDate=2010s&isHeldAs=in-person&sort=newest",
    "/search?q=nuclear",
    WHY,
    "/dump/",
    "/dataset",
    "/sparql",
    "/sparql?" + urlencode({"query": "SELECT * WHERE { ?s ?p ?o } LIMIT 30"}),
    "/sparql?" + urlencode({"query": "ASK { ?s ?p ?o }"}),
    "/sparql?" + urlencode({"query": "CONSTRUCT WHERE { ?s a ?c } LIMIT 5"}),
    "/sparql?" + urlencode({"query": "SELECT nonsense"}),
    "/query/",
    "/query/meetings-by-dialogue",
    "/query/who-met-whom",
    "/query/topics-from-broad-to-narrow",
    "/query/ranks-side-by-side",
    "/ontology",
    "/shapes",
    "/shapes/ontology",
    "/graph/stimson-report-2022",
    "/id/person/nobody",
    "/describe?iri=" + quote("http://xmlns.com/foaf/0.1/Person", safe=""),
]
FOREIGN_PAGES = [
    "/",
    "/browse",
    "/browse/route?sailedBy=St_John%27s_Light",
    "/dump/",
    "/dataset",
    "/sparql",
    "/sparql?" + urlencode({"query": "SELECT * WHERE { ?s ?p ?o }"}),
    "/sparql?" + urlencode({"query": "SELECT ?o WHERE { <https://data.pharos.example/thing/ship/script> ?p ?o }"}),
    "/sparql?" + urlencode({"query": "CONSTRUCT WHERE { <https://data.pharos.example/thing/ship/script> ?p ?o }"}),
    "/sparql?" + urlencode({"query": "SELECT ('</textarea><script>alert(8)</script>' AS ?x) {}"}),
    "/sparql?" + urlencode({"query": "</textarea><script>alert(9)</script>"}),
    "/vocab",
    "/rules",
    "/islands",
    "/named/hostile",
    "/nothing/<script>alert(7)</script>".replace("<", "%3C").replace(">", "%3E"),
    "/describe?iri=" + quote("http://www.wikidata.org/entity/Q41", safe=""),
    *(f"/about/ship/{name}" for name in ("script", "text", "links", "tongues", "values", "nested", "cycle", "twins")),
    "/about/route/lists",
    "/catalogue/",
]
HOSTILE = [
    "<script>alert(1)</script>",
    '" onerror="alert(2)" x=\'',
    "</script><img src=x onerror=alert(3)>",
    "]]><!-- -->",
    "{{ 6007 * 9001 }} {% raw %} ${6007*9001}",
    "&amp; &lt; &#x3C;",
]
SVG_ATTRIBUTES = {
    "viewbox", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "dx", "stroke-width", "aria-hidden",
    "aria-describedby",
}  # fmt: skip
ALLOWED_ATTRIBUTES = {
    "action", "aria-label", "aria-labelledby", "charset", "class", "colspan", "content", "for", "href", "id", "lang",
    "method", "name", "rel", "required", "role", "rows", "scope", "spellcheck", "tabindex", "title", "type", "value",
    "defer", "dir", "datetime", "list", "open", "aria-current", "autocomplete", "placeholder", "src", "alt", "width",
    "height", "hreflang", "selected", "property",
    "viewbox", "d", "x", "y", "rx",
}  # fmt: skip


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    inside: list[str]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """A parsed page: its elements in order, and what is wrong with it."""

    source: str
    elements: list[Element] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[Element] = []
        self.feed(self.source)
        self.close()
        self.faults += [f"<{element.tag}> is not closed" for element in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        self.faults += [f"<{tag} {name}> twice" for name in names if names.count(name) > 1]
        element = Element(tag, {name: value or "" for name, value in attrs}, [outer.tag for outer in self._open])
        self.elements.append(element)
        blocked = [outer for outer in element.inside if outer in PHRASING]
        if tag in FLOW and blocked:
            self.faults.append(f"<{tag}> in <{blocked[-1]}>")
        if tag == "a" and "a" in element.inside:
            self.faults.append("<a> in <a>")
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].tag != tag:
            self.faults.append(f"</{tag}> closes <{self._open[-1].tag if self._open else 'nothing'}>")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    @property
    def hrefs(self) -> list[str]:
        return [element.attributes["href"] for element in self.all("a") if "href" in element.attributes]


def open_page(site: Site, path: str) -> Page:
    response = site.get(path, CHROME)
    assert kind(response) == HTML, path
    return Page(response.text)


PLACES = [*(("own_site", path) for path in OWN_PAGES), *(("foreign_site", path) for path in FOREIGN_PAGES)]


@pytest.fixture(scope="module")
def pages() -> dict[tuple[str, str], Page]:
    return {}


@pytest.fixture(params=PLACES, ids=lambda place: f"{place[0].partition('_')[0]}{place[1][:60]}")
def page(request: pytest.FixtureRequest, pages: dict[tuple[str, str], Page]) -> Page:
    if request.param not in pages:
        pages[request.param] = open_page(request.getfixturevalue(request.param[0]), request.param[1])
    return pages[request.param]


# Form


def test_a_page_is_well_formed(page: Page) -> None:
    assert page.source.startswith("<!doctype html>")
    assert page.faults == []


def test_a_page_has_a_language_a_title_and_one_heading(page: Page) -> None:
    assert page.all("html")[0].attributes["lang"] == "en"
    assert [bool(title.text.strip()) for title in page.all("title") if "svg" not in title.inside] == [True]
    assert [bool(heading.text.strip()) for heading in page.all("h1")] == [True]
    assert [meta.attributes["charset"] for meta in page.all("meta") if "charset" in meta.attributes] == ["utf-8"]
    assert "viewport" in {meta.attributes.get("name") for meta in page.all("meta")}
    assert len(page.all("main")) == 1


def test_ids_are_unique_and_links_within_the_page_lead_to_them(page: Page) -> None:
    ids = Counter(element.attributes["id"] for element in page.elements if "id" in element.attributes)
    assert {name: count for name, count in ids.items() if count > 1} == {}
    for href in page.hrefs:
        if href.startswith("#"):
            assert href[1:] in ids or any(quote(name, safe="/?:@!$&'()*+,;=-._~") == href[1:] for name in ids), href


def test_attributes_are_what_templates_write(page: Page) -> None:
    for element in page.elements:
        allowed = ALLOWED_ATTRIBUTES | (SVG_ATTRIBUTES if "svg" in (element.tag, *element.inside) else set())
        assert {name for name in element.attributes if not name.startswith("data-")} <= allowed, element
        assert re.fullmatch(r"[a-z -]*", element.attributes.get("class", "")), (element.tag, element.attributes)
        assert re.fullmatch(r"([A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*)?", element.attributes.get("lang", ""))


def test_controls_have_names(page: Page) -> None:
    labelled = {label.attributes.get("for") for label in page.all("label")}
    for tag in ("textarea", "input", "select"):
        for control in page.all(tag):
            assert control.attributes.get("id") in labelled or "aria-label" in control.attributes
    for link in page.all("a"):
        assert link.text.strip() or link.attributes.get("aria-label"), link.attributes


def test_a_page_says_what_it_is_about(page: Page) -> None:
    """To search engines and to those who are sent a link; an error says nothing."""
    said = {meta.attributes.get("name") or meta.attributes.get("property"): meta for meta in page.all("meta")}
    if not [link for link in page.all("link") if link.attributes["rel"] == "canonical"]:
        assert page.all("h1")[0].text.startswith(("4", "5"))
        assert "og:title" not in said
        return
    texts = {name: said[name].attributes["content"] for name in said if name and name.startswith("og:")}
    assert {"og:title", "og:type", "og:url", "og:site_name", "og:locale"} <= texts.keys()
    assert page.all("title")[0].text.split() == texts["og:title"].split()
    assert re.fullmatch(r"[a-z]{2,3}_[A-Z]{2}", texts["og:locale"])
    if "description" in said:
        assert 0 < len(said["description"].attributes["content"]) <= 210
        assert said["description"].attributes["content"] == texts["og:description"]


@pytest.mark.parametrize("path", ["/", "/browse/person", "/query/who-met-whom", "/ontology", "/about", "/limits"])
def test_pages_are_described_each_in_its_own_words(own_site: Site, path: str) -> None:
    found = [meta.attributes for meta in open_page(own_site, path).all("meta")]
    text = next(meta["content"] for meta in found if meta.get("name") == "description")
    home = next(
        m.attributes["content"] for m in open_page(own_site, "/").all("meta") if "description" in m.attributes.values()
    )
    assert len(text) > 30
    assert path in ("/", "/about") or text != home


@pytest.mark.parametrize("site", ["own_site", "foreign_site"])
def test_an_entity_stands_in_its_page_as_data_that_its_document_holds(
    request: pytest.FixtureRequest, site: str
) -> None:
    served: Site = request.getfixturevalue(site)
    checked = 0
    for path in entity_paths(served, 30):
        page = served.get(path, CHROME).text
        for text in re.findall(r'<script type="application/ld\+json">(.*?)</script>', page):
            told = {quad.triple for quad in parse(text.encode(), format=RdfFormat.JSON_LD)}
            held = {quad.triple for quad in parse(served.get(path, N_TRIPLES).content, format=RdfFormat.N_TRIPLES)}
            assert told <= held, path
            checked += len(told)
    assert checked > 60


def test_the_dataset_stands_in_the_home_page_as_data(own_site: Site) -> None:
    page = own_site.get("/", CHROME).text
    found = json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', page)[0])
    assert ("Dataset", "https://w3id.org/tracktwo/dataset") == (found["@type"], found["@id"])
    assert found["license"] == "https://creativecommons.org/publicdomain/zero/1.0/"
    assert len(found["distribution"]) == 5
    for file in found["distribution"]:
        assert own_site.head(own_site.below(file["contentUrl"])).status_code == 200


@pytest.mark.parametrize("site", ["own_site", "foreign_site"])
def test_what_is_inferred_is_marked_and_not_numbered(request: pytest.FixtureRequest, site: str) -> None:
    served: Site = request.getfixturevalue(site)
    checked = 0
    for path in entity_paths(served, 20):
        page = open_page(served, path)
        listed = [
            item.attributes["value"] for item in page.all("li") if item.attributes.get("id", "").startswith("source-")
        ]
        assert [str(number) for number in range(1, len(listed) + 1)] == listed
        cited = {note.text for note in page.all("a") if "note" in note.attributes.get("class", "").split()}
        assert cited <= {*listed, "∴"}
        checked += "∴" in cited
    assert checked > 3


def test_the_page_about_the_data_leads_to_the_classes(own_site: Site) -> None:
    """It does not list them again, since the home page does."""
    page = open_page(own_site, "/about")
    assert "/#browse" in page.hrefs
    assert [href for href in page.hrefs if href.startswith("/browse/")] == []


def test_graphs_are_listed_by_name_and_counted_alike(own_site: Site) -> None:
    graphs = own_site.get("/dataset", CHROME).text.partition("<h2>Graphs</h2>")[2]
    names = re.findall(r"<li><a [^>]*>(.*?)</a>", graphs)
    assert len(names) > 100
    assert sorted(names, key=str.casefold) == names
    counts = re.findall(r'<span class="count">(.*?)</span>', graphs)
    assert any("," in count for count in counts)
    assert [count for count in counts if re.search(r"\d{4}", count)] == []


def test_without_scripts_the_editor_holds_a_query_that_runs(own_site: Site) -> None:
    [field] = open_page(own_site, "/sparql").all("textarea")
    rows = own_site.query(field.text, "text/csv")
    assert rows.status_code == 200
    assert len(rows.text.splitlines()) == 51


# Safety


def test_no_script_frame_or_handler_comes_from_data(page: Page) -> None:
    tags = {element.tag for element in page.elements}
    assert not tags & {"iframe", "object", "embed", "style", "base", "img", "image", "use", "foreignobject"}
    assert all(drawing.attributes["class"].startswith(("picture ", "diagram")) for drawing in page.all("svg"))
    for script in page.all("script"):
        if script.attributes.get("type") == "application/ld+json":  # data, which no browser runs
            assert set(script.attributes) == {"type"}
            assert "<" not in script.text
            assert json.loads(script.text)["@context"] in ("https://schema.org", {"@vocab": "https://schema.org/"})
        else:
            assert script.attributes["src"].startswith("/static/")
            assert not script.text
    for element in page.elements:
        assert not [name for name in element.attributes if name.startswith("on") or name == "style"]


def test_links_have_harmless_schemes(page: Page) -> None:
    for element in page.elements:
        for name in ("href", "src", "action"):
            if name in element.attributes:
                assert urlsplit(element.attributes[name].strip()).scheme.lower() in SCHEMES, element.attributes[name]


def test_nothing_is_loaded_from_elsewhere(page: Page) -> None:
    for element in page.elements:
        loaded = element.attributes.get("src") or (
            element.attributes["href"]
            if element.tag == "link" and element.attributes["rel"] in ("stylesheet", "icon", "preload", "manifest")
            else ""
        )
        assert not urlsplit(loaded).netloc, loaded
        assert not loaded or loaded.startswith("/")


@pytest.mark.parametrize("path", [path for path in FOREIGN_PAGES if "ship/script" in path or "ship%2Fscript" in path])
def test_hostile_text_is_shown_as_it_is(foreign_site: Site, path: str) -> None:
    text = open_page(foreign_site, path).all("main")[0].text
    for literal in HOSTILE:
        assert literal in text or literal.replace('"', '\\"') in text, literal
    assert "54069007" not in text


def test_iris_with_other_schemes_are_shown_and_not_linked(foreign_site: Site) -> None:
    page = open_page(foreign_site, "/about/ship/links")
    for iri in ("javascript:alert(4)", "JavaScript:alert(5)", "data:text/html,%3Cscript%3Ealert(6)%3C/script%3E"):
        assert iri in page.all("main")[0].text
    assert not [href for href in page.hrefs if "alert" in href]


def test_control_and_direction_characters_stay_within_their_value(foreign_site: Site) -> None:
    page = open_page(foreign_site, "/about/ship/text")
    holders = [element for element in page.elements if "\u202e" in element.text]
    assert holders[-1].tag == "bdi"


# Content


def entity_paths(site: Site, count: int) -> list[str]:
    """Documents spread over the sitemap."""
    urls = re.findall(r"<loc>(.*?)</loc>", site.get("/sitemap.xml").text)
    paths = [site.below(url.replace("&amp;", "&")) for url in urls]
    return paths[:: max(1, len(paths) // count)]


@pytest.mark.parametrize("name", ["own_site", "foreign_site"])
def test_every_statement_on_an_entitys_page_is_footnoted(request: pytest.FixtureRequest, name: str) -> None:
    site: Site = request.getfixturevalue(name)
    checked = 0
    for path in entity_paths(site, 60):
        page = open_page(site, path)
        ids = {element.attributes.get("id") for element in page.elements}
        for row in re.findall(
            r'<dl class="rows">.*?</dl>\s*</section>',
            re.sub(r'<section class="sources".*', "", page.source, flags=re.DOTALL),
            re.DOTALL,
        ):
            for item in re.findall(r"<li[^>]*>(?:(?!<li).)*?</li>", row, re.DOTALL):
                notes = re.findall(r'(?:class="note[^"]*"|class="says"><a) href="(#source-\d+|[^"]*/why\?)', item)
                nested = re.search(r'class="nested"', row)
                assert notes or nested, (path, item)
                assert {note[1:] for note in notes if note.startswith("#")} <= ids, path
                checked += 1
        for table in re.findall(r'<table class="members">.*?</table>', page.source, re.DOTALL):
            for cell in re.findall(r"<t[dh][ >](?:(?!<t[dh]).)*?</t[dh]>", table.partition("<tbody>")[2], re.DOTALL):
                values = re.findall(r'<bdi|<time|<span class="literal', re.sub(r'class="literal"[^>]*>\s*<', "<", cell))
                assert 'class="note' in cell or not values, (path, cell)
                checked += 1
    assert checked > 300


@pytest.mark.parametrize(("name", "path"), [("foreign_site", "/islands")])
def test_every_type_of_a_term_is_footnoted(request: pytest.FixtureRequest, name: str, path: str) -> None:
    page = request.getfixturevalue(name).get(path, CHROME).text
    types = re.findall(r'<p class="types">(.*?)</p>', page, re.DOTALL)
    assert len(types) >= 6
    for shown in types:
        links_and_notes = re.findall(r'<a [^>]*class="(note)|<a [^>]*title="[^"]*"(?![^>]*note)', shown)
        assert "note" in links_and_notes, shown


@pytest.mark.parametrize("name", ["own_site", "foreign_site"])
def test_labels_are_shown_where_there_are_labels(request: pytest.FixtureRequest, name: str) -> None:
    """A link to an entity of ours that has a label shows the label; the IRI stands in its title."""
    site: Site = request.getfixturevalue(name)
    rows = site.query(
        "SELECT DISTINCT ?x ?l { ?x rdfs:label|skos:prefLabel|dcterms:title|foaf:name|schema:name ?l }",
        "text/tab-separated-values",
    ).text
    labels: dict[str, set[str]] = {}
    for line in rows.splitlines()[1:]:
        iri, label = line.split("\t", 1)
        labels.setdefault(iri.strip("<>"), set()).add(re.sub(r'^"(.*)"(@[\w-]+)?$', r"\1", label))
    checked = 0
    for path in entity_paths(site, 40):
        for link in open_page(site, path).all("a"):
            iri = link.attributes.get("title", "")
            if iri in labels and "dt" not in link.inside:  # shapes may name a property otherwise
                shown = link.text.strip().replace('"', '\\"')
                assert shown in labels[iri] or not {text for text in labels[iri] if "\\n" not in text}, (
                    path,
                    iri,
                    shown,
                )
                checked += 1
    assert checked > 150


@pytest.mark.parametrize("name", ["own_site", "foreign_site"])
def test_every_internal_link_of_many_pages_is_answered(request: pytest.FixtureRequest, name: str) -> None:
    site: Site = request.getfixturevalue(name)
    starts = [*(path for place, path in PLACES if place == name), *entity_paths(site, 45)]
    assert len(starts) >= 60
    met: dict[str, str] = {}
    for start in starts:
        for element in open_page(site, start).elements:
            if "href" in element.attributes and element.tag in ("a", "link"):
                url = urldefrag(urljoin(urljoin(site.url, start), element.attributes["href"]))[0]
                itself = re.sub(r"[?&]lang=\w+$", "", url)  # in a language of its own: an error stays one
                if url.startswith(site.url) and urljoin(site.url, start) != itself:
                    met.setdefault(site.below(url), start)
    assert len(met) > 400
    dead = {}
    for path, start in met.items():
        if not path.startswith("/sparql?"):
            status = site.head(path, CHROME).status_code
            if status not in (200, 303):
                dead[path] = (status, start)
    assert dead == {}


def test_every_example_query_of_the_home_page_runs(own_site: Site) -> None:
    examples = [href for href in open_page(own_site, "/").hrefs if href.startswith(("/sparql?query=", "/query/"))]
    assert len(examples) > 20
    for href in examples:
        page = own_site.get(href, CHROME)
        assert page.status_code == 200, href
        assert "No rows" not in page.text


def test_the_home_page_has_first_what_the_shapes_put_first(own_site: Site) -> None:
    page = own_site.get("/", CHROME).text
    cards = page.partition('<ul class="cards">')[2].partition("</ul>")[0]
    assert re.findall(r'href="/browse/([^"]+)"', cards) == [
        "dialogue", "meeting", "person", "institution", "publication",
        "topic", "finding", "recommendation", "rank", "source",
    ]  # fmt: skip
    browse = page.partition('<section id="browse">')[2].partition("</section>")[0]
    assert len(re.findall(r'href="/browse/', browse)) > 60
    search, views, classes = (page.index(mark) for mark in ('action="/search" role="search" aria', 'id="views"', cards))
    assert search < views < classes


def test_without_an_order_the_home_page_has_the_largest_classes_first(foreign_site: Site) -> None:
    cards = foreign_site.get("/", CHROME).text.partition('<ul class="cards">')[2].partition("</ul>")[0]
    counts = [int(count) for count in re.findall(r'class="count">(\d+)<', cards)]
    assert 3 < len(counts) <= 10
    assert counts == sorted(counts, reverse=True)


def test_the_home_page_counts_truly(own_site: Site) -> None:
    page = open_page(own_site, "/")
    for card in [element for element in page.all("a") if element.attributes.get("href", "").startswith("/browse/")][
        :12
    ]:
        listing = open_page(own_site, card.attributes["href"])
        count = card.text.strip().split()[-1]
        assert listing.all("h1")[0].text.split()[-1] == count
        if int(count) <= 50:
            assert int(count) == len(
                [link for link in listing.all("a") if "ul" in link.inside and "title" in link.attributes]
            )


def test_a_page_prints_and_reads_without_its_style(own_site: Site) -> None:
    """The style sheet and the icon are the only things a page loads, and they say how long they may be kept."""
    loaded = [
        link.attributes["href"]
        for link in open_page(own_site, "/").all("link")
        if link.attributes["rel"] in ("stylesheet", "icon")
    ]
    assert len(loaded) == 2
    for href in loaded:
        response = own_site.get(href)
        assert response.status_code == 200
        assert int(re.sub(r".*max-age=", "", response.headers["cache-control"]).partition(",")[0]) > 86_400


def test_the_page_about_the_data_tells_method_counts_and_gaps(tmp_path: Path) -> None:
    data = (
        PREFIXES
        + """@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix schema: <https://schema.org/> .
ex:first a dcterms:ProvenanceStatement ; rdfs:label "method"@en ;
    dcterms:description "By hand."@en ; schema:position 1 .
ex:second a dcterms:ProvenanceStatement ; rdfs:label "gaps"@en ; schema:position 2 ; schema:additionalProperty ex:out .
ex:out a schema:PropertyValue ; rdfs:label "left out <b>"@en ; schema:value 7 .
ex:bare a ex:Thing .
"""
    )
    shapes = PREFIXES + (
        "ex:Shape a sh:NodeShape ; sh:targetClass ex:Thing ; sh:property [ sh:path rdfs:label ; sh:minCount 1 ; "
        'sh:severity sh:Warning ; sh:message "It needs a name."@en ] .\n'
    )
    write_publication(tmp_path / "publication", {"data/data.ttl": data, "shapes/shapes.ttl": shapes})
    with serving.serve(tmp_path / "publication", tmp_path / "releases") as site:
        text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", site.get("/about", CHROME).text))
    assert text.index("method") < text.index("By hand.") < text.index("gaps") < text.index("left out &lt;b&gt; 7")
    assert "1 It needs a name. Which" in text
    assert "http://example.org/bare" in text


@pytest.mark.parametrize("site", ["own_site", "foreign_site"])
def test_the_page_about_the_data_counts_every_graph(request: pytest.FixtureRequest, site: str) -> None:
    served: Site = request.getfixturevalue(site)
    asked = served.query("SELECT DISTINCT ?g WHERE { GRAPH ?g { ?s ?p ?o } }", "text/csv")
    names = set(asked.text.split()[1:])
    page = served.get("/about", CHROME).text
    assert len(names) >= 10
    assert len(names) == page.partition("Who says so")[2].count("<tr>") - 1
