"""Pictures of answers: nothing lies on anything else or outside, the same rows look the same, no label does harm."""

import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import serving
from conftest import EX, ONTOLOGY, OWN, PREFIXES, built, write_publication
from hypothesis import given
from hypothesis import strategies as st
from serving import CHROME, Site
from test_pages import Page
from test_readme import README

from tracktwo.errors import InputError
from tracktwo.pictures import KINDS, drawn, missing, overview
from tracktwo.pictures.columns import Columns
from tracktwo.pictures.labels import text_width, wrapped
from tracktwo.pictures.network import Network
from tracktwo.pictures.timeline import NARROWEST, WIDE, Timeline, period
from tracktwo.pictures.tree import Branch, Tree
from tracktwo.view import Value

own_site = serving.own_site

HOSTILE = '</title></svg><script>alert("1")</script>\u202e'
#: The groups of the timeline of which no date is known.
UNDATED = {"Sustainable Partnership with Russia Group"}
DRAWN = {
    "meetings-by-dialogue": "timeline",
    "who-met-whom": "network",
    "topics-from-broad-to-narrow": "tree",
    "ranks-side-by-side": "columns",
}


def value(text: str) -> Value | None:
    """A cell: an IRI where the text begins with a slash, nothing where it is empty."""
    if text.startswith("/"):
        return Value("iri", text[1:], EX + text[1:], text)
    return Value("literal", text) if text else None


def cells(rows: Sequence[Sequence[str]]) -> list[list[Value | None]]:
    return [[value(text) for text in row] for row in rows]


def timeline(*rows: Sequence[str]) -> Timeline:
    found = drawn("timeline", ["item", "start", "end", "group"], cells(rows))
    assert isinstance(found, Timeline)
    return found


def network(*rows: Sequence[str]) -> Network:
    found = drawn("network", ["one", "other", "weight"], cells(rows))
    assert isinstance(found, Network)
    return found


def tree(*rows: Sequence[str]) -> Tree:
    found = drawn("tree", ["child", "parent", "count"], cells(rows))
    assert isinstance(found, Tree)
    return found


def columns(*rows: Sequence[str]) -> Columns:
    found = drawn("columns", ["column", "order", "item"], cells(rows))
    assert isinstance(found, Columns)
    return found


# Kinds


def test_a_picture_names_the_columns_that_it_lacks() -> None:
    assert 4 == len(KINDS)
    for kind, row in KINDS.items():
        assert list(row.needed) == missing(kind, ["other things"])
        assert [] == missing(kind, [*row.needed, "more"])


def test_the_readme_has_the_kinds_and_their_columns() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (`\?.*?) \|", README, re.MULTILINE))
    assert set(KINDS) == set(rows)
    for kind, row in KINDS.items():
        assert "`?" + " ?".join(row.needed) + "`" in rows[kind]
        assert not row.others or "`?" + " ?".join(row.others) + "`" in rows[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_rows_give_the_same_picture(kind: str) -> None:
    needed = KINDS[kind].needed
    rows = cells([[f"/{(7 * row + 3 * place) % 23}" for place in range(len(needed))] for row in range(40)])
    assert drawn(kind, needed, rows) == drawn(kind, needed, rows)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [0, 1])
def test_no_row_and_one_without_values_are_drawn(kind: str, count: int) -> None:
    found = drawn(kind, KINDS[kind].needed, [[None] * len(KINDS[kind].needed)] * count)
    assert 0 in (found.shown, found.total - count)


# Timelines


@pytest.mark.parametrize(
    ("lexical", "start", "length"),
    [
        ("2021", 2021, 1),
        ("2021-07", 2021.5, 1 / 12),
        ("2021-01-01", 2021, 1 / 372),
        ("2021-01-01T12:00:00Z", 2021, 1 / 372),
        ("-0043-12", -43 + 11 / 12, 1 / 12),
    ],
)
def test_a_date_lasts_as_long_as_it_says(lexical: str, start: float, length: float) -> None:
    found = period(lexical)
    assert found
    assert (start, start + length) == pytest.approx(found)


@pytest.mark.parametrize("lexical", ["", "soon", "21", "2021-13", "2021-00-10", "2021-01-32", "9" * 40, "٢٠٢١"])
def test_what_is_no_date_is_undated(lexical: str) -> None:
    assert period(lexical) is None
    found = timeline(("/a", "2020", "", ""), ("/b", lexical, "", ""))
    assert (["a"], ["b"]) == (
        [bar.item.text for bar in found.lanes[0].bars],
        [item.text for _, items in found.undated for item in items],
    )


DATES = st.builds("{:04}-{:02}-{:02}".format, st.integers(1, 2100), st.integers(1, 12), st.integers(1, 31))
ITEMS = st.tuples(st.text(min_size=1, max_size=60), DATES, st.just("") | DATES, st.sampled_from(["", "/x", "/y " * 40]))


@given(st.lists(ITEMS, max_size=30))
def test_no_bar_or_label_lies_on_another_and_all_are_within(rows: list[tuple[str, str, str, str]]) -> None:
    found = timeline(*rows)
    top = 0.0
    for lane in found.lanes:
        assert top <= lane.top
        top = lane.top + lane.height
        assert text_width(lane.label, 11) * 1.1 <= NARROWEST
        assert not lane.group or lane.label in (" ".join(lane.group.text.split()), lane.label[:-1] + "…")
        for bar in lane.bars:
            assert lane.top <= bar.y
            assert bar.y + 22 <= top
            assert 0 <= bar.left < bar.right <= 100
            assert -0.5 <= bar.box[0]
            assert bar.box[1] <= 100.5
            assert -0.5 <= bar.wide_box[0]
            assert bar.wide_box[1] <= 100.5
            assert len(bar.label) <= len(bar.wide)
        for one, other in itertools.combinations(lane.bars, 2):
            assert one.y != other.y or one.box[1] < other.box[0] or other.box[1] < one.box[0]
            assert one.y != other.y or one.wide_box[1] <= other.wide_box[0] or other.wide_box[1] <= one.wide_box[0]
    assert top <= found.height
    assert all(0 <= place <= 100 for _, place in found.ticks)


def test_a_label_is_longer_where_there_is_more_room() -> None:
    name = "/a name that is far too long for a telephone, but not for a desk"
    early, late = timeline((name, "1990", "", ""), (name, "2020", "", "")).lanes[0].bars
    assert early.label.endswith("…")
    assert late.label.endswith("…")
    assert (name[1:], name[1:]) == (early.wide, late.wide)


@given(st.lists(ITEMS, max_size=30))
def test_an_overview_has_each_group_on_a_line_with_its_name_beside_the_bars(
    rows: list[tuple[str, str, str, str]],
) -> None:
    whole = timeline(*rows)
    found = overview(whole)
    assert [lane.group for lane in whole.lanes] == [strip.group for strip in found.strips]
    assert found.height < 100 + 22 * len(found.strips)
    for lane, strip in zip(whole.lanes, found.strips, strict=True):
        assert {(bar.left, bar.right) for bar in lane.bars} == set(strip.bars)
        for label, width, letters in ((strip.label, NARROWEST, 11), (strip.wide, WIDE, 12.5)):
            long = text_width(label, letters) / width * 100
            left, right = (strip.x - long, strip.x) if strip.side == "before" else (strip.x, strip.x + long)
            assert not [bar for bar in strip.bars if bar[0] < right - 0.01 and left + 0.01 < bar[1]]


def test_lanes_are_the_groups_in_the_order_of_the_rows() -> None:
    found = timeline(("/a", "2020", "", "/late"), ("/b", "1990", "", "/early"), ("/c", "2021", "", "/late"))
    groups = [(lane.group.text if lane.group else "", [bar.item.text for bar in lane.bars]) for lane in found.lanes]
    assert [("late", ["a", "c"]), ("early", ["b"])] == groups


def test_a_bar_is_as_long_as_what_is_known_of_its_time() -> None:
    found = timeline(
        ("/year", "2000", "", ""),
        ("/month", "2000-01", "", ""),
        ("/years", "2000", "2001-12", ""),
        ("/end", "", "2001", ""),
    )
    lengths = {bar.item.text: bar.right - bar.left for bar in found.lanes[0].bars}
    year = lengths["year"]
    assert pytest.approx({"year": year, "month": year / 12, "years": 2 * year, "end": year}, abs=0.02) == lengths


def test_years_are_few_and_round() -> None:
    for last in ("1961", "1975", "2022", "9999", "99999999"):
        ticks = timeline(("/a", "1960", "", ""), ("/b", last, "", "")).ticks
        steps = {after[0] - before[0] for before, after in itertools.pairwise(ticks)}
        assert 1 <= len(ticks) <= 8
        assert all(re.fullmatch("[125]0*", str(step)) for step in steps), steps
        assert len(steps) <= 1


def test_five_thousand_items_are_cut() -> None:
    found = timeline(*(("/" + str(number), str(1900 + number % 100), "", "") for number in range(5000)))
    assert (400, 5000) == (found.shown, found.total)
    assert 400 == sum(len(lane.bars) for lane in found.lanes)
    assert found.height < 400 * 22 + 100


# Networks

NAMES = st.sampled_from(
    [f"/{name}" for name in ("a", "bb", "a rather long name of somebody", "名前" * 5, *"cdefghijkl")]
)
PAIRS = st.lists(st.tuples(NAMES, NAMES, st.sampled_from(["", "1", "7", "-3", "many", "inf"])), max_size=40)


def assert_apart_and_within(found: Network) -> None:
    for node in found.nodes:
        left, top, right, bottom = node.box
        assert 0 <= left
        assert right <= found.width
        assert 0 <= top
        assert bottom <= found.height
    for one, other in itertools.combinations(found.nodes, 2):
        a, b = one.box, other.box
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], (one, other)


@given(PAIRS)
def test_no_circle_or_label_lies_on_another_and_all_are_within(rows: list[tuple[str, str, str]]) -> None:
    assert_apart_and_within(network(*rows))


def test_pairs_count_in_any_order_and_nothing_is_linked_with_itself() -> None:
    found = network(("/a", "/b", "2"), ("/b", "/a", "3"), ("/a", "/c", ""), ("/c", "/c", "9"), ("/d", "", ""))
    weights = {"".join(sorted(end.item.text for end in edge.ends)): edge.weight for edge in found.edges}
    assert {"ab": 5, "ac": 1} == weights
    assert {"a": 2, "b": 1, "c": 1, "d": 0} == {node.item.text: node.links for node in found.nodes}
    widths = {edge.weight: edge.width for edge in found.edges}
    assert widths[5] > widths[1]
    radii = {node.item.text: node.radius for node in found.nodes}
    assert radii["a"] > radii["b"] > radii["d"]


def test_a_long_name_stands_on_several_lines() -> None:
    found = network(
        ("/A. Person as participant, First meeting", "/A. Person as participant, Second meeting", ""),
    )
    assert {
        ("A. Person as", "participant, First", "meeting"),
        ("A. Person as", "participant, Second", "meeting"),
    } == {node.label for node in found.nodes}
    for node in found.nodes:
        assert node.box[3] >= max(y for y, _ in node.lines)


@given(st.text(max_size=80), st.integers(1, 30), st.integers(1, 4))
def test_what_is_wrapped_is_whole_or_says_that_it_is_not(text: str, most: int, lines: int) -> None:
    found = wrapped(text, most, lines)
    assert 1 <= len(found) <= lines
    assert all(text_width(line, 1) <= text_width("x", 1) * most + 1e-9 or "…" in line for line in found)
    assert " ".join(text.split()) == " ".join(found) or any(line.endswith("…") for line in found)


def test_five_thousand_pairs_are_cut_to_the_best_linked() -> None:
    found = network(*((f"/{number % 7}", f"/{number}", "1") for number in range(5000)))
    assert (150, 5000) == (len(found.nodes), found.total)
    assert {str(number) for number in range(7)} <= {node.item.text for node in found.nodes}
    assert_apart_and_within(found)


def test_links_are_cut_to_the_strongest() -> None:
    pairs = itertools.combinations(range(60), 2)
    found = network(*((f"/{one}", f"/{other}", "9" if one == 0 else "1") for one, other in pairs))
    assert (60, 1500, 1770) == (len(found.nodes), len(found.edges), found.links)
    assert 59 == sum(edge.weight == 9 for edge in found.edges)


# Trees


def lines(branches: Sequence[Branch], level: int = 0) -> Iterator[str]:
    for branch in branches:
        yield "  " * level + branch.entry.item.text + ("…" if branch.again else "")
        yield from lines(branch.below, level + 1)


def test_children_are_below_their_parents_in_the_order_of_the_rows() -> None:
    found = tree(("/b", "/a", "2"), ("/a", "", "5"), ("/c", "/b", "1"), ("/z", "", "0"), ("/d", "/a", "0"))
    assert ["a", "  b", "    c", "  d", "z"] == list(lines(found.roots))
    assert [("count", "5")] == [(name, note.text) for name, note in found.roots[0].entry.notes]


def test_what_has_two_parents_is_opened_once() -> None:
    found = tree(("/a", "", ""), ("/b", "", ""), ("/c", "/a", ""), ("/c", "/b", ""), ("/d", "/c", ""))
    assert ["a", "  c", "    d", "b", "  c…"] == list(lines(found.roots))


def test_a_circle_ends() -> None:
    found = tree(("/a", "/b", ""), ("/b", "/a", ""), ("/self", "/self", ""), ("/top", "", ""))
    assert ["top", "a", "  b", "    a…", "self", "  self…"] == list(lines(found.roots))


def test_five_thousand_levels_are_cut() -> None:
    found = tree(*((f"/{number + 1}", f"/{number}", "") for number in range(5000)))
    assert (1000, 5000) == (found.shown, found.total)
    assert 31 == len(list(lines(found.roots)))


# Columns


def test_columns_stand_side_by_side_by_order() -> None:
    found = columns(
        ("/a", "2", "/a-two"), ("/b", "2", "/b-two"), ("/b", "1", "/one"), ("/a", "", "/x"), ("/a", "2", "/y")
    )
    assert ["a", "b"] == [head.text for head in found.heads]
    levels = [
        (level.order.text if level.order else "", [[entry.item.text for entry in cell] for cell in level.cells])
        for level in found.levels
    ]
    assert [("2", [["a-two", "y"], ["b-two"]]), ("1", [[], ["one"]]), ("", [["x"], []])] == levels


def test_five_thousand_columns_are_cut() -> None:
    found = columns(*((f"/{number}", str(number), "/x") for number in range(5000)))
    assert (30, 30, 5000) == (found.shown, len(found.heads), found.total)


# Pages


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("pictures")
    said = HOSTILE.replace('"', '\\"')
    data = PREFIXES + f'ex:one a ex:Thing ; rdfs:label "{said}"@en .\nex:two a ex:Thing ; rdfs:label "two"@en .\n'
    texts = {
        "timeline": '{ BIND ("2020" AS ?start) ?item a <http://example.org/Thing> BIND (?item AS ?group) }',
        "network": "{ ?one a ?class . ?other a ?class FILTER (STR(?one) < STR(?other)) }",
        "tree": "{ ?child a <http://example.org/Thing> BIND (?none AS ?parent) }",
        "columns": "{ ?item a <http://example.org/Thing> BIND (?item AS ?column) BIND (1 AS ?order) }",
    }
    files = {"data/data.ttl": data, "ontology/ontology.ttl": ONTOLOGY}
    for kind, text in texts.items():
        files[f"ontology/questions/{kind}.rq"] = f"# title: {kind}\n# picture: {kind}\nSELECT * WHERE {text}\n"
    files["ontology/questions/lacking.rq"] = "# picture: timeline\nSELECT ?item WHERE { ?item a ?class }\n"
    files["ontology/questions/empty.rq"] = "# picture: network\nSELECT ?one ?other WHERE { FILTER (false) }\n"
    pairs = " ".join(f"({number})" for number in range(1, 900))
    many = f'SELECT ?one ?other WHERE {{ VALUES (?other) {{ {pairs} }} BIND ("0" AS ?one) }}'
    files["ontology/questions/many.rq"] = f"# picture: network\n{many}\n"
    files["ontology/questions/true.rq"] = "# picture: tree\nASK { ?s ?p ?o }\n"
    with serving.serve(write_publication(folder / "publication", files).root, folder / "releases") as site:
        yield site


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_label_is_text(pictures: Site, kind: str) -> None:
    page = Page(pictures.get(f"/query/{kind}", CHROME).text)
    assert [] == page.faults
    assert "alert" not in "".join(script.text for script in page.all("script"))
    assert HOSTILE in page.all("section")[0].text
    assert [] == [name for element in page.elements for name in element.attributes if name.startswith(("on", "style"))]


def test_a_query_without_the_columns_says_which(pictures: Site) -> None:
    page = pictures.get("/query/lacking", CHROME)
    assert 200 == page.status_code
    assert "To be drawn as “timeline”, the query must select ?start." in page.text
    assert "<table>" in page.text
    assert "the query must select ?child, ?parent." in pictures.get("/query/true", CHROME).text


def test_a_picture_says_what_it_leaves_out(pictures: Site) -> None:
    page = pictures.get("/query/many", CHROME).text
    assert "Drawn are 150 of 900, the best linked first, and 149 of 899 links, the strongest first." in page
    assert 150 == page.count("<circle ")


def test_an_answer_without_rows_has_no_picture(pictures: Site) -> None:
    page = pictures.get("/query/empty", CHROME).text
    assert "No rows." in page
    assert "<svg" not in page


def test_a_picture_that_there_is_not_stops_the_build(tmp_path: Path) -> None:
    root = tmp_path / "publication"
    write_publication(root, {"ontology/questions/1-x.rq": "# picture: pie\nASK {}\n", "ontology/o.ttl": ONTOLOGY})
    with pytest.raises(InputError, match=r"1-x\.rq names a picture that there is not: “pie”"):
        built(root, root / "releases")


def test_the_home_page_lists_the_views(own_site: Site) -> None:
    views = own_site.get("/", CHROME).text.partition('<section id="views">')[2].partition("</section>")[0]
    assert list(DRAWN) == re.findall(r'href="/query/([^"]+)"', views)


def test_the_home_page_draws_a_timeline_in_small(own_site: Site) -> None:
    home = own_site.get("/", CHROME)
    picture = home.text.partition('<section id="views">')[2].partition("</svg>")[0]
    groups = {row.split("\t")[3] for row in own_site.get("/query/meetings-by-dialogue.tsv").text.splitlines()[1:]}
    assert picture.count('<a href="/doc/') == len(groups) - len(UNDATED)
    assert picture.count("<rect ") > 30
    assert home.headers["cache-control"].startswith("public")
    assert "tracktwo-truncated" not in home.headers


def test_the_home_page_is_there_without_its_picture(tmp_path: Path) -> None:
    files = {
        "data/data.ttl": PREFIXES + 'ex:one a ex:Thing ; rdfs:label "one"@en .\n',
        "ontology/ontology.ttl": ONTOLOGY,
        "ontology/questions/1-broken.rq": "# picture: timeline\nSELECT ?item ?start WHERE { ?item a ex:unheard }\n",
    }
    root = write_publication(tmp_path / "publication", files).root
    with serving.serve(root, tmp_path / "releases") as site:
        home = site.get("/", CHROME)
        assert (200, "overview=0") == (home.status_code, home.headers["tracktwo-truncated"])
        assert "no-store" in home.headers["cache-control"]
        assert "<svg" not in home.text
        assert "/query/broken" in home.text


def test_ranks_stand_level_only_where_that_is_stated(own_site: Site) -> None:
    rows = [row.split("\t") for row in own_site.get("/query/ranks-side-by-side.tsv").text.splitlines()[1:]]
    assert len(rows) > 20
    for _, order, rank, _, beside, _ in rows:
        turtle = own_site.get(own_site.path(rank.strip("<>")).replace("/id/", "/doc/") + ".ttl").text
        assert bool(order) == ("tt:isGradedAs" in turtle or bool(beside)), rank
    page = Page(own_site.get("/query/ranks-side-by-side?lang=ru", CHROME).text)
    table = page.all("table")[0]
    heads = [element.text for element in page.all("th") if element.attributes.get("scope") == "row"]
    assert table.text.lstrip().startswith("код НАТО, свой или по сравнению")
    assert ["OF-9", "OF-8", "OF-7", "не указано"] == heads
    assert "звёзд: 4" in table.text
    assert not re.search("stars|grade", table.text)


@pytest.mark.parametrize(("slug", "kind"), DRAWN.items())
def test_a_view_is_drawn_above_the_table_of_its_rows(own_site: Site, slug: str, kind: str) -> None:
    source = own_site.get(f"/query/{slug}", CHROME).text
    picture, _, table = source.partition("<h2>Answer")
    marks = {"timeline": "<rect ", "network": "<circle ", "tree": "<details ", "columns": "<td>"}
    rows = len(own_site.get(f"/query/{slug}.tsv").text.splitlines())
    assert table.partition("<table>")[0].rstrip().partition("<details>")[2], "the rows are folded"
    assert picture.count(marks[kind]) >= 10
    assert rows == table.count("<tr>")
    page = Page(source)
    assert [] == page.faults
    scrolled = [element.attributes for element in page.all("div") if element.attributes.get("class") == "scroll"]
    assert all(found["tabindex"] == "0" and found["aria-label"] for found in scrolled)
    for drawing in page.all("svg"):
        assert "group" == drawing.attributes["role"]
        named = {element.attributes["id"]: element.text for element in page.elements if "id" in element.attributes}
        assert named[drawing.attributes["aria-labelledby"]]
        assert named[drawing.attributes["aria-describedby"]]


@pytest.mark.parametrize("slug", DRAWN)
def test_all_that_a_view_draws_leads_to_its_page(own_site: Site, slug: str) -> None:
    picture = own_site.get(f"/query/{slug}", CHROME).text.partition("<h2>Answer")[0].partition('class="view"')[2]
    met = set(re.findall(r'<a href="(/[^"]+)"', picture))
    iris = set(re.findall(rf"<({re.escape(own_site.base_iri)}id/[^>]+)>", own_site.get(f"/query/{slug}.tsv").text))
    assert {own_site.get(own_site.path(iri), CHROME).headers["location"] for iri in iris} == {
        own_site.url[:-1] + path for path in met
    }


def test_the_repositorys_views_are_those_tested() -> None:
    found = {
        path.stem[3:] for path in (OWN / "ontology" / "questions").glob("*.rq") if "# picture:" in path.read_text()
    }
    assert set(DRAWN) == found
