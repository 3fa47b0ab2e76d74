"""The knowledge itself: what stands in ``ontology/`` and ``data/``, read with no code of the project."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest
from pyoxigraph import (
    BlankNode,
    Literal,
    NamedNode,
    QueryResultsFormat,
    QuerySolutions,
    RdfFormat,
    Store,
    Triple,
    parse,
    parse_query_results,
)

ROOT = Path(__file__).resolve().parent.parent
DATA = sorted((ROOT / "data").glob("*.ttl"))
ONTOLOGY = sorted((ROOT / "ontology").glob("*.ttl"))
QUESTIONS = sorted((ROOT / "ontology" / "questions").glob("*.rq"))
COVERAGE = ROOT / "tests" / "knowledge" / "coverage.tsv"
ROWS = ROOT / "tests" / "knowledge" / "rows.tsv"

BASE = "https://w3id.org/tracktwo/"
ENTITY = BASE + "id/"
GRAPH = BASE + "graph/"
TERM = BASE + "ontology#"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
DESCRIPTION = "http://purl.org/dc/terms/description"
SAME_AS = "http://www.w3.org/2002/07/owl#sameAs"
DEFINITION = "http://www.w3.org/2004/02/skos/core#definition"
DESCRIPTION = "http://purl.org/dc/terms/description"
TITLE = "http://purl.org/dc/terms/title"
PROV = "http://www.w3.org/ns/prov#"
SCHEMA = "https://schema.org/"
MEMBER = "http://xmlns.com/foaf/0.1/member"
REASONS = "property-value"

SOURCE_OF = {
    "report": "stimson-report-2022",
    "third-meeting": "stimson-third-meeting-2021",
}
SENTENCES = {"report": 32, "third-meeting": 15}
STATED_SENTENCE_BY_SENTENCE = {
    "finding",
    "instrument",
    "participation",
    "recommendation",
}


class Statement(NamedTuple):
    """One triple of a file: plain strings but for the object."""

    subject: str
    predicate: str
    object: NamedNode | BlankNode | Literal | Triple

    @property
    def target(self) -> str:
        """The IRI that is the object, or nothing."""
        return self.object.value if isinstance(self.object, NamedNode) else ""

    @property
    def language(self) -> str | None:
        return self.object.language if isinstance(self.object, Literal) else None


def read(path: Path) -> list[Statement]:
    quads = parse(path=str(path), format=RdfFormat.TURTLE)
    return [Statement(str(q.subject).strip("<>"), q.predicate.value, q.object) for q in quads]


@pytest.fixture(scope="module")
def graphs() -> dict[str, list[Statement]]:
    """The statements of each data file, by the slug of its graph."""
    return {path.stem: read(path) for path in DATA}


@pytest.fixture(scope="module")
def statements(graphs: dict[str, list[Statement]]) -> list[Statement]:
    return [statement for graph in graphs.values() for statement in graph]


@pytest.fixture(scope="module")
def terms() -> list[Statement]:
    return [statement for path in ONTOLOGY for statement in read(path)]


@pytest.fixture(scope="module")
def types(statements: list[Statement]) -> dict[str, set[str]]:
    """The asserted classes of each subject."""
    found: dict[str, set[str]] = defaultdict(set)
    for s in statements:
        if s.predicate == TYPE:
            found[s.subject].add(s.target)
    return found


def entities(statements: Iterable[Statement]) -> set[str]:
    return {s.subject for s in statements if s.subject.startswith(ENTITY)}


def path_of(iri: str) -> str:
    """``KIND/SLUG`` of an entity."""
    return iri.removeprefix(ENTITY)


def kind_of(iri: str) -> str:
    return path_of(iri).split("/")[0]


def texts(statements: Iterable[Statement], predicate: str, language: str) -> dict[str, set[str]]:
    """The distinct texts of each subject in one language."""
    found: dict[str, set[str]] = defaultdict(set)
    for s in statements:
        if s.predicate == predicate and s.language == language and isinstance(s.object, Literal):
            found[s.subject].add(s.object.value)
    return found


def kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def test_there_is_knowledge_to_test(statements: list[Statement], terms: list[Statement]) -> None:
    assert len(DATA) >= 130
    assert len(ONTOLOGY) >= 2
    assert len(QUESTIONS) >= 20
    assert len(entities(statements)) >= 1200
    assert len(statements) >= 12000
    assert len(terms) >= 1000


def test_two_sources_are_modelled_in_full(graphs: dict[str, list[Statement]]) -> None:
    assert set() == set(SOURCE_OF.values()) - set(graphs)


def test_data_has_no_blank_node_and_no_quoted_triple(
    statements: list[Statement],
) -> None:
    assert [] == [s for s in statements if s.subject.startswith("_:") or isinstance(s.object, BlankNode | Triple)]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_entity_has_exactly_one_label_per_language(statements: list[Statement], language: str) -> None:
    labels = texts(statements, LABEL, language)
    own = {s.subject for s in statements if s.subject.startswith(BASE)}
    assert len(own) >= 250
    assert {} == {iri: labels[iri] for iri in own if len(labels[iri]) != 1}


def test_no_russian_name_of_a_group_or_note_sets_a_title_after_a_colon(statements: list[Statement]) -> None:
    """What a group met at, and what sources differ on, is declined in the sentence."""
    named = texts(statements, LABEL, "ru")
    held = {iri: labels for iri, labels in named.items() if kind_of(iri) in {"group", "editorial-note"}}
    assert len(held) >= 70
    titled = re.compile(r": [«А-ЯЁA-Z]")
    assert {} == {iri: labels for iri, labels in held.items() if any(map(titled.search, labels))}


#: Kinds whose descriptions are translated; those of people and of their posts are not all so yet.
TRANSLATED = {
    "dialogue",
    "event",
    "finding",
    "group",
    "institution",
    "instrument",
    "involvement",
    "meeting",
    "participation",
    "publication",
    "rank",
    "rank-comparison",
    "recommendation",
}


def test_what_is_described_in_english_is_described_in_russian(statements: list[Statement]) -> None:
    english, russian = (texts(statements, DESCRIPTION, language) for language in ("en", "ru"))
    described = {iri for iri in english if kind_of(iri) in TRANSLATED}
    assert len(described) >= 280
    assert {} == {iri: english[iri] for iri in described if len(russian[iri]) < len(english[iri])}


def test_who_is_only_met_or_gives_backing_takes_no_part(statements: list[Statement]) -> None:
    role, beside, within = PROV + "hadRole", TERM + "accompanies", TERM + "contributesTo"
    outside = {
        s.subject
        for s in statements
        if s.predicate == role and path_of(s.target) in {"role/official-met", "role/supporter"}
    }
    met = {iri for iri in outside if kind_of(iri) == "participation"}
    assert len(met) >= 7
    assert met == {s.subject for s in statements if s.predicate == beside}
    assert set() == met & {s.subject for s in statements if s.predicate == within}


def test_every_label_has_a_language(statements: list[Statement], terms: list[Statement]) -> None:
    labels = [s for s in statements + terms if s.predicate == LABEL]
    assert len(labels) >= 600
    assert [] == [s for s in labels if s.language not in {"en", "ru"}]


def test_every_entity_has_a_type(statements: list[Statement], types: dict[str, set[str]]) -> None:
    assert set() == entities(statements) - set(types)


def test_the_kind_in_an_iri_is_that_of_its_class(types: dict[str, set[str]]) -> None:
    typed = {iri: classes for iri, classes in types.items() if iri.startswith(ENTITY)}
    assert len(typed) >= 250
    assert {} == {
        iri: classes
        for iri, classes in typed.items()
        if kind_of(iri) not in {kebab(re.split(r"[/#]", c)[-1]) for c in classes}
    }


def test_kinds_and_slugs_are_lower_case_ascii_with_hyphens(
    statements: list[Statement],
) -> None:
    used = entities(statements) | {s.target for s in statements if s.target.startswith(ENTITY)}
    assert len(used) >= 250
    allowed = re.compile(r"[a-z]+(-[a-z]+)*/[a-z0-9]+(-{1,2}[a-z0-9]+)*")
    assert [] == [iri for iri in used if not allowed.fullmatch(path_of(iri))]


def test_whatever_is_spoken_of_is_described(statements: list[Statement]) -> None:
    spoken_of = {s.target for s in statements if s.target.startswith((ENTITY, GRAPH))}
    assert len(spoken_of) >= 200
    assert set() == spoken_of - {s.subject for s in statements}


def test_every_term_in_use_is_declared(statements: list[Statement], terms: list[Statement]) -> None:
    declared = {s.subject for s in terms if s.predicate == TYPE}
    used = {s.predicate for s in statements} - {TYPE, LABEL, SAME_AS}
    used |= {s.target for s in statements if s.predicate == TYPE or s.target.startswith(TERM)}
    assert len({iri for iri in used if iri.startswith(TERM)}) >= 70
    assert set() == used - declared


def test_every_own_term_is_labelled_and_defined_in_both_languages(
    terms: list[Statement],
) -> None:
    own = {s.subject for s in terms if s.predicate == TYPE and s.subject.startswith(TERM)}
    assert len(own) >= 95
    for predicate in (LABEL, DEFINITION):
        for language in ("en", "ru"):
            found = texts(terms, predicate, language)
            assert {} == {iri: found[iri] for iri in own if len(found[iri]) != 1}


def test_no_two_terms_share_a_label(terms: list[Statement]) -> None:
    for language in ("en", "ru"):
        found = texts(terms, LABEL, language)
        counts = Counter(label for labels in found.values() for label in labels)
        assert len(counts) >= 95
        assert [] == [label for label, count in counts.items() if count > 1]


def test_every_file_is_a_graph_that_the_catalogue_describes(
    graphs: dict[str, list[Statement]],
) -> None:
    catalogue = graphs["curators-catalog"]
    bundles = {s.subject for s in catalogue if s.predicate == TYPE and s.target == PROV + "Bundle"}
    assert {GRAPH + slug for slug in graphs} == bundles


def test_a_graph_is_either_of_a_source_or_of_the_curators(
    graphs: dict[str, list[Statement]],
) -> None:
    catalogue = graphs["curators-catalog"]
    of_a_source = {s.subject for s in catalogue if s.predicate == PROV + "hadPrimarySource"}
    of_the_curators = {s.subject for s in catalogue if s.predicate == PROV + "wasAttributedTo"}
    assert {GRAPH + slug for slug in graphs} == of_a_source | of_the_curators
    assert set() == of_a_source & of_the_curators


@pytest.mark.parametrize("path", DATA + ONTOLOGY, ids=lambda path: path.stem)
def test_literals_are_in_the_form_that_the_store_keeps(path: Path) -> None:
    store = Store()
    store.load(path=str(path), format=RdfFormat.TURTLE)
    kept = {str(q.object) for q in store if isinstance(q.object, Literal)}
    written = {str(s.object) for s in read(path) if isinstance(s.object, Literal)}
    assert len(list(store)) >= 2
    assert kept == written


def test_every_sentence_of_the_sources_is_held_by_statements_in_its_graph(
    graphs: dict[str, list[Statement]],
) -> None:
    with COVERAGE.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    sentences = [f"{source}-{n:02}" for source, count in SENTENCES.items() for n in range(1, count + 1)]
    assert sentences == [row["sentence"] for row in rows]
    for row in rows:
        graph = graphs[SOURCE_OF[row["sentence"].rpartition("-")[0]]]
        held = {path_of(s.subject) for s in graph if s.predicate != TYPE}
        named = row["entities"].split()
        assert named, row["sentence"]
        assert set() == set(named) - held, row["sentence"]


def test_whatever_a_source_is_said_to_say_belongs_to_a_sentence(
    graphs: dict[str, list[Statement]],
) -> None:
    covered = set(COVERAGE.read_text(encoding="utf-8").split())
    said = {
        path_of(iri)
        for slug in SOURCE_OF.values()
        for iri in entities(graphs[slug])
        if kind_of(iri) in STATED_SENTENCE_BY_SENTENCE
    }
    assert len(said) >= 55
    assert set() == said - covered


class Row(NamedTuple):
    """One row that the research noted: of which kind, its name, what holds it (or why nothing does), and the IRI of a
    description elsewhere, where the row is of one."""

    kind: str
    row: str
    entity: str
    link: str

    @property
    def left_out(self) -> bool:
        return kind_of(self.entity) == REASONS


@pytest.fixture(scope="module")
def noted() -> list[Row]:
    """All that the research noted, row by row."""
    with ROWS.open(encoding="utf-8", newline="") as lines:
        return [Row(**row) for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]


def test_every_row_of_the_research_is_held_by_something_or_left_out_for_a_reason(
    noted: list[Row], statements: list[Statement]
) -> None:
    assert 15 == len({row.kind for row in noted})
    assert 1622 == len(noted) == len({(row.kind, row.row) for row in noted})
    described = {path_of(s.subject) for s in statements if s.predicate != TYPE}
    assert [] == [row for row in noted if row.entity not in described]


def test_a_noted_identifier_is_linked_from_what_it_identifies(noted: list[Row], statements: list[Statement]) -> None:
    links = {(path_of(s.subject), s.target) for s in statements if s.target and not s.target.startswith(BASE)}
    identifiers = [row for row in noted if row.kind == "identifiers" and not row.left_out]
    assert 200 <= len(identifiers)
    assert [] == [row for row in identifiers if (row.entity, row.link) not in links]


def test_what_is_said_to_be_left_out_is_not_there(noted: list[Row], statements: list[Statement]) -> None:
    slugs = {path_of(iri).split("/")[1] for iri in entities(statements)}
    assert [] == [row for row in noted if row.left_out and row.row in slugs]


def test_the_counts_of_what_was_left_out_are_those_of_the_rows(noted: list[Row], statements: list[Statement]) -> None:
    """Reason by reason, and in the words of the statement that gives the reasons."""
    stated = {
        path_of(s.subject): int(s.object.value)
        for s in statements
        if s.predicate == "https://schema.org/value" and isinstance(s.object, Literal)
    }
    given = {path_of(s.target) for s in statements if s.predicate == "https://schema.org/additionalProperty"}
    counted = Counter(row.entity for row in noted if row.left_out)
    assert stated == counted
    assert given == set(counted)
    gaps = {
        language: texts(statements, DESCRIPTION, language)[ENTITY + "provenance-statement/gaps"]
        for language in ("en", "ru")
    }
    total = counted.total()
    assert f"Of the {len(noted):,} rows that the research noted, {total} were left out" in gaps["en"].pop()
    assert f"Из {len(noted)} строк, записанных при исследовании, не использованы {total}," in gaps["ru"].pop()


def test_nothing_stands_twice(graphs: dict[str, list[Statement]], statements: list[Statement]) -> None:
    """No two identifiers that hyphens alone tell apart, no two groups of the same people, and each statement of the
    curators in one of their graphs alone."""
    spellings = Counter(re.sub("-+", "-", iri) for iri in entities(statements))
    assert [] == [iri for iri, count in spellings.items() if count > 1]
    members: dict[str, set[str]] = defaultdict(set)
    for s in statements:
        if s.predicate == MEMBER:
            members[s.subject].add(s.target)
    assert 10 <= len(members)
    assert len(members) == len({frozenset(people) for people in members.values()})
    own = [s for slug, graph in graphs.items() if slug.startswith("curators-") for s in set(graph)]
    assert [] == [s for s, count in Counter(own).items() if count > 1]


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("kind", ["source", "editorial-note", "graph"])
def test_no_two_sources_notes_or_graphs_share_a_label(statements: list[Statement], kind: str, language: str) -> None:
    prefix = f"{ENTITY}{kind}/" if kind != "graph" else GRAPH
    labels = {iri: found for iri, found in texts(statements, LABEL, language).items() if iri.startswith(prefix)}
    counts = Counter(label for found in labels.values() for label in found)
    assert 50 <= len(counts)
    assert [] == [label for label, count in counts.items() if count > 1]


def test_a_source_is_named_in_words_not_by_its_address(statements: list[Statement]) -> None:
    named = texts(statements, LABEL, "en"), texts(statements, LABEL, "ru")
    labels = [label for found in named for iri, labels in found.items() if kind_of(iri) == "source" for label in labels]
    assert 300 <= len(labels)
    assert [] == [label for label in labels if re.search(r"^[\w.-]+\.\w+: |^\d+$|\d{5}", label)]


@pytest.mark.parametrize("kind", ["source", "editorial-note", "graph"])
def test_what_is_told_of_sources_notes_and_graphs_is_told_in_both_languages(
    statements: list[Statement], kind: str
) -> None:
    prefix = f"{ENTITY}{kind}/" if kind != "graph" else GRAPH
    english, russian = (texts(statements, DESCRIPTION, language) for language in ("en", "ru"))
    told = {iri for iri in english if iri.startswith(prefix)}
    assert 50 <= len(told)
    assert {} == {iri: english[iri] for iri in told if len(english[iri]) != len(russian[iri])}


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda path: path.stem)
def test_a_question_is_valid_titled_and_ordered(question: Path) -> None:
    text = question.read_text(encoding="utf-8")
    heads = [line.partition(":")[0] for line in text.splitlines()[:4]]
    assert ["# title", "# title@ru", "# question", "# question@ru"] == heads
    assert "ORDER BY" in text
    assert isinstance(Store().query(text), QuerySolutions)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda path: path.stem)
def test_a_question_has_an_expected_answer_with_its_variables(question: Path) -> None:
    asked = Store().query(question.read_text(encoding="utf-8"))
    answer = parse_query_results(path=str(question.with_suffix(".tsv")), format=QueryResultsFormat.TSV)
    assert isinstance(asked, QuerySolutions)
    assert isinstance(answer, QuerySolutions)
    assert [v.value for v in asked.variables] == [v.value for v in answer.variables]
    assert len(list(answer)) >= 1


def said_of(statements: Iterable[Statement], kind: str, predicate: str) -> dict[str, set[str]]:
    """What the entities of a kind have as values of a property, by their slugs; links as ``KIND/SLUG``."""
    found: dict[str, set[str]] = defaultdict(set)
    for s in statements:
        if s.predicate == predicate and kind_of(s.subject) == kind:
            found[s.subject.rpartition("/")[2]].add(
                s.object.value if isinstance(s.object, Literal) else path_of(s.target)
            )
    return found


def test_service_in_a_rank_is_bounded_where_a_source_tells_of_it(statements: list[Statement]) -> None:
    over = said_of(statements, "rank-holding", TERM + "endsNotAfter")
    begun = said_of(statements, "rank-holding", SCHEMA + "startDate")
    assert len(over) >= 14
    assert {"2011-12-31", "2021-06-21"} == over["george-w-casey-jr--us-general"]
    assert {"2009-12-31"} == over["karl-w-eikenberry--us-lieutenant-general"]
    assert {"1991", "2000", "2003-06-12"} == set().union(*begun.values())


def test_who_signed_takes_part_as_a_signatory_and_attends_nothing(statements: list[Statement]) -> None:
    signed = {
        slug
        for slug, roles in said_of(statements, "participation", PROV + "hadRole").items()
        if roles == {"role/signatory"}
    }
    styled = said_of(statements, "participation", TERM + "isStyledAs")
    statement = "generals-admirals-1996"
    assert 13 == len(signed & set(styled))
    assert {f"event/{statement}"} == set().union(
        *(said_of(statements, "participation", TERM + "contributesTo")[slug] for slug in signed)
    )
    assert {"publication/statement-generals-1996"} == said_of(statements, "event", PROV + "generated")[statement]
    assert statement not in said_of(statements, "event", SCHEMA + "attendee")


def test_the_title_of_a_post_does_not_say_again_where_or_when_it_is_held(statements: list[Statement]) -> None:
    names = texts(statements, LABEL, "en")
    where = {s.subject: s.target for s in statements if s.predicate == TERM + "isHeldAt"}
    titles = texts(statements, TITLE, "en")
    held = {iri: found for iri, found in titles.items() if kind_of(iri) == "post"}
    assert len(held) >= 140
    assert [] == [
        (iri, title)
        for iri, found in held.items()
        for title in found
        if title.endswith("(former)") or any(title.endswith(f", {name}") for name in names[where.get(iri, "")])
    ]


def test_people_posts_and_engagements_are_told_of_in_russian_too(statements: list[Statement]) -> None:
    kinds = {"group", "involvement", "participation", "person", "post", "rank-holding"}
    english, russian = texts(statements, DESCRIPTION, "en"), texts(statements, DESCRIPTION, "ru")
    told = {iri: found for iri, found in english.items() if kind_of(iri) in kinds}
    assert len(told) >= 50
    assert [] == sorted(iri for iri, found in told.items() if len(russian[iri]) < len(found))
