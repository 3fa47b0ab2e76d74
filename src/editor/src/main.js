// The page /sparql with JavaScript: an editor over the plain form, answers in place, examples, code to use elsewhere.

import { Refused, ask, holds, link, text as textOf } from "./answer.js";
import { createEditor } from "./code.js";
import { pictures } from "./columns.js";
import { copy, h, reach, roving } from "./dom.js";
import { Labels } from "./labels.js";
import { citation, snippets } from "./snippets.js";
import { table } from "./table.js";
import { counted, duration, language as spoken, number, pieces, t } from "./words.js";

const FORMATS = { rows: ["csv", "tsv", "json", "xml"], truth: ["json", "xml"], graph: ["ttl", "nt", "jsonld", "rdf"] };
const NAMES = { csv: "CSV", tsv: "TSV", json: "JSON", xml: "XML", ttl: "Turtle", nt: "N-Triples", jsonld: "JSON-LD", rdf: "RDF/XML" };
const RAW_SHOWN = 200_000;

const form = document.querySelector("form.ask");
const place = form.dataset; // endpoint, here, vocabulary, labels, release, released, title, publisher, licence; words, for words.js
const area = form.querySelector("textarea");
const answerPlace = document.getElementById("answer");
const examples = document.getElementById("examples");
const mac = /Mac|iPhone|iPad/.test(navigator.platform);

// What can be completed, and the prefixes; asked for once, when it is first needed.
let known = { prefixes: {}, classes: [], properties: [] };
let asking;
const vocabulary = () => (asking ??= fetch(place.vocabulary, { headers: { Accept: "application/json" } })
  .then((response) => (response.ok ? response.json() : known))
  .then((found) => (known = found))
  .catch(() => known));
const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const labels = new Labels(place.labels, () => known.prefixes);

// The editor takes the text area's place; the text area stays what the form sends.
const host = h("div", { class: "code" });
area.before(host);
area.hidden = true;
area.removeAttribute("required"); // hidden, it could not be pointed at
form.classList.add("live");
const serverError = answerPlace.querySelector("[data-line]");
const editor = createEditor({
  host,
  text: area.value,
  vocabulary,
  own: place.base,
  onRun: () => run(),
  onCancel: () => cancel(),
  onChange: () => { area.value = editor.text; refreshUse(); },
});
area.value = editor.text;
host.addEventListener("focusin", vocabulary, { once: true });
form.querySelector("label").addEventListener("click", () => editor.focus());

const runButton = form.querySelector("button[type=submit]");
const cancelButton = h("button", { type: "button", class: "second", disabled: true, onclick: () => cancel() }, t("Cancel"));
const linkButton = h("button", { type: "button", class: "second", onclick: () => copyLink() }, t("Copy link"));
const status = h("p", { class: "status", role: "status" });
runButton.after(cancelButton, linkButton);
form.querySelector(".formats-of")?.remove();
form.append(status, h("p", { class: "keys" }, pieces("{enter} runs, {escape} cancels, {space} completes, {tab} leaves the editor, {bracket} indents.", {
  enter: key(mac ? "⌘" : "Ctrl", "Enter"),
  escape: key("Esc"),
  space: key("Ctrl", t("Space")),
  tab: key("Tab"),
  bracket: key(mac ? "⌘" : "Ctrl", "]"),
})));

function key(...names) {
  return names.flatMap((name, index) => [index ? "+" : "", h("kbd", {}, name)]).filter(Boolean).reduce((whole, part) => (whole.append(part), whole), h("span", { class: "key" }));
}

// ---------------------------------------------------------------- asking

let running = null; // {controller, began, timer}
let explaining = null; // the controller of a turn whose empty answer is being explained
let last = null; // {query, answer}
const stopped = new Set(); // queries that were cancelled: going back to one does not start it again

function cancel() {
  const controller = running?.controller ?? explaining;
  controller?.abort();
  return Boolean(controller);
}

addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented && cancel()) event.preventDefault();
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.defaultPrevented && !host.contains(event.target)) { event.preventDefault(); run(); }
});
form.addEventListener("submit", (event) => { event.preventDefault(); run(); });

function say(...words) { status.replaceChildren(...words); }

function begin() {
  cancel();
  const turn = { controller: new AbortController(), began: performance.now(), bytes: 0 };
  turn.timer = setInterval(() => {
    const seconds = (performance.now() - turn.began) / 1000;
    if (seconds > 0.8) ticker.textContent = turn.bytes > 1e6 ? t("{time}, {num} MB so far", { time: duration(seconds), num: number(Math.round(turn.bytes / 1e6)) }) : duration(seconds);
  }, 200);
  const ticker = h("span", { "aria-hidden": "true" });
  say(t("Running…"), " ", ticker);
  answerPlace.setAttribute("aria-busy", "true");
  cancelButton.disabled = false;
  form.classList.add("running");
  running = turn;
  return turn;
}

function finish(turn) {
  clearInterval(turn.timer);
  if (running !== turn) return;
  running = null;
  answerPlace.removeAttribute("aria-busy");
  if (document.activeElement === cancelButton) runButton.focus();
  cancelButton.disabled = true;
  form.classList.remove("running");
}

/** Ask what stands in the editor. `remember` puts it into the address bar as well. */
async function run({ remember = true, chosen } = {}) {
  const query = editor.text;
  if (!query.trim()) return say(t("There is no query yet."));
  editor.clearMarks();
  const turn = begin();
  if (remember) address(query);
  try {
    const [answer] = await Promise.all([ask(place.here, query, { signal: turn.controller.signal, onProgress: (bytes) => (turn.bytes = bytes) }), Promise.race([vocabulary(), wait(1500)])]);
    if (running !== turn) return;
    last = { query, answer };
    await show(query, answer, chosen);
    if (running !== turn) return;
    if (!answer.rows.length && answer.kind !== "truth") explainLater(query, turn.controller);
  } catch (error) {
    if (running !== turn) return;
    const seconds = (performance.now() - turn.began) / 1000;
    if (error.name === "AbortError") {
      stopped.add(query);
      say(t("Cancelled after {time}.", { time: duration(seconds) }));
    } else if (error instanceof Refused) refused(error, seconds);
    else {
      refused(new Refused(t("The page failed"), { detail: String(error.message ?? error), hint: t("The plain form works without this script.") }), seconds);
      throw error;
    }
  } finally {
    finish(turn);
  }
}

function address(query, hash = "") {
  const url = link(place.here, query) || place.here;
  if (url + hash !== location.pathname + location.search + location.hash) history.pushState({ query }, "", url + hash);
}

addEventListener("popstate", (event) => {
  const query = event.state?.query ?? new URLSearchParams(location.search).get("query");
  if (query === null || query === undefined) {
    answerPlace.replaceChildren();
    last = null;
    return say();
  }
  if (last?.query === query) { show(query, last.answer, fromHash()); return; }
  editor.text = query;
  if (!stopped.has(query)) { run({ remember: false, chosen: fromHash() }); return; }
  cancel();
  answerPlace.replaceChildren();
  say(t("This query was cancelled; Run asks it again."));
});

async function copyLink() {
  const url = link(new URL(place.here, location.href).href, editor.text);
  if (!url) return say(t("This query is too long for a link."));
  say((await copy(url + (editor.text === last?.query ? location.hash : ""))) ? t("The link is copied.") : t("The browser does not let the page copy; the address bar has the link of the last query that was run."));
}

// ---------------------------------------------------------------- errors and empty answers

/** A button that leads to where the fault is, and what heads the section about it. */
const goTo = (line, column) => h("button", { type: "button", class: "plain", onclick: () => editor.goTo(line, column) }, t("Go to line {line}, column {column}", { line, column }));
const faultAt = (line) => t("Line {line}: not a query", { line });

function refused(error, seconds) {
  const at = error.line ? goTo(error.line, error.column) : "";
  const theirs = error.status ? "en" : undefined; // what the server refuses it refuses in English
  const detail = error.line ? error.detail.replace(/^line \d+, column \d+: /, "") : error.detail;
  answerPlace.replaceChildren(
    h("section", { class: "error", role: "alert" }, h("h2", {}, error.line ? faultAt(error.line) : error.title), h("pre", { lang: theirs }, detail || error.title), error.hint && h("p", { lang: theirs }, error.hint), error.retry ? h("p", {}, counted("Try again in {num} second.", "Try again in {num} seconds.", error.retry)) : "", at && h("p", {}, at)));
  say(t("{what}, after {time}.", { what: error.title, time: duration(seconds) }));
  if (error.line) editor.markError(error.line, error.column ?? 1, detail);
}

async function explainLater(query, controller) {
  const { signal } = controller;
  explaining = controller;
  const box = h("div", { class: "why" }, h("p", {}, t("Looking for what keeps the rows away…")));
  answerPlace.querySelector(".empty")?.append(box);
  try {
    const { explain } = await lazy("editor-explain.js");
    const found = await explain(query, known.prefixes, (text, milliseconds) => holds(place.here, text, signal, milliseconds));
    if (!box.isConnected) return;
    box.replaceChildren(...why(found));
    if (editor.text === query) editor.markParts([...found.parts, ...(found.unmatched ?? [])].map(({ from, to, kind, alone }) => ({ from, to, message: alone === false ? t("Nothing in the data matches this pattern.") : kind === "triple" ? t("Without this pattern there would be rows.") : t("Without this there would be rows.") })));
    status.append(...[...box.querySelectorAll("p, li")].map((part) => ` ${part.textContent}`));
  } catch {
    box.remove(); // an explanation is an extra: the answer stands without it
  } finally {
    if (explaining === controller) explaining = null;
  }
}

function why({ modifiers, parts, unmatched = [], all }) {
  if (modifiers) return [h("p", {}, t("The patterns do match; what comes after them (HAVING, OFFSET or LIMIT) leaves no row."))];
  const list = (items, alone = ` ${t("matches nothing in the data, even alone.")}`) => h("ul", { class: "plain" }, items.map((part) => h("li", {},
    h("button", { type: "button", class: "plain", onclick: () => editor.goTo(...spot(part.from)) }, t("Line {line}", { line: editor.lineOf(part.from) })), " ", h("code", {}, part.text),
    part.alone === false ? alone : "")));
  if (parts.length) {
    const without = {
      triple: t("Without this triple pattern there would be rows:"),
      filter: t("Without this filter there would be rows:"),
      values: t("Without this list of values there would be rows:"),
      minus: t("Without this MINUS there would be rows:"),
    };
    return [h("p", {}, parts.length === 1 ? without[parts[0].kind] : t("Without any one of these there would be rows:")), list(parts)];
  }
  if (unmatched.length) return [h("p", {}, t("No one pattern alone keeps the rows away, but nothing in the data matches:")), list(unmatched, "")];
  return [h("p", {}, all ? t("Each part has matches, and leaving out any one of them gives no rows: several together keep them away.") : t("The time for looking was not enough to say what keeps the rows away."))];
}

function spot(offset) {
  const line = editor.view.state.doc.lineAt(offset);
  return [line.number, offset - line.from + 1];
}

// The heavy parts are files of their own, under the version that this one came with.
const lazy = (name) => import(new URL(name + new URL(import.meta.url).search, import.meta.url).href);

// ---------------------------------------------------------------- answers

/** What the hash says about the view: `#view=bar&x=class&y=count`. */
function fromHash() {
  const said = new URLSearchParams(location.hash.slice(1));
  return said.has("view") ? Object.fromEntries(said) : undefined;
}

async function show(query, answer, chosen) {
  const truth = answer.kind === "truth";
  const many = answer.rows.length;
  const count = truth ? "" : answer.kind === "graph" ? counted("{num} statement", "{num} statements", many) : counted("{num} row", "{num} rows", many);
  const verdict = truth && (answer.truth ? t("Yes") : t("No"));
  const notes = [
    answer.cut && t("Only the first {count} are here: the whole is too large for a page. Take it as a file.", { count }),
    answer.truncated && t("The server cut this answer short."),
    answer.hint,
  ].filter(Boolean).map((note) => h("p", { class: "cut" }, note));
  const section = h("section", {}, h("h2", {}, t("Answer"), " ", count && h("span", { class: "count" }, count)), ...notes);
  if (truth) section.append(h("p", { class: "truth" }, verdict));
  else if (!many) section.append(h("div", { class: "empty" }, h("p", {}, answer.kind === "graph" ? t("No statements.") : t("No rows."))));
  let title = "";
  if (many) title = await views(section, query, answer, chosen);
  section.append(downloads(query, answer));
  answerPlace.replaceChildren(section);
  await section.drawNow?.();
  const time = duration(answer.seconds);
  say(truth ? t("{verdict}, in {time}.", { verdict, time }) : t("{count} in {time}.", { count, time }), title && ` ${t("Shown as {picture}.", { picture: title.toLocaleLowerCase(spoken) })}`);
  refreshUse();
}

/** Table, pictures that fit, and the raw answer, as tabs. Gives the title of a picture that was chosen unasked. */
async function views(section, query, answer, chosen) {
  const fitting = pictures(answer);
  const strong = ["line", "bar", "timeline", "network"].map((view) => fitting.find((one) => one.view === view)).find((one) => one?.strong);
  const all = [{ view: "table", title: t("Table") }, ...fitting, { view: "raw", title: t("Raw") }];
  for (const one of all) {
    for (const field of one.fields ?? []) if (chosen?.view === one.view && field.choices.includes(chosen[field.name] ?? null)) field.value = chosen[field.name];
  }
  let current = all.find((one) => one.view === chosen?.view) ?? strong ?? all[0];
  const panel = h("div", { role: "tabpanel", id: "view", tabindex: "-1" });
  const tabs = all.map((one) => h("button", { type: "button", role: "tab", id: `view-${one.view}`, "aria-controls": "view", onclick: () => choose(one) }, one.title));
  const list = h("div", { role: "tablist", "aria-label": t("Show the answer as") }, tabs);
  roving(list, tabs, (index) => choose(all[index]));
  section.append(list, panel);
  let observer;

  function choose(one) {
    current = one;
    const hash = new URLSearchParams({ view: one.view, ...Object.fromEntries((one.fields ?? []).map((field) => [field.name, field.value])) });
    history.replaceState(history.state, "", `${location.pathname}${location.search}#${hash}`);
    return drawView();
  }
  async function drawView() {
    observer?.disconnect();
    const one = current;
    tabs.forEach((tab, index) => tab.setAttribute("aria-selected", String(all[index] === one)));
    reach(tabs, tabs[all.indexOf(one)]);
    panel.setAttribute("aria-labelledby", `view-${one.view}`);
    if (one.view === "table") {
      const made = table(answer, labels);
      await made.ready;
      if (current === one) panel.replaceChildren(made.element);
    } else if (one.view === "raw") panel.replaceChildren(await raw(query, answer));
    else await picture(one);
  }
  async function picture(one) {
    const figure = h("div", { class: "picture" });
    const caption = h("p", { class: "caption", id: "picture-says" });
    const fields = h("p", { class: "fields" }, one.fields.filter((field) => field.choices.length > 1).map((field) => h("label", {}, `${field.label} `,
      h("select", { onchange: (event) => { field.value = event.target.value; choose(one).then(() => panel.querySelectorAll("select")[index(field)]?.focus()); } },
        field.choices.map((name) => h("option", { value: name, selected: name === field.value }, name || t("(none)")))))));
    const index = (field) => one.fields.filter((other) => other.choices.length > 1).indexOf(field);
    panel.replaceChildren(fields, figure, caption);
    const { draw } = await lazy("editor-pictures.js");
    const drawn = async () => {
      if (current !== one || !figure.isConnected) return;
      const said = await draw(figure, { view: one.view, answer, labels, fields: Object.fromEntries(one.fields.filter((field) => field.value).map((field) => [field.name, field.value])) });
      caption.textContent = said;
      figure.querySelector("svg").setAttribute("aria-describedby", "picture-says");
    };
    await drawn();
    let width = figure.clientWidth;
    observer = new ResizeObserver(() => {
      if (Math.abs(figure.clientWidth - width) < 8) return;
      width = figure.clientWidth;
      drawn();
    });
    observer.observe(figure);
  }
  section.drawNow = drawView;
  return current === strong ? strong.title : "";
}

async function raw(query, answer) {
  const whole = answer.kind === "graph" ? await textOf(place.here, query, "text/turtle").catch(() => answer.text) : pretty(answer.text);
  const cut = whole.length > RAW_SHOWN;
  return h("div", {}, cut && h("p", { class: "cut" }, t("Only the beginning is shown. Take the whole as a file.")), h("pre", { class: "raw", tabindex: "0", role: "region", "aria-label": t("The answer as it was sent") }, cut ? whole.slice(0, RAW_SHOWN) : whole));
}

function pretty(text) {
  if (text.length > 2e6) return text;
  try {
    const data = JSON.parse(text);
    const rows = data.results.bindings.map((row) => `      ${JSON.stringify(row)}`).join(",\n");
    return `{\n  "head": ${JSON.stringify(data.head)},\n  "results": {\n    "bindings": [\n${rows}\n    ]\n  }\n}`;
  } catch {
    return text;
  }
}

function downloads(query, answer) {
  const name = (saved(query)?.title ?? /^#\s*title:\s*(.+)$/m.exec(query)?.[1] ?? "answer").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "");
  return h("p", { class: "take" }, t("Take it as"), " ", FORMATS[answer.kind].map((format) => {
    const url = link(place.here, query, { format });
    const file = `${name}.${format}`;
    if (url) return [h("a", { href: url, download: file }, NAMES[format]), " "];
    return [h("button", { type: "button", class: "plain", onclick: () => save(query, format, file) }, NAMES[format]), " "];
  }));
}

/** A download of a query that is too long for a link. */
async function save(query, format, file) {
  const response = await fetch(`${place.here}${place.here.includes("?") ? "&" : "?"}format=${format}`, { method: "POST", headers: { "Content-Type": "application/sparql-query" }, body: query });
  if (!response.ok) return say(t("The download failed: {status}.", { status: response.status }));
  const url = URL.createObjectURL(await response.blob());
  h("a", { href: url, download: file }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

// ---------------------------------------------------------------- use elsewhere

const use = h("details", { class: "use" }, h("summary", {}, t("Use this query")));
const codePlace = h("pre", { tabindex: "0", role: "tabpanel", id: "use-code" });
const citePlace = h("blockquote", { class: "cite" });
let language = 0;
const languages = ["curl", "Python, SPARQLWrapper", "Python, pandas", "R", "JavaScript"];
const languageTabs = languages.map((name, index) => h("button", { type: "button", role: "tab", id: `use-${index}`, "aria-controls": "use-code", onclick: () => pick(index) }, name));
const languageList = h("div", { role: "tablist", "aria-label": t("Code for") }, languageTabs);
const copier = (element, copied, selected) =>
  h("button", { type: "button", class: "second", onclick: async () => say((await copy(element.textContent, element)) ? copied : selected) }, t("Copy"));
use.append(
  languageList, codePlace, h("p", {}, copier(codePlace, t("The code is copied."), t("The code is selected, to be copied by hand."))),
  h("h2", {}, t("To cite the answer")), citePlace, h("p", {}, copier(citePlace, t("The citation is copied."), t("The citation is selected, to be copied by hand."))));
answerPlace.after(use);
roving(languageList, languageTabs, (index) => pick(index));
use.addEventListener("toggle", () => refreshUse());

function pick(index) {
  language = index;
  refreshUse();
}

function refreshUse() {
  if (!use?.open) return;
  const query = editor.text;
  const release = last?.query === query ? last.answer.release || place.release : place.release;
  const about = { ...place, query, release };
  languageTabs.forEach((tab, index) => tab.setAttribute("aria-selected", String(index === language)));
  reach(languageTabs, languageTabs[language]);
  codePlace.setAttribute("aria-labelledby", `use-${language}`);
  codePlace.textContent = snippets(about)[language].text;
  citePlace.textContent = citation({ ...about, name: saved(query)?.title ?? /^#\s*title:\s*(.+)$/m.exec(query)?.[1], page: saved(query)?.page });
}

// ---------------------------------------------------------------- examples

/** The saved query that has this very text: `{title, page}`, the page being its permanent IRI. */
function saved(query) {
  const link = [...(examples?.querySelectorAll("a[data-example]") ?? [])].find((one) => exampleText(one) === query.trim());
  return link && { title: link.textContent, page: link.dataset.iri };
}

function exampleText(link) {
  return new URL(link.href).searchParams.get("query").trim();
}

if (examples) {
  const items = [...examples.querySelectorAll("li")];
  examples.addEventListener("click", (event) => {
    const chosen = event.target.closest("a[data-example]");
    if (!chosen || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    editor.text = `${exampleText(chosen)}\n`;
    form.scrollIntoView({ block: "start" });
    editor.focus();
    run();
  });
  if (items.length > 8) {
    const found = h("span", { class: "count", role: "status" });
    const filter = h("input", { type: "search", id: "example-filter", oninput: () => {
      const words = filter.value.toLowerCase().split(/\s+/);
      let left = 0;
      for (const item of items) left += !(item.hidden = !words.every((word) => item.textContent.toLowerCase().includes(word)));
      found.textContent = filter.value.trim() ? counted("{num} example", "{num} examples", left) : "";
    } });
    examples.querySelector("h2").after(h("p", { class: "filter" }, h("label", { for: "example-filter" }, t("Filter"), " "), filter, " ", found));
  }
  runButton.parentElement.append(h("a", { href: "#examples", class: "to-examples", onclick: (event) => { event.preventDefault(); examples.scrollIntoView(); (examples.querySelector("input") ?? examples.querySelector("a")).focus({ preventScroll: true }); } }, counted("{num} example", "{num} examples", items.length)));
}

// A page that came with a query shows its answer again, with all that the plain page lacks; an error stays, and leads to its place.
if (serverError) {
  const { line, column } = serverError.dataset;
  if (line) {
    editor.markError(Number(line), Number(column), serverError.querySelector("pre").textContent);
    serverError.querySelector("h2").textContent = faultAt(line);
    serverError.append(h("p", {}, goTo(Number(line), Number(column))));
  }
} else if (area.defaultValue.trim() && !("sample" in area.dataset)) run({ remember: false, chosen: fromHash() });

form.dataset.ready = ""; // for whoever waits: the editor is there
