"""The shapes hold what they promise: every case gives its results, and everything in the data is covered.

A case stands in the small world of `tests/shapes/context.ttl` and beside the ontology. Cases are not reasoned over:
targets and `sh:class` follow `rdfs:subClassOf` in the data graph by themselves (SHACL sections 2.1.3.2 and 4.1.1), and
a derived statement that a case needs is written in it, so that each case says all that its results depend on.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyshacl
import pytest
from conftest import Built
from pyshacl.errors import ReportableRuntimeError
from pyshacl.shape import Shape
from rdflib import BNode, Graph, Literal, Namespace, URIRef
from rdflib.collection import Collection
from rdflib.namespace import OWL, RDF, RDFS, SH
from rdflib.term import Node

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "shapes"
TT = "https://w3id.org/tracktwo/ontology#"
TTS = Namespace("https://w3id.org/tracktwo/shapes#")
TTO = Namespace("https://w3id.org/tracktwo/shapes/ontology#")

VALID = sorted(CASES.glob("*/valid.*.ttl"))
INVALID = sorted(CASES.glob("*/invalid.*.ttl"))
#: Shapes that apply to something by themselves, and property shapes.
TARGETED, PROPERTY_SHAPES = 68, 287

Results = Counter[tuple[Node, ...]]


def _load(*paths: Path) -> Graph:
    graph = Graph()
    for path in paths:
        graph.parse(path)
    return graph


SHAPES = _load(*sorted((ROOT / "shapes").glob("*.ttl")))
ONTOLOGY = _load(*sorted((ROOT / "ontology").glob("*.ttl")))
DATA = _load(*sorted((ROOT / "data").glob("**/*.ttl")))
CONTEXT = _load(CASES / "context.ttl")


def _targeted() -> dict[Node, set[Node]]:
    """Each node shape with a target, and the classes among its targets."""
    targets = (SH.targetClass, SH.targetSubjectsOf, SH.targetObjectsOf, SH.targetNode)
    shapes = {shape for target in targets for shape in SHAPES.subjects(target)}
    return {shape: set(SHAPES.objects(shape, SH.targetClass)) for shape in shapes}


def _languages(node: Node, predicate: URIRef) -> list[str]:
    """The languages of all values, each as often as it occurs."""
    return sorted(str(text.language) for text in SHAPES.objects(node, predicate) if isinstance(text, Literal))


def _local(node: Node) -> str:
    return str(node).rpartition("#")[2]


@pytest.fixture(scope="module")
def world() -> Graph:
    """What every case is added to."""
    return ONTOLOGY + CONTEXT


def _run(world: Graph, case: Graph) -> list[tuple[Node, ...]]:
    """(shape, component, focus node, severity) of each result about the nodes that the case describes."""
    new = [triple for triple in case if triple not in world]
    own = {node for node in case.subjects() if isinstance(node, URIRef)}
    for triple in new:
        world.add(triple)
    try:
        with _looking_at(own):
            _, report, _ = pyshacl.validate(world, shacl_graph=SHAPES, inference="none", advanced=False, inplace=True)
    finally:
        for triple in new:
            world.remove(triple)
    assert isinstance(report, Graph)
    return list(_results(report))


@contextmanager
def _looking_at(nodes: set[URIRef]) -> Iterator[None]:
    """Shapes pick their targets among these nodes only, else each case would validate the whole ontology anew.

    pySHACL's own option `focus_nodes` drops other nodes also where a shape looks at its values (`sh:node`, `sh:or`,
    `sh:not`, `sh:qualifiedValueShape`), which then pass unseen.
    """
    targets: Callable[..., set[URIRef]] = Shape.focus_nodes
    Shape.focus_nodes = lambda *given, **named: targets(*given, **named) & nodes  # type: ignore[method-assign]  # for one test
    try:
        yield
    finally:
        Shape.focus_nodes = targets  # type: ignore[method-assign]  # as it was


def _results(report: Graph) -> Iterator[tuple[Node, ...]]:
    for result in report.objects(None, SH.result):
        columns = (SH.sourceShape, SH.sourceConstraintComponent, SH.focusNode, SH.resultSeverity)
        values = [report.value(result, column) for column in columns]
        yield tuple(value for value in values if value is not None)


def _expected(path: Path, case: Graph) -> Results:
    """The results that the head of a case names."""
    lines = re.findall(r"^# expect: (\S+) (\S+) (\S+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    case.bind("tts", TTS)
    case.bind("tto", TTO)
    expand = case.namespace_manager.expand_curie

    def node_of(text: str) -> URIRef:
        return URIRef(text[1:-1]) if text.startswith("<") else expand(text)

    return Counter((expand(shape), SH[component], node_of(node)) for shape, component, node in lines)


def test_all_cases_and_shapes_are_found() -> None:
    assert (len(VALID), len(INVALID)) == (81, 103)
    assert len(_targeted()) == TARGETED
    assert len(set(SHAPES.subjects(RDF.type, SH.PropertyShape))) == PROPERTY_SHAPES


@pytest.mark.parametrize("path", VALID, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_valid_case_has_no_violation(path: Path, world: Graph) -> None:
    violations = [result for result in _run(world, _load(path)) if result[3] == SH.Violation]
    assert violations == []


@pytest.mark.parametrize("path", INVALID, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_invalid_case_gives_exactly_its_results(path: Path, world: Graph) -> None:
    case = _load(path)
    expected = _expected(path, case)
    assert expected
    assert expected == Counter(result[:3] for result in _run(world, case))


def test_context_of_the_cases_has_no_result() -> None:
    assert _run(Graph() + ONTOLOGY, CONTEXT) == []


def test_every_targeted_shape_has_a_valid_and_an_invalid_case() -> None:
    names = {_local(shape) for shape in _targeted()}
    assert names == {path.parent.name for path in VALID}
    assert names == {path.parent.name for path in INVALID}


def test_every_rule_with_a_violation_is_met_in_a_case() -> None:
    """A property shape that asks for something is broken by some case, so that it can be seen to work."""
    met = {expected[0] for path in INVALID for expected in _expected(path, _load(path))}
    asks = [
        "minCount",
        "maxCount",
        "qualifiedMinCount",
        "in",
        "equals",
        "disjoint",
        "lessThanOrEquals",
        "node",
        "or",
        "not",
    ]
    fields = set(SHAPES.subjects(RDF.type, SH.PropertyShape))
    nothing = {("qualifiedMinCount", 0)}  # what is asked for at least so often
    rules = {
        shape
        for ask in asks
        for shape, value in SHAPES.subject_objects(SH[ask])
        if not isinstance(value, Literal) or (ask, value.value) not in nothing
    } & fields
    assert [] == sorted(_local(shape) for shape in rules - met)


#: Mistakes that are easily made, and the shape that finds each.
MISTAKES = {
    "a participation without a role": "Participation-role",
    "a participation in no meeting": "Participation-placed",
    "one who is met, and takes part": "Participation-beside",
    "a rank of another state's force": "SideOfRank",
    "a post that ends before it begins": "Interval",
    "a meeting outside its dialogue's time": "Session",
    "an officer without a rank": "Officer-rank",
    "a recommendation by nobody": "Recommendation-by",
    "a recommendation to nobody": "Recommendation-to-expected",
    "a recommendation from no source": "Recommendation-origin",
    "two labels in one language": "label",
    "a slug that does not fit its label": "Slug",
    "a statement in a graph of no source": "NamedGraph",
    "a link to what does not exist": "type",
    "an identifier that is not verified as owl:sameAs": "sameAs-verified",
    "an identifier of two things": "sameAs-of-one",
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_common_mistake_is_met_in_a_case(mistake: str) -> None:
    cases = [
        path.name for path in INVALID for result in _expected(path, _load(path)) if result[0] == TTS[MISTAKES[mistake]]
    ]
    assert len(cases) >= 1


def test_every_property_of_the_ontology_has_a_place_on_a_page() -> None:
    kinds = (OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty)
    ours = {term for kind in kinds for term in ONTOLOGY.subjects(RDF.type, kind) if str(term).startswith(TT)}
    placed = {term for path in SHAPES.objects(None, SH.path) for term in _steps(path)}
    assert len(ours) >= 60
    assert [] == sorted(_local(term) for term in ours - placed)


def _steps(path: Node) -> set[Node]:
    """The properties that a path goes through."""
    if not isinstance(path, BNode):
        return {path}
    return {step for _, _, part in SHAPES.triples((path, None, None)) if part != RDF.nil for step in _steps(part)}


def test_shapes_are_valid_shapes() -> None:
    pyshacl.validate(Graph(), shacl_graph=SHAPES, meta_shacl=True)
    bad = Graph() + SHAPES
    bad.add((TTS.Bad, SH.minCount, Literal("one")))
    bad.add((TTS.Bad, SH.path, RDF.type))
    with pytest.raises(ReportableRuntimeError):
        pyshacl.validate(Graph(), shacl_graph=bad, meta_shacl=True)


def test_data_conforms(own: Built) -> None:
    """A build holds the data, and what follows from it, to the shapes; its report lists what a shape only warns of."""
    report = _load(own.release.folder / "report.ttl")
    assert len(DATA) > 10_000
    severities = {severity for _, severity in report.subject_objects(SH.resultSeverity)}
    assert severities == {SH.Warning}


def test_headers_of_the_shapes_are_complete() -> None:
    headers = Graph()
    for header in SHAPES.subjects(RDF.type, OWL.Ontology):
        headers += SHAPES.triples((header, None, None))
    assert len(set(headers.subjects())) == 2
    assert _run(Graph() + ONTOLOGY, headers) == []


def test_every_class_of_the_data_and_of_the_ontology_has_a_node_shape() -> None:
    covered = set().union(*_targeted().values())
    in_data = set(DATA.objects(None, RDF.type))
    ours = {term for term in ONTOLOGY.subjects(RDF.type, OWL.Class) if str(term).startswith(TT)}
    assert len(in_data) > 30
    assert len(ours) > 35
    assert sorted((in_data | ours) - covered, key=str) == []


def test_every_property_of_the_data_is_covered_for_its_class() -> None:
    paths = {class_: _paths(class_) for class_ in set(DATA.objects(None, RDF.type))}
    missing = Counter[tuple[str, str]]()
    checked = 0
    for subject in set(DATA.subjects()):
        classes = set(DATA.objects(subject, RDF.type))
        known = set().union(*(paths[class_] for class_ in classes), {RDF.type})
        for predicate in set(DATA.predicates(subject)):
            checked += 1
            if predicate not in known:
                missing[" ".join(sorted(map(_local, classes))), str(predicate)] += 1
    assert checked > 1000
    assert dict(missing) == {}


def _paths(class_: Node) -> set[Node]:
    """The properties that the shapes of a class and of its superclasses speak of."""
    classes = set(ONTOLOGY.transitive_objects(class_, RDFS.subClassOf))
    shapes = {shape for shape, targets in _targeted().items() if targets & classes}
    fields = {field for shape in shapes for field in SHAPES.objects(shape, SH.property)}
    return {path for field in fields for path in SHAPES.objects(field, SH.path) if isinstance(path, URIRef)}


def test_every_property_shape_is_named_placed_and_explained_in_both_languages() -> None:
    faults = []
    for shape in set(SHAPES.subjects(RDF.type, SH.PropertyShape)) | set(SHAPES.objects(None, SH.property)):
        assert isinstance(shape, URIRef), "a property shape without an IRI"
        for predicate in (SH.name, SH.message):
            languages = _languages(shape, predicate)
            if languages != ["en", "ru"]:
                faults.append((_local(shape), _local(predicate), languages))
        for predicate in (SH.group, SH.order, SH.severity, SH.path):
            if len(list(SHAPES.objects(shape, predicate))) != 1:
                faults.append((_local(shape), _local(predicate), []))
        if (SHAPES.value(shape, SH.group), RDF.type, SH.PropertyGroup) not in SHAPES:
            faults.append((_local(shape), "no such group", []))
    assert faults == []


def test_every_group_is_named_in_both_languages_and_ordered() -> None:
    """A group within a group has its place by its properties; it has one that says all and others that add to it."""
    groups = set(SHAPES.subjects(RDF.type, SH.PropertyGroup))
    parts = {group for group in groups if (group, SH.group, None) in SHAPES}
    assert (9, 4) == (len(groups - parts), len(parts))
    assert len({SHAPES.value(group, SH.order) for group in groups - parts}) == 9
    for group in groups:
        assert _languages(group, RDFS.label) == ["en", "ru"]
    for part in parts:
        assert SHAPES.value(part, SH.group) in groups - parts
        assert len({SHAPES.value(shape, SH.path) for shape in SHAPES.subjects(SH.group, part)}) > 1


def _outer_group(field: Node) -> Node | None:
    group = SHAPES.value(field, SH.group)
    return SHAPES.value(group, SH.group) or group


def test_no_two_properties_of_a_node_shape_share_a_place() -> None:
    for shape in _targeted():
        fields = list(SHAPES.objects(shape, SH.property))
        places = Counter((_outer_group(field), SHAPES.value(field, SH.order)) for field in fields)
        assert [place for place, times in places.items() if times > 1] == [], _local(shape)


def test_property_shapes_of_one_path_have_one_name_within_a_node_shape() -> None:
    """A page shows one row per path and class that qualifies it, so two names for it would race."""
    for shape in _targeted():
        names: dict[str, set[str]] = {}
        for field in SHAPES.objects(shape, SH.property):
            kind = SHAPES.value(SHAPES.value(field, SH.qualifiedValueShape), SH["class"])
            path = f"{_path_key(SHAPES.value(field, SH.path))} {_local(kind) if kind else ''}"
            names.setdefault(path, set()).add(" / ".join(sorted(map(str, SHAPES.objects(field, SH.name)))))
        assert {path: found for path, found in names.items() if len(found) > 1} == {}, _local(shape)


def _path_key(path: Node | None) -> str:
    if not isinstance(path, BNode):
        return str(path)
    for predicate in (SH.inversePath, SH.alternativePath, SH.oneOrMorePath):
        inner = SHAPES.value(path, predicate)
        if inner is not None:
            return f"{_local(predicate)}({_path_key(inner)})"
    return "/".join(map(_path_key, Collection(SHAPES, path)))


def test_every_node_shape_that_asks_says_so_in_both_languages() -> None:
    for shape in _targeted():
        if any((shape, asks, None) in SHAPES for asks in (SH.pattern, SH["or"])):
            assert SHAPES.value(shape, SH.severity) == SH.Violation
            assert _languages(shape, SH.message) == ["en", "ru"]
        for query in SHAPES.objects(shape, SH.sparql):
            assert SHAPES.value(shape, SH.severity) == SH.Violation
            assert _languages(query, SH.message) == ["en", "ru"]
