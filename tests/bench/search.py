"""Searching among a million labels, beside a table of ten thousand: milliseconds a search, in the process.

    python tests/bench/search.py --labels 1000000

Ends with 1 if the 95th percentile of a kind of search is over `--p95-ms`.
"""

import argparse
import contextlib
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pyoxigraph import Literal, NamedNode, Triple

from tracktwo import catalog, search
from tracktwo.namespaces import RDF, RDFS
from tracktwo.publication import load
from tracktwo.release import index

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from conftest import EX, write_publication

SEARCHES = 200
SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
CLASS = NamedNode(EX + "Thing")


def names(count: int) -> list[str]:
    """Names of two or three words, some of which are much more frequent than others."""
    chance = random.Random(1)
    words = ["".join(chance.choices(SYLLABLES, k=chance.choice((2, 3, 4)))) for _ in range(max(count // 5, 100))]
    weights = [1 / (1 + place) ** 0.7 for place in range(len(words))]
    flat = chance.choices(words, weights, k=3 * count)
    return [" ".join(flat[3 * n : 3 * n + chance.choice((2, 3))]) for n in range(count)]


def triples(texts: list[str]) -> Iterator[Triple]:
    for number, text in enumerate(texts):
        thing = NamedNode(f"{EX}{number}")
        yield Triple(thing, RDF.type, CLASS)
        yield Triple(thing, RDFS.label, Literal(text, language="en"))


def searches(texts: list[str]) -> dict[str, list[tuple[str, bool]]]:
    """Kinds of searches: (text, is the last word unfinished) each."""
    chance = random.Random(2)
    some = chance.sample(texts, SEARCHES)
    return {
        "a whole label": [(text, False) for text in some],
        "one word": [(text.split()[0], False) for text in some],
        "one letter": [(text[0], True) for text in some],
        "three letters": [(text[:3], True) for text in some],
        "a word and a half": [(text[: len(text.split()[0]) + 3], True) for text in some],
        "an error in a word": [(text[:2] + "x" + text[3:], False) for text in some],
        "nothing": [("qxqxqx wxwxwx", False)] * 20,
    }


def main() -> None:
    """Build, search, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=int, default=1_000_000)
    parser.add_argument("--p95-ms", type=float, default=20)
    options = parser.parse_args()
    worst = 0.0
    print(f"{'labels':>10} {'search':<20} {'median ms':>10} {'p95 ms':>8}")
    for count in (10_000, options.labels):
        with tempfile.TemporaryDirectory() as folder:
            publication = load(write_publication(Path(folder) / "publication").root)
            texts = names(count)
            path = Path(folder) / "catalog.sqlite"
            index.write(path, publication, triples(texts), {CLASS.value})
            with contextlib.closing(sqlite3.connect(path)) as connection:
                assert connection.execute("SELECT COUNT(*) FROM text").fetchone() == (count,)
            assert catalog.Catalog(path, EX).classes()[0].members == count
            finder = search.Search(path)
            for kind, asked in searches(texts).items():
                times = []
                for text, unfinished in asked:
                    started = time.perf_counter()
                    finder.find(text, unfinished=unfinished)
                    times.append((time.perf_counter() - started) * 1000)
                times.sort()
                p95 = times[int(len(times) * 0.95)]
                worst = max(worst, p95)
                print(f"{count:>10,} {kind:<20} {times[len(times) // 2]:>10.2f} {p95:>8.2f}")
    sys.exit(worst > options.p95_ms)


if __name__ == "__main__":
    main()
