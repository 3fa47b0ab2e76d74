"""The ontology as an ontology: valid OWL 2 DL, in RL but for what is listed, consistent with all the data, free of the
pitfalls of the OOPS! catalogue that a program can find, asked for by questions, and true to its earlier versions.

The OWL API and HermiT come with the package owlready2; `tests/ontology/Profiles.java` asks them.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path

import pytest
from rdflib import OWL, RDF, RDFS, SKOS, BNode, Graph, Literal, Namespace, URIRef
from rdflib.collection import Collection
from rdflib.namespace import DCTERMS, SH
from rdflib.term import Node

ROOT = Path(__file__).resolve().parent.parent
PROFILES = ROOT / "tests" / "ontology" / "Profiles.java"
VERSIONS = ROOT / "tests" / "ontology" / "terms"
QUESTIONS = sorted((ROOT / "ontology" / "questions").glob("*.rq"))

TT = Namespace("https://w3id.org/tracktwo/ontology#")
HERE = URIRef("https://w3id.org/tracktwo/ontology")
PROPERTIES = (OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty)


def load(paths: Iterable[Path]) -> Graph:
    graph = Graph()
    for path in paths:
        graph.parse(path)
    return graph


MAIN = load([ROOT / "ontology" / "tracktwo.ttl"])
ONTOLOGY = load(sorted((ROOT / "ontology").glob("*.ttl")))
DATA = load(sorted((ROOT / "data").glob("**/*.ttl")))
SHAPES = load(sorted((ROOT / "shapes").glob("*.ttl")))

CLASSES = {term for term in ONTOLOGY.subjects(RDF.type, OWL.Class) if str(term).startswith(str(TT))}
RELATIONS = {term for kind in PROPERTIES for term in ONTOLOGY.subjects(RDF.type, kind) if str(term).startswith(str(TT))}
TERMS = CLASSES | RELATIONS


def local(term: Node) -> str:
    return re.split(r"[#/]", str(term))[-1]


def test_there_is_an_ontology_to_test() -> None:
    assert len(CLASSES) >= 35
    assert len(RELATIONS) >= 60
    assert len(DATA) >= 2500


# --- what the reasoner and the profile checker say --------------------------------------------------------------------


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Java class path with HermiT, the OWL API and the program that asks them."""
    if shutil.which("javac") is None:
        if os.environ.get("CI"):
            raise RuntimeError("a JDK is needed here: apt-get install default-jdk-headless")
        pytest.skip("no JDK is installed")
    package = importlib.util.find_spec("owlready2")
    assert package is not None
    assert package.origin is not None
    jar, compiled = Path(package.origin).parent / "hermit" / "HermiT.jar", tmp_path_factory.mktemp("classes")
    subprocess.run(["javac", "-cp", str(jar), "-d", str(compiled), str(PROFILES)], check=True, timeout=300)
    return f"{jar}{os.pathsep}{compiled}"


def judged(judges: str, graph: Graph, folder: Path) -> dict[str, list[str]]:
    """What is said about a graph as one ontology: each word with all that it is said of."""
    merged = Graph()
    headers = set(graph.subjects(RDF.type, OWL.Ontology))
    for triple in graph:
        if triple[0] not in headers:
            merged.add(triple)
    merged.add((URIRef("urn:merged"), RDF.type, OWL.Ontology))
    path = folder / "merged.owl"
    merged.serialize(path, format="xml")
    run = subprocess.run(
        ["java", "-cp", judges, "Profiles", str(path)], check=True, capture_output=True, text=True, timeout=300
    )
    found: dict[str, list[str]] = defaultdict(list)
    for line in run.stdout.splitlines():
        word, _, what = line.partition("\t")
        found[word].append(what)
    return found


@pytest.fixture(scope="module")
def verdict(judges: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    return judged(judges, ONTOLOGY + DATA, tmp_path_factory.mktemp("ontology"))


def test_all_of_the_ontology_and_the_data_is_judged(verdict: dict[str, list[str]]) -> None:
    assert int(verdict["axioms"][0]) >= 1500
    assert int(verdict["classes"][0]) >= len(CLASSES)
    assert int(verdict["individuals"][0]) >= 300


def test_the_ontology_with_all_the_data_is_valid_owl_2_dl(verdict: dict[str, list[str]]) -> None:
    assert [] == verdict["DL"]


def test_the_ontology_is_consistent_with_all_the_data(verdict: dict[str, list[str]]) -> None:
    assert ["true"] == verdict["consistent"]


def test_no_class_is_unsatisfiable(verdict: dict[str, list[str]]) -> None:
    assert [] == verdict["unsatisfiable"]


#: Where the ontology leaves OWL 2 RL, and why.
BEYOND_RL = {
    r"UseOfIllegalDataRange AnnotationAssertion\(.*\^\^xsd:(date|gYear|gYearMonth)\)":
    "dates are values of annotations, of which the rules infer nothing; RL has no datatype for them",
    r"UseOfNonEquivalentClassExpression EquivalentClasses\(<\S+#Officer> ObjectSomeValuesFrom\(.*\) \)":
    "the rules find the officers; that each officer has some rank, which they cannot infer, a shape holds",
    r"UseOfNonEquivalentClassExpression EquivalentClasses\(<\S+#Diplomat> ObjectSomeValuesFrom\(.*\) \)":
    "the rules find the diplomats; that each diplomat has some title, which they cannot infer, a shape holds",
}  # fmt: skip


def test_the_ontology_is_in_the_rl_profile_but_for_what_is_listed(verdict: dict[str, list[str]]) -> None:
    used = {pattern for pattern in BEYOND_RL for line in verdict["RL"] if re.fullmatch(pattern, line)}
    beyond = [line for line in verdict["RL"] if not any(re.fullmatch(pattern, line) for pattern in BEYOND_RL)]
    assert [] == beyond
    assert set(BEYOND_RL) == used


FAULTS = {
    "DL": ["tt:undeclared rdfs:subClassOf tt:Rank .", "tt:outranks a owl:AsymmetricProperty ."],
    "RL": ["tt:Rank rdfs:subClassOf [ a owl:Class ; owl:unionOf ( tt:Post tt:Goal ) ] ."],
    "unsatisfiable": ["tt:Rank rdfs:subClassOf tt:Goal ."],
    "inconsistent": ["<urn:x> a tt:Rank, tt:Goal ."],
}


@pytest.mark.parametrize(("word", "fault"), [(word, fault) for word, faults in FAULTS.items() for fault in faults])
def test_the_judges_see_a_fault(judges: str, tmp_path: Path, word: str, fault: str) -> None:
    prefixes = f"@prefix tt: <{TT}> . @prefix owl: <{OWL}> . @prefix rdfs: <{RDFS}> . "
    said = judged(judges, ONTOLOGY + Graph().parse(data=prefixes + fault, format="turtle"), tmp_path)
    if word == "inconsistent":
        assert ["false"] == said["consistent"]
    else:
        assert len(said[word]) > (2 if word == "RL" else 0)


# --- pitfalls of the OOPS! catalogue, by their numbers ----------------------------------------------------------------


def listed(node: Node) -> list[Node]:
    return list(Collection(ONTOLOGY, node))


def inverses() -> list[tuple[Node, Node]]:
    return list(ONTOLOGY.subject_objects(OWL.inverseOf))


def texts(predicate: URIRef, language: str) -> Iterator[tuple[Node, str]]:
    for subject, text in ONTOLOGY.subject_objects(predicate):
        if isinstance(text, Literal) and text.language == language and isinstance(subject, URIRef):
            yield subject, str(text)


def test_p02_no_two_classes_are_said_to_be_the_same() -> None:
    named = [(a, b) for a, b in ONTOLOGY.subject_objects(OWL.equivalentClass) if isinstance(b, URIRef)]
    assert len(list(ONTOLOGY.subject_objects(OWL.equivalentClass))) >= 2
    assert [] == named


def test_p03_kinds_are_said_with_rdf_type_and_subclasses_not_with_a_property_of_ours() -> None:
    names = {local(term) for term in RELATIONS}
    assert len(names) >= 60
    assert set() == names & {"is", "isA", "isKindOf", "isSubclassOf", "isInstanceOf", "instanceOf", "hasType"}


def test_p04_every_term_is_connected_to_another_or_has_values() -> None:
    spoken_of = set(ONTOLOGY.objects()) | set(DATA.objects(None, RDF.type)) | set(DATA.predicates())
    spoken_of |= set(SHAPES.objects(None, SH.path))
    links = (RDFS.subClassOf, RDFS.subPropertyOf, RDFS.domain, RDFS.range, OWL.inverseOf, OWL.equivalentClass)
    linked = {subject for link in links for subject in ONTOLOGY.subjects(link)}
    chained = set(ONTOLOGY.subjects(OWL.propertyChainAxiom))
    assert len(TERMS) >= 95
    assert set() == TERMS - spoken_of - linked - chained


def test_p05_inverse_properties_swap_domain_and_range() -> None:
    pairs = inverses()
    assert len(pairs) >= 5
    for one, other in [*pairs, *((b, a) for a, b in pairs)]:
        domains, ranges = set(ONTOLOGY.objects(one, RDFS.domain)), set(ONTOLOGY.objects(other, RDFS.range))
        assert not domains or not ranges or domains == ranges, local(one)


@pytest.mark.parametrize("predicate", [RDFS.subClassOf, RDFS.subPropertyOf])
def test_p06_no_hierarchy_runs_in_a_circle(predicate: URIRef) -> None:
    below = set(ONTOLOGY.subjects(predicate))
    assert len(below) >= 9
    circles = [
        t for t in below for up in ONTOLOGY.objects(t, predicate) if t in ONTOLOGY.transitive_objects(up, predicate)
    ]
    assert [] == circles


def test_p07_no_class_merges_two_concepts() -> None:
    names = {local(term): text for term, text in texts(RDFS.label, "en") if term in CLASSES}
    assert len(names) == len(CLASSES)
    assert {} == {
        n: text for n, text in names.items() if re.search(r"\b(and|or)\b", text) or re.search("And|Or[A-Z]", n)
    }


@pytest.mark.parametrize("language", ["en", "ru"])
def test_p08_every_term_is_labelled_and_defined(language: str) -> None:
    assert len(TERMS) >= 95
    for predicate in (RDFS.label, SKOS.definition):
        assert set() == TERMS - {term for term, _ in texts(predicate, language)}


def test_p10_classes_without_a_common_ground_are_disjoint() -> None:
    """Each pair of top classes is disjoint but for what overlaps: an officer can be a diplomat."""
    groups = [set(listed(node)) for node in ONTOLOGY.objects(None, OWL.members)]
    disjoint = {frozenset(pair) for group in groups for pair in combinations(group, 2)}
    disjoint |= {frozenset((a, b)) for a, b in ONTOLOGY.subject_objects(OWL.disjointWith)}
    tops = {c for c in CLASSES if not set(MAIN.objects(c, RDFS.subClassOf)) and c not in DEFINED}
    pairs = {frozenset(pair) for pair in combinations(tops, 2)}
    assert len(groups) >= 3
    assert len(pairs) >= 100
    assert [] == [sorted(map(local, pair)) for pair in pairs - disjoint if not pair & OVERLAPPING]


#: Classes that a condition defines: what fulfils two conditions is in both.
DEFINED = {TT.Officer, TT.Diplomat}
#: Top classes that may share instances with others: a source can also be a publication that we describe.
OVERLAPPING = {TT.Source}


def test_p11_domains_and_ranges_stand_where_every_use_entails_them() -> None:
    """A domain or range infers, so each is held to the data: no individual gets a class only by inference."""
    typed: dict[Node, set[Node]] = defaultdict(set)
    for subject, kind in DATA.subject_objects(RDF.type):
        typed[subject] |= {above for above in ONTOLOGY.transitive_objects(kind, RDFS.subClassOf) if above}
    checked, wrong = 0, []
    for predicate, ends in ((RDFS.domain, 0), (RDFS.range, 1)):
        for relation, expected in ONTOLOGY.subject_objects(predicate):
            for pair in DATA.subject_objects(relation):
                if isinstance(pair[ends], URIRef) and pair[ends] in typed and isinstance(expected, URIRef):
                    checked += 1
                    if expected not in typed[pair[ends]]:
                        wrong.append((local(relation), local(expected), str(pair[ends])))
    assert checked >= 200
    assert [] == wrong


def test_p13_no_relation_has_two_inverses() -> None:
    """Inverses are declared where a page or a question reads both ways; any other way back is a path with `^`."""
    sides = Counter(side for pair in inverses() for side in pair)
    assert len(sides) >= 10
    assert {} == {local(side): times for side, times in sides.items() if times > 1}


def test_p19_no_property_has_two_domains_or_ranges() -> None:
    for predicate in (RDFS.domain, RDFS.range):
        counts = Counter(ONTOLOGY.subjects(predicate))
        assert len(counts) >= 10
        assert [] == [local(term) for term, times in counts.items() if times > 1]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_term_has_an_example_in_each_language(language: str) -> None:
    """Of `skos:example`, each in words and none a repetition of the term's label."""
    examples, labels = dict(texts(SKOS.example, language)), dict(texts(RDFS.label, language))
    assert [] == sorted(local(term) for term in TERMS - set(examples))
    assert [] == sorted(local(term) for term in TERMS if examples[term].rstrip(".").lower() == labels[term].lower())


def test_p20_no_label_is_a_sentence_and_no_definition_a_label() -> None:
    labels, definitions = dict(texts(RDFS.label, "en")), dict(texts(SKOS.definition, "en"))
    assert len(definitions) >= 95
    assert [] == [local(t) for t, text in definitions.items() if text == labels.get(t) or len(text) <= len(labels[t])]
    assert [] == [text for text in labels.values() if len(text) > 60]


def test_p22_terms_follow_one_naming_convention() -> None:
    assert [] == [local(term) for term in CLASSES if not re.fullmatch(r"([A-Z][a-z]+)+", local(term))]
    assert [] == [local(term) for term in RELATIONS if not re.fullmatch(r"[a-z]+([A-Z][a-z]*)*", local(term))]


def test_p24_no_class_is_defined_by_itself() -> None:
    definitions = list(ONTOLOGY.subject_objects(OWL.equivalentClass))
    assert len(definitions) >= 2
    for term, condition in definitions:
        assert term not in parts(condition), local(term)


def parts(node: Node) -> set[Node]:
    """What an anonymous description is made of."""
    found = {node}
    for _, _, value in ONTOLOGY.triples((node, None, None)) if isinstance(node, BNode) else ():
        found |= parts(value)
    return found


def test_p25_p26_no_inverse_of_itself_or_of_a_symmetric_property() -> None:
    symmetric = set(ONTOLOGY.subjects(RDF.type, OWL.SymmetricProperty))
    assert len(inverses()) >= 5
    assert [] == [local(a) for a, b in inverses() if a == b or a in symmetric or b in symmetric]


def test_p27_no_two_properties_of_ours_are_equivalent() -> None:
    assert [] == [a for a, b in ONTOLOGY.subject_objects(OWL.equivalentProperty) if a in RELATIONS and b in RELATIONS]
    assert len(RELATIONS) >= 60


@pytest.mark.parametrize("kind", [OWL.SymmetricProperty, OWL.TransitiveProperty])
def test_p28_p29_what_runs_both_ways_or_through_leads_where_it_starts(kind: URIRef) -> None:
    relations = set(ONTOLOGY.subjects(RDF.type, kind))
    assert kind != OWL.TransitiveProperty or relations
    for relation in relations:
        domains, ranges = set(ONTOLOGY.objects(relation, RDFS.domain)), set(ONTOLOGY.objects(relation, RDFS.range))
        assert not domains or not ranges or domains == ranges, local(relation)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_p30_p32_no_two_terms_share_a_label(language: str) -> None:
    counts = Counter(text.casefold() for _, text in texts(RDFS.label, language))
    assert len(counts) >= 95
    assert [] == [text for text, times in counts.items() if times > 1]


def test_p31_no_class_is_equivalent_to_a_class_it_is_disjoint_with_or_below() -> None:
    for term, condition in ONTOLOGY.subject_objects(OWL.equivalentClass):
        assert not parts(condition) & set(ONTOLOGY.objects(term, RDFS.subClassOf)), local(term)
    assert len(list(ONTOLOGY.subjects(OWL.equivalentClass))) >= 2


def test_p33_no_chain_has_a_single_property() -> None:
    chains = list(ONTOLOGY.objects(None, OWL.propertyChainAxiom))
    assert len(chains) >= 3
    assert [] == [chain for chain in chains if len(listed(chain)) < 2]


def test_p34_p35_every_class_and_property_in_use_is_declared() -> None:
    classes = set(ONTOLOGY.subjects(RDF.type, OWL.Class))
    relations = {term for kind in PROPERTIES for term in ONTOLOGY.subjects(RDF.type, kind)}
    above = {c for p in (RDFS.subClassOf, RDFS.domain) for c in ONTOLOGY.objects(None, p)} | set(
        DATA.objects(None, RDF.type)
    )
    used = (
        set(DATA.predicates())
        | {p for pair in inverses() for p in pair}
        | set(ONTOLOGY.objects(None, RDFS.subPropertyOf))
    )
    assert len(above) >= 40
    assert len(used) >= 60
    assert set() == {term for term in above if isinstance(term, URIRef)} - classes
    assert set() == {term for term in used if not str(term).startswith((str(RDF), str(RDFS), str(OWL)))} - relations


def test_p36_no_iri_has_the_ending_of_a_file() -> None:
    iris = {term for term in ONTOLOGY.subjects() if isinstance(term, URIRef)}
    assert len(iris) >= 150
    assert [] == [iri for iri in iris if re.search(r"\.(owl|rdf|ttl|xml|n3|jsonld|html?)([#/]|$)", iri)]


@pytest.mark.parametrize("path", sorted((ROOT / "ontology").glob("*.ttl")), ids=lambda path: path.stem)
def test_p38_p41_every_file_declares_one_ontology_with_a_licence_and_a_version(path: Path) -> None:
    graph = load([path])
    headers = list(graph.subjects(RDF.type, OWL.Ontology))
    assert 1 == len(headers)
    assert 1 == len(list(graph.objects(headers[0], DCTERMS.license)))
    assert f"{headers[0]}/{graph.value(headers[0], OWL.versionInfo)}" == str(graph.value(headers[0], OWL.versionIRI))


def test_p39_p40_terms_of_ours_stand_in_our_namespace_and_terms_of_others_are_not_redefined() -> None:
    defined = set(ONTOLOGY.subjects(SKOS.definition)) | set(ONTOLOGY.subjects(RDFS.isDefinedBy))
    assert len(defined) >= 95
    assert set() == {term for term in defined if not str(term).startswith(str(TT))}
    meaning = (RDFS.domain, RDFS.range, OWL.equivalentClass, OWL.inverseOf, OWL.propertyChainAxiom)
    foreign = {t for p in meaning for t in ONTOLOGY.subjects(p) if isinstance(t, URIRef)} - TERMS
    assert set() == {term for term in foreign if not str(term).startswith(str(TT))}


# --- questions and versions -------------------------------------------------------------------------------------------


def test_every_term_is_used_by_a_question() -> None:
    asked = {URIRef(TT[name]) for path in QUESTIONS for name in names_in(path.read_text(encoding="utf-8"))}
    assert len(QUESTIONS) >= 20
    assert [] == sorted(local(term) for term in TERMS - asked)


def names_in(query: str) -> set[str]:
    """Names of our terms in a query's text, comments left out."""
    text = re.sub(r"(?m)^\s*#.*$", "", query)
    return set(re.findall(r"\btt:(\w+)", text)) | set(re.findall(rf"<{re.escape(str(TT))}(\w+)>", text))


def version_of(path: Path) -> tuple[int, ...]:
    return tuple(map(int, path.stem.split(".")))


def test_no_published_term_disappears_without_a_word() -> None:
    """A term of an earlier version is still declared; one that is given up is deprecated, and says what to use."""
    lists = sorted(VERSIONS.glob("*.txt"), key=version_of)
    published = {URIRef(TT[name]) for path in lists for name in path.read_text(encoding="utf-8").split()}
    assert len(published) >= 95
    assert [] == sorted(local(term) for term in published - TERMS)
    for term in set(MAIN.subjects(OWL.deprecated, Literal(True))):
        assert set(MAIN.objects(term, DCTERMS.isReplacedBy)) | set(MAIN.objects(term, RDFS.seeAlso)), local(term)


def test_the_terms_of_this_version_are_listed() -> None:
    current = VERSIONS / f"{MAIN.value(HERE, OWL.versionInfo)}.txt"
    assert sorted(local(term) for term in TERMS) == current.read_text(encoding="utf-8").split()


def test_each_version_but_the_first_names_the_one_before_and_what_changed() -> None:
    lists = sorted(VERSIONS.glob("*.txt"), key=version_of)
    current = next(i for i, path in enumerate(lists) if path.stem == str(MAIN.value(HERE, OWL.versionInfo)))
    assert current == len(lists) - 1
    if current:
        assert f"{HERE}/{lists[current - 1].stem}" == str(MAIN.value(HERE, OWL.priorVersion))
        assert MAIN.value(HERE, SKOS.changeNote) or MAIN.value(HERE, SKOS.historyNote)
