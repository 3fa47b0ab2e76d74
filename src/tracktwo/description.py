"""The dataset and its endpoint described for machines: VoID, DCAT and the SPARQL 1.1 Service Description.

Made of what the manifest counted and of where the site is served; small, since all of it is known before anyone asks.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pyoxigraph import Literal, NamedNode, Triple

from tracktwo.formats import DOCUMENT_FORMATS, RDF_FORMATS, RESULT_FORMATS
from tracktwo.links import Links
from tracktwo.namespaces import DCAT, DCTERMS, FOAF, RDF, RDFS, SD, VOID, XSD
from tracktwo.publication import Publication

_SPDX = "http://spdx.org/rdf/terms#"
_IANA = "https://www.iana.org/assignments/media-types/"


def dataset(publication: Publication, links: Links, manifest: Mapping[str, Any], examples: list[str]) -> list[Triple]:
    """The dataset with its counts, partitions, dumps and endpoint (VoID sections 2 to 4, DCAT 3)."""
    return list(_dataset(publication, links, manifest, examples))


def service(
    publication: Publication, links: Links, manifest: Mapping[str, Any], functions: Sequence[str] = ()
) -> list[Triple]:
    """The endpoint: language, formats, features, functions, limits, and graphs (SPARQL 1.1 Service Description)."""
    return list(_service(publication, links, manifest, functions))


def _dataset(
    publication: Publication, links: Links, manifest: Mapping[str, Any], examples: list[str]
) -> Iterator[Triple]:
    me = NamedNode(publication.dataset_iri)
    for class_ in (VOID.Dataset, DCAT.Dataset):
        yield Triple(me, RDF.type, class_)
    yield from _about(publication, me)
    created = Literal(manifest["created"], datatype=XSD.dateTime)
    yield Triple(me, DCTERMS.modified, created)
    yield Triple(me, DCAT.version, Literal(manifest["id"]))
    yield Triple(me, FOAF.homepage, NamedNode(links.public_url))
    yield Triple(me, DCAT.landingPage, NamedNode(links.public_url))
    yield Triple(me, VOID.uriSpace, Literal(publication.base_iri))
    yield Triple(me, VOID.sparqlEndpoint, NamedNode(links.absolute("sparql")))
    for format_ in RDF_FORMATS:
        yield Triple(me, VOID.feature, NamedNode(format_.iri))
    for example in examples:
        yield Triple(me, VOID.exampleResource, NamedNode(example))
    for file in manifest["files"]:
        if file["role"] == "ontology":
            for graph in file["graphs"]:
                yield Triple(me, VOID.vocabulary, NamedNode(graph))
    yield from _counts(publication, me, manifest["statistics"])
    yield from _dumps(publication, links, me, manifest)


def _about(publication: Publication, node: NamedNode) -> Iterator[Triple]:
    for language, title in publication.title.items():
        yield Triple(node, DCTERMS.title, Literal(title, language=language))
    for language, text in publication.description.items():
        yield Triple(node, DCTERMS.description, Literal(text, language=language))
    if publication.licence:
        yield Triple(node, DCTERMS.license, NamedNode(publication.licence))
    if publication.publisher_iri:
        publisher = NamedNode(publication.publisher_iri)
        yield Triple(node, DCTERMS.publisher, publisher)
        yield Triple(publisher, FOAF.name, Literal(publication.publisher_name))


def _counts(publication: Publication, me: NamedNode, statistics: Mapping[str, Any]) -> Iterator[Triple]:
    for property_, count in (
        (VOID.triples, statistics["triples"]),
        (VOID.distinctSubjects, statistics["subjects"]),
        (VOID.distinctObjects, statistics["objects"]),
        (VOID.properties, len(statistics["properties"])),
        (VOID.classes, len(statistics["classes"])),
    ):
        yield Triple(me, property_, Literal(count))
    for kind, key, number, partitions in (
        (VOID.classPartition, VOID["class"], VOID.entities, statistics["classes"]),
        (VOID.propertyPartition, VOID.property, VOID.triples, statistics["properties"]),
    ):
        for position, (iri, count) in enumerate(partitions.items(), start=1):
            part = NamedNode(f"{publication.dataset_iri}#{key.value.rpartition('#')[2]}-{position}")
            if not iri.startswith("_:"):
                yield Triple(me, kind, part)
                yield Triple(part, key, NamedNode(iri))
                yield Triple(part, number, Literal(count))


def _dumps(publication: Publication, links: Links, me: NamedNode, manifest: Mapping[str, Any]) -> Iterator[Triple]:
    for file in manifest["dumps"]:
        url = NamedNode(links.absolute("dump/" + file["name"]))
        distribution = NamedNode(f"{publication.dataset_iri}#{file['name']}")
        checksum = NamedNode(f"{distribution.value}-sha256")
        yield Triple(me, VOID.dataDump, url)
        yield Triple(me, DCAT.distribution, distribution)
        yield Triple(distribution, RDF.type, DCAT.Distribution)
        yield Triple(distribution, DCAT.downloadURL, url)
        yield Triple(distribution, DCAT.mediaType, NamedNode(_IANA + file["media_type"]))
        yield Triple(distribution, DCAT.compressFormat, NamedNode(_IANA + "application/gzip"))
        yield Triple(distribution, DCAT.byteSize, Literal(str(file["size"]), datatype=XSD.nonNegativeInteger))
        yield Triple(distribution, NamedNode(_SPDX + "checksum"), checksum)
        yield Triple(checksum, NamedNode(_SPDX + "algorithm"), NamedNode(_SPDX + "checksumAlgorithm_sha256"))
        yield Triple(checksum, NamedNode(_SPDX + "checksumValue"), Literal(file["sha256"], datatype=XSD.hexBinary))


def _service(
    publication: Publication, links: Links, manifest: Mapping[str, Any], functions: Sequence[str]
) -> Iterator[Triple]:
    endpoint = links.absolute("sparql")
    me, default = NamedNode(endpoint), NamedNode(f"{endpoint}#default-graph")
    data = NamedNode(publication.dataset_iri)
    yield Triple(me, RDF.type, SD.Service)
    yield Triple(me, SD.endpoint, me)
    yield Triple(me, SD.supportedLanguage, SD.SPARQL11Query)
    for format_ in (*RESULT_FORMATS, *(row for row in DOCUMENT_FORMATS if row.rdf)):
        yield Triple(me, SD.resultFormat, NamedNode(format_.iri))
    yield Triple(me, SD.feature, SD.UnionDefaultGraph)
    for function in functions:
        yield Triple(me, SD.extensionFunction, NamedNode(function))
        yield Triple(NamedNode(function), RDF.type, SD.Function)
    for limit in _limits(publication):
        yield Triple(me, RDFS.comment, Literal(limit, language="en"))
    yield Triple(me, SD.defaultDataset, data)
    yield Triple(data, RDF.type, SD.Dataset)
    yield Triple(data, SD.defaultGraph, default)
    yield Triple(default, RDF.type, SD.Graph)
    yield Triple(default, VOID.triples, Literal(manifest["statistics"]["triples"]))
    for position, (graph, count) in enumerate(manifest["statistics"]["graphs"].items(), start=1):
        named = NamedNode(f"{endpoint}#graph-{position}")
        yield Triple(data, SD.namedGraph, named)
        yield Triple(named, RDF.type, SD.NamedGraph)
        yield Triple(named, SD.name, NamedNode(graph))
        yield Triple(named, VOID.triples, Literal(count))


def _limits(publication: Publication) -> tuple[str, ...]:
    """One sentence for each limit: no vocabulary that is in use has terms for them."""
    limits = publication.limits
    return (
        f"A query may work for {limits.query_seconds:g} seconds.",
        f"A query may take {limits.query_memory_mb} MB of memory.",
        f"A result may have {limits.result_mb} MB.",
        f"A result may have {limits.result_rows} rows or triples.",
        f"The text of a query may have {limits.query_bytes} bytes, in a URL 65000 characters as it is encoded.",
        f"A client may take nothing of an answer for {limits.query_unread_seconds:g} seconds.",
        "A query over a limit is stopped and told which; no result is cut silently.",
        f"The HTML page of a result shows its first {limits.page_rows} rows, and says so in Tracktwo-Truncated.",
    )
