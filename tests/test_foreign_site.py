"""The foreign publication served by the same code: odd IRIs, other languages, blank nodes, hostile literals."""

import html
import re
from urllib.parse import quote

import pytest
import serving
from pyoxigraph import NamedNode, RdfFormat, parse
from serving import CHROME, HTML, N_TRIPLES, TURTLE, Site, kind, links

foreign_site = serving.foreign_site

BASE = "https://data.pharos.example/"
THINGS = [
    "thing/λιμάνι/Ερμούπολη",
    "thing/λιμάνι/Παροικιά_(Πάρος)",
    "thing/harbour/%CE%9D%CE%AC%CE%BF%CF%85%CF%83%CE%B1",
    "thing/route/Syros%2FParos",
    "thing/route/Piraeus%20Syros",
    "thing/ship/St_John's_Light",
    "thing/ship/Delos,_the_second",
    "thing/ship/a+b&c!$*~d",
    "thing/keeper/ann@pharos",
    "thing/timetable/2024;season=summer",
    "thing/chart/100%25",
    "thing/chart/A%3F%23",
    "thing/chart/plan.ttl",
    "thing/chart/A.1",
    "thing/berth//7",
    "thing/buoy/⚓",
    "thing/φάρος/_",
    "thing/灯台/犬吠埼",
    "thing/φάρος/Ψυττάλεια",
]
DOCUMENTS = [
    "catalogue/",
    "catalogue/1",
    "catalogue/search?no=2&lang=el",
    "islands",
    "vocab",
    "rules",
    "named/φως",
    "timetable/winter",
    "named/inferred",
]
HERMOUPOLI = "/thing/%CE%BB%CE%B9%CE%BC%CE%AC%CE%BD%CE%B9/%CE%95%CF%81%CE%BC%CE%BF%CF%8D%CF%80%CE%BF%CE%BB%CE%B7"
NAOUSA = "/thing/harbour/%CE%9D%CE%AC%CE%BF%CF%85%CF%83%CE%B1"
SPELLINGS = [
    ("/thing/λιμάνι/Ερμούπολη", HERMOUPOLI),
    (HERMOUPOLI.lower(), HERMOUPOLI),
    (HERMOUPOLI + "/", HERMOUPOLI),
    ("/thing/λιμάνι/Ερμούπολη/", HERMOUPOLI),
    ("/%74hing/λιμάνι/Ερμούπολη", HERMOUPOLI),
    ("/thing/harbour/Νάουσα", NAOUSA),
    (NAOUSA.replace("%CE%9D", "%ce%9d"), NAOUSA),
    (NAOUSA + "/", NAOUSA),
    ("/thing/route/Syros%2fParos", "/thing/route/Syros%2FParos"),
    ("/thing/route/Syros%2FParos/", "/thing/route/Syros%2FParos"),
    ("/thing/route/Piraeus Syros".replace(" ", "%20") + "/", "/thing/route/Piraeus%20Syros"),
    ("/thing/ship/St_John%27s_Light", "/thing/ship/St_John's_Light"),
    ("/thing/ship/Delos%2C_the_second", "/thing/ship/Delos,_the_second"),
    ("/thing/ship/Delos%2c_the_second", "/thing/ship/Delos,_the_second"),
    ("/thing/ship/a%2Bb%26c%21%24%2A%7Ed", "/thing/ship/a+b&c!$*~d"),
    ("/thing/keeper/ann%40pharos", "/thing/keeper/ann@pharos"),
    ("/thing/timetable/2024%3Bseason%3Dsummer", "/thing/timetable/2024;season=summer"),
    ("/thing/chart/A%3f%23", "/thing/chart/A%3F%23"),
    ("/thing/chart/%41%3F%23", "/thing/chart/A%3F%23"),
    ("/thing/chart/plan%2Ettl", "/thing/chart/plan.ttl"),
    ("/thing/berth//7/", "/thing/berth//7"),
    ("/thing/buoy/⚓", "/thing/buoy/%E2%9A%93"),
    ("/thing/buoy/%e2%9a%93", "/thing/buoy/%E2%9A%93"),
    ("/thing/φάρος/%5F", "/thing/%CF%86%CE%AC%CF%81%CE%BF%CF%82/_"),
    ("/catalogue", "/catalogue/"),
    ("/catalogue/1/", "/catalogue/1"),
    ("/islands/", "/islands"),
    ("/named/φως", "/named/%CF%86%CF%89%CF%82"),
    ("/about/λιμάνι/Ερμούπολη", HERMOUPOLI.replace("/thing/", "/about/")),
    ("/about/ship/cycle/", "/about/ship/cycle"),
]
OTHERS = [
    "/thing/route/Syros/Paros",
    "/thing/route/Syros%252FParos",
    "/thing/route/Piraeus+Syros",
    "/thing/route%2FSyros%2FParos",
    "/thing/berth/7",
    "/thing/berth///7",
    "/thing/chart/100",
    "/thing/chart/100%2525",
    "/thing/chart/A",
    "/thing/chart/A?%23",
    "/thing/chart/plan",
    "/thing/ship/Delos,_the_second%23engine",
    "/thing/ship/a%20b&c!$*~d",
    "/about/chart/plan",
    "/catalogue/search",
    "/catalogue/search?no=3&lang=el",
    "/catalogue/search?lang=el&no=2",
    "/named/nothing",
    "/Thing/ship/cycle",
    "/thing/",
    "/thing",
]


def subjects(site: Site, path: str) -> set[str]:
    response = site.get(path, N_TRIPLES)
    assert (response.status_code, kind(response)) == (200, N_TRIPLES), path
    return {
        quad.subject.value
        for quad in parse(response.content, format=RdfFormat.N_TRIPLES)
        if isinstance(quad.subject, NamedNode)
    }


def bare(site: Site, path: str) -> tuple[int, str]:
    """(status, location) of a path sent as it is written, beyond ASCII too, as curl does."""
    head = (
        site.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        .partition(b"\r\n\r\n")[0]
        .decode()
    )
    location = re.search(r"(?im)^location: (.*?)\r?$", head)
    return int(head.split()[1]), location[1] if location else ""


def shown(page: str) -> str:
    """What a page says, without its markup."""
    return html.unescape(re.sub(r"<[^>]*>", "", page))


# IRIs


@pytest.mark.parametrize("thing", THINGS)
def test_an_odd_thing_dereferences(foreign_site: Site, thing: str) -> None:
    path = foreign_site.path(BASE + thing)
    response = foreign_site.get(path)
    assert response.status_code == 303
    document = foreign_site.below(response.headers["location"])
    assert path.replace("/thing/", "/about/", 1) == document
    assert BASE + thing in subjects(foreign_site, document)
    assert foreign_site.get(document, CHROME).status_code == 200


@pytest.mark.parametrize("thing", THINGS)
def test_an_odd_things_variants_are_served(foreign_site: Site, thing: str) -> None:
    document = foreign_site.path(BASE + thing).replace("/thing/", "/about/", 1)
    for link in links(foreign_site.get(document)):
        if link.rel == "alternate":
            assert link.type == kind(foreign_site.get(foreign_site.below(link.href))), link


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_lies_outside_the_things_is_its_own_document(foreign_site: Site, document: str) -> None:
    path = foreign_site.path(BASE + document)
    response = foreign_site.get(path, TURTLE)
    assert (response.status_code, kind(response)) == (200, TURTLE)
    for link in links(response):
        if link.rel == "alternate":
            variant = foreign_site.get(foreign_site.below(link.href))
            assert (200, link.type) == (variant.status_code, kind(variant)), link
    if document.startswith("catalogue"):
        assert BASE + document in subjects(foreign_site, path)


@pytest.mark.parametrize(("spelt", "true"), SPELLINGS)
def test_another_spelling_redirects_to_the_true_one(foreign_site: Site, spelt: str, true: str) -> None:
    status, location = bare(foreign_site, spelt)
    assert status in (301, 308)
    assert foreign_site.url[:-1] + true == location
    assert foreign_site.get(true).status_code in (200, 303)


@pytest.mark.parametrize("path", OTHERS)
def test_another_name_is_not_found(foreign_site: Site, path: str) -> None:
    assert foreign_site.get(path).status_code == 404


def test_a_hash_iri_of_a_thing_stands_in_its_document(foreign_site: Site) -> None:
    ship = "thing/ship/Delos,_the_second"
    assert {BASE + ship, BASE + ship + "#engine"} <= subjects(foreign_site, "/about/ship/Delos,_the_second")
    page = foreign_site.get("/about/ship/Delos,_the_second", HTML).text
    assert 'id="engine"' in page


def test_a_path_that_ends_like_a_format_is_no_format(foreign_site: Site) -> None:
    assert kind(foreign_site.get("/about/chart/plan.ttl", CHROME)) == HTML
    fixed = foreign_site.get("/about/chart/plan.ttl.ttl", CHROME)
    assert (fixed.status_code, kind(fixed)) == (200, TURTLE)


def test_a_suffix_after_another_spelling_still_leads_to_the_document(foreign_site: Site) -> None:
    for path in (
        "/about/λιμάνι/Ερμούπολη.ttl",
        HERMOUPOLI.lower().replace("/thing/", "/about/") + ".ttl",
        "/about/route/Syros%2fParos.ttl",
        "/about/harbour/Νάουσα.ttl",
    ):
        assert bare(foreign_site, path)[0] in (200, 301, 308), path


def test_an_iri_beyond_the_base_is_described(foreign_site: Site) -> None:
    for iri in (
        "http://www.wikidata.org/entity/Q41",
        "http://www.wikidata.org/entity/Q39715",
        "http://other.example/concepts/7",
    ):
        path = "/describe?iri=" + quote(iri, safe="")
        assert iri in subjects(foreign_site, path)
        page = foreign_site.get(path, CHROME)
        assert f'href="{iri}"' in page.text


@pytest.mark.parametrize(
    "iri",
    [
        "https://www.wikidata.org/entity/Q41",
        "http://www.wikidata.org/entity/Q41/",
        "http://www.wikidata.org/entity/%5141",
    ],
)
def test_another_spelling_of_an_iri_beyond_the_base_redirects(foreign_site: Site, iri: str) -> None:
    response = foreign_site.get("/describe?iri=" + quote(iri, safe=""))
    assert response.status_code in (301, 302, 303, 307, 308)
    assert (
        foreign_site.below(response.headers["location"]) == "/describe?iri=http%3A%2F%2Fwww.wikidata.org%2Fentity%2FQ41"
    )


def test_a_document_may_describe_itself(foreign_site: Site) -> None:
    path = foreign_site.path(BASE + "about/φάρος/Ψυττάλεια")
    assert {BASE + "about/φάρος/Ψυττάλεια", BASE + "thing/φάρος/Ψυττάλεια"} <= subjects(foreign_site, path)
    found = [link.href for link in links(foreign_site.get(path)) if link.rel == "describes"]
    assert [quote(BASE + "thing/φάρος/Ψυττάλεια", safe=":/")] == found


def test_relative_iris_are_the_graph_of_their_file(foreign_site: Site) -> None:
    assert {BASE + "named/islands", BASE + "islands"} <= subjects(foreign_site, "/named/islands")
    assert BASE + "named/keepers" in subjects(foreign_site, "/named/keepers")


# Blank nodes


def test_a_node_to_which_nothing_leads_has_an_address(foreign_site: Site) -> None:
    row = foreign_site.query('SELECT ?x { ?x rdfs:label "chart without an IRI" }', "text/csv").text.splitlines()[1]
    label = row.removeprefix("_:")
    response = foreign_site.get(f"/.well-known/genid/{label}", TURTLE)
    assert response.status_code == 200
    assert "chart without an IRI" in response.text
    assert "chart without an IRI" in foreign_site.get(f"/.well-known/genid/{label}", CHROME).text


def test_nested_nodes_are_shown_to_the_last_level(foreign_site: Site) -> None:
    page = shown(foreign_site.get("/about/ship/nested", HTML).text)
    assert all(f"level {level}" in page for level in range(1, 6))
    assert "item without a name" in page


def test_a_cycle_of_nodes_ends(foreign_site: Site) -> None:
    page = foreign_site.get("/about/ship/cycle", HTML)
    assert page.status_code == 200
    assert len(page.content) < 100_000


def test_lists_are_shown_in_order(foreign_site: Site) -> None:
    page = foreign_site.get("/about/route/lists", HTML).text
    assert page.index("Ερμούπολη</bdi>") < page.index("Παροικιά</bdi>")
    assert "an empty list" in page
    text = re.sub(r"\s+", " ", shown(page))
    assert re.search(r"1 .{0,40}2 .{0,60}three.{0,40}four", text)


# Languages and labels


def test_the_preferred_language_comes_first(foreign_site: Site) -> None:
    page = foreign_site.get(foreign_site.path(BASE + "thing/φάρος/Κόρακας").replace("/thing/", "/about/"), HTML).text
    heading = re.search(r"<h1>(.*?)</h1>", page, re.DOTALL)
    assert heading
    assert heading[1].strip() == '<bdi lang="el">Φάρος Κόρακα</bdi>'
    assert "αυτόματος φάρος" in page


@pytest.mark.parametrize(
    ("thing", "label", "language"),
    [("thing/φάρος/Αρμενιστής", "Φάρος Αρμενιστή", "el"), ("thing/灯台/犬吠埼", "犬吠埼灯台", "ja")],
)
def test_a_label_in_one_language_only_is_shown(foreign_site: Site, thing: str, label: str, language: str) -> None:
    page = foreign_site.get(foreign_site.path(BASE + thing).replace("/thing/", "/about/", 1), HTML).text
    assert re.search(rf'<h1>\s*<bdi lang="{language}">{label}</bdi>', page)


def test_a_thing_without_a_label_shows_its_name(foreign_site: Site) -> None:
    page = foreign_site.get(foreign_site.path(BASE + "thing/φάρος/_").replace("/thing/", "/about/", 1), HTML).text
    heading = re.search(r"<h1>(.*?)</h1>", page, re.DOTALL)
    assert heading
    assert "φάρος/_" in shown(heading[1])


def test_greek_text_of_the_site_is_marked_as_greek(foreign_site: Site) -> None:
    """The pages are in English (`lang="en"`): what is not says so (WCAG 2.2, success criterion 3.1.2)."""
    for path in ("/", "/dataset", "/about/ship/cycle"):
        page = foreign_site.get(path, HTML).text
        main = page[page.index("<body") :]
        for match in re.finditer(r"<(\w+)((?:\s[^<>]*)?)>([^<>]*[α-ωΑ-Ω]{4}[^<>]*)<", main):
            opened = main[: match.start(3)]
            inside = re.findall(r"<(/?)(\w+)([^<>]*)>", opened)
            stack: list[str] = []
            for closing, tag, attributes in inside:
                if tag in ("meta", "link", "br", "img", "input"):
                    continue
                if closing:
                    stack.pop()
                else:
                    stack.append(attributes)
            assert any(re.search(r'\blang="el"', attributes) for attributes in stack), (path, match[0])


def test_shapes_lay_out_the_page(foreign_site: Site) -> None:
    page = foreign_site.get(foreign_site.path(BASE + "thing/φάρος/Κόρακας").replace("/thing/", "/about/"), HTML).text
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", page)
    assert [shown(heading) for heading in headings][:2] == ["Πύργος", "Τοποθεσία"]
    assert page.index("πρώτο άναμμα") < page.index("ύψος του πύργου (m)") < page.index("πάνω σε")
    assert "φαροφύλακες" in page


def test_long_lists_have_pages(foreign_site: Site) -> None:
    harbour = foreign_site.get(
        foreign_site.path(BASE + "thing/λιμάνι/Πειραιάς").replace("/thing/", "/about/"), HTML
    ).text
    more = re.search(r'href="(/links\?[^"]+)"[^>]*>all 66<', harbour)
    assert more
    met: list[str] = []
    path: str | None = html.unescape(more[1])
    pages = 0
    while path:
        response = foreign_site.get(path, HTML)
        assert response.status_code == 200
        listed = response.text[response.text.index('<ul class="list">') :]
        met += re.findall(r'<a href="([^"]+)" title', listed)
        following = re.search(r'href="([^"]+)" rel="next"', response.text)
        path = html.unescape(following[1]) if following else None
        pages += 1
    assert (pages, len(met), len(set(met))) == (3, 66, 66)


def test_a_class_lists_all_its_members(foreign_site: Site) -> None:
    slug = re.search(r'href="/browse/([^"]+)"><span[^>]*>\s*(?:<bdi[^>]*>)?σημαδούρα', foreign_site.get("/", HTML).text)
    assert slug
    met: list[str] = []
    path: str | None = f"/browse/{slug[1]}"
    while path:
        page = foreign_site.get(path, HTML).text
        met += re.findall(r'<a href="([^"]+)" title', page[page.index('<ul class="list">') :])
        following = re.search(r'href="([^"]+)" rel="next"', page)
        path = html.unescape(following[1]) if following else None
    assert 67 == len(met) == len(set(met))  # 66 buoys by inference, and the anchor


# Literals


def test_datatypes_keep_their_forms(foreign_site: Site) -> None:
    turtle = foreign_site.get("/about/ship/values.nt").text
    for form in (
        "12345678901234567890123",
        "2024-02-29T12:30:00.25+02:00",
        "-0044",
        "--02-29",
        "PT1H30M",
        "zrE=",
        "POINT(24.91 37.43)",
        "Fl(2) W 15s",
    ):
        assert f'"{form}"' in turtle, form


def test_language_tags_are_shown(foreign_site: Site) -> None:
    page = foreign_site.get("/about/ship/tongues", HTML).text
    for tag in ("zh-hant-tw", "x-klingon", "ar", "it"):
        assert f'lang="{tag}"' in page
