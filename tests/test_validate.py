"""Validation: every result tells which node fails, in which file and line; a check of nothing is an error."""

from pathlib import Path

import pytest
import rdflib
from conftest import DATA, EX, FOREIGN, PREFIXES, Built, write_publication
from rdflib.namespace import SH

from tracktwo import publication as publications
from tracktwo.errors import InputError
from tracktwo.release.infer import infer
from tracktwo.release.load import read
from tracktwo.release.validate import INFO, VIOLATION, WARNING, Report, validate

SHAPE = """\
ex:ThingShape a sh:NodeShape ; sh:targetClass ex:Thing ; sh:property ex:AgeShape, ex:LabelShape, ex:OwnerShape .
ex:AgeShape sh:path ex:age ; sh:datatype xsd:integer ; sh:message "Das ist keine Zahl."@de, "The age is no number."@en .
ex:LabelShape sh:path rdfs:label ; sh:minCount 1 ; sh:severity sh:Warning ; sh:message "It has no name."@en .
ex:OwnerShape sh:path [ sh:inversePath ex:owns ] ; sh:minCount 1 ; sh:severity sh:Info ; sh:message "Nobody owns it." .
"""
MORE = """\
# About the second: the label, then the age, in a file of two subjects.

ex:other rdfs:label "Other" .

ex:two a ex:Thing ;
    rdfs:label "Two"@en ;
    ex:age "old" .

ex:ann ex:owns ex:one .
ex:bob ex:owns ex:two .
"""


def validated(root: Path, files: dict[str, str]) -> Report:
    publication = write_publication(root, files)
    given = read(publication)
    return validate(publication, given, infer(publication, given))


@pytest.fixture
def report(tmp_path: Path) -> Report:
    return validated(
        tmp_path, {"shapes/shapes.ttl": PREFIXES + SHAPE, "data/data.ttl": DATA, "data/more.ttl": PREFIXES + MORE}
    )


def line_of(text: str, start: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if line.startswith(start))


def test_a_violation_tells_node_path_value_message_file_and_line(report: Report, tmp_path: Path) -> None:
    assert not report.conforms
    assert 1 == len(report.results)
    violation = report.of(VIOLATION)[0]
    assert EX + "two" == violation.node
    assert EX + "age" == violation.path
    assert '"old"' == violation.value
    assert "The age is no number." == violation.message
    assert {"en": "The age is no number.", "de": "Das ist keine Zahl."} == dict(violation.messages)
    assert EX + "AgeShape" == violation.shape
    assert "DatatypeConstraintComponent" == violation.component
    assert str(tmp_path / "data" / "more.ttl") == violation.file
    assert line_of(PREFIXES + MORE, "ex:two") == violation.line


def test_a_result_as_text_can_be_acted_on(report: Report, tmp_path: Path) -> None:
    line = line_of(PREFIXES + MORE, "ex:two")
    expected = (
        f"{tmp_path}/data/more.ttl:{line}: violation: The age is no number.\n"
        f'  node   {EX}two\n  path   {EX}age\n  value  "old"\n  shape  {EX}AgeShape'
    )
    assert expected == str(report.of(VIOLATION)[0])


def test_warnings_and_infos_are_counted_and_stop_nothing(tmp_path: Path) -> None:
    report = validated(
        tmp_path,
        {
            "shapes/shapes.ttl": PREFIXES + SHAPE,
            "data/data.ttl": PREFIXES + "ex:one a ex:Thing . ex:two a ex:Thing ; rdfs:label 'Two' .",
        },
    )
    assert report.conforms
    assert [(WARNING, EX + "one"), (INFO, EX + "one"), (INFO, EX + "two")] == [
        (result.severity, result.node) for result in report.results
    ]
    assert "0 violations, 1 warnings, 2 infos from 1 shapes" == report.summary


def test_an_inverse_path_is_told_as_such(tmp_path: Path) -> None:
    report = validated(tmp_path, {"shapes/shapes.ttl": PREFIXES + SHAPE})
    assert [f"^{EX}owns"] == [result.path for result in report.of(INFO)]
    assert "Nobody owns it." == report.of(INFO)[0].message


def test_violations_come_before_warnings_before_infos(tmp_path: Path) -> None:
    data = (
        PREFIXES
        + "ex:z a ex:Thing ; ex:age 'old' . ex:a a ex:Thing ; rdfs:label 'A' . ex:b a ex:Thing ; ex:age 'young' ."
    )
    severities = [
        result.severity
        for result in validated(tmp_path, {"shapes/shapes.ttl": PREFIXES + SHAPE, "data/data.ttl": data}).results
    ]
    assert 2 == severities.count(VIOLATION)
    assert severities == sorted(severities, key=[VIOLATION, WARNING, INFO].index)


def test_the_property_at_fault_decides_which_file_is_named(tmp_path: Path) -> None:
    files = {
        "shapes/shapes.ttl": PREFIXES + SHAPE,
        "data/a.ttl": DATA,
        "data/b.ttl": PREFIXES + "\n\nex:one ex:age 'old' .\n",
    }
    violation = validated(tmp_path, files).of(VIOLATION)[0]
    assert (str(tmp_path / "data" / "b.ttl"), len(PREFIXES.splitlines()) + 3) == (violation.file, violation.line)


@pytest.mark.parametrize("subject", ["ex:two", f"<{EX}two>"])
def test_the_line_is_found_however_the_subject_is_written(tmp_path: Path, subject: str) -> None:
    text = f"{PREFIXES}@base <{EX}> .\n\n# {subject} is below\n{subject}\n    a ex:Thing ; ex:age 'old' .\n"
    violation = validated(tmp_path, {"shapes/shapes.ttl": PREFIXES + SHAPE, "data/data.ttl": text}).of(VIOLATION)[0]
    assert len(text.splitlines()) - 1 == violation.line


def test_a_violation_in_a_nested_node_names_the_file_that_holds_it(tmp_path: Path) -> None:
    data = PREFIXES + "ex:one a ex:Other ; ex:has [ a ex:Thing ; ex:age 'old' ] ."
    violation = validated(
        tmp_path,
        {
            "shapes/shapes.ttl": PREFIXES + SHAPE,
            "data/data.ttl": DATA.replace("ex:one", "ex:zero"),
            "data/nested.ttl": data,
        },
    ).of(VIOLATION)[0]
    assert str(tmp_path / "data" / "nested.ttl") == violation.file


def test_a_violation_of_what_only_follows_is_found(tmp_path: Path) -> None:
    ontology = (
        PREFIXES
        + "ex:ontology a owl:Ontology . ex:Person rdfs:subClassOf ex:Thing . ex:years rdfs:subPropertyOf ex:age ."
    )
    report = validated(
        tmp_path,
        {
            "ontology/o.ttl": ontology,
            "shapes/shapes.ttl": PREFIXES + SHAPE,
            "data/data.ttl": PREFIXES + "ex:ann a ex:Person ; ex:years 'many' .",
        },
    )
    assert [(EX + "ann", EX + "age", '"many"')] == [
        (result.node, result.path, result.value) for result in report.of(VIOLATION)
    ]


def test_the_ontology_is_held_to_shapes_too(tmp_path: Path) -> None:
    commented = "sh:property [ sh:path rdfs:comment ; sh:minCount 1 ]"
    shapes = f"{PREFIXES}ex:ClassShape a sh:NodeShape ; sh:targetClass owl:Class ; {commented} ."
    violation = validated(tmp_path, {"shapes/shapes.ttl": shapes}).of(VIOLATION)[0]
    assert EX + "Thing" == violation.node
    assert violation.file.endswith("ontology.ttl")


def test_literals_are_judged_by_the_form_they_have(tmp_path: Path) -> None:
    year = 'sh:property [ sh:path ex:age ; sh:datatype xsd:gYear ; sh:pattern "^[0-9]{4}$" ]'
    shapes = f"{PREFIXES}ex:ThingShape a sh:NodeShape ; sh:targetClass ex:Thing ; {year} ."
    data = PREFIXES + 'ex:one a ex:Thing ; ex:age "0044"^^xsd:gYear . ex:two a ex:Thing ; ex:age "0044Z"^^xsd:gYear .'
    assert {EX + "two"} == {
        result.node
        for result in validated(tmp_path, {"shapes/shapes.ttl": shapes, "data/data.ttl": data}).of(VIOLATION)
    }


# --- checks that would check nothing ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shapes",
    [
        "ex:ThingShape a sh:NodeShape ; sh:property [ sh:path ex:age ; sh:minCount 1 ] .",
        "ex:a ex:b ex:c .",
        "ex:ThingShape a sh:NodeShape ; sh:targetClass ex:Thing ; sh:deactivated true .",
    ],
    ids=["without target", "no shape", "deactivated"],
)
def test_shapes_that_look_at_nothing_are_an_error(tmp_path: Path, shapes: str) -> None:
    with pytest.raises(InputError, match="target") as caught:
        validated(tmp_path, {"shapes/shapes.ttl": PREFIXES + shapes})
    assert str(tmp_path / "shapes") in caught.value.message


@pytest.mark.parametrize(
    "target", ["sh:targetClass ex:Thing", "sh:targetNode ex:one", "sh:targetSubjectsOf rdfs:label", "a rdfs:Class"]
)
def test_every_kind_of_target_counts(tmp_path: Path, target: str) -> None:
    shapes = f"{PREFIXES}ex:Thing a sh:NodeShape ; {target} ; sh:property [ sh:path ex:age ; sh:minCount 1 ] ."
    report = validated(tmp_path, {"shapes/shapes.ttl": shapes})
    assert 1 == report.shapes
    assert EX + "one" in [result.node for result in report.of(VIOLATION)]


@pytest.mark.parametrize(
    "constraint",
    [
        'sh:path ex:age ; sh:minCount "many"',
        "sh:path ex:age ; sh:minCount 1, 2",
        "sh:minCount 1",
        'sh:path ex:age ; sh:pattern "("',
        "sh:path [ sh:inversePath 'x' ] ; sh:minCount 1",
    ],
)
def test_shapes_that_are_none_are_an_error(tmp_path: Path, constraint: str) -> None:
    shapes = f"{PREFIXES}ex:ThingShape a sh:NodeShape ; sh:targetClass ex:Thing ; sh:property [ {constraint} ] ."
    with pytest.raises(InputError) as caught:
        validated(tmp_path, {"shapes/shapes.ttl": shapes, "data/data.ttl": DATA + "ex:one ex:age 'x' ."})
    assert str(tmp_path / "shapes") in caught.value.message


# --- the publications ------------------------------------------------------------------------------------------------


def test_the_foreign_publication_has_three_warnings() -> None:
    publication = publications.load(FOREIGN)
    given = read(publication)
    report = validate(publication, given, infer(publication, given))
    assert (0, 3, 0) == tuple(len(report.of(severity)) for severity in (VIOLATION, WARNING, INFO))
    assert 4 == report.shapes
    assert {"https://data.pharos.example/rules#Lighthouse-firstLit"} == {result.shape for result in report.results}
    text = (FOREIGN / "facts" / "φως.ttl").read_text(encoding="utf-8")
    expected = sorted(
        line_of(text, f"<https://data.pharos.example/thing/{name}>")
        for name in ("φάρος/Ταμέλος", "灯台/犬吠埼", "φάρος/_")
    )
    assert expected == sorted(result.line for result in report.results)
    assert {"φως.ttl"} == {Path(result.file).name for result in report.results}


def test_both_publications_conform_and_say_so_in_the_release(each: Built) -> None:
    validation = each.release.manifest["validation"]
    assert 0 == validation["violations"]
    graph = rdflib.Graph().parse(data=each.release.read("report.ttl"), format="turtle")
    results = list(graph.subjects(rdflib.RDF.type, SH.ValidationResult))
    assert validation["warnings"] == len(results) >= 1


def test_literals_of_rdflib_are_left_as_they_were() -> None:
    assert rdflib.NORMALIZE_LITERALS


def test_a_rule_in_sparql_looks_at_every_node(tmp_path: Path) -> None:
    """Its query is parsed once, and asked with each node."""
    rule = (
        f'sh:sparql [ sh:message "Too old."@en, "Zu alt."@de ; sh:select "SELECT $this WHERE {{ $this <{EX}age> 9 }}" ]'
    )
    shapes = f"{PREFIXES}ex:ThingShape a sh:NodeShape ; sh:targetClass ex:Thing ; {rule} ."
    data = PREFIXES + "".join(f"ex:t{age} a ex:Thing ; ex:age {age % 10} . " for age in range(30))
    report = validated(tmp_path, {"shapes/shapes.ttl": shapes, "data/data.ttl": data})
    assert [EX + "t19", EX + "t29", EX + "t9"] == [result.node for result in report.of(VIOLATION)]
    assert [{"en": "Too old.", "de": "Zu alt."}] * 3 == [dict(result.messages) for result in report.of(VIOLATION)]


def test_names_and_places_on_a_page_change_no_result(tmp_path: Path) -> None:
    layout = "sh:name 'age' ; sh:description 'in years' ; sh:order 1 ; sh:group ex:Group ; sh:defaultValue 7 ; "
    plain = validated(tmp_path / "a", {"shapes/shapes.ttl": PREFIXES + SHAPE, "data/data.ttl": PREFIXES + MORE})
    laid_out = SHAPE.replace("sh:path ex:age ;", f"sh:path ex:age ; {layout}")
    placed = validated(tmp_path / "b", {"shapes/shapes.ttl": PREFIXES + laid_out, "data/data.ttl": PREFIXES + MORE})
    assert [(r.node, r.path, r.shape, r.message) for r in plain.results] == [
        (r.node, r.path, r.shape, r.message) for r in placed.results
    ]
    assert 1 == len(plain.results)


def test_each_graph_of_the_data_is_shown_to_the_shapes(tmp_path: Path) -> None:
    """So that a graph of which nobody knows the source can be found; the place is its file."""
    described = "sh:property [ sh:path rdfs:label ; sh:minCount 1 ]"
    shapes = f"{PREFIXES}ex:GraphShape a sh:NodeShape ; sh:targetClass sd:NamedGraph ; {described} ."
    prefix = "@prefix sd: <http://www.w3.org/ns/sparql-service-description#> .\n"
    files = {
        "shapes/shapes.ttl": prefix + shapes,
        "data/known.ttl": PREFIXES + f"<{EX}graph/known> rdfs:label 'known' .",
        "data/unknown.ttl": PREFIXES + "ex:one a ex:Thing .",
    }
    violations = {result.node: result for result in validated(tmp_path, files).of(VIOLATION)}
    assert EX + "graph/known" not in violations
    assert str(tmp_path / "data" / "unknown.ttl") == violations[EX + "graph/unknown"].file


def test_a_link_to_nothing_is_shown_to_the_shapes(tmp_path: Path) -> None:
    """The place is the line of whatever links there."""
    shapes = f"{PREFIXES}@prefix dcterms: <http://purl.org/dc/terms/> .\n" + (
        "ex:LinkShape a sh:NodeShape ; sh:targetSubjectsOf dcterms:isReferencedBy ; sh:property ex:Typed . "
        "ex:Typed sh:path rdf:type ; sh:minCount 1 ."
    )
    data = PREFIXES + f"ex:one a ex:Thing .\n\nex:two a ex:Thing ; ex:has <{EX}id/there>, <{EX}id/gone> ."
    there = f"{PREFIXES}<{EX}id/there> a ex:Thing ; ex:has <http://elsewhere.example/id/gone> ."
    files = {"shapes/shapes.ttl": shapes, "data/data.ttl": data, "data/there.ttl": there}
    violations = validated(tmp_path, files).of(VIOLATION)
    assert [EX + "id/gone"] == [result.node for result in violations]
    assert (str(tmp_path / "data" / "data.ttl"), line_of(data, "ex:two")) == (violations[0].file, violations[0].line)
