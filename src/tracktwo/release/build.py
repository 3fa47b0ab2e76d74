"""Build a release: parse, infer, validate, then write store, catalogue, dumps and manifest, and swap."""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyoxigraph import CanonicalizationAlgorithm, Dataset, NamedNode, Quad, RdfFormat

from tracktwo import __version__
from tracktwo.errors import NotConforming
from tracktwo.namespaces import RDF
from tracktwo.publication import FILE_NAME, Publication
from tracktwo.release import dump, facets, index, layout, questions, vocabulary
from tracktwo.release.history import LAYOUT, Release, Releases, now
from tracktwo.release.infer import infer
from tracktwo.release.load import Input, fingerprint, read
from tracktwo.release.statistics import statistics
from tracktwo.release.validate import VIOLATION, WARNING, Report, Result, validate
from tracktwo.store.embedded import create
from tracktwo.terms import to_bytes

_NODES_NAMED = 50  # that the manifest names of those a rule warns of

#: Told what is being done next, as one sentence.
Progress = Callable[[str], None]

#: Files of a release that are text, by what they hold.
REPORT, LAYOUT_FILE, QUESTIONS, MANIFEST = "report.ttl", "layout.json", "questions.json", "manifest.json"
VOCABULARY = "vocabulary.json"


@dataclass(frozen=True)
class Checked:
    """A publication's input, what follows from it, and how it fares against its shapes."""

    given: Input
    inferred: Sequence[Quad]
    report: Report

    @property
    def quads(self) -> list[Quad]:
        """Everything that a release holds."""
        return [*self.given.quads, *self.inferred]


#: What a build can come to: the release is as it was, its data is but other things are new, or all is.
UNCHANGED, SAME_DATA, NEW = "unchanged", "same data", "new"


@dataclass(frozen=True)
class Outcome:
    """What a build came to: the release, what is new in it (a word of the three above), and warnings for people."""

    release: Release
    change: str
    warnings: Sequence[str]


def check(publication: Publication, progress: Progress) -> Checked:
    """Parse, infer and validate; raises `InputError` for what can't be read, but not for violations."""
    progress("Reading the folders")
    given = read(publication)
    progress(f"Inferring from {len(given.quads)} statements in {len(given.files)} files")
    inferred = infer(publication, given)
    progress(f"Validating, with {len(inferred)} inferred statements")
    return Checked(given, inferred, validate(publication, given, inferred))


def is_fresh(publication: Publication, release: Release | None) -> bool:
    """Was this release made from just this input, by this version?"""
    made_from = release and (
        release.manifest.get("input"),
        release.manifest.get("layout"),
        release.manifest.get("version"),
    )
    return made_from == (fingerprint(publication), LAYOUT, __version__)


def build(publication: Publication, releases: Releases, progress: Progress) -> Outcome:
    """Make a release if the input has changed. Until the last step nothing that serves is touched.

    Raises `NotConforming` with all violations, `InputError`, or `ReleaseError` where the folder can't be written.
    """
    current = releases.usable()
    if current is not None and is_fresh(publication, current):
        return Outcome(current, UNCHANGED, warnings=())
    with releases.building() as folder:
        input_hash = fingerprint(publication)
        checked = check(publication, progress)
        if not checked.report.conforms:
            raise NotConforming(_violations(checked.report))
        digest = canonical_hash(checked.quads)
        same = current is not None and current.manifest["sha256"] == digest
        built = now().isoformat()
        id_, created = f"{built[:10]}-{digest[:12]}", built
        if current is not None and same:
            id_, created = current.id, current.manifest["created"]
        manifest = _write(folder, publication, checked, progress)
        manifest |= {
            "id": id_,
            "sha256": digest,
            "created": created,
            "built": built,
            "build": _identity(id_, created, input_hash),
            "input": input_hash,
            "layout": LAYOUT,
            "version": __version__,
        }
        (folder / MANIFEST).write_text(
            json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8"
        )
        progress("Publishing")
        release = releases.publish(folder, id_)
    warnings = [*checked.given.warnings, *_counted(checked.report)]
    return Outcome(release, SAME_DATA if same else NEW, warnings)


def _identity(id_: str, created: str, input_hash: str) -> str:
    """What tells one build from another: all that its bytes follow from."""
    return hashlib.sha256("\n".join((id_, created, input_hash, str(LAYOUT), __version__)).encode()).hexdigest()


def canonical_hash(quads: Sequence[Quad]) -> str:
    """SHA-256 of the canonical N-Quads of a dataset (RDFC-1.0 section 4)."""
    dataset = Dataset(quads)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    lines = sorted(to_bytes(dataset, RdfFormat.N_QUADS).splitlines(keepends=True))
    return hashlib.sha256(b"".join(lines)).hexdigest()


def _write(folder: Path, publication: Publication, checked: Checked, progress: Progress) -> dict[str, Any]:
    """Everything of a release but its manifest; returns what the manifest says about it."""
    quads = checked.quads
    progress(f"Writing the store of {len(quads)} statements")
    create(folder / "store", quads)
    progress("Writing the catalogue")
    stated = {
        quad.object.value
        for quad in checked.given.of("data")
        if quad.predicate == RDF.type and isinstance(quad.object, NamedNode)
    }
    said = {quad.triple for quad in checked.given.quads}
    inferred = {quad.triple for quad in checked.inferred} - said
    shapes = list(checked.given.of("shapes"))
    catalogue = folder / "catalog.sqlite"
    results = checked.report.results
    index.write(catalogue, publication, said | inferred, stated, facets.offers(shapes), inferred, results)
    progress("Writing the dumps")
    dumps = dump.write(folder / "dumps", quads, publication.prefixes, publication.limits.pretty_dump_triples)
    (folder / REPORT).write_text(checked.report.turtle, encoding="utf-8")
    fields, inverses = layout.layout(shapes), layout.inverses(checked.given.of("ontology"))
    laid = layout.as_json(fields, inverses, layout.ranges(shapes), layout.order(shapes))
    (folder / LAYOUT_FILE).write_text(laid, encoding="utf-8")
    asked, counted = questions.read(publication), statistics(quads)
    (folder / QUESTIONS).write_text(questions.as_json(asked), encoding="utf-8")
    terms = vocabulary.as_json(publication, quads, checked.given.quads, counted, asked)
    (folder / VOCABULARY).write_text(terms, encoding="utf-8")
    shutil.copy(publication.root / FILE_NAME, folder / FILE_NAME)
    return {
        "statistics": counted,
        "dumps": [file.as_json() for file in dumps],
        "validation": {
            "summary": checked.report.summary,
            "violations": 0,
            "warnings": len(checked.report.of(WARNING)),
            "rules": _by_rule(checked.report),
        },
        "files": [
            {"path": file.path.relative_to(publication.root).as_posix(), "role": file.role, "graphs": file.graphs}
            for file in checked.given.files
        ],
    }


def _by_rule(report: Report) -> list[dict[str, Any]]:
    """What the warnings say, each once: `messages` by language, how many `entities`, and the first `nodes` of them."""
    rules: dict[str, list[Result]] = {}
    for result in report.of(WARNING):
        rules.setdefault(result.shape + " " + result.component, []).append(result)
    found = [(results[0].messages, sorted({result.node for result in results})) for results in rules.values()]
    rows = [
        {"messages": dict(messages), "entities": len(nodes), "nodes": nodes[:_NODES_NAMED]} for messages, nodes in found
    ]
    return sorted(rows, key=lambda row: (-row["entities"], str(row["messages"])))


def _violations(report: Report) -> str:
    violations = report.of(VIOLATION)
    return "\n\n".join(map(str, violations)) + f"\n\nNo release: {report.summary}"


def _counted(report: Report) -> list[str]:
    return [f"validation: {report.summary}"] if report.results else []
