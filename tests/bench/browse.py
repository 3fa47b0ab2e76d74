"""Facets over a million entities, beside a list of ten thousand: milliseconds a page, in the process.

    python tests/bench/browse.py --entities 1000000

The entities have a kind (20 values), a maker (50,000), a date (a century) and a yes or no. Ends with 1 if the slowest
page is over `--worst-ms`.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pyoxigraph import Literal, NamedNode, Triple

from tracktwo.catalog import Catalog
from tracktwo.facets import Facets
from tracktwo.namespaces import RDF, RDFS, XSD
from tracktwo.publication import load
from tracktwo.release import index
from tracktwo.release.facets import Offer
from tracktwo.release.facets import Path as PropertyPath

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from conftest import EX, write_publication

CLASS = NamedNode(EX + "Thing")
KINDS = {"kind": "iri", "maker": "iri", "made": "period", "kept": "boolean"}
PAGE = 50
TIMES = 5

#: What a page asks: its choices, its order, and the place after which it begins.
PAGES: dict[str, tuple[dict[str, list[str]], str, int]] = {
    "everything": ({}, "label", -1),
    "everything, deep": ({}, "links", -2),
    "a frequent value": ({"kind": ["k0"]}, "label", -1),
    "the same by date": ({"kind": ["k0"]}, "newest", -1),
    "a rare value": ({"maker": ["m40000"]}, "links", -1),
    "two facets": ({"kind": ["k0", "k1"], "kept": ["true"]}, "oldest", -1),
    "three facets": ({"kind": ["k3"], "made": ["1950s"], "kept": ["false"]}, "links", -1),
    "nothing": ({"maker": ["m40000"], "kind": ["k19"], "made": ["1999"]}, "label", -1),
}


def triples(count: int) -> Iterator[Triple]:
    chance = random.Random(1)
    kinds, makers = range(20), min(50_000, count // 20)
    weights = [1 / (1 + kind) for kind in kinds]
    for number in range(count):
        thing = NamedNode(f"{EX}{number}")
        yield Triple(thing, RDF.type, CLASS)
        yield Triple(thing, RDFS.label, Literal(f"thing {chance.random():.9f}", language="en"))
        yield Triple(thing, NamedNode(EX + "kind"), NamedNode(f"{EX}k{chance.choices(kinds, weights)[0]}"))
        yield Triple(thing, NamedNode(EX + "maker"), NamedNode(f"{EX}m{int(makers * chance.random() ** 1.5)}"))
        yield Triple(thing, NamedNode(EX + "made"), Literal(str(chance.randint(1900, 1999)), datatype=XSD.gYear))
        yield Triple(thing, NamedNode(EX + "kept"), Literal(chance.random() < 0.3))


def offers() -> list[Offer]:
    return [
        Offer(PropertyPath("property", EX + name), {kind}, names={"en": name}, place=(place, 0))
        for place, (name, kind) in enumerate(KINDS.items())
    ]


def main() -> None:
    """Build, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entities", type=int, default=1_000_000)
    parser.add_argument("--facet-ms", type=float, default=100)
    parser.add_argument("--worst-ms", type=float, default=500)
    options = parser.parse_args()
    worst = 0.0
    print(f"{'entities':>10} {'page':<20} {'found':>9} {'list ms':>8} {'counts ms':>10}  gave up")
    for count in (10_000, options.entities):
        with tempfile.TemporaryDirectory() as folder:
            publication = load(write_publication(Path(folder) / "publication").root)
            path = Path(folder) / "catalog.sqlite"
            started = time.perf_counter()
            index.write(path, publication, triples(count), {CLASS.value}, {CLASS.value: offers()})
            built = time.perf_counter() - started
            assert Catalog(path, EX).classes()[0].members == count
            print(f"{count:>10,} built in {built:.0f} s, {path.stat().st_size >> 20} MB")
            for name, (wanted, order, after) in PAGES.items():
                worst = max(worst, measure(Facets(path), name, count, wanted, order, after, options.facet_ms / 1000))
    sys.exit(worst > options.worst_ms)


def measure(
    facets: Facets, name: str, count: int, wanted: dict[str, list[str]], order: str, after: int, budget: float
) -> float:
    """The median milliseconds of one kind of page, printed."""
    known = facets.of("thing")
    assert len(known) == len(KINDS)
    if count < options_needed(wanted):
        wanted = {facet: [value.replace("m40000", "m400") for value in values] for facet, values in wanted.items()}
    lists, counts, left = [], [], []
    for _ in range(TIMES):
        started = time.perf_counter()
        choice = facets.choose(known, wanted)
        chosen = choice.all()
        facets.entries("thing", chosen, order, count // 2 if after == -2 else after, PAGE + 1)
        listed = time.perf_counter()
        left = [tally.facet.name for tally in facets.tallies(known, choice, budget) if tally.gave_up]
        lists.append((listed - started) * 1000)
        counts.append((time.perf_counter() - listed) * 1000)
    found = count if chosen is None else len(chosen)
    list_ms, count_ms = sorted(lists)[TIMES // 2], sorted(counts)[TIMES // 2]
    print(f"{count:>10,} {name:<20} {found:>9,} {list_ms:>8.1f} {count_ms:>10.1f}  {', '.join(left)}")
    return list_ms + count_ms


def options_needed(wanted: dict[str, list[str]]) -> int:
    """How many entities there must be for the makers named to have some."""
    return 1_000_000 if "maker" in wanted else 0


if __name__ == "__main__":
    main()
