// An empty answer explained: the parts of the query without which there would be rows. Loaded when it is needed.
//
// Each triple pattern (then each filter, VALUES and MINUS) is left out in turn and the rest asked as ASK, within a
// budget of questions and of time.

import { Generator } from "@traqula/generator-sparql-1-1";
import { Parser } from "@traqula/parser-sparql-1-1";
import { AstFactory } from "@traqula/rules-sparql-1-1";

const MOST_ASKED = 24;
const MOST_MILLISECONDS = 6000;
const MOST_FOR_ONE = 2500;

const parser = new Parser({ defaultContext: { astFactory: new AstFactory({ tracksSourceLocation: true }) }, lexerConfig: { positionTracking: "full" } });
const plain = new Parser();
const generator = new Generator();

/** The parts that can be left out, each `{path: keys that lead to its list, index, node, kind, group: path of its group}`. */
function parts(ast) {
  const found = [];
  const visit = (patterns, path) => {
    patterns.forEach((pattern, index) => {
      const here = [...path, index];
      if (pattern.type === "query") visitGroup(pattern.where, [...here, "where"]);
      else if (pattern.subType === "bgp") {
        pattern.triples.forEach((triple, at) => found.push({ path: [...here, "triples"], index: at, node: triple, kind: "triple", group: path }));
      } else if (["filter", "values", "minus"].includes(pattern.subType)) found.push({ path, index, node: pattern, kind: pattern.subType, group: path });
      else if (["group", "graph", "union"].includes(pattern.subType)) visit(pattern.patterns, [...here, "patterns"]);
    });
  };
  const visitGroup = (group, path) => visit(group.patterns, [...path, "patterns"]);
  visitGroup(ast.where, ["where"]);
  const order = ["triple", "filter", "values", "minus"];
  return found.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

const at = (node, path) => path.reduce((inner, key) => inner[key], node);

/** The variables in a part of a query. */
function variables(node, found = new Set()) {
  if (Array.isArray(node)) for (const item of node) variables(item, found);
  else if (node && typeof node === "object") {
    if (node.type === "term" && node.subType === "variable") found.add(node.value);
    else for (const [key, item] of Object.entries(node)) if (key !== "loc") variables(item, found);
  }
  return found;
}

/**
 * The query without a part, and whether a filter had to go with it: one over what only that part bound would let nothing pass.
 */
function without(ast, part) {
  const rest = structuredClone(ast);
  at(rest, part.path).splice(part.index, 1);
  if (part.kind !== "triple") return [rest, false];
  const group = at(rest, part.group);
  const left = variables(group.filter((pattern) => pattern.subType !== "filter"));
  const gone = [...variables(part.node)].filter((name) => !left.has(name));
  const kept = group.filter((pattern) => pattern.subType !== "filter" || !gone.some((name) => variables(pattern).has(name)));
  const filters = kept.length < group.length;
  group.splice(0, group.length, ...kept);
  return [rest, filters];
}

/** Does it have a solution, whatever it selects, groups or skips? */
function asAsk(ast, prefixes) {
  const { context, where, datasets, values, loc, type } = ast;
  return declared(generator.generate({ context, subType: "ask", where, datasets, values, loc, type, solutionModifiers: {} }), prefixes);
}

/** A query that declares what it uses: the generator keeps prefixed names. */
function declared(text, prefixes) {
  const own = new Set([...text.matchAll(/^PREFIX\s+([^:\s]*):/gim)].map((found) => found[1]));
  return Object.entries(prefixes).filter(([prefix]) => !own.has(prefix) && text.includes(`${prefix}:`)).map(([prefix, iri]) => `PREFIX ${prefix}: <${iri}>\n`).join("") + text;
}

const RDF_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>";

/** A part as text. */
function readable(part, query) {
  const { start, end } = range(part.node);
  if (part.kind !== "triple") return query.slice(start, end).replace(/\s+/g, " ");
  return shown(part.node).replaceAll(RDF_TYPE, "a").replaceAll(/"(-?[\d.]+)"\^\^<http:\/\/www\.w3\.org\/2001\/XMLSchema#(?:integer|decimal)>/g, "$1");
}

/** One triple pattern as text, by way of a query of nothing else. */
function shown(triple) {
  const loc = { sourceLocationType: "autoGenerate" };
  const where = { type: "pattern", subType: "group", patterns: [{ type: "pattern", subType: "bgp", triples: [triple], loc }], loc };
  const text = generator.generate({ type: "query", subType: "ask", context: [], where, datasets: { type: "datasetClauses", clauses: [], loc }, solutionModifiers: {}, loc });
  return text.slice(text.indexOf("{") + 1, text.lastIndexOf("}")).replace(/\s+/g, " ").trim().replace(/ \.$/, "");
}

/** Where a part stands; a pattern in a list after `;` or `,` begins with what it adds. */
function range(node) {
  if (node.type === "triple") {
    const object = node.object.loc;
    const start = node.subject.loc?.sourceLocationType === "source" ? node.subject.loc.start : node.predicate.loc?.sourceLocationType === "source" ? node.predicate.loc.start : object?.start;
    if (start !== undefined && object?.end !== undefined) return { start, end: object.end };
  }
  return { start: node.loc.start, end: node.loc.end };
}

/**
 * Why a query has no rows. `holds(text, milliseconds)` asks; the answer is `{modifiers, parts: [{from, to, text, alone}], all}`:
 * with `modifiers`, the patterns match and what comes after them leaves nothing; `all` says that every part was tried.
 */
export async function explain(query, prefixes, holds) {
  const placed = parts(parser.parse(query, { prefixes }));
  const ast = plain.parse(query, { prefixes });
  const candidates = parts(ast);
  const began = performance.now();
  let asked = 0;
  const left = () => Math.min(MOST_FOR_ONE, MOST_MILLISECONDS - (performance.now() - began));
  const ask = async (text) => (asked++ < MOST_ASKED && left() > 0 ? holds(text, left()) : undefined);

  if (await ask(asAsk(ast, prefixes))) return { modifiers: true, parts: [], all: true };
  let found = [];
  let all = true;
  for (const [index, part] of candidates.entries()) {
    if (part.kind !== "triple" && found.some((one) => one.kind === "triple" && !one.filters)) break; // a pattern is to blame, not what comes after
    const [rest, filters] = without(ast, part);
    const answer = await ask(asAsk(rest, prefixes));
    if (answer === undefined) all = false;
    if (!answer) continue;
    const { start, end } = range(placed[index].node);
    found.push({ from: start, to: end, kind: part.kind, filters, text: readable({ ...part, node: part.kind === "triple" ? part.node : placed[index].node }, query), part });
  }
  if (found.some((one) => one.kind === "filter")) found = found.filter((one) => !one.filters); // the filter itself is to blame
  const nowhere = found.length ? found : candidates.map((part, index) => ({ part, index })).filter(({ part }) => part.kind === "triple").map(({ part, index }) => {
    const { start, end } = range(placed[index].node);
    return { from: start, to: end, kind: "triple", text: readable(part, query), part };
  });
  for (const one of nowhere) {
    if (one.kind !== "triple" || one.part.path.includes("graph")) continue;
    const loc = { sourceLocationType: "autoGenerate" };
    const group = { type: "pattern", subType: "group", patterns: [{ type: "pattern", subType: "bgp", triples: [one.part.node], loc }], loc };
    one.alone = await ask(asAsk({ ...ast, where: group, values: undefined }, prefixes));
  }
  const told = ({ from, to, kind, text, alone }) => ({ from, to, kind, text, alone });
  return { modifiers: false, parts: found.map(told), unmatched: found.length ? [] : nowhere.filter((one) => one.alone === false).map(told), all };
}
