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
ONTOLOGY = "https://w3id.org/tracktwo/ontology#"
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


def test_each_side_of_a_disagreement_has_its_footnote_and_sources_of_one_name_their_graphs(own_site: Site) -> None:
    disputed = re.findall(r'<div class="disputed">(.*?)</div>', page(own_site, CASEY), re.DOTALL)[0]
    lines = re.findall(r"<li>(.*?)</li>", disputed, re.DOTALL)
    assert all(re.search(r'class="note" href="#source-\d+"', line) for line in lines)
    names = [re.findall(r'<a href="#source-\d+"[^>]*>([^<]*)</a>', line)[0] for line in lines]
    assert (len(set(names)) == 1) == all("<code>" in line for line in lines)


def test_what_is_disputed_has_more_values_than_its_shape_expects(own_opened: Opened) -> None:
    rows = [row for group in view(own_opened, CASEY).groups for row in group.all_rows]
    assert [row.label for row in rows if row.disputed] == ["born"]


@pytest.mark.parametrize(
    ("entity", "label", "values", "disputed"),
    [
        ("meeting/us-russia-mil-to-mil-meeting-1", "began", ["2020", "2020-10-05"], False),
        ("person/john-abizaid", "born", ["1948-04-01", "1951", "1951-04-01"], True),
        (CASEY, "born", ["1948-07-21", "1948-07-22"], True),
    ],
)
def test_a_year_does_not_dispute_a_day_in_it(
    own_opened: Opened, entity: str, label: str, values: list[str], disputed: bool
) -> None:
    row = next(row for group in view(own_opened, entity).groups for row in group.rows if row.label == label)
    assert (values, disputed) == ([value.text for value in row.values], row.disputed)


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
        messages = {" ".join(rule["messages"]["en"].lower().replace(".", "").split()) for rule in said}
        whole = {f"{remark.text} {remark.advice}".lower().replace(".", "").strip() for remark in remarks}
        assert {message.replace(": ", " ") for message in messages} <= whole


def test_readers_see_what_is_the_matter_and_curators_what_to_do(own_site: Site) -> None:
    shown = page(own_site, CASEY)
    remarks = re.search(r'<section class="remarks".*?</section>', shown, re.DOTALL)
    assert remarks
    said, _, folded = remarks[0].partition("<details>")
    assert "Remarks of the validation" in said
    assert "Two birth dates are given." in said
    assert "see which source is right" not in said.lower()
    assert "see which source is right" in folded.lower()
    assert shown.index('class="remarks"') > shown.index('id="part-1"')


def test_what_the_shapes_expect_and_nobody_says_is_not_known(own_opened: Opened, own_site: Site) -> None:
    dialogue = "dialogue/pugwash-dialogues"
    missing = [row for group in view(own_opened, dialogue).groups for row in group.rows if not row.values]
    assert ["diplomatic track", "citizens of"] == [row.label for row in missing]
    shown = page(own_site, dialogue)
    assert len(missing) == len(re.findall(r'<dd>\s*<span class="unknown">not known</span>', shown))


def test_members_stand_in_a_table_with_what_their_shape_says_of_them(own_opened: Opened) -> None:
    group = next(group for group in view(own_opened, THIRD).groups if group.label == "people and institutions")
    link = next(link for link in group.links if link.iri.endswith("#contributesTo"))
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
    assert ["participants"] == [row.label for row in group.follows]


def test_what_leads_to_a_page_stands_where_the_shapes_of_its_class_put_it(own_opened: Opened) -> None:
    groups = {group.label: group for group in view(own_opened, YESIN).groups}
    assert ["participations"] == [link.label for link in groups["part in dialogues"].links]
    assert ["posts", "service in ranks"] == [link.label for link in groups["career"].links]
    posts = groups["career"].links[0]
    assert (3, 3) == (posts.count, len(posts.values))
    columns = [label for label, _ in posts.tables[0].columns]
    assert columns[0] == "when"
    chief = next(row for row in posts.tables[0].rows if "Chief of Staff" in row.head.text)
    assert ["1991 – 1993"] == [value.text for value in chief.cells[0]]


def test_what_bounds_a_date_or_says_a_name_again_is_folded_under_it(own_opened: Opened) -> None:
    rows = {row.label: row for group in view(own_opened, THIRD).groups for row in group.rows}
    assert ["began no earlier than", "began no later than"] == [row.label for row in rows["began"].further]
    assert ("bounds of the beginning", "en") == rows["began"].further_label
    topic = {row.label: row for group in view(own_opened, "topic/nuclear-weapons").groups for row in group.rows}
    assert ["preferred term"] == [row.label for row in topic["name"].further]
    assert ["top concept of"] == [row.label for row in topic["scheme"].further]


def test_what_is_said_of_every_kind_of_thing_alike_makes_no_table(own_opened: Opened) -> None:
    row = next(row for group in view(own_opened, THIRD).groups for row in group.rows if row.label == "topics discussed")
    assert len(row.values) > 10
    assert () == row.tables


def test_columns_of_dates_are_one_and_none_for_their_bounds(own_opened: Opened) -> None:
    row = next(row for group in view(own_opened, YESIN).groups for row in group.rows if row.label == "took part in")
    meetings = next(table for table in row.tables if table.label == "meeting")
    columns = [label for label, _ in meetings.columns]
    assert ["number in the series", "speaks of", "format", "when", "dialogue"] == columns
    first = next(line for line in meetings.rows if line.head.text.startswith("First meeting"))
    assert ["2020-10-05"] == [value.text for value in first.cells[columns.index("when")]]


def test_a_column_does_not_say_the_page_again(own_opened: Opened) -> None:
    page_iris = {"institution/csis": ID + "institution/csis", THIRD: ID + THIRD}
    checked = 0
    for entity, iri in page_iris.items():
        found = view(own_opened, entity)
        for link in found.links:
            for table in link.tables:
                for row in table.rows:
                    assert iri not in {value.iri for cell in row.cells for value in cell}
                    checked += 1
    assert checked > 10


def test_every_value_of_a_table_and_every_link_that_leads_here_has_its_sources(own_opened: Opened) -> None:
    checked = 0
    for entity in KINDS:
        found = view(own_opened, entity)
        graphs = {source.graph for source in found.sources}
        rows = [row for group in found.groups for row in group.all_rows]
        tables = [table for row in rows for table in row.tables]
        tables += [table for link in found.links for table in link.tables]
        cells = [value for table in tables for row in table.rows for cell in row.cells for value in cell]
        ends = [end for value in cells for end in (value.items or (value,)) if end.text]
        for value in (*ends, *(value for link in found.links for value in link.values)):
            assert value.sources, (entity, value.text)
            assert {source.graph for source in value.sources} <= graphs
            checked += 1
    assert checked > 300


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
        *((group.query, sum(len(row.values) for row in group.all_rows)) for group in found.groups),
        *((link.query, link.count) for link in found.links),
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
        for start in ("https:", "curl", "<https.*#label>", "<https://example.org/yours> <")
    )
    assert iri == ID + entity
    for line in (turtle, same):
        assert len(list(parse(line, RdfFormat.TURTLE))) == 1
    curie = next(line for line in lines if re.fullmatch(r"[a-z-]+:[\w.-]+", line))
    answer = own_site.get(f"/sparql?query={quote(f'SELECT (STR({curie}) AS ?iri) {{}}', safe='')}", "text/csv")
    assert ["iri", iri] == answer.text.split()
    assert f"{curie.partition(':')[0]}:" in own_site.get("/prefixes.ttl").text
    url = re.findall(r"'([^']*)'", curl)[1]
    answer = own_site.get(own_site.below(url), "text/turtle")
    assert answer.status_code == 200
    assert NamedNode(iri) in {triple.subject for triple in parse(answer.text, RdfFormat.TURTLE)}


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


def test_an_identifier_is_read_by_the_name_of_its_scheme(own_opened: Opened, own_site: Site) -> None:
    rows = [row for group in view(own_opened, "institution/csis").groups for row in group.rows]
    same = next(row for row in rows if row.label == "same in other datasets")
    assert ["ROR 04my2jj52", "Wikidata Q1053614"] == [value.text for value in same.values]
    assert 'class="summary facts"' in page(own_site, "place/berlin")
    assert (
        "GeoNames" not in re.findall(r'<p class="summary facts">.*?</p>', page(own_site, "place/berlin"), re.DOTALL)[0]
    )


def test_of_several_descriptions_the_longest_heads_the_page(own_opened: Opened) -> None:
    post = "post/viktor-yesin--chief-of-staff-of-the-strategic-missile-forces"
    found = next(one for one in own_opened.catalog.starting_with(ID + "post/viktor-yesin--chief"))
    shown = view(own_opened, found.removeprefix(ID))
    texts = [
        value.text
        for group in shown.groups
        for row in group.all_rows
        for value in row.values
        if row.label == "description" and value.language == "en"
    ]
    assert found.startswith(ID + post[:40])
    assert len(texts) > 1
    assert max(texts, key=len) == shown.summary[0]


def test_a_fact_is_said_once_and_never_as_a_bare_iri(own_opened: Opened) -> None:
    checked = 0
    for entity in (*KINDS, "topic/nuclear-weapons", "place/berlin", "state/russia"):
        facts = view(own_opened, entity).facts
        texts = [value.text for _, value in facts]
        assert len(texts) == len(set(texts))
        assert all(value.named for _, value in facts if value.kind == "iri")
        checked += len(facts)
    assert checked > 8


def test_what_a_standard_only_entails_does_not_head_a_page(own_opened: Opened) -> None:
    shown = view(own_opened, YESIN)
    assert ["person", "officer"] == [type_.text for type_ in shown.types]
    row = next(row for row in shown.derived if row.iri.endswith("#type"))
    assert all(value.inferred for value in row.values)


def test_a_tree_is_not_repeated_as_a_list(own_opened: Opened) -> None:
    shown = view(own_opened, "topic/arms-control")
    assert shown.hierarchy
    assert ["narrower"] == [link.label for link in shown.drawn]
    assert not [
        link
        for link in (*shown.incoming, *(link for group in shown.groups for link in group.links))
        if link.iri.endswith(("#broader", "#hasTopConcept"))
    ]


def test_the_network_lists_nothing_that_only_follows_from_what_it_lists(own_site: Site) -> None:
    shown = own_site.get(f"/around?iri={quote(ID + YESIN, safe='')}&lang=en", HTML).text
    assert "groups" in shown
    assert "is “" not in shown


def test_all_links_of_one_kind_are_there_as_data(own_site: Site) -> None:
    query = f"iri={quote(ID + 'state/russia', safe='')}&property={quote(ONTOLOGY + 'isOnSideOf', safe='')}"
    shown = own_site.get(f"/links?{query}&lang=en", HTML)
    total = int(re.findall(r'<h1>.*?<span class="count">(\d+)</span>', shown.text, re.DOTALL)[0])
    offered = re.findall(r'<a href="([^"]*/links\.[^"]*)" rel="alternate">', shown.text)
    assert len(offered) >= 6
    as_json = own_site.get(f"/links.json?{query}").json()
    assert (total, total) == (as_json["found"], len(as_json["entries"]))
    lines = own_site.get(f"/links?{query}", "text/csv").text.splitlines()
    assert lines[0] == "iri,label_en,label_ru"
    assert total == len(lines) - 1
    statements = list(parse(own_site.get(f"/links.nt?{query}").text, RdfFormat.N_TRIPLES))
    side = [one for one in statements if one.predicate.value == ONTOLOGY + "isOnSideOf"]
    assert total == len(side)
    assert {ID + "state/russia"} == {one.object.value for one in side if isinstance(one.object, NamedNode)}
    assert 'rel="alternate"; type="text/turtle"' in shown.headers["Link"]
    assert own_site.get(f"/links.xyz?{query}").status_code == 404


def test_without_a_summary_the_header_says_the_first_short_facts(own_site: Site) -> None:
    shown = page(own_site, "participation/viktor-yesin--us-russia-mil-to-mil-meeting-3--participant")
    line = re.search(r'<p class="summary facts">(.*?)</p>', shown, re.DOTALL)
    assert line
    assert text(line[1]) == "styled in the source as Colonel General (ret.) · who Viktor Yesin · role participant"
    assert 'class="summary facts"' not in page(own_site, THIRD)
