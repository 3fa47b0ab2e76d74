"""Views: the shapes' order and names, labels in place of IRIs, who says what, other people's blank nodes and lists."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import DATA, EX, Built, built, write_publication
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Store

from tracktwo.namespaces import RDF, RDFS
from tracktwo.terms import Node, name_of
from tracktwo.view import Group, Row, Value, View
from tracktwo.web.site import Options, Site, open_site

PHAROS = "https://data.pharos.example/"
PH = PHAROS + "vocab#"

Opener = Callable[[str], Site]


@pytest.fixture
def site_of(tmp_path: Path) -> Iterator[Opener]:
    """Opens a release of a small publication with some data more."""
    with ExitStack() as stack:

        def make(data: str) -> Site:
            number = len(list(tmp_path.iterdir()))
            write_publication(tmp_path / str(number), {"data/data.ttl": DATA + data})
            release: Built = built(tmp_path / str(number), tmp_path / str(number) / "releases")
            site = open_site(release.release, Options(release.folder, "http://127.0.0.1:8000/"))
            stack.callback(site.close)
            return site

        yield make


def view(site: Site, iri: str | Node) -> View:
    node = NamedNode(iri) if isinstance(iri, str) else iri
    return site.describer.views([node], incoming=[node])[0]


def rows(found: View) -> list[Row]:
    return [*(row for group in found.groups for row in group.all_rows), *found.derived]


def row(found: View, property_: str) -> Row:
    return next(row for row in rows(found) if row.iri == property_)


def inside(value: Value) -> Iterator[Value]:
    """A value and everything nested in it."""
    yield value
    for inner in (*value.items, *(inner for row in value.rows for inner in row.values)):
        yield from inside(inner)


def everything(found: View) -> Iterator[Value]:
    for value in (*found.types, *(value for row in rows(found) for value in row.values)):
        yield from inside(value)


def subjects(site: Site) -> list[Node]:
    """Every subject of a release."""
    return sorted(
        {
            quad.subject
            for quad in Store.read_only(str(site.release.store))
            if isinstance(quad.subject, NamedNode | BlankNode)
        },
        key=str,
    )


# --- the shapes' order and names -------------------------------------------------------------------------------------


def headings(groups: tuple[Group, ...]) -> list[tuple[str, list[str]]]:
    return [(group.label, [row.label for row in group.rows]) for group in groups]


def test_groups_and_rows_stand_in_the_shapes_order_by_the_shapes_names(foreign_opened: Site) -> None:
    found = view(foreign_opened, PHAROS + "thing/φάρος/Ψυττάλεια")
    assert [
        ("Πύργος", ["πρώτο άναμμα", "ύψος του πύργου (m)"]),
        ("Τοποθεσία", ["πάνω σε"]),
        ("", ["rdfs:label", "χαρακτηριστικό"]),
    ] == headings(found.groups)


def test_a_field_without_a_group_stands_last(foreign_opened: Site) -> None:
    found = view(foreign_opened, PHAROS + "islands#Σύρος")
    assert ["Τοποθεσία", "Γειτονιά", ""] == [group.label for group in found.groups]
    assert ["ανήκει σε", "λιμάνια"] == [row.label for row in found.groups[0].rows]
    assert ((), True) == (found.groups[1].rows, bool(found.groups[1].links))
    assert "όνομα" == found.groups[2].rows[0].label


def test_the_shapes_of_a_superclass_hold_too(foreign_opened: Site) -> None:
    found = view(foreign_opened, PHAROS + "thing/φάρος/Κόρακας")  # stated to be an automatic lighthouse only
    assert ["Πύργος", "Τοποθεσία", "Γειτονιά", ""] == [group.label for group in found.groups]


def test_links_that_lead_here_have_the_names_of_inverse_paths(foreign_opened: Site) -> None:
    found = view(foreign_opened, PHAROS + "thing/φάρος/Κόρακας")
    assert ("φαροφύλακες", 2) == next(
        (incoming.label, incoming.count) for incoming in found.links if incoming.iri == PH + "tends"
    )


def test_many_links_are_counted_and_the_first_shown(foreign_opened: Site) -> None:
    incoming = next(
        incoming
        for incoming in view(foreign_opened, PHAROS + "thing/λιμάνι/Πειραιάς").links
        if incoming.iri == PH + "marks"
    )
    assert ("σημαδούρες", 66) == (incoming.label, incoming.count)
    assert 5 <= len(incoming.values) < 66
    assert incoming.more.startswith("/links?iri=")


def test_every_group_of_the_shapes_is_used(own_opened: Site) -> None:
    groups = {
        group.label
        for subject in subjects(own_opened)
        if isinstance(subject, NamedNode)
        for group in view(own_opened, subject).groups
    }
    assert len(groups) >= 5
    assert "" in groups


# --- labels ----------------------------------------------------------------------------------------------------------


def test_what_has_a_label_is_called_by_it(each_opened: Site) -> None:
    everyone = subjects(each_opened)
    assert len(everyone) >= 150
    views = each_opened.describer.views(everyone, incoming=())
    labels = each_opened.catalog.labels(
        {value.iri for found in views for value in everything(found)}
        | {row.iri for found in views for row in rows(found)}
        | {found.iri for found in views}
    )
    shown = [(value.text, value.iri) for found in views for value in everything(found) if value.kind == "iri"] + [
        (found.label, found.iri) for found in views
    ]
    assert len(shown) >= 500
    assert [] == [(text, iri) for text, iri in shown if iri in labels and text not in labels[iri].values()]
    properties = {(row.label, row.iri) for found in views for row in rows(found)}
    assert len(properties) >= 40
    assert [] == sorted((text, iri) for text, iri in properties if iri in labels and "://" in text)


def test_the_first_preferred_language_that_there_is_counts(foreign_opened: Site) -> None:
    for name, label, language in (
        ("φάρος/Ψυττάλεια", "Φάρος Ψυττάλειας", "el"),
        ("灯台/犬吠埼", "犬吠埼灯台", "ja"),
        ("chart/100%25", "100%", ""),
        ("keeper/Nikos", "Nikos", "en"),
    ):
        found = view(foreign_opened, PHAROS + "thing/" + name)
        assert (label, language) == (found.label, found.language)


def test_without_a_label_a_short_form_of_the_iri_stands(foreign_opened: Site) -> None:
    assert PHAROS + "thing/φάρος/_" == view(foreign_opened, PHAROS + "thing/φάρος/_").label
    assert "ph:height" == view(foreign_opened, PH + "height").curie
    assert "" == view(foreign_opened, PHAROS + "thing/ship/a+b&c!$*~d").curie


def test_a_node_without_a_name_is_called_so_and_never_by_its_label(foreign_opened: Site) -> None:
    views = foreign_opened.describer.views(subjects(foreign_opened), incoming=())
    texts = [value.text for found in views for value in everything(found)] + [found.label for found in views]
    assert len(texts) >= 1000
    assert [] == [text for text in texts if text.startswith("_:")]


# --- who says so -----------------------------------------------------------------------------------------------------


def test_every_statement_has_the_sources_that_hold_it(each_opened: Site) -> None:
    store = Store.read_only(str(each_opened.release.store))
    checked = 0
    for subject in subjects(each_opened):
        found = view(each_opened, subject)
        numbers = {source.number: source.graph for source in found.sources}
        assert len(numbers) == len(found.sources)
        for line in rows(found):
            for value in line.values:
                terms = [
                    quad.object
                    for quad in store.quads_for_pattern(subject, NamedNode(line.iri), None)
                    if shown_as(quad) == (value.kind, value.iri or value.text, value.language)
                ]
                graphs = {
                    name_of(quad.graph_name)
                    for term in terms
                    for quad in store.quads_for_pattern(subject, NamedNode(line.iri), term)
                    if isinstance(quad.graph_name, NamedNode)
                }
                if value.kind in ("iri", "literal") and len(set(terms)) == 1:
                    checked += 1
                    assert graphs == {source.graph for source in value.sources}
                assert value.sources
                assert [] == [source for source in value.sources if numbers[source.number] != source.graph]
    assert checked >= 400


def shown_as(quad: Quad) -> tuple[str, str, str]:
    term = quad.object
    return ("literal", term.value, term.language or "") if isinstance(term, Literal) else ("iri", name_of(term), "")


def test_numbers_of_sources_count_from_one_on_each_page(each_opened: Site) -> None:
    for subject in subjects(each_opened)[::7]:
        sources = view(each_opened, subject).sources
        inferred, numbers = ([source.number for source in sources if source.inferred is kind] for kind in (True, False))
        assert [0] * len(inferred) == inferred
        assert list(range(1, len(numbers) + 1)) == numbers


def test_a_source_is_called_by_what_it_speaks_for(foreign_opened: Site) -> None:
    source = foreign_opened.describer.sources[PHAROS + "named/islands"]
    assert ("Φαροδείκτης", "/catalogue/1") == (source.label, source.url)


def test_what_only_follows_is_marked(foreign_opened: Site) -> None:
    found = view(foreign_opened, PHAROS + "thing/φάρος/Ψυττάλεια")
    assert {(PH + "AutomaticLighthouse", False), (PH + "Lighthouse", False)} == {
        (value.iri, value.inferred) for value in found.types
    }
    assert [(PH + "AidToNavigation", True)] == [
        (value.iri, value.inferred) for value in row(found, RDF.type.value).values
    ]
    assert [(True, "http://www.wikidata.org/entity/Q41")] == [
        (value.inferred, value.iri) for value in row(found, PH + "standsIn").values
    ]
    assert [False] == [value.inferred for value in row(found, PH + "standsOn").values]
    assert [False, False, True] == sorted(source.inferred for source in found.sources)


def test_what_is_marked_is_what_stands_in_the_inferred_graph_alone(each_opened: Site) -> None:
    store = Store.read_only(str(each_opened.release.store))
    counted: Counter[bool] = Counter()
    for subject in subjects(each_opened):
        for line in rows(view(each_opened, subject)):
            for value in line.values:
                if value.kind == "iri" and not value.iri.startswith("_:"):
                    graphs = {
                        name_of(quad.graph_name)
                        for quad in store.quads_for_pattern(subject, NamedNode(line.iri), NamedNode(value.iri))
                        if isinstance(quad.graph_name, NamedNode)
                    }
                    counted[value.inferred] += 1
                    assert value.inferred == (graphs == {each_opened.publication.inferred_graph})
    assert counted[True] >= 30
    assert counted[False] >= 200


# --- nothing is lost, nothing fails ----------------------------------------------------------------------------------


def test_no_subject_is_too_odd_for_a_view(each_opened: Site) -> None:
    everyone = subjects(each_opened)
    assert len(everyone) >= 150
    views = [view(each_opened, subject) for subject in everyone]
    assert [] == [found.iri for found in views if not found.label.strip()]
    assert [] == [found.iri for found in views if not (rows(found) or found.types)]


def test_a_view_shows_every_statement(each_opened: Site) -> None:
    hidden = {RDF.first, RDF.rest}
    for subject in subjects(each_opened):
        statements = [quad for quad in each_opened.describer.statements([subject]) if quad.predicate not in hidden]
        shown = {(value.iri or value.text, value.language) for value in everything(view(each_opened, subject))}
        texts = {text for text, _ in shown}
        missing = [
            quad
            for quad in statements
            if (quad.object.value if isinstance(quad.object, Literal) else name_of(quad.object)) not in texts
        ]
        assert [] == missing


def test_an_iri_that_nothing_is_said_about_has_an_empty_view(foreign_opened: Site) -> None:
    found = view(foreign_opened, PHAROS + "thing/nothing")
    assert ((), (), ()) == (found.groups, found.types, found.links)


def test_many_views_at_once_are_those_of_each(foreign_opened: Site) -> None:
    some = [subject for subject in subjects(foreign_opened) if isinstance(subject, NamedNode)][:40]
    together = foreign_opened.describer.views(some, incoming=())
    alone = [foreign_opened.describer.views([subject], incoming=())[0] for subject in some]
    assert [[line.label for line in rows(found)] for found in alone] == [
        [line.label for line in rows(found)] for found in together
    ]


# --- links -----------------------------------------------------------------------------------------------------------


def test_only_harmless_iris_become_links(foreign_opened: Site) -> None:
    values = row(view(foreign_opened, PHAROS + "thing/ship/links"), RDFS.seeAlso.value).values
    assert 7 == len(values)
    linked = {value.iri for value in values if value.url}
    assert {"mailto:keeper@pharos.example", "urn:isbn:9780000000002", "https://other.example/?q=a&b='c'"} == linked


def test_every_link_of_a_view_leads_to_the_site_or_is_the_iri_that_a_literal_states(each_opened: Site) -> None:
    values = [
        value for subject in subjects(each_opened) for value in everything(view(each_opened, subject)) if value.url
    ]
    assert len(values) >= 500
    assert [] == [value for value in values if value.kind != "literal" and not value.url.startswith("/")]
    assert [] == [
        value
        for value in values
        if value.kind == "literal" and (value.url != value.text or not value.url.startswith(("http://", "https://")))
    ]


# --- blank nodes, lists, cycles --------------------------------------------------------------------------------------


def test_nested_nodes_are_shown_in_place_to_any_depth_of_the_data(foreign_opened: Site) -> None:
    value = row(view(foreign_opened, PHAROS + "thing/ship/nested"), PH + "beacon").values[0]
    labels = []
    while value.kind == "node":
        labels += [inner.text for line in value.rows if line.iri == RDFS.label.value for inner in line.values]
        value = next(inner for line in value.rows if line.iri != RDFS.label.value for inner in line.values)
    assert [f"level {number}" for number in range(1, 6)] == labels
    assert "list" == value.kind
    assert ["Ερμούπολη", ""] == [item.text for item in value.items]
    assert ["item without a name"] == [inner.text for line in value.items[1].rows for inner in line.values]


def test_a_list_is_shown_in_its_order(foreign_opened: Site) -> None:
    found = view(foreign_opened, PHAROS + "thing/route/lists")
    calls = row(found, PH + "calls").values
    assert [("list", ["Ερμούπολη", "Παροικιά"])] == [
        (value.kind, [item.text for item in value.items]) for value in calls
    ]


def test_lists_of_lists_are_nested(foreign_opened: Site) -> None:
    values = row(view(foreign_opened, PHAROS + "thing/route/lists"), PH + "value").values
    outer = next(value for value in values if value.items)
    assert 3 == len(outer.items)
    assert ["1", "2"] == [item.text for item in outer.items[0].items]
    assert RDF.nil.value == outer.items[1].iri
    assert ["three", ""] == [item.text for item in outer.items[2].items]
    assert [("four", "en")] == [(item.text, item.language) for item in outer.items[2].items[1].items]


def test_twins_that_nothing_tells_apart_are_both_shown(foreign_opened: Site) -> None:
    values = row(view(foreign_opened, PHAROS + "thing/ship/twins"), PH + "beacon").values
    assert 2 == len({value.iri for value in values})


def test_one_node_of_two_things_is_shown_at_both(foreign_opened: Site) -> None:
    first, second = (
        row(view(foreign_opened, f"{PHAROS}thing/ship/shared-{number}"), PH + "beacon").values[0] for number in (1, 2)
    )
    assert first.iri == second.iri
    assert ["node", "node"] == [first.kind, second.kind]


def within_itself(value: Value, above: tuple[str, ...] = ()) -> bool:
    """Is a node shown in place inside itself?"""
    inner = (*value.items, *(inner for line in value.rows for inner in line.values))
    return value.kind == "node" and (
        value.iri in above or any(within_itself(deeper, (*above, value.iri)) for deeper in inner)
    )


def test_a_cycle_ends_in_a_link_where_it_closes(foreign_opened: Site) -> None:
    values = row(view(foreign_opened, PHAROS + "thing/ship/cycle"), PH + "beacon").values
    assert [("node", False)] == [(value.kind, within_itself(value)) for value in values]
    notations = {inner.text for inner in inside(values[0]) if inner.kind == "literal"}
    assert {"E", "W"} == notations


def mesh(size: int) -> str:
    """A thing with nodes without names that all point at each other."""
    nodes = [
        f"_:n{number} ex:number {number} ; ex:sees {', '.join(f'_:n{n}' for n in range(size) if n != number)} ."
        for number in range(size)
    ]
    return "ex:one ex:has _:n0 .\n" + "\n".join(nodes)


def test_nodes_that_all_point_at_each_other_do_not_blow_a_page_up(site_of: Opener) -> None:
    values = list(everything(view(site_of(mesh(3)), EX + "one")))
    assert len(values) <= 100
    start = time.monotonic()
    view(site_of(mesh(7)), EX + "one")
    assert time.monotonic() - start < 5


def test_a_list_that_is_none_is_shown_as_the_nodes_it_is_made_of(site_of: Opener) -> None:
    site = site_of(
        "ex:one ex:endless _:a ; ex:forked _:b ; ex:open _:c ; ex:named _:d .\n"
        "_:a rdf:first 1 ; rdf:rest _:a .\n_:b rdf:first 1, 2 ; rdf:rest () .\n_:c rdf:first 1 .\n"
        "_:d rdf:first 1 ; rdf:rest () ; rdfs:label 'a list with a name' ."
    )
    found = view(site, EX + "one")
    kinds = {name: row(found, EX + name).values[0].kind for name in ("endless", "forked", "open", "named")}
    assert dict.fromkeys(kinds, "node") == kinds
    assert "a list with a name" in {value.text for value in everything(found)}


def test_a_long_list_and_a_deep_nest_are_shown_or_linked(site_of: Opener) -> None:
    deep = "[ ex:has " * 50 + "1" + " ]" * 50
    found = view(site_of(f"ex:one ex:calls ( {' '.join(map(str, range(1000)))} ) ; ex:has {deep} ."), EX + "one")
    assert [str(number) for number in range(1000)] == [item.text for item in row(found, EX + "calls").values[0].items]
    deepest = list(inside(row(found, EX + "has").values[0]))[-1]
    assert ("iri", "(a node without a name)") == (deepest.kind, deepest.text)
    assert deepest.url.startswith("/.well-known/genid/")


# --- documents -------------------------------------------------------------------------------------------------------


def test_a_document_says_all_about_its_subjects_and_their_nodes(foreign_opened: Site) -> None:
    quads = foreign_opened.describer.document(PHAROS + "about/ship/nested")
    assert 8 == len([quad for quad in quads if quad.predicate == RDFS.label])
    assert len(quads) == len(set(quads))


def test_a_hash_document_says_all_about_its_terms(foreign_opened: Site) -> None:
    quads = foreign_opened.describer.document(PHAROS + "islands")
    assert {
        f"{PHAROS}islands",
        *(f"{PHAROS}islands#{name}" for name in ("Κυκλάδες", "Σύρος", "Πάρος", "Μύκονος", "Κέα", "Ψυττάλεια")),
    } == {name_of(quad.subject) for quad in quads}


def test_the_document_of_a_graph_holds_the_graph(each_opened: Site) -> None:
    store = Store.read_only(str(each_opened.release.store))
    graphs = each_opened.describer.graphs
    assert len(graphs) >= 13
    for graph in graphs:
        held = {quad.triple for quad in store.quads_for_pattern(None, None, None, NamedNode(graph))}
        assert set() == held - {quad.triple for quad in each_opened.describer.document(graph)}
