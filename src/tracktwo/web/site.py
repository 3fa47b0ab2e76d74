"""An opened release, ready to answer; and the follower that swaps in a new one without dropping a request."""

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from tracktwo import publication as publications
from tracktwo.catalog import Catalog
from tracktwo.entity import Describer
from tracktwo.errors import ReleaseError, StoreUnavailable, TracktwoError
from tracktwo.explain import Explainer
from tracktwo.facets import Facets
from tracktwo.links import Links
from tracktwo.pictures import Overview
from tracktwo.publication import Publication
from tracktwo.question import Question
from tracktwo.release.build import LAYOUT_FILE, QUESTIONS, VOCABULARY
from tracktwo.release.history import LAYOUT, Release, Releases
from tracktwo.search import Search
from tracktwo.sparql import Rules
from tracktwo.store import Store
from tracktwo.store.embedded import EmbeddedStore
from tracktwo.store.process import Dialect, PoolLimits
from tracktwo.store.remote import RemoteStore
from tracktwo.vocabulary import Vocabularies
from tracktwo.web.language import interface

_LOOK_EVERY_SECONDS = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """Where a site's releases are, where it is served, and a remote endpoint in place of the embedded store."""

    releases: Path
    public_url: str
    store_url: str = ""


@dataclass(frozen=True)
class Site:
    """Everything that answers for one release."""

    publication: Publication
    release: Release
    store: Store
    catalog: Catalog
    links: Links
    describer: Describer
    search: Search
    facets: Facets
    vocabularies: Vocabularies
    language: str = ""

    def in_language(self, language: str, *, pinned: bool) -> "Site":
        """The site for a reader of this language; where it is `pinned`, every page that it links to names it, too."""
        key = (language, pinned)
        if key not in self._in_languages:
            links = replace(self.links, language=language if pinned else "")
            languages = tuple(dict.fromkeys((language, *self.publication.languages)))
            describer = replace(self.describer, links=links, languages=languages, say=interface(language).gettext)
            self._in_languages[key] = replace(self, links=links, describer=describer, language=language)
        return self._in_languages[key]

    @cached_property
    def _in_languages(self) -> "dict[tuple[str, bool], Site]":
        return {}

    @cached_property
    def examples(self) -> list[str]:
        """One member of each class that the data names, to try the site with."""
        stated = [class_ for class_ in self.catalog.classes() if class_.stated]
        return [
            entry.iri
            for class_ in stated[:10]
            for entry in self.catalog.members(class_.slug, "", 1)
            if self.links.is_ours(entry.iri)
        ]

    @cached_property
    def explainer(self) -> Explainer:
        """Tells why an inferred statement follows; inference reads all graphs but those of the shapes."""
        files = self.release.manifest["files"]
        left_out = frozenset(graph for file in files if file["role"] == "shapes" for graph in file["graphs"])
        return Explainer(self.store, self.publication.inferred_graph, left_out, self.publication.base_iri)

    @cached_property
    def questions(self) -> list[Question]:
        """The publication's questions, in order."""
        return [Question(**row) for row in json.loads(self.release.read(QUESTIONS))]

    @cached_property
    def ranges(self) -> Mapping[str, Mapping[str, list[str]]]:
        """What the shapes say of each property's values."""
        found: Mapping[str, Mapping[str, list[str]]] = json.loads(self.release.read(LAYOUT_FILE)).get("ranges", {})
        return found

    @cached_property
    def order(self) -> Mapping[str, float]:
        """The places that the shapes give classes among each other, by their IRIs."""
        found: Mapping[str, float] = json.loads(self.release.read(LAYOUT_FILE)).get("order", {})
        return found

    @cached_property
    def overviews(self) -> dict[str, Overview | None]:
        """Pictures in small that are drawn already, in this site's language, by the slugs of their questions."""
        return {}

    @cached_property
    def rules(self) -> Rules:
        """What a client's query may be."""
        publication = self.publication
        return Rules(publication.limits.query_bytes, publication.prefixes, publication.services)

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()


def open_site(release: Release, options: Options) -> Site:
    """Open a release, with the settings that it was built with.

    Raises `ReleaseError` where a file of it is missing, broken, or of another layout, before the store is opened, and
    what `open_store` raises.
    """
    if release.manifest.get("layout") != LAYOUT:
        raise ReleaseError(f"the release {release.id} was made by another version", hint="Run `tracktwo build`.")
    publication = publications.load(release.folder)
    links = Links(publication.base_iri, options.public_url, publication.documents)
    try:
        layout = json.loads(release.read(LAYOUT_FILE))
        graphs = sorted(release.manifest["statistics"]["graphs"])
        catalog = Catalog(release.catalog, publication.base_iri)
        catalog.check()
    except (OSError, KeyError, ValueError) as error:
        raise ReleaseError(f"the release {release.id} can't be opened: {error}") from error
    store = open_store(publication, release, options.store_url)
    describer = Describer(
        store=store,
        catalog=catalog,
        links=links,
        prefixes=publication.prefixes,
        layout=layout["fields"],
        inverses=layout["inverses"],
        graphs=graphs,
        inferred_graph=publication.inferred_graph,
        languages=publication.languages,
    )
    vocabularies = Vocabularies(lambda: release.read(VOCABULARY))
    finders = Search(release.catalog), Facets(release.catalog)
    return Site(publication, release, store, catalog, links, describer, *finders, vocabularies)


def open_store(publication: Publication, release: Release, url: str) -> Store:
    """The embedded store of a release, or the remote one at `url` once it is seen to hold the same."""
    bounds = PoolLimits.of(publication.limits)
    dialect = Dialect(publication.base_iri, publication.prefixes)
    if not url:
        return EmbeddedStore(release.store, dialect, bounds)
    store = RemoteStore(
        url,
        sorted(release.manifest["statistics"]["graphs"]),
        publication.merged_graph,
        publication.skolem_prefix,
        dialect,
        bounds,
    )
    try:
        wanted, found = release.manifest["statistics"]["triples"], store.size()
    except TracktwoError:
        store.close()
        raise
    if wanted != found:
        store.close()
        raise StoreUnavailable(
            f"The store {url} holds {found} triples in <{publication.merged_graph}>, "
            f"but the release {release.id} has {wanted}.",
            hint="Load what `tracktwo dump --merged --format nq` prints into the store.",
        )
    return store


class Follower:
    """Gives the current site; a thread looks for a new release each second, and closes the old one some time later."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._releases = Releases(options.releases)
        release = self._releases.current()
        if release is None:
            raise ReleaseError(f"{options.releases} holds no release", hint="Run `tracktwo build`.")
        self._site = open_site(release, options)
        self._told = ""
        self._ended = threading.Event()
        threading.Thread(target=self._watch, name="follower", daemon=True).start()

    def site(self) -> Site:
        """The site of the current release; costs nothing."""
        return self._site

    def close(self) -> None:
        """Close what is open."""
        self._ended.set()
        self._site.close()

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK_EVERY_SECONDS):
            try:
                self._follow()
            except Exception as error:  # whatever is wrong with a new release, the old one serves, and this looks on
                self._tell(f"The new release is not served: {error}")

    def _follow(self) -> None:
        """Open the release that the pointer names, if it is another."""
        name = self._releases.current_name()
        if name is None or name == self._site.release.folder.name:
            return
        fresh = open_site(self._releases.get(name), self._options)
        old, self._site = self._site, fresh
        grace = old.publication.limits.query_seconds + old.publication.limits.query_queue_seconds + 1
        timer = threading.Timer(grace, old.close)
        timer.daemon = True
        timer.start()

    def _tell(self, message: str) -> None:
        """Once, until there is something else to tell."""
        if message != self._told:
            self._told = message
            log.warning("%s", message)
