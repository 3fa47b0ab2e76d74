"""Entities are found by words of their labels and texts, in any script, and with an error in a word."""

import json
import re
from collections.abc import Callable
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
import serving
from conftest import EX, PREFIXES, built, write_publication
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import RdfFormat, parse
from serving import CHROME, TURTLE, Site

from tracktwo.search import Found, Search, deletions, fold

own_site, foreign_site = serving.own_site, serving.foreign_site

PERSON = "https://w3id.org/tracktwo/id/person/"
DATA = (
    PREFIXES
    + r"""
ex:a a ex:Thing ; rdfs:label "Lighthouse"@en .
ex:b a ex:Thing ; rdfs:label "Lighthouse keeper"@en ; ex:keeps ex:a, ex:c .
ex:c a ex:Thing ; rdfs:label "Light"@en ; rdfs:comment "Seen from the lighthouse."@en .
ex:d a ex:Other ; rdfs:label "Маяк на Κόρακας"@ru .
ex:e a ex:Thing ; rdfs:label "2021 report"@en .
ex:f a ex:Thing ; rdfs:label "\"quoted\" NEAR(AND) *"@en .
"""
)


@pytest.fixture(scope="module")
def find(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Found]:
    folder = tmp_path_factory.mktemp("search")
    write_publication(folder / "publication", {"data/d.ttl": DATA})
    return Search(built(folder / "publication", folder / "releases").release.catalog).find


def names(found: Found) -> list[str]:
    return [hit.iri.removeprefix(EX) for hit in found.hits]


def test_the_whole_of_a_label_comes_first_then_its_beginning_then_texts(find: Callable[..., Found]) -> None:
    assert ["a", "b", "c"] == names(find("lighthouse"))
    assert ["c", "a", "b"] == names(find("light", unfinished=True))


def test_a_word_without_a_match_is_taken_for_the_beginning_of_one(find: Callable[..., Found]) -> None:
    assert ["a", "b", "c"] == names(find("lighthou"))


@pytest.mark.parametrize("text", ["Lighthuose", "Lihthouse", "Lightthouse", "Lightnouse", "lighthouse keepr"])
def test_an_error_in_a_word_is_forgiven_and_said(find: Callable[..., Found], text: str) -> None:
    found = find(text)
    assert found.forgiven
    assert "b" in names(found)


def test_digits_and_short_words_are_taken_as_they_are(find: Callable[..., Found]) -> None:
    assert ["e"] == names(find("2021"))
    assert [] == names(find("2022"))
    assert [] == names(find("ligt housse zz"))


@pytest.mark.parametrize("text", ["маяк", "mayak", "Korakas", "κόρακας", "маяк korakas"])
def test_scripts_are_one(find: Callable[..., Found], text: str) -> None:
    assert ["d"] == names(find(text))


@pytest.mark.parametrize("text", ["", "   ", "*", '"', "AND", 'NEAR("a b")', "a OR", "-", "c:x", "^", "\0", "😀" * 99])
def test_no_text_is_a_command(find: Callable[..., Found], text: str) -> None:
    assert find(text).forgiven in (True, False)


def test_a_class_narrows_and_is_counted(find: Callable[..., Found]) -> None:
    assert {"thing": 3} == dict(find("lighthouse").classes)
    assert [] == names(find("lighthouse", "other"))
    assert ["d"] == names(find("mayak", "other"))
    assert [] == names(find("mayak", "nothing"))


@given(st.text(max_size=40))
def test_folding_is_ascii_and_steady(text: str) -> None:
    folded = fold(text)
    assert folded.isascii()
    assert folded == fold(folded)


@given(st.text("abc", min_size=1, max_size=6), st.integers(0, 5), st.text("abc", max_size=1))
def test_words_that_differ_by_a_letter_share_a_deletion(word: str, place: int, other: str) -> None:
    assert deletions(word) & deletions(word[:place] + other + word[place + 1 :])


# The product's own data, over HTTP


@pytest.mark.parametrize("text", ["Есин", "Yesin", "Esin", "есин", "Yessin", "Viktor Yesin", "Виктор Есин"])
def test_a_name_in_any_spelling_finds_the_same_man(own_site: Site, text: str) -> None:
    found = own_site.get("/search.json?q=" + quote(text)).json()
    assert f"{PERSON}viktor-yesin" == found["hits"][0]["iri"]


def test_the_page_the_json_and_the_rdf_name_the_same_entities(own_site: Site) -> None:
    as_json = own_site.get("/search?q=strategic", "application/json")
    assert "application/json" == as_json.headers["content-type"]
    iris = [hit["iri"] for hit in as_json.json()["hits"]]
    assert len(iris) > 5
    page = own_site.get("/search?q=strategic", CHROME)
    assert iris == [match for match in re.findall(r'<li><a href="[^"]+" title="([^"]+)"', page.text) if match in iris]
    quads = list(parse(own_site.get("/search?q=strategic", TURTLE).content, format=RdfFormat.TURTLE))
    assert set(iris) == {str(q.object).strip("<>") for q in quads if q.predicate.value == "https://schema.org/item"}


def test_a_class_is_a_link_that_narrows(own_site: Site) -> None:
    page = own_site.get("/search?q=nuclear", CHROME)
    assert "/search?q=nuclear&amp;class=topic" in page.text
    narrowed = own_site.get("/search.json?q=nuclear&class=topic").json()
    assert narrowed["hits"]
    assert all("/id/topic/" in hit["iri"] for hit in narrowed["hits"])


def test_suggestions_are_open_search(own_site: Site) -> None:
    response = own_site.get("/suggest?q=" + quote("Еси"))
    assert "application/x-suggestions+json" == response.headers["content-type"]
    text, labels, kinds, pages = response.json()
    assert ("Еси", "Виктор Есин", "person") == (text, labels[0], kinds[0])
    assert len(labels) == len(kinds) == len(pages) <= 8
    assert 200 == own_site.get(own_site.below(pages[0]), CHROME).status_code


SAID = ("ShortName", "Description", "Language", "Image")


def test_the_description_for_browsers_leads_to_the_search(own_site: Site) -> None:
    response = own_site.get("/opensearch.xml")
    assert "application/opensearchdescription+xml" == response.headers["content-type"]
    spec = "{http://a9.com/-/spec/opensearch/1.1/}"
    described = ElementTree.fromstring(response.text)
    urls = {url.get("type"): url.get("template", "") for url in described.iter(f"{spec}Url")}
    assert {"text/html", "application/json", "text/turtle", "application/x-suggestions+json"} < urls.keys()
    said = {name: [element.text or "" for element in described.iter(spec + name)] for name in SAID}
    assert ["Track Two"] == said["ShortName"]
    assert 20 < len(said["Description"][0]) <= 1024
    assert ["en", "ru"] == said["Language"]
    assert 200 == own_site.get(own_site.below(said["Image"][0])).status_code
    russian = ElementTree.fromstring(own_site.get("/opensearch.xml?lang=ru").text)
    assert ["Второй трек"] == [element.text for element in russian.iter(f"{spec}ShortName")]
    for url in urls.values():
        assert 200 == own_site.get(own_site.below(url.replace("{searchTerms}", "Yesin")), CHROME).status_code
    assert f'href="{own_site.url}opensearch.xml"' in own_site.get("/", CHROME).text


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\u202eabc", "a" * 5000, "%00", "zzzz"])
def test_what_was_asked_is_shown_harmlessly(own_site: Site, text: str) -> None:
    response = own_site.get("/search?q=" + quote(text), CHROME)
    assert 200 == response.status_code
    assert "<script>alert" not in response.text


def test_pages_of_hits_are_disjoint_and_whole(own_site: Site) -> None:
    first = own_site.get("/search.json?q=meeting").json()
    assert first["found"] > 0
    seen: list[str] = []
    for start in range(0, first["found"], 50):
        seen += [hit["iri"] for hit in own_site.get(f"/search.json?q=meeting&start={start}").json()["hits"]]
    assert first["found"] == len(seen) == len(set(seen))


def test_another_publication_is_found_too(foreign_site: Site) -> None:
    labels = json.loads(foreign_site.get("/suggest?q=korak").text)[1]
    assert labels


@pytest.mark.parametrize("path", ["/search?q=a", "/browse/ship", "/browse/chart"])
def test_a_node_without_a_name_is_listed_under_the_iri_of_its_page(foreign_site: Site, path: str) -> None:
    response = foreign_site.get(path, TURTLE)
    assert response.status_code == 200
    things = [
        quad.object
        for quad in parse(response.content, format=RdfFormat.TURTLE)
        if quad.predicate.value.endswith("schema.org/item")
    ]
    assert things
    for thing in things:
        if "/.well-known/genid/" in thing.value:
            assert foreign_site.get(foreign_site.path(thing.value)).status_code == 200
    assert any("/.well-known/genid/" in thing.value for thing in things) == (path != "/browse/ship")


def test_items_are_numbered_through_all_pages(own_site: Site) -> None:
    response = own_site.get("/search?q=meeting&start=25", TURTLE)
    assert own_site.below(response.headers["content-location"]) == "/search.ttl?q=meeting&start=25"
    positions = [
        int(quad.object.value)
        for quad in parse(response.content, format=RdfFormat.TURTLE)
        if quad.predicate.value.endswith("schema.org/position")
    ]
    assert list(range(26, 26 + len(positions))) == sorted(positions)
    assert positions


@pytest.mark.parametrize("start", ["-1000", "-1", "x", "1.5", "9" * 30])
def test_a_start_that_is_none_is_refused(own_site: Site, start: str) -> None:
    for suffix in ("", ".json"):
        assert own_site.get(f"/search{suffix}?q=meeting&start={start}").status_code == 400
