// Terms of an answer: what kind they are, and how they read.

const XSD = "http://www.w3.org/2001/XMLSchema#";
const RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const NUMBERS = new Set(
  ["integer", "decimal", "double", "float", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger",
    "nonPositiveInteger", "negativeInteger", "unsignedInt", "unsignedLong", "unsignedShort", "unsignedByte"].map((name) => XSD + name),
);
const DATES = new Set(["date", "dateTime", "dateTimeStamp", "gYear", "gYearMonth"].map((name) => XSD + name));
const DATE = /^(-?\d{4,})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.\d+)?)?)?)?(Z|[+-]\d\d:\d\d)?$/;

export const isIri = (term) => term?.type === "uri";
export const isNumber = (term) => term?.type === "literal" && NUMBERS.has(term.datatype) && Number.isFinite(Number(term.value));
export const isDate = (term) => term?.type === "literal" && DATES.has(term.datatype) && DATE.test(term.value);
export const isBoolean = (term) => term?.type === "literal" && term.datatype === `${XSD}boolean`;

/** A date as milliseconds, and how long what it names lasts: a year, a month, a day or an instant. */
export function span(value) {
  const [, year, month, day, hour, minute, second, zone] = DATE.exec(value);
  const at = (y, m, d) => { const date = new Date(Date.UTC(2000, m, d, +(hour ?? 0), +(minute ?? 0), +(second ?? 0))); date.setUTCFullYear(y, m, d); return +date; };
  const shift = zone && zone !== "Z" ? (zone[0] === "-" ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4))) * 60000 : 0;
  const [y, m, d] = [Number(year), Number(month ?? 1) - 1, Number(day ?? 1)];
  const start = at(y, m, d) - shift;
  if (hour) return { start, end: start };
  const end = day ? at(y, m, d + 1) : month ? at(y, m + 1, 1) : at(y + 1, 0, 1);
  return { start, end: end - shift };
}

/** An IRI with a prefix, if one fits and the rest can be written so. */
export function curie(iri, prefixes) {
  let best = "";
  for (const [prefix, start] of Object.entries(prefixes)) {
    if (iri.startsWith(start) && start.length > (prefixes[best]?.length ?? 0) && /^[\p{L}\p{N}_]([\p{L}\p{N}_.-]*[\p{L}\p{N}_-])?$/u.test(iri.slice(start.length))) best = prefix;
  }
  return best ? `${best}:${iri.slice(prefixes[best].length)}` : "";
}

/** The name of a datatype where it says something that the look of the value does not. */
export function typeName(term, prefixes) {
  if (!term.datatype || isNumber(term) || isDate(term) || isBoolean(term) || term.datatype === `${XSD}string` || term.datatype === `${RDF}langString`) return "";
  return curie(term.datatype, { xsd: XSD, rdf: RDF, ...prefixes }) || term.datatype;
}

const TERM = /^\s*(?:<([^>]*)>|(_:[^\s]+)|"((?:[^"\\]|\\.)*)"(?:\^\^<([^>]*)>|@([A-Za-z0-9-]+))?|(<<\(.*\)>>))/;
const ESCAPES = { t: "\t", b: "\b", n: "\n", r: "\r", f: "\f" };
const unescaped = (text) =>
  text.replace(/\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/g, (_, four, eight, one) =>
    one ? (ESCAPES[one] ?? one) : String.fromCodePoint(parseInt(four ?? eight, 16)));

/** The statements of N-Triples, as rows of an answer. */
export function triples(text) {
  const rows = [];
  for (const line of text.split("\n")) {
    const row = {};
    let rest = line;
    for (const name of ["subject", "predicate", "object"]) {
      const found = TERM.exec(rest);
      if (!found) break;
      const [all, iri, node, value, datatype, language, quoted] = found;
      rest = rest.slice(all.length);
      if (iri !== undefined) row[name] = { type: "uri", value: unescaped(iri) };
      else if (node) row[name] = { type: "bnode", value: node.slice(2) };
      else if (quoted) row[name] = { type: "triple", value: quoted };
      else row[name] = { type: "literal", value: unescaped(value), ...(datatype && { datatype }), ...(language && { "xml:lang": language }) };
    }
    if (row.object) rows.push(row);
  }
  return rows;
}
