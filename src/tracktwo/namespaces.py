"""The IRIs of standards that the code itself speaks of, and the prefixes every publication starts with."""

from pyoxigraph import NamedNode

PREFIXES: dict[str, str] = {
    "bibo": "http://purl.org/ontology/bibo/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "geo": "http://www.w3.org/2003/01/geo/wgs84_pos#",
    "org": "http://www.w3.org/ns/org#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "sd": "http://www.w3.org/ns/sparql-service-description#",
    "sh": "http://www.w3.org/ns/shacl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "time": "http://www.w3.org/2006/time#",
    "vann": "http://purl.org/vocab/vann/",
    "void": "http://rdfs.org/ns/void#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


class Namespace:
    """`Namespace(iri).term` is the `NamedNode` iri + "term"; `Namespace(iri)["a-b"]` alike."""

    def __init__(self, iri: str) -> None:
        self.iri = iri

    def __getattr__(self, name: str) -> NamedNode:
        return NamedNode(self.iri + name)

    def __getitem__(self, name: str) -> NamedNode:
        return NamedNode(self.iri + name)

    def __contains__(self, iri: object) -> bool:
        return isinstance(iri, NamedNode) and iri.value.startswith(self.iri)


DCAT = Namespace(PREFIXES["dcat"])
DCTERMS = Namespace(PREFIXES["dcterms"])
FOAF = Namespace(PREFIXES["foaf"])
OWL = Namespace(PREFIXES["owl"])
PROV = Namespace(PREFIXES["prov"])
RDF = Namespace(PREFIXES["rdf"])
RDFS = Namespace(PREFIXES["rdfs"])
SCHEMA = Namespace(PREFIXES["schema"])
SD = Namespace(PREFIXES["sd"])
SH = Namespace(PREFIXES["sh"])
SKOS = Namespace(PREFIXES["skos"])
VANN = Namespace(PREFIXES["vann"])
VOID = Namespace(PREFIXES["void"])
XSD = Namespace(PREFIXES["xsd"])

#: Properties whose value names an entity, best first.
LABELS: tuple[NamedNode, ...] = (
    SKOS.prefLabel,
    RDFS.label,
    DCTERMS.title,
    SCHEMA.name,
    NamedNode("http://schema.org/name"),
    FOAF.name,
    SH.name,
    NamedNode("http://purl.org/dc/elements/1.1/title"),
)

#: Properties whose value is another name of an entity.
ALTERNATIVES: tuple[NamedNode, ...] = (
    SKOS.altLabel,
    SKOS.hiddenLabel,
    SCHEMA.alternateName,
    FOAF.nick,
    DCTERMS.alternative,
)

#: Properties whose value sums an entity up, best first.
SUMMARIES: tuple[NamedNode, ...] = (
    SKOS.definition,
    DCTERMS.description,
    RDFS.comment,
    SCHEMA.description,
    DCTERMS.abstract,
)
