"""The page of an entity that very many link to, beside that of one that few link to, in one run.

    python tests/bench/hub.py --links 1000000

Makes a release's store and catalogue of so many things, all linked to one hub, and draws both pages in turn. Ends with
1 if the hub's page takes over `--times` as long as the leaf's.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pyoxigraph import Literal, NamedNode, Triple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from conftest import EX, write_publication

from tracktwo.catalog import Catalog
from tracktwo.entity import Describer
from tracktwo.links import Links
from tracktwo.namespaces import RDF, RDFS
from tracktwo.release import index
from tracktwo.store.embedded import EmbeddedStore, create
from tracktwo.store.process import Dialect, PoolLimits
from tracktwo.terms import in_graph

GRAPH = NamedNode(EX + "graph/data")
HUB, LEAF = NamedNode(EX + "id/hub"), NamedNode(EX + "id/thing-1")
ROUNDS = 40


def triples(links: int) -> Iterator[Triple]:
    """A hub, and things that link to it and each to the next."""
    thing, near, next_ = (NamedNode(EX + name) for name in ("Thing", "near", "next"))
    yield Triple(HUB, RDF.type, thing)
    yield Triple(HUB, RDFS.label, Literal("Hub", language="en"))
    for number in range(links):
        me = NamedNode(f"{EX}id/thing-{number}")
        yield Triple(me, RDF.type, thing)
        yield Triple(me, RDFS.label, Literal(f"Thing {number}", language="en"))
        yield Triple(me, near, HUB)
        yield Triple(me, next_, NamedNode(f"{EX}id/thing-{(number + 1) % links}"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--links", type=int, default=1_000_000)
    parser.add_argument("--times", type=float, default=5, help="how much longer the hub's page may take")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        publication = write_publication(root / "publication")
        catalogue = root / "catalog.sqlite"
        index.write(catalogue, publication, triples(arguments.links), {EX + "Thing"})
        create(root / "store", (in_graph(triple, GRAPH) for triple in triples(arguments.links)))
        store = EmbeddedStore(root / "store", Dialect(EX, {}), PoolLimits.of(publication.limits))
        links = Links(EX, "http://127.0.0.1:8000/", publication.documents)
        describer = Describer(store, Catalog(catalogue, EX), links, {}, {}, {}, [GRAPH.value], "")
        times: dict[str, list[float]] = {"hub": [], "leaf": []}
        for _ in range(ROUNDS):
            for name, subject in (("hub", HUB), ("leaf", LEAF)):
                start = time.perf_counter()
                view = describer.page(subject)
                times[name].append(time.perf_counter() - start)
                assert view.incoming
        store.close()
    medians = {name: statistics.median(values) * 1000 for name, values in times.items()}
    ratio = medians["hub"] / medians["leaf"]
    print(
        f"{arguments.links} links: hub {medians['hub']:.1f} ms, leaf {medians['leaf']:.1f} ms, hub : leaf = {ratio:.1f}"
    )
    sys.exit(ratio > arguments.times)


if __name__ == "__main__":
    main()
