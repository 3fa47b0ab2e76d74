// Which pictures the columns of an answer allow, and which of them says most.

import { isBoolean, isDate, isIri, isNumber, span } from "./terms.js";
import { t } from "./words.js";

const BARS = 60;
const LINKS = 250;

/** Are these numbers years? The column's name says so, or they are possible ones that only rise. */
export function isYears(name, terms) {
  const [first, last] = [1400, 2200];
  const rising = () => terms.every((term, row) => Number(term.value) >= (row ? Number(terms[row - 1].value) : first) && Number(term.value) < last);
  return terms.length > 0 && terms.every((term) => isNumber(term) && /^\d{4}$/.test(term.value)) && (/year/i.test(name) || rising());
}

/** Columns of an answer: `{name, kind, values, filled, distinct}`; kind is number, date, iri, text or mixed. */
export function columns({ names, rows }) {
  return names.map((name) => {
    const values = rows.map((row) => row[name]);
    const given = values.filter(Boolean);
    const all = (test) => given.length > 0 && given.every(test);
    const kind = isYears(name, given) || all(isDate) ? "date" : all(isNumber) ? "number" : all(isIri) ? "iri" : all((term) => term.type === "literal") ? (all(isBoolean) ? "boolean" : "text") : given.length ? "mixed" : "empty";
    return { name, kind, values, filled: given.length, distinct: new Set(given.map((term) => `${term.type} ${term.value} ${term["xml:lang"] ?? ""}`)).size };
  });
}

const named = (list) => list.map((column) => column.name);

/**
 * The pictures that fit: `[{view, title, fields: [{name, label, choices, value}], strong}]`. A strong one is shown
 * unasked; `fields` are the choices of columns, each with the one that fits best.
 */
export function pictures(answer) {
  const count = answer.rows.length;
  if (!count || answer.kind === "truth") return [];
  const all = columns(answer);
  const of = (...kinds) => all.filter((column) => kinds.includes(column.kind));
  return [bar(of, all, count), line(of, all, count), timeline(of, all, count), network(of, all, answer)].filter(Boolean);
}

const field = (name, label, choices, value, optional = false) => ({ name, label, choices: optional ? ["", ...choices] : choices, value: value ?? (optional ? "" : choices[0]) });

/** The column that names a row best: one text a row, else one IRI a row. */
const naming = (list) => [...list].sort((a, b) => b.distinct - a.distinct || (a.kind === "text" ? -1 : 1) - (b.kind === "text" ? -1 : 1))[0];

function bar(of, all, count) {
  const [numbers, categories] = [of("number"), of("text", "iri", "boolean", "date")];
  if (!numbers.length || !categories.length) return null;
  const category = naming(categories);
  const strong = all.length <= 3 && numbers.length === 1 && count >= 2 && count <= BARS && category.distinct === count && category.kind !== "date";
  return { view: "bar", title: t("Bar chart"), strong, fields: [field("x", t("Bars"), named(categories), category.name), field("y", t("Length"), named(numbers), numbers.at(-1).name)] };
}

function line(of, all, count) {
  const [dates, numbers] = [of("date"), of("number")];
  const across = [...dates, ...(numbers.length > 1 || !dates.length ? numbers : [])];
  if (count < 3 || !numbers.length || !across.length || (!dates.length && numbers.length < 2)) return null;
  const up = numbers.find((column) => column !== across[0]);
  if (!up) return null;
  const series = of("text", "iri").filter((column) => column.distinct <= 8 && column.distinct < count);
  const repeats = across[0].distinct < across[0].filled;
  return {
    view: "line",
    title: t("Line chart"),
    strong: dates.length > 0 && all.length <= 3 && dates[0].filled === count && (!repeats || series.length > 0),
    fields: [field("x", t("Across"), named(across), across[0].name), field("y", t("Up"), named(numbers), up.name), ...(series.length ? [field("by", t("One line for each"), named(series), repeats ? series[0].name : "", true)] : [])],
  };
}

function timeline(of, all, count) {
  const dates = of("date");
  const labels = of("text", "iri");
  if (!dates.length || !labels.length) return null;
  const follows = (a, b) => a.values.every((term, row) => !term || !b.values[row] || span(b.values[row].value).end > span(term.value).start);
  const start = [...dates].sort((a, b) => b.filled - a.filled)[0];
  const end = dates.find((column) => column !== start && /end|to$|until|till|after/i.test(column.name) && follows(start, column));
  return {
    view: "timeline",
    title: t("Timeline"),
    strong: start.filled >= 2 && start.filled === count && !of("number").length && all.length <= 5,
    fields: [field("x", t("From"), named(dates), start.name), field("to", t("To"), named(dates), end?.name, true), field("y", t("What"), named(labels), naming(labels).name)],
  };
}

function network(of, all, answer) {
  const iris = answer.kind === "graph" ? all.filter((column) => column.name !== "predicate") : of("iri");
  if (iris.length < 2) return null;
  if (answer.kind === "graph" && !answer.rows.some((row) => row.object.type !== "literal")) return null;
  const others = answer.kind === "graph" ? ["predicate"] : named(all.filter((column) => ["iri", "text"].includes(column.kind)));
  // Of three columns of IRIs the middle one names the links, unless it holds the most.
  const [from, middle, last] = iris;
  const triple = iris.length === 3 && middle.distinct <= Math.min(from.distinct, last.distinct);
  const [to, by] = triple ? [last, middle.name] : [middle, answer.kind === "graph" ? "predicate" : ""];
  return {
    view: "network",
    title: t("Network"),
    strong: answer.rows.length > 1 && answer.rows.length <= LINKS && (answer.kind === "graph" || (all.length <= 3 && all.every((column) => column.kind === "iri"))),
    fields: [field("x", t("Links from"), named(iris), from.name), field("y", t("Links to"), named(iris), to.name), field("by", t("Named by"), others, by, true)],
  };
}
