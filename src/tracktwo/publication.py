"""A publication: the folders of a knowledge graph and `publication.toml` beside them."""

import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from tracktwo.errors import SettingError, nearest
from tracktwo.links import is_valid_iri
from tracktwo.namespaces import PREFIXES

T = TypeVar("T")

FILE_NAME = "publication.toml"


@dataclass(frozen=True)
class Setting:
    """One key of `publication.toml`: its dotted name, type, default and meaning."""

    name: str
    kind: type
    default: Any
    meaning: str


#: Every setting there is: reading, checking, the README's table and `--help` derive from these rows.
#: A table-valued setting (kind dict) takes any keys; `None` as a default says that the setting is required.
SETTINGS: tuple[Setting, ...] = (
    Setting("base_iri", str, None, "what every IRI of the publication begins with; ends in `/`"),
    Setting("title", dict, None, "the publication's name, by language"),
    Setting("description", dict, {}, "one or two sentences, by language"),
    Setting("languages", list, ["en"], "languages of the content, the preferred first"),
    Setting("licence", str, "", "IRI of the data's licence"),
    Setting("publisher.name", str, "", "who publishes"),
    Setting("publisher.iri", str, "", "the publisher's IRI"),
    Setting("folders.ontology", str, "ontology", "OWL ontologies, and questions in `questions/`"),
    Setting("folders.data", str, "data", "RDF data, one file per graph"),
    Setting("folders.shapes", str, "shapes", "SHACL shapes"),
    Setting(
        "paths.documents",
        dict,
        {"id/": "doc/"},
        "which paths below the base hold things, and the paths of their documents",
    ),
    Setting("paths.graphs", str, "graph/", "where named graphs live: the file `x.ttl` holds the graph `graph/x`"),
    Setting("prefixes", dict, {}, "prefixes of the documents and queries, besides the well-known ones"),
    Setting("services", list, [], "SPARQL endpoints that queries may ask with SERVICE; none unless named here"),
    Setting(
        "limits.query_seconds", float, 20.0, "how long a query may work, not counting how slowly its answer is read"
    ),
    Setting("limits.query_memory_mb", int, 1024, "a query worker's memory"),
    Setting(
        "limits.query_workers",
        int,
        2,
        "long queries that each web worker runs at once; two more query workers are kept for short ones",
    ),
    Setting("limits.query_queue_seconds", float, 5.0, "how long a query waits for a worker before 503"),
    Setting(
        "limits.query_unread_seconds",
        float,
        20.0,
        "how long a client may take nothing of an answer before its transfer is broken",
    ),
    Setting("limits.query_bytes", int, 1_048_576, "the longest query text"),
    Setting("limits.result_mb", int, 1024, "the largest result"),
    Setting("limits.result_rows", int, 10_000_000, "the most rows, or triples, of a result"),
    Setting("limits.page_rows", int, 1000, "rows of a result that its HTML page shows"),
    Setting("limits.page_size", int, 50, "entries on a page of a list"),
    Setting("limits.list_entries", int, 10_000, "the most entries that a list has at once as CSV, JSON or RDF"),
    Setting("limits.document_triples", int, 20_000, "above this, a graph's document is neither sorted nor grouped"),
    Setting("limits.facet_ms", int, 100, "how long the counts of one facet may take before the page does without them"),
    Setting("limits.pretty_dump_triples", int, 2_000_000, "above this, the Turtle dump is not grouped by subject"),
)


#: Settings that hold IRIs, and how to get at these.
_IRIS: Mapping[str, Callable[[Any], Iterable[str]]] = {
    "licence": lambda value: [value],
    "publisher.iri": lambda value: [value],
    "services": lambda value: value,
    "prefixes": lambda value: value.values(),
}


@dataclass(frozen=True)
class Limits:
    """Bounds of what one request may cost; the unit is in the name (MB are 2^20 bytes)."""

    query_seconds: float
    query_memory_mb: int
    query_workers: int
    query_queue_seconds: float
    query_unread_seconds: float
    query_bytes: int
    result_mb: int
    result_rows: int
    page_rows: int
    page_size: int
    list_entries: int
    document_triples: int
    facet_ms: int
    pretty_dump_triples: int


@dataclass(frozen=True)
class Publication:
    """What `publication.toml` says; `root` is the folder that holds it."""

    root: Path
    base_iri: str
    title: Mapping[str, str]
    description: Mapping[str, str]
    languages: tuple[str, ...]
    licence: str
    publisher_name: str
    publisher_iri: str
    folders: Mapping[str, Path]
    documents: Mapping[str, str]
    graphs: str
    limits: Limits
    services: tuple[str, ...] = ()
    own_prefixes: Mapping[str, str] = field(default_factory=dict)

    @property
    def prefixes(self) -> dict[str, str]:
        """Well-known prefixes and the publication's own, which win."""
        return {**PREFIXES, **self.own_prefixes}

    def named(self, path: str) -> str:
        """The IRI of a path below the base."""
        return self.base_iri + path

    def graph_iri(self, slug: str) -> str:
        """The IRI of the named graph with this slug."""
        return self.base_iri + self.graphs + slug

    @property
    def inferred_graph(self) -> str:
        """Where what follows from the data stands."""
        return self.graph_iri("inferred")

    @property
    def merged_graph(self) -> str:
        """The graph that holds the merge of all graphs in a remote store, which has no default graph of ours."""
        return self.graph_iri("merged")

    @property
    def skolem_prefix(self) -> str:
        """What the IRIs that stand for blank nodes begin with (RDF 1.1 Concepts section 3.5)."""
        return self.base_iri + ".well-known/genid/"

    @property
    def dataset_iri(self) -> str:
        """The dataset as a whole."""
        return self.base_iri + "dataset"


def packaged() -> Path:
    """The publication that ships inside the package."""
    return Path(str(files("tracktwo"))) / "publication"


def find(folder: Path | None, start: Path) -> Path:
    """The publication's folder: the one named, else the nearest from `start` upwards, else the packaged one."""
    if folder is not None:
        if not (folder / FILE_NAME).is_file():
            raise SettingError(
                f"{folder} holds no {FILE_NAME}", hint="Name the folder of a publication, or leave the option out."
            )
        return folder
    for candidate in (start, *start.parents):
        if (candidate / FILE_NAME).is_file():
            return candidate
    if (packaged() / FILE_NAME).is_file():
        return packaged()
    raise SettingError(f"no {FILE_NAME} in {start} or above it, and none in the package")


def load(root: Path) -> Publication:
    """Read `publication.toml` in `root`; a `SettingError` names the file, the key and what to do."""
    path = root / FILE_NAME
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"{path}: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} can't be read: {error}") from error
    return _publication(root, _values(raw, path))


def _values(raw: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """All settings by dotted name, checked against the table, defaults filled in."""
    given = _flatten(raw)
    known = {row.name: row for row in SETTINGS}
    sections = {name.partition(".")[0] for name in known if "." in name}
    for name in given:
        if name not in known and not (name in sections and given[name] == {}):
            hint = nearest(name, known) or "Known settings: " + ", ".join(known)
            raise SettingError(f"{path}: unknown setting “{name}”", hint=hint)
    return {row.name: _checked(row, given, path) for row in SETTINGS}


def _flatten(raw: Mapping[str, Any]) -> dict[str, Any]:
    """`{"limits": {"x": 1}}` as `{"limits.x": 1}`, but a setting that is itself a table stays one."""
    tables = {row.name for row in SETTINGS if row.kind is dict}
    flat: dict[str, Any] = {}
    for key, value in raw.items():
        if key in tables or not isinstance(value, dict) or not value:
            flat[key] = value
        else:
            flat.update({f"{key}.{inner}": item for inner, item in value.items()})
    return flat


def _checked(row: Setting, given: Mapping[str, Any], path: Path) -> Any:
    if row.name not in given:
        if row.default is None:
            raise SettingError(f"{path}: the setting “{row.name}” is missing", hint=f"It says {row.meaning}.")
        return row.default
    value = given[row.name]
    if row.kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if fault := _fault(row, value):
        raise SettingError(f"{path}: “{row.name}” must be {fault}", hint=f"It says {row.meaning}.")
    return value


def _fault(row: Setting, value: Any) -> str:
    """What a value must be and is not; empty where it is right."""
    if not isinstance(value, row.kind) or (isinstance(value, bool) and row.kind is not bool):
        return f"{row.kind.__name__}, not {type(value).__name__}"
    parts = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    if not all(isinstance(part, str) for part in parts):
        return f"a {row.kind.__name__} of strings"
    if isinstance(value, (int, float)) and not 0 < value < math.inf:
        return "a number above zero"
    iris = _IRIS[row.name](value) if row.name in _IRIS else ()
    wrong = [iri for iri in iris if iri and not is_valid_iri(iri)]
    return f"an absolute IRI, not “{wrong[0]}”" if wrong else ""


def _publication(root: Path, values: Mapping[str, Any]) -> Publication:
    base = values["base_iri"]
    if not re.match(r"https?://[^/?#]+/", base) or not base.endswith("/") or "#" in base or not is_valid_iri(base):
        raise SettingError(f"{root / FILE_NAME}: “base_iri” must be an http(s) IRI that ends in “/”, not “{base}”")
    return Publication(
        root=root,
        base_iri=base,
        title=_frozen(values["title"]),
        description=_frozen(values["description"]),
        languages=tuple(values["languages"]),
        licence=values["licence"],
        publisher_name=values["publisher.name"],
        publisher_iri=values["publisher.iri"],
        folders=_frozen({name: root / values[f"folders.{name}"] for name in ("ontology", "data", "shapes")}),
        documents=_frozen(values["paths.documents"]),
        graphs=values["paths.graphs"],
        services=tuple(values["services"]),
        own_prefixes=_frozen(values["prefixes"]),
        limits=Limits(
            **{row.name.removeprefix("limits."): values[row.name] for row in SETTINGS if row.name.startswith("limits.")}
        ),
    )


def _frozen(mapping: Mapping[str, T]) -> Mapping[str, T]:
    return MappingProxyType(dict(mapping))
