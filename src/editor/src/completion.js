// What may stand at the cursor: prefixes, classes and properties with their labels, variables, keywords.

import { h } from "./dom.js";
import { counted, t } from "./words.js";

const MOST = 80;
const TOKEN =
  /#[^\n]*|<[^\s<>"{}|^`\\]*>|"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:[^"\\\n]|\\.)*(?:"|$)|'(?:[^'\\\n]|\\.)*(?:'|$)|[?$][\p{L}\p{N}_]+|@[A-Za-z-]+|[\p{L}\p{N}_.-]*:[\p{L}\p{N}_.:%-]*|[\p{L}\p{N}_]+|\^\^|[^\s]/gu;
const CLAUSES = ["SELECT", "CONSTRUCT", "DESCRIBE", "ASK", "DISTINCT", "FROM", "WHERE", "GROUP BY", "HAVING", "ORDER BY", "LIMIT", "OFFSET", "VALUES", "PREFIX", "COUNT(", "SUM(", "AVG(", "MIN(", "MAX(", "GROUP_CONCAT(", "SAMPLE("];
const PATTERNS = ["OPTIONAL { }", "FILTER ( )", "UNION", "MINUS { }", "GRAPH", "BIND ( AS )", "VALUES", "FILTER NOT EXISTS { }", "FILTER EXISTS { }", "SELECT"];
const FUNCTIONS = ["lang(", "str(", "datatype(", "regex(", "contains(", "strstarts(", "lcase(", "year(", "bound(", "isIRI(", "coalesce(", "if(", "langMatches("];

/** What stands where in the text before the cursor: `{place, depth, afterType, declares}`. */
export function place(before) {
  let depth = 0;
  let parens = 0;
  let position = 0; // 0 subject, 1 predicate, 2 object
  let predicate = "";
  let last = "";
  let slash = false;
  for (const [token] of before.matchAll(TOKEN)) {
    if (token[0] === "#") continue;
    const upper = token.toUpperCase();
    if (token === "{") { depth++; position = 0; }
    else if (token === "}") { depth--; position = 0; }
    else if (token === "(") parens++;
    else if (token === ")") { parens--; }
    else if (parens > 0) { /* an expression, or a path in parentheses */ }
    else if (token === ".") position = 0;
    else if (token === ";" || token === "[") position = 1;
    else if (token === ",") position = 2;
    else if (token === "]") position = position === 0 ? 1 : position;
    else if (/^[/|^]$/.test(token) && position === 2) { position = 1; slash = true; }
    else if (/^[*+?!]$|^\^\^$|^@/.test(token)) { /* belongs to the term beside it */ }
    else if (depth > 0 && /^(OPTIONAL|FILTER|UNION|MINUS|WHERE|SELECT|EXISTS|NOT|BIND|GROUP|ORDER|BY|LIMIT|GRAPH|VALUES|DISTINCT)$/.test(upper)) position = 0;
    else if (depth > 0) {
      if (position === 1) predicate = slash ? "" : token;
      slash = false;
      if (last !== "GRAPH") position = Math.min(position + 1, 2 + 1);
    }
    last = upper;
  }
  return { depth, parens, position, predicate, declares: last === "PREFIX" };
}

/** In a comment or a string nothing is completed. */
function insideText(before) {
  let end = 0;
  for (const found of before.matchAll(TOKEN)) {
    end = found.index + found[0].length;
    if (end === before.length) {
      const [token] = found;
      if (token[0] === "#") return true;
      if (/^["']/.test(token) && (token.length < 2 || token.at(-1) !== token[0])) return true;
    }
  }
  return false;
}

/** How well a class or property fits what was typed, by name or a label in any language; 0 is best, -1 not at all. */
function fit(term, typed) {
  if (!typed) return 4;
  const name = (term.curie || term.iri).toLowerCase();
  const local = name.slice(name.indexOf(":") + 1);
  const labels = [term.label, ...term.also].map((label) => label.toLowerCase());
  if (name === typed || local === typed || labels.includes(typed)) return 0;
  if (name.startsWith(typed) || local.startsWith(typed)) return 1;
  if (labels.some((label) => label.startsWith(typed))) return 2;
  if (labels.some((label) => label.split(/[^\p{L}\p{N}]+/u).some((word) => word.startsWith(typed)))) return 3;
  return [local, ...labels].some((text) => text.includes(typed)) ? 4 : -1;
}

const written = (term) => term.curie || `<${term.iri}>`;

const described = ({ label, count }, kind) =>
  kind === "class"
    ? t("Class “{label}”, {members}", { label, members: counted("{num} member", "{num} members", count) })
    : t("Property “{label}”, {statements}", { label, statements: counted("{num} statement", "{num} statements", count) });

function terms(list, kind, typed, boost, own) {
  return list
    .map((term) => ({ term, fit: fit(term, typed) }))
    .filter((found) => found.fit >= 0)
    .sort((a, b) => a.fit - b.fit || b.term.iri.startsWith(own) - a.term.iri.startsWith(own) || b.term.count - a.term.count)
    .slice(0, MOST)
    .map(({ term, fit: rank }, index) => ({
      label: written(term),
      detail: term.label,
      type: kind,
      boost: boost - rank * 10 - index / MOST,
      term,
      info: () => h("div", {}, h("div", {}, described(term, kind)), h("div", {}, term.iri)),
    }));
}

/** Classes and properties by the IRI that has been begun between `<` and the cursor. */
function iris(known, begun) {
  return [[known.classes, "class"], [known.properties, "property"]]
    .flatMap(([list, kind]) => list.filter((term) => term.iri.toLowerCase().startsWith(begun)).map((term) => ({ term, kind })))
    .sort((a, b) => b.term.count - a.term.count)
    .map(({ term, kind }, index) => ({
      label: `<${term.iri}>`,
      detail: term.label,
      type: kind,
      boost: -index / MOST,
      apply: (view, _completion, from, to) => {
        const end = to + (view.state.sliceDoc(to, to + 1) === ">");
        view.dispatch({ changes: { from, to: end, insert: `<${term.iri}>` }, selection: { anchor: from + term.iri.length + 2 }, userEvent: "input.complete" });
      },
    }));
}

const words = (list, typed, boost) =>
  list.filter((word) => typed && word.toLowerCase().startsWith(typed)).map((word, index) => ({ label: word, type: "keyword", boost: boost - index / 100, apply: applied(word) }));

/** Insert a clause with the cursor between its brackets. */
const applied = (word) => (view, _completion, from, to) => {
  const gap = word.search(/ (?=[)}]| AS)/);
  view.dispatch({ changes: { from, to, insert: word }, selection: { anchor: from + (gap < 0 ? word.length : gap + 1) }, userEvent: "input.complete" });
};

function prefixes(known, text, typed) {
  return Object.entries(known)
    .filter(([prefix]) => prefix.toLowerCase().startsWith(typed.replace(/:$/, "")) && !new RegExp(`prefix\\s+${prefix}:`, "i").test(text))
    .map(([prefix, iri]) => ({ label: `${prefix}: <${iri}>`, type: "namespace" }));
}

/** A completion source of CodeMirror over a promised vocabulary; what begins with `own` goes first. */
export const completion = (vocabulary, own) => async (context) => {
  const before = context.state.sliceDoc(0, context.pos);
  const iri = /<([a-z][a-z0-9+.-]*:[^\s<>"{}|^`\\]*)$/i.exec(before);
  if (iri && !insideText(before.slice(0, iri.index))) {
    const options = iris(await vocabulary(), iri[1].toLowerCase()).slice(0, MOST);
    return options.length && !context.aborted ? { from: context.pos - iri[0].length, options, filter: false } : null;
  }
  const word = context.matchBefore(/[?$][\p{L}\p{N}_]*|[\p{L}\p{N}_-]*:?[\p{L}\p{N}_.-]*/u);
  const typed = (word?.text ?? "").toLowerCase();
  if (insideText(before) || /@[\w-]*$/.test(before)) return null;
  const from = word ? word.from : context.pos;
  const at = place(before.slice(0, from));
  const afterType = at.position === 2 && /^(a|rdf:type)$/.test(at.predicate);
  if (!typed && !context.explicit && !(afterType && /\ba\s$/.test(before))) return null;
  const known = await vocabulary();
  if (context.aborted) return null;
  const text = context.state.doc.toString();
  let options;
  if (/^[?$]/.test(typed)) {
    const found = new Set(text.match(/[?$][\p{L}\p{N}_]+/gu));
    found.delete(word.text);
    options = [...found].filter((name) => name.toLowerCase().startsWith(typed)).map((label) => ({ label, type: "variable" }));
  } else if (at.declares) options = prefixes(known.prefixes, text, typed);
  else if (at.parens > 0) options = [...words(FUNCTIONS, typed, 50), ...terms(known.classes, "class", typed, 20, own), ...terms(known.properties, "property", typed, 10, own)];
  else if (at.depth < 1) options = [...words(CLAUSES, typed, 50), ...(at.position ? terms(known.classes, "class", typed, 0, own) : [])];
  else if (afterType) options = terms(known.classes, "class", typed, 90, own);
  else if (at.position === 1) options = [...terms(known.properties, "property", typed, 90, own), ...(typed === "a" ? [{ label: "a", detail: t("is of the class"), type: "keyword", boost: 99 }] : [])];
  else if (at.position === 2) options = [...terms(known.classes, "class", typed, 30, own), ...terms(known.properties, "property", typed, 0, own)];
  else options = [...words(PATTERNS, typed, 90), ...terms(known.classes, "class", typed, 30, own)];
  if (!options.length) return null;
  options.sort((a, b) => (b.boost ?? 0) - (a.boost ?? 0));
  return { from, options: options.slice(0, MOST), filter: false };
};

/** What an option is, in a word at its end. */
export const looks = [{ position: 90, render: ({ type }) => (type === "class" || type === "property" ? h("span", { class: "kind" }, type === "class" ? t("class") : t("property")) : null) }];
