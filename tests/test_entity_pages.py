"""What an entity's page has beyond its statements: tables, pictures, disagreements, gaps, and what to take away."""

import html
import json
import re
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import serving
from pyoxigraph import NamedNode, RdfFormat, parse
from serving import HTML, Site

from tracktwo.entity import Describer
from tracktwo.view import View
from tracktwo.web.site import Site as Opened

own_site, foreign_site = serving.own_site, serving.foreign_site

ID = "https://w3id.org/tracktwo/id/"
CASEY, YESIN = "person/george-w-casey-jr", "person/viktor-yesin"
THIRD = "meeting/us-russia-mil-to-mil-meeting-3"
KINDS = [
    CASEY,
    YESIN,
    THIRD,
    "dialogue/elbe-group",
    "institution/stimson-center",
    "rank/ru-colonel-general",
    "topic/arms-control",
    "publication/joint-threat-assessment-2011",
]


def page(site: Site, entity: str) -> str:
    answer = site.get(f"/doc/{entity}?lang=en", HTML)
    assert answer.status_code == 200
    return answer.text


def view(opened: Opened, entity: str) -> View:
    describer: Describer = opened.describer
    return describer.page(NamedNode(ID + entity))


def text(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def test_where_sources_disagree_each_value_stands_beside_who_says_so(own_site: Site) -> None:
    disputed = re.findall(r'<div class="disputed">(.*?)</div>', page(own_site, CASEY), re.DOTALL)
    assert len(disputed) == 1
    lines = [text(line) for line in re.findall(r"<li>(.*?)</li>", disputed[0], re.DOTALL)]
    assert len(lines) == 2
    assert {line.split(" 1948")[0] for line in lines} == {"21 July", "22 July"}
    assert len({line.split("1948 ")[1] for line in lines}) == 2


def test_what_is_disputed_has_more_values_than_its_shape_expects(own_opened: Opened) -> None:
    rows = [row for group in view(own_opened, CASEY).groups for row in group.rows]
    assert [row.label for row in rows if row.disputed] == ["born"]


def test_remarks_are_the_results_of_the_validation(own_opened: Opened) -> None:
    """Every warning of the report stands on the page of what it warns of."""
    rules = own_opened.release.manifest["validation"]["rules"]
    nodes = sorted({node for rule in rules for node in rule["nodes"]})
    assert len(nodes) > 50
    for node in nodes[::5]:
        said = [rule for rule in rules if node in rule["nodes"]]
        remarks = own_opened.describer.page(NamedNode(node)).remarks
        assert len(remarks) >= len(said)
        assert all(remark.severity == "Warning" and remark.text and remark.language == "en" for remark in remarks)


def test_what_the_shapes_expect_and_nobody_says_is_not_known(own_opened: Opened, own_site: Site) -> None:
    dialogue = "dialogue/pugwash-dialogues"
    missing = [row for group in view(own_opened, dialogue).groups for row in group.rows if not row.values]
    assert ["diplomatic track", "citizens of"] == [row.label for row in missing]
    shown = page(own_site, dialogue)
    assert len(missing) == len(re.findall(r'<dd>\s*<span class="unknown">not known</span>', shown))


def test_members_stand_in_a_table_with_what_their_shape_says_of_them(own_opened: Opened) -> None:
    link = next(link for link in view(own_opened, THIRD).incoming if link.iri.endswith("#contributesTo"))
    assert len(link.tables) == 1
    table = link.tables[0]
    assert {"who", "role", "side", "rank at the time"} <= {label for label, _ in table.columns}
    assert len(table.rows) == link.count == 11
    columns = [label for label, _ in table.columns]
    yesin = next(row for row in table.rows if "viktor-yesin" in row.head.iri)
    cells = {label: [value.text for value in cell] for label, cell in zip(columns, yesin.cells, strict=True)}
    assert cells["side"] == ["Russia"]
    assert cells["rank at the time"] == ["colonel general (Russian Armed Forces)"]
    assert link.listed == ()


def test_texts_are_in_the_readers_language_and_the_others_folded(own_site: Site) -> None:
    for language, own, other in (("en", "Viktor Yesin", "Виктор Есин"), ("ru", "Виктор Есин", "Viktor Yesin")):
        shown = own_site.get(f"/doc/{YESIN}?lang={language}", HTML).text
        assert f'<h1><bdi lang="{language}">{own}</bdi></h1>' in shown
        folded = re.findall(r'<details class="tongues">(.*?)</details>', shown, re.DOTALL)
        assert any(other in part for part in folded)


@pytest.mark.parametrize("entity", KINDS)
def test_the_query_behind_a_section_gives_what_it_shows(own_site: Site, own_opened: Opened, entity: str) -> None:
    found = view(own_opened, entity)
    asked = 0
    for query, count in [
        *((group.query, sum(len(row.values) for row in group.rows)) for group in found.groups),
        *((link.query, link.count) for link in found.incoming),
    ]:
        if query:
            answer = own_site.get(f"/sparql?query={quote(query, safe='')}", "application/sparql-results+json")
            assert answer.status_code == 200, query
            assert count == len(answer.json()["results"]["bindings"]), query
            asked += 1
    assert asked >= 4
    links = re.findall(r'<a class="ask" href="([^"]*)"', page(own_site, entity))
    assert asked == len(links)
    assert all(parse_qs(urlsplit(html.unescape(link)).query)["query"] for link in links)


@pytest.mark.parametrize("entity", KINDS)
def test_what_is_taken_away_is_true(own_site: Site, entity: str) -> None:
    lines = [
        html.unescape(line)
        for line in re.findall(r'<code class="copied"[^>]*>(.*?)</code>', page(own_site, entity).split('id="take"')[1])
    ]
    iri, curl, turtle, same = (
        next(line for line in lines if re.match(start, line))
        for start in ("https:", "curl", "<https.*rdfs:label", "<> owl:sameAs")
    )
    assert iri == ID + entity
    prefixes = (
        "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix owl: <http://www.w3.org/2002/07/owl#> .\n"
    )
    for line in (turtle, same):
        assert len(list(parse(prefixes + line, RdfFormat.TURTLE, base_iri="http://example.org/x"))) == 1
    url = re.findall(r"'([^']*)'", curl)[1]
    answer = own_site.get(own_site.below(url), "text/turtle")
    assert (200, True) == (answer.status_code, iri in answer.text)


def test_neighbours_with_dates_are_on_a_timeline(own_site: Site) -> None:
    shown = page(own_site, YESIN)
    section = re.search(r'<section class="group" id="timeline">(.*?)</details>\s*</section>', shown, re.DOTALL)
    assert section
    assert 'class="picture timeline"' in section[1]
    assert "Third meeting" in section[1]
    listed = [text(line) for line in re.findall(r"<li>(.*?)</li>", section[1].split("<details>")[1], re.DOTALL)]
    assert "Third meeting of the U.S.-Russia Military-to-Military Dialogue 21 June 2021 meeting" in listed
    assert len(listed) == section[1].count("<rect ")


def test_what_is_wider_and_narrower_is_a_tree(own_site: Site) -> None:
    shown = page(own_site, "topic/arms-control")
    assert re.search(r'id="hierarchy".*?<ul class="tree">.*?intermediate-range missiles', shown, re.DOTALL)


def test_the_network_is_walked_from_one_to_the_next(own_site: Site) -> None:
    start = f"/around?iri={quote(ID + YESIN, safe='')}"
    shown = own_site.get(start, HTML)
    assert shown.status_code == 200
    assert 'class="picture network"' in shown.text
    steps = {html.unescape(step) for step in re.findall(r'<a href="(/around[^"]*)"', shown.text)}
    assert len(steps) > 10
    for step in sorted(steps)[:5]:
        answer = own_site.get(step, HTML)
        assert answer.status_code == 200
        assert "Viktor Yesin" in answer.text


def test_a_card_says_what_a_link_leads_to(own_site: Site) -> None:
    answer = own_site.get(f"/card?iri={quote(ID + THIRD, safe='')}&lang=en")
    card = json.loads(answer.text)
    assert ("Third meeting of the U.S.-Russia Military-to-Military Dialogue", ["meeting"]) == (
        card["label"],
        card["types"],
    )
    assert len(card["summary"]) > 20
    person = json.loads(own_site.get(f"/card?iri={quote(ID + YESIN, safe='')}&lang=en").text)
    assert person["summary"].startswith("ranks held colonel general (Russian Armed Forces) · ")
    assert own_site.get("/card?iri=urn:nothing").status_code == 404
    assert own_site.get("/card").status_code == 404


@pytest.mark.parametrize("path", ["/around", "/around?iri=x", "/around?iri=urn:nothing"])
def test_there_is_no_network_around_nothing(own_site: Site, path: str) -> None:
    assert own_site.get(path, HTML).status_code == 404


def test_what_only_follows_leads_to_why(own_site: Site) -> None:
    links = {html.unescape(link) for link in re.findall(r'class="note inferred" href="([^"]*)"', page(own_site, YESIN))}
    assert len(links) > 10
    for link in sorted(links)[:10]:
        answer = own_site.get(link, HTML)
        assert answer.status_code == 200
        assert "Nobody states it" in answer.text or "nobody states it" in answer.text


def test_pages_of_a_foreign_publication_have_them_too(foreign_site: Site) -> None:
    shown = foreign_site.get("/about/keeper/Nikos", HTML)
    assert shown.status_code == 200
    assert 'class="copied"' in shown.text
    assert re.search(r'<table class="members">', shown.text)


def test_without_a_summary_the_header_says_the_first_short_facts(own_site: Site) -> None:
    shown = page(own_site, "participation/viktor-yesin--us-russia-mil-to-mil-meeting-3--participant")
    line = re.search(r'<p class="summary facts">(.*?)</p>', shown, re.DOTALL)
    assert line
    assert text(line[1]) == "styled in the source as Colonel General (ret.) · who Viktor Yesin · role participant"
    assert 'class="summary facts"' not in page(own_site, THIRD)
