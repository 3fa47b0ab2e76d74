// What IRIs are called and where their pages are, asked for once each.

import { curie } from "./terms.js";

const AT_ONCE = 1000;

export class Labels {
  constructor(url, prefixes) {
    this.url = url;
    this.prefixes = prefixes;
    this.known = new Map();
  }

  /** Make sure that these IRIs have been asked for. Without an answer they go by their prefixed names. */
  async fetch(iris) {
    const wanted = [...new Set(iris)].filter((iri) => !this.known.has(iri));
    for (let at = 0; at < wanted.length; at += AT_ONCE) {
      const some = wanted.slice(at, at + AT_ONCE);
      try {
        const response = await fetch(this.url, {
          method: "POST",
          headers: { "Content-Type": "application/json", Accept: "application/json" },
          body: JSON.stringify({ iris: some }),
        });
        if (!response.ok) return;
        const found = await response.json();
        for (const iri of some) this.known.set(iri, found[iri] ?? null);
      } catch {
        return;
      }
    }
  }

  /** How a term reads in a picture or a cell. */
  text(term) {
    if (!term) return "";
    if (term.type === "triple" && typeof term.value !== "string") return `<<( ${["subject", "predicate", "object"].map((part) => this.text(term.value[part])).join(" ")} )>>`;
    if (term.type === "bnode") return `_:${term.value}`;
    if (term.type !== "uri") return term.value;
    return this.known.get(term.value)?.label || curie(term.value, this.prefixes()) || term.value;
  }

  /** The language of that text. */
  language(term) {
    return term?.type === "uri" ? this.known.get(term.value)?.lang : term?.["xml:lang"];
  }

  /** The site's page about an IRI, if it has one. */
  page(term) {
    return (term?.type === "uri" && this.known.get(term.value)?.url) || "";
  }
}
