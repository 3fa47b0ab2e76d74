"""The catalogue counts what the store holds, and its pages give each entry exactly once."""

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from conftest import EX, Built, write_publication
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, Store, Triple

from tracktwo.catalog import Catalog, Listed
from tracktwo.namespaces import LABELS, RDF, RDFS, SKOS
from tracktwo.publication import Publication
from tracktwo.release import index
from tracktwo.release.index import slug_of
from tracktwo.terms import name_of
from tracktwo.web.site import Site

Page = Callable[[str, int], list[Listed]]


def ex(name: str) -> NamedNode:
    return NamedNode(EX + name)


def merge(of: Built) -> list[Quad]:
    """The statements of a release's default graph, straight from its store."""
    return list(Store.read_only(str(of.release.store)).quads_for_pattern(None, None, None, DefaultGraph()))


def opened(of: Built) -> Catalog:
    return Catalog(of.release.catalog, of.publication.base_iri)


def walked(page: Page, size: int) -> list[Listed]:
    """All entries, page by page, as links to the next page lead."""
    entries: list[Listed] = []
    after = ""
    while found := page(after, size):
        assert len(found) <= size
        entries += found
        after = found[-1].key
    return entries


@pytest.fixture
def small(tmp_path: Path) -> Callable[[list[Triple]], Catalog]:
    """Makes a catalogue of a few triples."""
    publication: Publication = write_publication(tmp_path / "publication", settings='languages = ["de", "en"]')

    def make(triples: list[Triple]) -> Catalog:
        path = tmp_path / "catalog.sqlite"
        index.write(path, publication, triples, {EX + "Thing"})
        return Catalog(path, publication.base_iri)

    return make


# --- lists -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 7, 50, 10_000])
def test_the_pages_of_a_class_give_each_member_exactly_once(each: Built, size: int) -> None:
    catalog = opened(each)
    members: dict[str, set[str]] = {}
    for quad in merge(each):
        if quad.predicate == RDF.type:
            members.setdefault(name_of(quad.object), set()).add(name_of(quad.subject))
    classes = catalog.classes()
    assert len(classes) >= 10
    assert {class_.iri: class_.members for class_ in classes} == {class_: len(iris) for class_, iris in members.items()}
    for class_ in classes if size > 1 else classes[-5:]:
        iris = [entry.iri for entry in walked(partial(catalog.members, class_.slug), size)]
        assert len(iris) == len(set(iris))
        assert members[class_.iri] == set(iris)


@pytest.mark.parametrize("size", [1, 3, 10, 10_000])
def test_the_pages_of_links_give_each_link_exactly_once(each: Built, size: int) -> None:
    catalog = opened(each)
    subjects: dict[tuple[str, str], set[str]] = {}
    for quad in merge(each):
        if not isinstance(quad.object, Literal) and quad.predicate != RDF.type:
            subjects.setdefault((name_of(quad.object), quad.predicate.value), set()).add(name_of(quad.subject))
    busiest = sorted(subjects, key=lambda key: -len(subjects[key]))[:10]
    assert len(subjects[busiest[0]]) >= 60
    for iri, property_ in [*busiest, *sorted(subjects)[:: max(1, len(subjects) // 40)]]:
        entries = walked(partial(catalog.links, iri, property_), size)
        assert sorted(subjects[iri, property_]) == sorted(entry.iri for entry in entries)


def test_links_are_counted_as_the_store_holds_them(each: Built) -> None:
    catalog = opened(each)
    counts = Counter(
        (name_of(quad.object), quad.predicate.value)
        for quad in merge(each)
        if not isinstance(quad.object, Literal) and quad.predicate != RDF.type
    )
    objects = sorted({object_ for object_, _ in counts})
    assert len(objects) >= 100
    assert counts == {
        (object_, property_): count for object_ in objects for property_, count in catalog.link_counts(object_)
    }


def test_entries_stand_in_order_of_their_labels(each: Built) -> None:
    catalog = opened(each)
    for class_ in catalog.classes():
        sorts = [entry.sort for entry in catalog.members(class_.slug, "", 10_000)]
        assert sorts == sorted(sorts)


def test_case_and_accents_do_not_part_the_order(small: Callable[[list[Triple]], Catalog]) -> None:
    names = {"1": "Äpfel", "2": "apfel", "3": "Apfelsine", "4": "ZEBRA", "5": "zebra finch", "6": "Éclair"}
    catalog = small(
        [
            triple
            for name, label in names.items()
            for triple in (
                Triple(ex(name), RDF.type, ex("Thing")),
                Triple(ex(name), RDFS.label, Literal(label, language="de")),
            )
        ]
    )
    assert ["1", "2", "3", "6", "4", "5"] == [entry.iri.removeprefix(EX) for entry in catalog.members("thing", "", 10)]


def test_equal_labels_do_not_hide_one_another(small: Callable[[list[Triple]], Catalog]) -> None:
    triples = [
        triple
        for number in range(25)
        for triple in (
            Triple(ex(str(number)), RDF.type, ex("Thing")),
            Triple(ex(str(number)), RDFS.label, Literal("same")),
        )
    ]
    catalog = small(triples)
    for size in (1, 2, 24, 25):
        assert 25 == len(
            {entry.iri for entry in walked(lambda after, limit: catalog.members("thing", after, limit), size)}
        )


@pytest.mark.parametrize(
    "after", ["", "x", "~", "-1~a", "1", "x~a", "1.5~a", "²~a", "½~a", "9" * 30 + "~a", "0x1~a", " ~ "]
)
def test_what_is_no_key_means_the_beginning(foreign: Built, after: str) -> None:
    catalog = opened(foreign)
    assert catalog.members("ship", "", 5) == catalog.members("ship", after, 5)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.sampled_from(["", "1~", "~", "²~"]))
def test_any_key_gives_a_page(foreign: Built, text: str, start: str) -> None:
    catalog = opened(foreign)
    assert len(catalog.members("ship", start + text, 5)) <= 5


def test_what_does_not_exist_has_no_entries(foreign: Built) -> None:
    catalog = opened(foreign)
    assert [] == catalog.members("no-such-class", "", 5)
    assert [] == catalog.links("urn:nothing", "urn:nothing", "", 5)
    assert [] == catalog.link_counts("urn:nothing")
    assert {} == catalog.subjects(["urn:nothing"])
    assert {} == catalog.labels(["urn:nothing"])
    assert [] == catalog.described(["urn:nothing"])


# --- labels ----------------------------------------------------------------------------------------------------------


def test_every_label_is_the_best_of_its_language(each: Built) -> None:
    catalog = opened(each)
    rank = {property_: number for number, property_ in enumerate(LABELS)}
    best: dict[str, dict[str, tuple[int, str]]] = {}
    for quad in merge(each):
        if isinstance(quad.object, Literal) and quad.predicate in rank:
            labels = best.setdefault(name_of(quad.subject), {})
            candidate = (rank[quad.predicate], quad.object.value)
            labels[quad.object.language or ""] = min(candidate, labels.get(quad.object.language or "", candidate))
    assert len(best) >= 90
    expected = {iri: {language: text for language, (_, text) in labels.items()} for iri, labels in best.items()}
    assert expected == catalog.labels(best)


def test_a_preferred_label_wins_in_its_language_only(small: Callable[[list[Triple]], Catalog]) -> None:
    catalog = small(
        [
            Triple(ex("a"), RDFS.label, Literal("plain", language="en")),
            Triple(ex("a"), SKOS.prefLabel, Literal("preferred", language="en")),
            Triple(ex("a"), RDFS.label, Literal("einfach", language="de")),
            Triple(ex("a"), SKOS.altLabel, Literal("other", language="fr")),
        ]
    )
    assert {EX + "a": {"en": "preferred", "de": "einfach"}} == catalog.labels([EX + "a"])


def test_labels_are_found_for_any_number_of_iris(small: Callable[[list[Triple]], Catalog]) -> None:
    catalog = small([Triple(ex(str(number)), RDFS.label, Literal(f"n {number}")) for number in range(2500)])
    assert 2500 == len(catalog.labels([f"{EX}{number}" for number in range(3000)] * 2))
    assert [f"{EX}7", f"{EX}2499"] == catalog.described([f"{EX}7", f"{EX}9999", f"{EX}2499"])


# --- documents and classes -------------------------------------------------------------------------------------------


def test_every_document_lists_its_subjects(each_opened: Site) -> None:
    catalog, links = each_opened.catalog, each_opened.links
    subjects = {
        name_of(quad.subject)
        for quad in Store.read_only(str(each_opened.release.store)).quads_for_pattern(None, None, None, DefaultGraph())
    }
    named = {subject for subject in subjects if not subject.startswith("_:")}
    assert len(named) >= 150
    by_document = catalog.subjects(links.document(subject) for subject in named)
    assert named == {subject for listed in by_document.values() for subject in listed}
    assert all(links.document(subject) == document for document, some in by_document.items() for subject in some)
    assert sorted(subjects) == catalog.described(sorted(subjects))


def test_our_documents_are_counted_and_walked_once(each_opened: Site) -> None:
    catalog = each_opened.catalog
    documents = [
        document for start in range(0, catalog.document_count(), 40) for document in catalog.documents(start, 40)
    ]
    assert len(documents) >= 60
    assert catalog.document_count() == len(documents) == len(set(documents))
    assert documents == sorted(documents)
    assert [] == [document for document in documents if not each_opened.links.is_ours(document)]
    assert documents == catalog.documents_among(documents)


def test_a_base_in_other_letters_is_not_ours(small: Callable[[list[Triple]], Catalog]) -> None:
    catalog = small(
        [Triple(ex("a"), RDFS.label, Literal("a")), Triple(NamedNode("http://EXAMPLE.org/b"), RDFS.label, Literal("b"))]
    )
    assert [EX + "a"] == catalog.documents(0, 10)
    assert 1 == catalog.document_count()


def test_every_class_has_a_slug_of_its_own(each: Built) -> None:
    slugs = [class_.slug for class_ in opened(each).classes()]
    assert len(slugs) == len(set(slugs))
    assert [] == [slug for slug in slugs if not slug or slug != slug.lower() or "/" in slug]


@pytest.mark.parametrize(
    ("iri", "slug"),
    [
        ("http://example.org/ontology#HeldOffice", "held-office"),
        ("http://example.org/HTTPServer", "http-server"),
        ("http://example.org/a/b/Place/", "place"),
        ("urn:x:thing", "thing"),
        ("http://example.org/φάρος", "φάρος"),
        ("http://example.org/a%20b", "a-20b"),
    ],
)
def test_a_slug_is_the_last_part_in_kebab_case(iri: str, slug: str) -> None:
    assert slug == slug_of(iri)


def test_classes_of_one_name_have_different_slugs(small: Callable[[list[Triple]], Catalog]) -> None:
    classes = [
        ex("Thing"),
        NamedNode("http://a.example/Thing"),
        NamedNode("http://b.example/Thing"),
        SKOS.Thing,
        NamedNode("http://c.example/#"),
    ]
    catalog = small([Triple(ex(f"m{number}"), RDF.type, class_) for number, class_ in enumerate(classes)])
    slugs = {class_.iri: class_.slug for class_ in catalog.classes()}
    assert len(classes) == len(set(slugs.values()))
    assert "thing" == slugs[EX + "Thing"]
    assert "skos-thing" == slugs[SKOS.Thing.value]


def test_only_classes_that_the_data_names_are_stated(foreign: Built) -> None:
    stated = {class_.iri.partition("#")[2] for class_ in opened(foreign).classes() if class_.stated}
    assert {"Lighthouse", "Island", "Ship", "Harbour"} < stated
    assert set() == stated & {"ServedIsland", "AidToNavigation", "Class", "NodeShape"}


def test_odd_terms_are_kept_whole(small: Callable[[list[Triple]], Catalog]) -> None:
    label = "'; DROP TABLE node; -- \x00 \U0001f5fc"
    catalog = small(
        [Triple(BlankNode("b0"), RDFS.label, Literal(label)), Triple(ex("%25_'"), ex("has"), BlankNode("b0"))]
    )
    assert {"_:b0": {"": label}} == catalog.labels(["_:b0"])
    assert [EX + "%25_'"] == [entry.iri for entry in catalog.links("_:b0", EX + "has", "", 5)]


def test_many_threads_may_read_at_once(foreign: Built) -> None:
    catalog = opened(foreign)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(catalog.members("ship", "", 100)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 8 == len(found)
    assert 1 == len(set(found))
