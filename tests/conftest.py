"""What tests share: both publications built once, small publications made to measure, free ports."""

import json
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from serving import releases_of

from tracktwo import publication as publications
from tracktwo.publication import Publication
from tracktwo.release.build import build
from tracktwo.release.history import Release, Releases
from tracktwo.web.site import Options, Site, open_site

#: Each of these two is for a process of its own, as `.ci/run` has it; behind the other tests they are not steady:
#: `TRACKTWO_LOAD=1 pytest -n 0 tests/test_w3c.py`, then the other.
collect_ignore = [] if os.environ.get("TRACKTWO_LOAD") else ["test_w3c.py", "test_worst_queries.py"]

ROOT = Path(__file__).resolve().parent.parent
OWN = ROOT
FOREIGN = ROOT / "tests" / "foreign"

#: The base of the publications that `write_publication` makes.
EX = "http://example.org/"

PREFIXES = """\
@prefix ex: <http://example.org/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .

"""
ONTOLOGY = PREFIXES + "ex:ontology a owl:Ontology .\nex:Thing a owl:Class .\n"
DATA = PREFIXES + 'ex:one a ex:Thing ; rdfs:label "One"@en .\n'
SHAPES = (
    PREFIXES
    + "ex:ThingShape a sh:NodeShape ; sh:targetClass ex:Thing ; sh:property [ sh:path rdfs:label ; sh:minCount 1 ] .\n"
)


@dataclass(frozen=True)
class Built:
    """A publication and its release; `folder` is what `--releases` would name."""

    publication: Publication
    folder: Path
    release: Release


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def silent(_: str) -> None:
    """Progress that nobody looks at."""


def built(root: Path, folder: Path) -> Built:
    """Build the publication in `root` into a releases folder."""
    publication = publications.load(root)
    return Built(publication, folder, build(publication, Releases(folder), silent).release)


def write_publication(
    root: Path, files: Mapping[str, str] | None = None, *, settings: str = "", base_iri: str = EX
) -> Publication:
    """Write a publication of a few lines: `files` (path: text), and for folders without any the least that passes."""
    given = dict(files or {})
    for folder, text in (("ontology", ONTOLOGY), ("data", DATA), ("shapes", SHAPES)):
        if not any(path.startswith(f"{folder}/") for path in given):
            given[f"{folder}/{folder}.ttl"] = text
    given["publication.toml"] = f'base_iri = {json.dumps(base_iri)}\ntitle = {{ en = "Example" }}\n{settings}'
    for path, text in given.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="")
    return publications.load(root)


def all_files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def without(files: Mapping[str, bytes], names: Iterable[str]) -> dict[str, bytes]:
    """The files but those named."""
    left = set(names)
    return {name: content for name, content in files.items() if name not in left}


def _shared(root: Path, folders: pytest.TempPathFactory) -> Built:
    folder = releases_of(root, folders)
    release = Releases(folder).current()
    assert release is not None
    return Built(publications.load(root), folder, release)


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The repository's publication, built."""
    return _shared(OWN, tmp_path_factory)


@pytest.fixture(scope="session")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The publication of another domain in another layout, built."""
    return _shared(FOREIGN, tmp_path_factory)


def _opened(of: Built) -> Iterator[Site]:
    site = open_site(of.release, Options(of.folder, "http://127.0.0.1:8000/"))
    yield site
    site.close()


@pytest.fixture(scope="session")
def own_opened(own: Built) -> Iterator[Site]:
    """The repository's publication, opened at `http://127.0.0.1:8000/`."""
    yield from _opened(own)


@pytest.fixture(scope="session")
def foreign_opened(foreign: Built) -> Iterator[Site]:
    """The foreign publication, opened at `http://127.0.0.1:8000/`."""
    yield from _opened(foreign)


@pytest.fixture(params=["own", "foreign"])
def each(request: pytest.FixtureRequest) -> Built:
    """Each of the two publications, built."""
    found: Built = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["own_opened", "foreign_opened"])
def each_opened(request: pytest.FixtureRequest) -> Site:
    """Each of the two publications, opened."""
    found: Site = request.getfixturevalue(request.param)
    return found
