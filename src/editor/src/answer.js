// The SPARQL protocol as a client: one question, one answer or one refusal.

import { triples } from "./terms.js";
import { t } from "./words.js";

const ROWS = "application/sparql-results+json";
const GRAPH = "application/n-triples";
const LONGEST_URL = 6000; // a longer query goes as a POST, and has no link
const MOST_BYTES = 32 << 20; // what a page can hold and draw; the rest is for a download

/** The URL of a query below `endpoint`, or an empty text if it would be too long to be one. */
export function link(endpoint, query, more = {}) {
  const url = `${endpoint}${endpoint.includes("?") ? "&" : "?"}${new URLSearchParams({ query, ...more })}`;
  return url.length > LONGEST_URL ? "" : url;
}

/** What the server refused, or why no answer came. */
export class Refused extends Error {
  constructor(title, { detail = "", hint = "", line, column, status = 0, retry = 0 } = {}) {
    super(detail || title);
    Object.assign(this, { title, detail, hint, line, column, status, retry });
  }
}

function request(endpoint, query, accept, signal) {
  const url = link(endpoint, query);
  const headers = { Accept: `${accept}, application/problem+json` };
  if (url) return fetch(url, { headers, signal });
  return fetch(endpoint, { method: "POST", headers: { ...headers, "Content-Type": "application/sparql-query" }, body: query, signal });
}

async function refusal(response) {
  const told = await response.json().catch(() => ({}));
  return new Refused(`${response.status} ${told.title ?? response.statusText}`.trim(), {
    ...told, status: response.status, retry: Number(response.headers.get("Retry-After")) || 0,
  });
}

/** The text of an answer, cut where it gets too long. */
async function received(response, onProgress) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const parts = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    parts.push(decoder.decode(value, { stream: true }));
    if (bytes > MOST_BYTES) {
      await reader.cancel();
      return { text: parts.join(""), cut: true };
    }
    onProgress(bytes);
  }
  return { text: parts.join("") + decoder.decode(), cut: false };
}

/** JSON results that were cut off, up to the last whole row. */
function mended(text) {
  let [depth, quoted, end] = [0, false, 0];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (quoted) {
      if (character === "\\") at++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") {
      depth--;
      if (depth === 3) end = at + 1; // a row of { results: { bindings: [ row
    }
  }
  return `${text.slice(0, end)}]}}`;
}

/** Ask; `{kind: "rows" | "graph" | "truth", names, rows, truth, text, cut, seconds, release, notes}`. */
export async function ask(endpoint, query, { signal, onProgress = () => {} } = {}) {
  const began = performance.now();
  let response;
  try {
    response = await request(endpoint, query, `${ROWS}, ${GRAPH};q=0.9`, signal);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(t("No answer"), { detail: t("The server could not be reached."), hint: t("Is the connection up? Run the query again.") });
  }
  if (!response.ok) throw await refusal(response);
  let body;
  try {
    body = await received(response, onProgress);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(t("The answer broke off"), { detail: t("It went over a limit of time or size while it was on its way."), hint: t("Ask for less, for example with LIMIT.") });
  }
  const seconds = (performance.now() - began) / 1000;
  const said = (name) => decoded(response.headers.get(name) ?? "");
  const about = { ...body, seconds, release: said("Tracktwo-Release"), hint: said("Tracktwo-Hint"), truncated: said("Tracktwo-Truncated") };
  if (!response.headers.get("Content-Type")?.startsWith(ROWS)) {
    return { kind: "graph", names: ["subject", "predicate", "object"], rows: triples(body.text), ...about };
  }
  const data = JSON.parse(body.cut ? mended(body.text) : body.text);
  if ("boolean" in data) return { kind: "truth", truth: data.boolean, names: [], rows: [], ...about };
  return { kind: "rows", names: data.head.vars, rows: data.results.bindings, ...about };
}

/** Header values are bytes to a browser; ours are UTF-8 where they go beyond ASCII. */
function decoded(value) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(value, (character) => character.charCodeAt(0)));
  } catch {
    return value;
  }
}

/** Does the query have a solution? `undefined` if the time for it ran out. */
export async function holds(endpoint, query, signal, milliseconds) {
  const timeout = AbortSignal.timeout(milliseconds);
  try {
    const response = await request(endpoint, query, ROWS, AbortSignal.any([signal, timeout]));
    return response.ok ? (await response.json()).boolean : undefined;
  } catch (error) {
    if (signal.aborted) throw error;
    return undefined;
  }
}

/** The answer in another format, as text. */
export async function text(endpoint, query, accept, signal) {
  const response = await request(endpoint, query, accept, signal);
  if (!response.ok) throw await refusal(response);
  return response.text();
}
