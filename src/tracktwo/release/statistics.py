"""The numbers that describe a dataset (VoID section 4): counted once, when a release is built."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from pyoxigraph import Quad

from tracktwo.namespaces import RDF
from tracktwo.terms import name_of


def statistics(quads: Iterable[Quad]) -> dict[str, Any]:
    """Counts over the merge of the graphs, and of each graph."""
    graphs: Counter[str] = Counter()
    subjects, objects, triples = set(), set(), set()
    for quad in quads:
        graphs[name_of(quad.graph_name)] += 1
        triples.add(quad.triple)
        subjects.add(quad.subject)
        objects.add(quad.object)
    properties = Counter(triple.predicate.value for triple in triples)
    classes = Counter(name_of(triple.object) for triple in triples if triple.predicate == RDF.type)
    return {
        "triples": len(triples),
        "subjects": len(subjects),
        "objects": len(objects),
        "properties": dict(sorted(properties.items())),
        "classes": dict(sorted(classes.items())),
        "graphs": dict(sorted(graphs.items())),
    }
