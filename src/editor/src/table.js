// Rows as a table: IRIs by label with a link to their page, literals by type.

import { h } from "./dom.js";
import { isBoolean, isDate, isNumber, typeName } from "./terms.js";
import { counted, number, t } from "./words.js";

const AT_ONCE = 200;

/** The table of an answer, some hundred rows at a time. */
export function table(answer, labels) {
  const body = h("tbody");
  const numeric = answer.names.map((name) => answer.rows.some((row) => row[name]) && answer.rows.every((row) => !row[name] || isNumber(row[name])));
  const tags = answer.names.map((name) => shared(answer.rows.map((row) => row[name]).filter(Boolean).map((term) => tag(term, labels))));
  const more = h("button", { type: "button", class: "second", onclick: () => show() });
  let shown = 0;
  async function show() {
    const rows = answer.rows.slice(shown, shown + AT_ONCE);
    await labels.fetch(rows.flatMap((row) => Object.values(row)).flatMap(iris));
    const first = shown;
    shown += rows.length;
    const made = rows.map((row) => h("tr", {}, answer.names.map((name, index) => h("td", { class: numeric[index] ? "number" : labels.text(row[name]).length > 60 ? "long" : undefined }, row[name] ? cell(row[name], labels, tags[index]) : undefined))));
    body.append(...made);
    const left = answer.rows.length - shown;
    more.hidden = left < 1;
    more.textContent = t("Show {num} more of {left}", { num: Math.min(left, AT_ONCE), left: number(left) });
    if (first) {
      made[0]?.setAttribute("tabindex", "-1");
      made[0]?.focus();
    }
  }
  const head = h("thead", {}, h("tr", {}, answer.names.map((name, index) => h("th", { scope: "col", class: numeric[index] ? "number" : undefined }, name, tags[index] && " ", tags[index] && h("span", { class: "tag" }, tags[index])))));
  const element = h("div", {},
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("Table of {rows}", { rows: counted("{num} row", "{num} rows", answer.rows.length) }) }, h("table", {}, head, body)),
    h("p", {}, more));
  return { element, ready: show() };
}

const iris = (term) => (term.type === "uri" ? [term.value] : term.type === "triple" && typeof term.value !== "string" ? Object.values(term.value).flatMap(iris) : []);

/** The language of a literal, or its datatype where its look does not tell. */
const tag = (term, labels) => (term.type === "literal" ? term["xml:lang"] || typeName(term, labels.prefixes()) : "");

/** What all say, to be said once in the column's head. */
const shared = (tags) => (tags.length > 1 && tags.every((one) => one === tags[0]) ? tags[0] : "");

/** One term as people read it; `said` is the tag that the column's head bears already. */
function cell(term, labels, said) {
  const text = labels.text(term);
  const language = labels.language(term);
  const words = h("bdi", { lang: language || undefined }, text === "" ? t("(empty)") : text);
  if (term.type === "uri") {
    const page = labels.page(term);
    if (page) return h("a", { href: page, title: term.value }, words);
    if (/^https?:\/\//i.test(term.value)) return h("a", { href: term.value, title: term.value, rel: "external noopener noreferrer", class: "external" }, words);
    return h("span", { title: term.value }, words);
  }
  if (isDate(term)) return h("time", { datetime: term.value }, term.value);
  if (isNumber(term)) return h("data", { value: term.value }, term.value);
  if (isBoolean(term)) return h("span", { class: "boolean" }, ["true", "1"].includes(term.value) ? t("yes") : t("no"));
  const own = tag(term, labels);
  return h("span", {}, words, own !== said && own && [" ", h("span", { class: "tag" }, own)]);
}
