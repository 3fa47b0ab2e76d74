"""Why a statement follows: its derivation by the rules of OWL 2 RL, down to what sources state.

Rules are read backwards, from the statement to the axioms and premises that give it (OWL 2 Profiles, section 4.3). The
lowest derivation is the one that is found. Properties that are anonymous inverses are followed against their direction.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from tracktwo.namespaces import OWL, RDF, RDFS, XSD
from tracktwo.store import MATCHED, Store
from tracktwo.terms import Node, Term, links_out, list_items, name_of

LOOK_UPS = 600  # of the store, for one explanation
_HEIGHT = 24  # steps above one another
_WAYS = 3  # derivations of the statement that is asked about; one each of its premises
_CANDIDATES = 50  # that one rule may offer for one statement
_FEW = 20  # neighbours of which each costs a look-up

_LANGUAGE = (OWL, RDF, RDFS, XSD)


@dataclass(frozen=True)
class Stated:
    """A statement with the named graphs that hold it."""

    triple: Triple
    graphs: tuple[str, ...]


@dataclass(frozen=True)
class Derivation:
    """One step: the rule by its name in OWL 2 RL, the axioms that it applies, and what it applies them to."""

    rule: str
    axioms: tuple[Stated, ...]
    premises: tuple["Explanation", ...]


@dataclass(frozen=True)
class Explanation:
    """Why a statement holds: the named graphs that hold it, and its derivations if none of them states it.

    No graph holds that something is of a class without a name, or what is said of the vocabulary itself: such
    statements only come up on the way. `again` marks one that is explained before; `gave_up` one that follows, but
    of which no derivation was found within the bounds.
    """

    triple: Triple
    graphs: tuple[str, ...]
    derivations: tuple[Derivation, ...] = ()
    again: bool = False
    gave_up: bool = False


@dataclass(frozen=True)
class Explainer:
    """Explains the statements of one release.

    `inferred_graph` holds what nobody states, `left_out` are the graphs that inference does not read, `base_iri` begins
    the publication's own IRIs.
    """

    store: Store
    inferred_graph: str
    left_out: Collection[str]
    base_iri: str

    def explain(self, triple: Triple) -> Explanation | None:
        """Why the release holds a statement; None if it does not."""
        found = self.store.match(_node(triple.subject), triple.predicate, triple.object)
        if not found:
            return None
        graphs = tuple(sorted(name_of(quad.graph_name) for quad in found))
        if graphs != (self.inferred_graph,):
            return Explanation(triple, graphs)
        return _Search(self, triple).explain() or Explanation(triple, graphs, gave_up=True)


class _Enough(Exception):
    """The look-ups are used up."""


class _Facts:
    """What inference may have read and what it gave; each pattern is looked up once."""

    def __init__(self, explainer: Explainer) -> None:
        self._explainer = explainer
        self._patterns: dict[tuple[Term | None, ...], dict[Triple, tuple[str, ...]]] = {}
        self._seen: dict[Triple, tuple[str, ...]] = {}

    def match(
        self, subject: Term | None = None, predicate: NamedNode | None = None, object_: Term | None = None
    ) -> dict[Triple, tuple[str, ...]]:
        """The statements of a pattern, sorted, each with its graphs."""
        if isinstance(subject, (Literal, Triple)):
            return {}
        pattern = (subject, predicate, object_)
        if pattern not in self._patterns:
            if len(self._patterns) >= LOOK_UPS:
                raise _Enough
            self._patterns[pattern] = self._look_up(subject, predicate, object_)
            self._seen |= self._patterns[pattern]
        return self._patterns[pattern]

    def _look_up(
        self, subject: Node | None, predicate: NamedNode | None, object_: Term | None
    ) -> dict[Triple, tuple[str, ...]]:
        quads = self._explainer.store.match(subject, predicate, object_)
        found: dict[Triple, tuple[str, ...]] = {}
        for quad in sorted(quads, key=str):
            graph = name_of(quad.graph_name)
            if graph not in self._explainer.left_out and not links_out(quad.triple, self._explainer.base_iri):
                found[quad.triple] = (*found.get(quad.triple, ()), graph)
        return found

    def graphs(self, triple: Triple) -> tuple[str, ...]:
        """The graphs that hold a statement, none where it is not there."""
        if triple not in self._seen:
            if triple.predicate == RDF.type:
                near = self.match(triple.subject, RDF.type)
            else:
                near = self.match(triple.subject, None, triple.object)
            if triple not in near and len(near) >= MATCHED:
                self.match(triple.subject, triple.predicate, triple.object)
        return self._seen.get(triple, ())

    def is_stated(self, triple: Triple) -> bool:
        """Does any source say so?"""
        return any(graph != self._explainer.inferred_graph for graph in self.graphs(triple))

    def is_unpublished(self, triple: Triple) -> bool:
        """Would no graph hold the statement, were it inferred: is it of OWL's own, of the vocabulary or of no name?"""
        if triple.predicate == RDF.type and (isinstance(triple.object, BlankNode) or _of_language(triple.object)):
            return True
        return any(_of_language(type_) for type_ in self.objects(triple.subject, RDF.type))

    def objects(self, subject: Term, predicate: NamedNode) -> list[Term]:
        return [triple.object for triple in self.match(subject, predicate)]

    def subjects(self, predicate: NamedNode, object_: Term) -> list[Node]:
        return [_node(triple.subject) for triple in self.match(None, predicate, object_)]

    def items(self, cell: Term) -> list[Term]:
        """The items of a list."""
        return list_items(cell, lambda at: (self.objects(at, RDF.first), self.objects(at, RDF.rest)))

    def plain(self, property_: Term) -> tuple[NamedNode | None, bool]:
        """(property, is it turned round?) of a property's name, or of an anonymous inverse."""
        if isinstance(property_, NamedNode):
            return property_, False
        named = [other for other in self.objects(property_, OWL.inverseOf) if isinstance(other, NamedNode)]
        return (named[0] if named else None), True

    def edge(self, start: Term, property_: Term, end: Term) -> Triple | None:
        """The statement that leads from one term to another, be it there or not."""
        plain, turned = self.plain(property_)
        subject, object_ = (end, start) if turned else (start, end)
        return Triple(subject, plain, object_) if plain and not isinstance(subject, (Literal, Triple)) else None

    def after(self, start: Term, property_: Term) -> dict[Term, Triple]:
        """What the property leads to from a term, and the statement that says so."""
        plain, turned = self.plain(property_)
        if plain is None:
            return {}
        if turned:
            return {triple.subject: triple for triple in self.match(None, plain, start)}
        return {triple.object: triple for triple in self.match(start, plain)}

    def before(self, end: Term, property_: Term) -> dict[Term, Triple]:
        """What the property leads from to a term, and the statement that says so."""
        plain, turned = self.plain(property_)
        if plain is None:
            return {}
        if turned:
            return {triple.object: triple for triple in self.match(end, plain)}
        return {triple.subject: triple for triple in self.match(None, plain, end)}

    def paths(self, start: Term, steps: list[Term], end: Term) -> Iterator[tuple[Triple, ...]]:
        """Statements that lead from one term to another by properties one after the other."""
        if len(steps) == 1:
            if edge := self.edge(start, steps[0], end):
                yield (edge,)
        elif len(steps) == 2:
            yield from self._over_one(start, steps[0], steps[1], end)
        elif steps:
            for middle, edge in islice(self.after(start, steps[0]).items(), _FEW):
                yield from ((edge, *rest) for rest in self.paths(middle, steps[1:], end))

    def _over_one(self, start: Term, first: Term, last: Term, end: Term) -> Iterator[tuple[Triple, ...]]:
        """Paths of two steps; where one end has more neighbours than a look-up gives, by the other's."""
        after, before = self.after(start, first), self.before(end, last)
        few, many = sorted((after, before), key=len)
        for middle in [term for term in few if term in many or len(many) >= MATCHED]:
            edges = self.edge(start, first, middle), self.edge(middle, last, end)
            if edges[0] and edges[1]:
                yield edges[0], edges[1]


#: (axioms, premises): what a rule would derive a statement from.
_Candidate = tuple[tuple[Triple, ...], tuple[Triple, ...]]
_Rule = Callable[[_Facts, Triple], Iterator[_Candidate]]


def _linked(facts: _Facts, axiom: NamedNode, term: Term, *, as_object: bool) -> Iterator[tuple[Term, Triple]]:
    """(other term, axiom) of the axioms of one kind that have the term at one end."""
    found = facts.match(None, axiom, term) if as_object else facts.match(term, axiom)
    return ((triple.subject if as_object else triple.object, triple) for triple in found)


def _of_class(axiom: NamedNode, *, as_object: bool) -> _Rule:
    """The rule that gives a member of one class to another class, which is the axiom's object or subject."""

    def rule(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
        if wanted.predicate == RDF.type:
            for other, said in _linked(facts, axiom, wanted.object, as_object=as_object):
                yield (said,), (_typed(wanted.subject, other),)

    return rule


def _of_property(axiom: NamedNode, *, as_object: bool, turned: bool = False) -> _Rule:
    """The rule that gives a statement with one property to another, `turned` if subject and object change places."""

    def rule(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
        start, end = (wanted.object, wanted.subject) if turned else (wanted.subject, wanted.object)
        for other, said in _linked(facts, axiom, wanted.predicate, as_object=as_object):
            if isinstance(other, NamedNode) and (edge := facts.edge(start, other, end)):
                yield (said,), (edge,)

    return rule


def _under_inverse(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    """A property below an anonymous inverse of the statement's."""
    for inverse, turning in _linked(facts, OWL.inverseOf, wanted.predicate, as_object=True):
        for other, said in _linked(facts, RDFS.subPropertyOf, inverse, as_object=True):
            if isinstance(inverse, BlankNode) and (edge := facts.edge(wanted.object, other, wanted.subject)):
                yield (said, turning), (edge,)


def _subproperty(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    yield from _of_property(RDFS.subPropertyOf, as_object=True)(facts, wanted)
    yield from _under_inverse(facts, wanted)


def _chain(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    for head, said in _linked(facts, OWL.propertyChainAxiom, wanted.predicate, as_object=False):
        for path in facts.paths(wanted.subject, facts.items(head), wanted.object):
            yield (said,), path


def _symmetric(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    said = _typed(wanted.predicate, OWL.SymmetricProperty)
    if facts.graphs(said) and (edge := facts.edge(wanted.object, wanted.predicate, wanted.subject)):
        yield (said,), (edge,)


def _transitive(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    said = _typed(wanted.predicate, OWL.TransitiveProperty)
    if facts.graphs(said):
        for path in facts.paths(wanted.subject, [wanted.predicate, wanted.predicate], wanted.object):
            yield (said,), path


def _domain(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    if wanted.predicate == RDF.type:
        for property_, said in islice(_linked(facts, RDFS.domain, wanted.object, as_object=True), _FEW):
            for edge in islice(facts.after(wanted.subject, property_).values(), _FEW):
                yield (said,), (edge,)


def _range(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    if wanted.predicate == RDF.type:
        for property_, said in islice(_linked(facts, RDFS.range, wanted.object, as_object=True), _FEW):
            for edge in islice(facts.before(wanted.subject, property_).values(), _FEW):
                yield (said,), (edge,)


def _intersection(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    """A member of all classes of the list."""
    if wanted.predicate == RDF.type:
        for head, said in _linked(facts, OWL.intersectionOf, wanted.object, as_object=False):
            if classes := facts.items(head):
                yield (said,), tuple(_typed(wanted.subject, class_) for class_ in classes)


def _of_intersection(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    """A member of a class whose list has the statement's class in it."""
    if wanted.predicate == RDF.type:
        for cell in facts.subjects(RDF.first, wanted.object)[:_FEW]:
            for class_, said in _linked(facts, OWL.intersectionOf, _head(facts, cell), as_object=True):
                yield (said,), (_typed(wanted.subject, class_),)


def _head(facts: _Facts, cell: Node) -> Node:
    """Where a list begins that the cell is part of."""
    passed = {cell}
    while (before := facts.subjects(RDF.rest, cell)) and before[0] not in passed:
        cell = before[0]
        passed.add(cell)
    return cell


def _union(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    if wanted.predicate == RDF.type:
        for head, said in _linked(facts, OWL.unionOf, wanted.object, as_object=False):
            for class_ in facts.items(head):
                yield (said,), (_typed(wanted.subject, class_),)


def _restrictions(facts: _Facts, class_: Term, kind: NamedNode) -> Iterator[tuple[Term, Term, tuple[Triple, ...]]]:
    """(property, filler, axioms) of a class that is a restriction of one kind."""
    for filler, said in _linked(facts, kind, class_, as_object=False):
        for property_, on in _linked(facts, OWL.onProperty, class_, as_object=False):
            yield property_, filler, (on, said)


def _some(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    if wanted.predicate == RDF.type:
        for property_, class_, said in _restrictions(facts, wanted.object, OWL.someValuesFrom):
            for value, edge in islice(facts.after(wanted.subject, property_).items(), _FEW):
                if class_ != OWL.Thing and isinstance(value, (NamedNode, BlankNode)):
                    yield said, (edge, _typed(value, class_))


def _some_thing(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    if wanted.predicate == RDF.type:
        for property_, class_, said in _restrictions(facts, wanted.object, OWL.someValuesFrom):
            if class_ == OWL.Thing:
                yield from ((said, (edge,)) for edge in facts.after(wanted.subject, property_).values())


def _all(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    if wanted.predicate == RDF.type:
        for restriction in facts.subjects(OWL.allValuesFrom, wanted.object)[:_FEW]:
            for property_, _, said in _restrictions(facts, restriction, OWL.allValuesFrom):
                for holder, edge in islice(facts.before(wanted.subject, property_).items(), _FEW):
                    yield said, (_typed(holder, restriction), edge)


def _has_value(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    """A class whose members all have the value."""
    for value, holder in ((wanted.object, wanted.subject), (wanted.subject, wanted.object)):
        for restriction in facts.subjects(OWL.hasValue, value)[:_FEW]:
            for property_, _, said in _restrictions(facts, restriction, OWL.hasValue):
                if facts.edge(holder, property_, value) == wanted:
                    yield said, (_typed(holder, restriction),)


def _with_value(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    """The class of what has the value."""
    if wanted.predicate == RDF.type:
        for property_, value, said in _restrictions(facts, wanted.object, OWL.hasValue):
            if edge := facts.edge(wanted.subject, property_, value):
                yield said, (edge,)


def _functional(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    """Two values of a property that has but one."""
    if wanted.predicate == OWL.sameAs:
        others = facts.match(None, None, wanted.object)
        for one in facts.match(None, None, wanted.subject):
            other = Triple(one.subject, one.predicate, wanted.object)
            if other in others and facts.graphs(said := _typed(one.predicate, OWL.FunctionalProperty)):
                yield (said,), (one, other)


def _inverse_functional(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    """Two subjects of a value that has but one."""
    if wanted.predicate == OWL.sameAs:
        others = facts.match(wanted.object)
        for one in facts.match(wanted.subject):
            other = Triple(_node(wanted.object), one.predicate, one.object)
            if other in others and facts.graphs(said := _typed(one.predicate, OWL.InverseFunctionalProperty)):
                yield (said,), (one, other)


def _same_turned(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    if wanted.predicate == OWL.sameAs and (edge := facts.edge(wanted.object, OWL.sameAs, wanted.subject)):
        yield (), (edge,)


def _same_chain(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    if wanted.predicate == OWL.sameAs:
        yield from (((), path) for path in facts.paths(wanted.subject, [OWL.sameAs, OWL.sameAs], wanted.object))


def _same_subject(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    if wanted.predicate != OWL.sameAs:
        for other, same in islice(_linked(facts, OWL.sameAs, wanted.subject, as_object=True), _FEW):
            yield (), (same, Triple(_node(other), wanted.predicate, wanted.object))


def _same_property(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    for other, same in islice(_linked(facts, OWL.sameAs, wanted.predicate, as_object=True), _FEW):
        if isinstance(other, NamedNode):
            yield (), (same, Triple(wanted.subject, other, wanted.object))


def _same_object(facts: _Facts, wanted: Triple) -> Iterator[_Candidate]:
    if wanted.predicate != OWL.sameAs:
        for other, same in islice(_linked(facts, OWL.sameAs, wanted.object, as_object=True), _FEW):
            yield (), (same, Triple(wanted.subject, wanted.predicate, other))


#: The rules by their names in OWL 2 Profiles, section 4.3, tables 4 to 7, those that `release.infer` applies.
RULES: dict[str, _Rule] = {
    "cax-sco": _of_class(RDFS.subClassOf, as_object=True),
    "cax-eqc1": _of_class(OWL.equivalentClass, as_object=True),
    "cax-eqc2": _of_class(OWL.equivalentClass, as_object=False),
    "prp-spo1": _subproperty,
    "prp-eqp1": _of_property(OWL.equivalentProperty, as_object=True),
    "prp-eqp2": _of_property(OWL.equivalentProperty, as_object=False),
    "prp-inv1": _of_property(OWL.inverseOf, as_object=True, turned=True),
    "prp-inv2": _of_property(OWL.inverseOf, as_object=False, turned=True),
    "prp-symp": _symmetric,
    "prp-trp": _transitive,
    "prp-spo2": _chain,
    "prp-dom": _domain,
    "prp-rng": _range,
    "cls-int1": _intersection,
    "cls-int2": _of_intersection,
    "cls-uni": _union,
    "cls-svf1": _some,
    "cls-svf2": _some_thing,
    "cls-avf": _all,
    "cls-hv1": _has_value,
    "cls-hv2": _with_value,
    "prp-fp": _functional,
    "prp-ifp": _inverse_functional,
    "eq-sym": _same_turned,
    "eq-trans": _same_chain,
    "eq-rep-s": _same_subject,
    "eq-rep-p": _same_property,
    "eq-rep-o": _same_object,
}


class _Search:
    """The search for one explanation: every statement is proved as low as can be, so nothing rests on itself."""

    def __init__(self, explainer: Explainer, wanted: Triple) -> None:
        self._wanted = wanted
        self._facts = _Facts(explainer)
        self._proofs: dict[Triple, tuple[int, Explanation]] = {}
        self._tried: dict[Triple, int] = {}
        self._candidates: dict[Triple, list[tuple[str, _Candidate]]] = {}

    def explain(self) -> Explanation | None:
        """The explanation, each statement explained once; None if none is found within the bounds."""
        try:
            found = self._within(self._wanted, _HEIGHT)
        except _Enough:
            return None
        return _once(found, set()) if found else None

    def _within(self, wanted: Triple, height: int) -> Explanation | None:
        """The lowest proof of a statement, if it is no higher than this."""
        for bound in range(self._tried.get(wanted, -1) + 1, height + 1):
            if wanted in self._proofs:
                break
            self._tried[wanted] = bound
            if proof := self._attempt(wanted, bound):
                self._proofs[wanted] = bound, proof
        lowest, proof = self._proofs.get(wanted, (height + 1, None))
        return proof if lowest <= height else None

    def _attempt(self, wanted: Triple, height: int) -> Explanation | None:
        graphs = self._facts.graphs(wanted)
        if self._facts.is_stated(wanted):
            return Explanation(wanted, graphs)
        if height == 0 or not (graphs or self._facts.is_unpublished(wanted)):
            return None
        derived = self._derived(wanted, height - 1)
        derivations = tuple(islice(derived, _WAYS if wanted == self._wanted else 1))
        return Explanation(wanted, graphs, derivations) if derivations else None

    def _derived(self, wanted: Triple, height: int) -> Iterator[Derivation]:
        """The derivations whose premises all have proofs no higher than this."""
        if wanted not in self._candidates:
            self._candidates[wanted] = [
                (name, candidate)
                for name, rule in RULES.items()
                for candidate in islice(rule(self._facts, wanted), _CANDIDATES)
            ]
        for name, (axioms, premises) in self._candidates[wanted]:
            proofs: list[Explanation] = []
            for premise in premises:
                if not (proof := self._within(premise, height)):
                    break
                proofs.append(proof)
            else:
                stated = tuple(Stated(axiom, self._facts.graphs(axiom)) for axiom in axioms)
                yield Derivation(name, stated, tuple(proofs))


def _once(explanation: Explanation, explained: set[Triple]) -> Explanation:
    """The explanation without the derivations that stand in it already."""
    if not explanation.derivations:
        return explanation
    if explanation.triple in explained:
        return replace(explanation, derivations=(), again=True)
    explained.add(explanation.triple)
    derivations = tuple(
        replace(derivation, premises=tuple(_once(premise, explained) for premise in derivation.premises))
        for derivation in explanation.derivations
    )
    return replace(explanation, derivations=derivations)


def _typed(subject: Term, class_: Term) -> Triple:
    return Triple(_node(subject), RDF.type, class_)


def _node(term: Term) -> Node:
    assert isinstance(term, (NamedNode, BlankNode)), "only what can be a subject is asked about as one"
    return term


def _of_language(term: object) -> bool:
    return any(term in namespace for namespace in _LANGUAGE)
