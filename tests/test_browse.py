"""Lists of a class: facets count what the store holds, choices narrow, pages reach every entity once."""

import csv
import html
import io
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from urllib.parse import urlencode

import pytest
from conftest import FOREIGN, OWN, Built
from flask.testing import FlaskClient
from pyoxigraph import Literal, NamedNode, QuerySolutions, RdfFormat, Store, parse

from tracktwo import publication as publications
from tracktwo.facets import MOST_VALUES, ORDERS, Choice, Facet, Numbers, Tally, packed
from tracktwo.namespaces import RDFS, SCHEMA
from tracktwo.release import facets as offered
from tracktwo.release.facets import Offer, Path
from tracktwo.release.load import read
from tracktwo.web.app import create_app
from tracktwo.web.site import Options, Site

ENOUGH = 60.0  # seconds that no count needs
NOTHING = Choice({}, {})
HOSTILE = [
    "",
    "'",
    '"',
    "%",
    "\x00",
    "../..",
    "<script>alert(1)</script>",
    "9" * 400,
    "x" * 3000,
    "💥",
    "1 OR 1=1",
    "[]",
]


@pytest.fixture
def client(each: Built) -> Iterator[FlaskClient]:
    """Asks one of the two publications."""
    app = create_app(Options(each.folder, "http://127.0.0.1:8000/"))
    yield app.test_client()
    app.extensions["follower"].close()


@pytest.fixture(scope="module")
def own_client(own: Built) -> Iterator[FlaskClient]:
    app = create_app(Options(own.folder, "http://127.0.0.1:8000/"))
    yield app.test_client()
    app.extensions["follower"].close()


def faceted(site: Site) -> dict[str, list[Facet]]:
    """The facets of each class that the data names and that has some, by its slug."""
    found = {row.slug: site.facets.of(row.slug) for row in site.catalog.classes() if row.stated}
    return {slug: facets for slug, facets in found.items() if facets}


def held(site: Site, slug: str, facet: Facet, value: str) -> set[str]:
    """The entities of a class that have one value."""
    choice = site.facets.choose([facet], {facet.name: [value]})
    return {entry.iri for entry in site.facets.entries(slug, choice.all(), "label", -1, 10_000)}


def walked(client: FlaskClient, path: str) -> list[str]:
    """The IRIs of a list, page by page, as its links lead."""
    met: list[str] = []
    while path:
        response = client.get(path)
        assert response.status_code == 200, path
        page = response.text
        met += map(html.unescape, re.findall(r'<a href="[^"]*" title="([^"]*)"', page))
        following = re.search(r'href="([^"]+)" rel="next"', page)
        path = html.unescape(following[1]) if following else ""
    return met


def as_json(client: FlaskClient, slug: str, query: str = "") -> dict[str, object]:
    found: dict[str, object] = json.loads(client.get(f"/browse/{slug}.json?{query}").text)
    return found


def iris(found: dict[str, object]) -> list[str]:
    entries = found["entries"]
    assert isinstance(entries, list)
    return [entry["iri"] for entry in entries]


# --- counts ----------------------------------------------------------------------------------------------------------


def sparql(path: Path) -> str:
    """A path as SPARQL writes it."""
    parts = [sparql(part) for part in path.parts]
    return {
        "property": f"<{path.iri}>",
        "inverse": f"^<{path.iri}>",
        "sequence": f"({'/'.join(parts)})",
        "either": f"({'|'.join(parts)})",
        "perhaps": f"({''.join(parts)})?",
    }[path.kind]


def key(kind: str) -> str:
    """What SPARQL counts by for facets of a kind: an IRI, a decade, or what is written."""
    return 'CONCAT(SUBSTR(STR(?o), 1, 3), "0s")' if kind == "period" else "STR(?o)"


def counted(store: Store, class_: str, offer: Offer) -> dict[str, int]:
    """How many members of a class have each value, as the store has it."""
    among = "".join(f"{{ ?o a <{iri}> }}" for iri in offer.among)
    only = {"iri": "FILTER(ISIRI(?o))"}.get(offer.kind, "FILTER(ISLITERAL(?o))")
    rows = store.query(
        f"SELECT ?k (COUNT(DISTINCT ?s) AS ?n) {{ ?s a <{class_}> ; {sparql(offer.path)} ?o {among} {only} "
        f"BIND({key(offer.kind)} AS ?k) }} GROUP BY ?k"
    )
    assert isinstance(rows, QuerySolutions)
    return {row["k"].value: int(row["n"].value) for row in rows if isinstance(row["n"], Literal) and row["k"]}


def test_every_count_is_what_sparql_counts(each_opened: Site) -> None:
    own = each_opened.publication.base_iri == publications.load(OWN).base_iri
    offers = offered.offers(list(read(publications.load(OWN if own else FOREIGN)).of("shapes")))
    store = Store.read_only(str(each_opened.release.store))
    checked = 0
    for slug, facets in faceted(each_opened).items():
        class_ = next(row.iri for row in each_opened.catalog.classes() if row.slug == slug)
        by_names = {json.dumps(offer.names, sort_keys=True): offer for offer in offers.get(class_, ())}
        for tally in each_opened.facets.tallies(facets, NOTHING, ENOUGH):
            offer = by_names.get(json.dumps(dict(tally.facet.names), sort_keys=True))
            if offer is None or tally.more:
                continue  # of a superclass, whose facets are counted there
            found = {
                value.iri or value.name: value.count
                for value in tally.values
                if tally.facet.kind != "period" or value.name.endswith("s")
            }
            assert counted(store, class_, offer) == found, (slug, tally.facet.name)
            checked += 1
    assert checked >= (60 if own else 1)


def test_counts_follow_the_other_facets_and_not_their_own(own_opened: Site) -> None:
    checked = 0
    for slug, facets in faceted(own_opened).items():
        for first, second in pairwise(facets):
            value = own_opened.facets.tallies([first], NOTHING, ENOUGH)[0].values[0]
            choice = own_opened.facets.choose(facets, {first.name: [value.name]})
            tallies = {row.facet.name: row for row in own_opened.facets.tallies(facets, choice, ENOUGH)}
            free = own_opened.facets.tallies([first], NOTHING, ENOUGH)[0]
            assert free.values == tallies[first.name].values
            chosen = held(own_opened, slug, first, value.name)
            for other in tallies[second.name].values[:3]:
                assert other.count == len(chosen & held(own_opened, slug, second, other.name))
                checked += 1
    assert checked >= 60


# --- choices ---------------------------------------------------------------------------------------------------------


def test_values_of_one_facet_add_up_and_facets_narrow(each_opened: Site) -> None:
    for slug, facets in faceted(each_opened).items():
        tallies = each_opened.facets.tallies(facets, NOTHING, ENOUGH)
        wanted = {tally.facet.name: [value.name for value in tally.values[:2]] for tally in tallies[:3]}
        choice = each_opened.facets.choose(facets, wanted)
        listed = each_opened.facets.entries(slug, choice.all(), "label", -1, 10_000)
        sets = [
            set().union(*(held(each_opened, slug, tally.facet, name) for name in wanted[tally.facet.name]))
            for tally in tallies[:3]
        ]
        assert set.intersection(*sets) == {entry.iri for entry in listed}


def test_a_value_may_be_named_by_its_iri(own_client: FlaskClient) -> None:
    rank = "https://w3id.org/tracktwo/id/rank/us-general"
    named, full = (as_json(own_client, "person", urlencode({"hasServedAs": name})) for name in ("us-general", rank))
    assert named == full
    assert len(iris(named)) == 4


def test_periods_are_decades_and_the_years_within(own_client: FlaskClient) -> None:
    page = own_client.get("/browse/meeting?startDate=2010s").text
    assert "2010–2019" in page
    years = re.findall(r'<li class="within"><a href="[^"]*startDate=(201\d)[^"]*"', page)
    assert len(years) >= 5
    decade = set(iris(as_json(own_client, "meeting", "startDate=2010s")))
    assert set(iris(as_json(own_client, "meeting", f"startDate={years[0]}"))) < decade


def test_each_choice_can_be_taken_back(own_client: FlaskClient) -> None:
    page = own_client.get("/browse/person?isOnSideOf=russia&isOnSideOf=china&hasServedAs=cn-general").text
    back = [
        html.unescape(url) for url in re.findall(r'<a href="([^"]*)" rel="nofollow">(?:(?!</a>).)*remove</span>', page)
    ]
    assert [
        "/browse/person?isOnSideOf=russia&hasServedAs=cn-general",
        "/browse/person?isOnSideOf=china&hasServedAs=cn-general",
        "/browse/person?isOnSideOf=china&isOnSideOf=russia",
    ] == sorted(back, key=lambda url: ("hasServedAs" not in url, "china" in url))


def test_all_choices_can_be_taken_back_at_once_and_the_order_stays(own_client: FlaskClient) -> None:
    page = own_client.get("/browse/meeting?startDate=2010s&sort=newest").text
    assert '<a class="none" href="/browse/meeting?sort=newest">' in page


def test_people_meetings_and_outcomes_have_the_facets_they_are_sought_by(own_opened: Site) -> None:
    names = {slug: {facet.name for facet in facets} for slug, facets in faceted(own_opened).items()}
    assert {"isSessionOf", "isOnSideOf", "hasServedAs", "isHeldAt"} <= names["person"]
    assert "hasServedAs" in {facet.name for facet in own_opened.facets.of("officer")}
    assert {"isSessionOf", "discussed", "isHeldAs", "location", "startDate"} <= names["meeting"]
    assert {"isSessionOf", "subject", "type"} <= names["finding"]
    assert {"isSessionOf", "subject", "callsFor"} <= names["recommendation"]


# --- pages and orders ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
def test_pages_reach_every_entity_exactly_once(each_opened: Site, order: str) -> None:
    for slug, facets in faceted(each_opened).items():
        if order in ("oldest", "newest") and not any(facet.dates for facet in facets):
            continue
        value = each_opened.facets.tallies(facets[:1], NOTHING, ENOUGH)[0].values[0].name
        for wanted in ({}, {facets[0].name: [value]}):
            chosen = each_opened.facets.choose(facets, wanted).all()
            whole = {entry.iri for entry in each_opened.facets.entries(slug, chosen, "label", -1, 10_000)}
            met: list[str] = []
            after = -1
            while found := each_opened.facets.entries(slug, chosen, order, after, 7):
                met += [entry.iri for entry in found]
                after = found[-1].place
            assert len(met) == len(whole)
            assert whole == set(met)


def test_links_to_the_next_page_keep_choice_and_order(own_client: FlaskClient) -> None:
    for query in ("", "isOnSideOf=russia&isOnSideOf=united-states", "sort=links", "isOnSideOf=russia&sort=links"):
        met = walked(own_client, f"/browse/participation?{query}")
        found = as_json(own_client, "participation", query)
        assert met == iris(found)
        assert found["found"] == len(met) == len(set(met))


def test_orders_are_orders(own_opened: Site) -> None:
    def listed(order: str) -> list[str]:
        return [entry.iri for entry in own_opened.facets.entries("meeting", None, order, -1, 1000)]

    store = Store.read_only(str(own_opened.release.store))

    def year(iri: str) -> int | None:
        quads = store.quads_for_pattern(NamedNode(iri), SCHEMA.startDate, None)
        return min((int(quad.object.value[:4]) for quad in quads if isinstance(quad.object, Literal)), default=None)

    oldest, newest = ([year(iri) for iri in listed(order)] for order in ("oldest", "newest"))
    dated = [found for found in oldest if found is not None]
    assert len(dated) >= 30
    assert dated == sorted(dated) == oldest[: len(dated)]
    assert dated[::-1] == newest[: len(dated)]
    links = [sum(count for _, count in own_opened.catalog.link_counts(iri)) for iri in listed("links")]
    assert links == sorted(links, reverse=True)


# --- the list as data ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "isOnSideOf=russia", "isOnSideOf=russia&isOnSideOf=china&sort=links"])
def test_csv_json_and_turtle_are_the_list(own_client: FlaskClient, query: str) -> None:
    listed = walked(own_client, f"/browse/person?{query}")
    table = list(csv.reader(io.StringIO(own_client.get(f"/browse/person.csv?{query}").text, newline="")))
    assert ["iri", "label_en", "label_ru"] == table[0]
    assert listed == [row[0] for row in table[1:]] == iris(as_json(own_client, "person", query))
    quads = list(parse(own_client.get(f"/browse/person.ttl?{query}").data, format=RdfFormat.TURTLE))
    items = {quad.subject: quad.object for quad in quads if quad.predicate == SCHEMA.item}
    places = {quad.subject: int(quad.object.value) for quad in quads if quad.predicate == SCHEMA.position}
    assert listed == [items[item].value for item in sorted(items, key=places.__getitem__)]
    assert len([quad for quad in quads if quad.predicate == RDFS.label]) >= len(listed)


def test_the_page_names_its_other_formats(client: FlaskClient) -> None:
    slug = re.findall(r'href="/browse/([^"]+)"', client.get("/").text)[0]
    response = client.get(f"/browse/{slug}")
    for suffix in ("csv", "ttl", "json"):
        url = f"http://127.0.0.1:8000/browse/{slug}.{suffix}"
        assert f'<link rel="alternate" href="{url}"' in response.text
        assert f'<{url}>; rel="alternate"' in response.headers["Link"]
        assert client.get(f"/browse/{slug}.{suffix}").status_code == 200


def test_a_list_that_is_cut_says_so_and_leads_on(own: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(Options(own.folder, "http://127.0.0.1:8000/"))
    follower = app.extensions["follower"]
    site = follower.site()
    limits = replace(site.publication.limits, list_entries=50)
    monkeypatch.setattr(follower, "_site", replace(site, publication=replace(site.publication, limits=limits)))
    client = app.test_client()
    assert client.get("/browse/person.csv").headers["Tracktwo-Truncated"] == "entries=50"
    assert "Tracktwo-Truncated" not in client.get("/browse/person").headers
    met: list[str] = []
    path: object = "/browse/person.json"
    while path:
        found = json.loads(client.get(str(path)).text)
        met += iris(found)
        path = found["next"]
    assert len(met) == len(set(met)) == found["found"]
    follower.close()


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "hint"),
    [
        ("person?hasServdAs=us-general", 400, "hasServedAs"),
        ("person?hasServedAs=us-generl", 404, "us-general"),
        ("persn", 404, "person"),
        ("meeting?sort=oldst", 400, "oldest"),
        ("person?sort=oldest", 400, "There are: label, links."),
    ],
)
def test_what_is_not_there_is_told_with_the_nearest(own_client: FlaskClient, path: str, status: int, hint: str) -> None:
    response = own_client.get(f"/browse/{path}", headers={"Accept": "text/plain"})
    assert response.status_code == status
    assert hint in response.text


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ["isOnSideOf", "sort", "after", "all", "lang", "x"])
def test_hostile_parameters_are_answered_with_care(own_client: FlaskClient, name: str, text: str) -> None:
    response = own_client.get("/browse/person?" + urlencode({name: text}), headers={"Accept": "text/html"})
    assert response.status_code in (200, 400, 404)
    assert "<script>alert" not in response.text
    assert own_client.get("/browse/person?" + urlencode({text or "=": "x"})).status_code in (400, 404)


# --- what it costs ---------------------------------------------------------------------------------------------------


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All SQL that is run on connections opened from now on."""
    run: list[str] = []
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect

    def traced(*given: object, **named: object) -> sqlite3.Connection:
        connection = connect(*given, **named)
        connection.set_trace_callback(run.append)
        return connection

    monkeypatch.setattr(sqlite3, "connect", traced)
    return run


@pytest.mark.parametrize("budget", [100, 1e-9])
def test_a_page_takes_eight_look_ups_at_most(own: Built, statements: list[str], budget: float) -> None:
    app = create_app(Options(own.folder, "http://127.0.0.1:8000/"))
    follower = app.extensions["follower"]
    site = follower.site()
    limits = replace(site.publication.limits, facet_ms=budget)
    follower._site = replace(site, publication=replace(site.publication, limits=limits))
    client = app.test_client()
    for path in (
        "person",
        "person?isOnSideOf=russia&isOnSideOf=china&hasServedAs=cn-general&sort=links",
        "person.csv",
        "meeting?startDate=2010s&isHeldAs=in-person&sort=newest&after=20",
        "finding?subject=cybersecurity&all=subject",
    ):
        statements.clear()
        assert client.get(f"/browse/{path}").status_code == 200
        assert 4 <= len(statements) <= (8 if ".csv" not in path else 10), statements
    follower.close()


def test_a_facet_out_of_time_says_so(own_opened: Site) -> None:
    facets = own_opened.facets.of("person")
    choice = own_opened.facets.choose(facets, {"isOnSideOf": ["russia"]})
    tallies = own_opened.facets.tallies(facets, choice, -1.0)
    assert [facet.name for facet in facets] == [tally.facet.name for tally in tallies]
    assert {tally.facet.name for tally in tallies if not tally.gave_up} <= {"isOnSideOf"}
    assert not any(tally.gave_up for tally in own_opened.facets.tallies(facets, NOTHING, -1.0))


def test_a_page_without_some_counts_says_so_and_is_not_kept(own: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(Options(own.folder, "http://127.0.0.1:8000/"))
    site = app.extensions["follower"].site()

    def give_up(_: object, facets: list[Facet], *__: object) -> list[Tally]:
        return [Tally(facet, gave_up=True) for facet in facets]

    monkeypatch.setattr(type(site.facets), "tallies", give_up)
    response = app.test_client().get("/browse/person?isOnSideOf=russia")
    assert response.text.count("took longer than 100") == len(site.facets.of("person"))
    assert response.headers["Cache-Control"] == "no-store"
    assert len(re.findall(r'<a href="[^"]*" title="', response.text)) >= 20
    app.extensions["follower"].close()


# --- sets of numbers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("numbers", [[], [0], [7], [8], [0, 1, 2], [5, 1_000_000], list(range(0, 5000, 3))])
def test_a_packed_set_shares_what_both_have(numbers: list[int]) -> None:
    other = Numbers(sum(1 << number for number in (0, 1, 5, 8, 9, 3000, 1_000_000)))
    assert other.count(packed(numbers)) == sum(number in other for number in numbers)
    assert other.after(5, 2) == [8, 9]
    assert len(other) == 7
    assert MOST_VALUES > 0


@pytest.mark.parametrize("after", ["xyz", "-1", "1.5", "9" * 12])
def test_a_place_that_is_none_is_refused(own_client: FlaskClient, after: str) -> None:
    refused = own_client.get(f"/browse/meeting?after={after}")
    assert refused.status_code == 400
    assert after in refused.text


def test_positions_count_in_the_list_that_is_shown(own_client: FlaskClient) -> None:
    content = own_client.get("/browse/meeting.ttl?isHeldAs=virtual").data
    placed = [one.object for one in parse(content, format=RdfFormat.TURTLE) if one.predicate == SCHEMA.position]
    positions = sorted(int(place.value) for place in placed if isinstance(place, Literal))
    assert list(range(1, len(positions) + 1)) == positions
    assert len(positions) >= 5


def test_a_list_says_which_of_how_many_it_shows_and_what_each_is(own_client: FlaskClient) -> None:
    page = own_client.get("/browse/meeting").text
    assert re.search(r"1–50 of 5\d", page)
    assert "16 October 2011" in page
    assert "16 октября 2011" in own_client.get("/browse/meeting?lang=ru").text


def test_numbers_in_names_stand_in_order(own_client: FlaskClient) -> None:
    page = own_client.get("/browse/meeting").text
    places = [page.index(f">Chaophraya Dialogue {number}<") for number in (7, 8, 10, 11)]
    assert places == sorted(places)
