// "Use this query": the same question from other programs, and how to cite its answer.

import { day, t } from "./words.js";

/** SELECT, ASK, CONSTRUCT or DESCRIBE, from the text alone. */
export function form(query) {
  const bare = query.replace(/#[^\n]*|<[^\s<>]*>|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, " ").replace(/\b(prefix\s+\S*:|base)/gi, " ");
  return (/\b(select|ask|construct|describe)\b/i.exec(bare)?.[1] ?? "select").toUpperCase();
}

function pythonText(query) {
  const quote = ['"""', "'''"].find((mark) => !query.includes(mark));
  return quote && !/\\$/.test(query) ? `${query.includes("\\") ? "r" : ""}${quote}\n${query}\n${quote}` : JSON.stringify(query);
}

function rText(query) {
  let dashes = "";
  while (query.includes(`)${dashes}"`)) dashes += "-";
  return `r"${dashes}(\n${query}\n)${dashes}"`;
}

const scriptText = (query) => (/`|\$\{/.test(query) ? JSON.stringify(query) : `String.raw\`\n${query}\n\``);

function shellText(query) {
  let mark = "QUERY";
  while (query.split("\n").includes(mark)) mark += "_";
  return [mark, `<<'${mark}'\n${query}\n${mark}`];
}

/** `{SELECT: …, ASK: …, graph: …}[what]`, a CONSTRUCT and a DESCRIBE being graphs. */
const by = (what, choices) => choices[what] ?? choices.graph;

/** Ready code: `[{name, language, text}]`. */
export function snippets({ query, endpoint, release, title }) {
  const text = query.trim();
  const what = form(text);
  const note = t("{title}, release {release}", { title, release });
  const [, here] = shellText(text);
  const accept = by(what, { SELECT: "text/csv", ASK: "application/sparql-results+json", graph: "text/turtle" });
  const format = by(what, { SELECT: "csv", ASK: "json", graph: "ttl" });
  return [
    { name: "curl", text: `# ${note}\ncurl -sS -H 'Accept: ${accept}' --data-urlencode query@- '${endpoint}' ${here}` },
    {
      name: "Python, SPARQLWrapper",
      text: `# ${note}\n# pip install sparqlwrapper\nfrom SPARQLWrapper import ${by(what, { SELECT: "JSON", ASK: "JSON", graph: "TURTLE" })}, SPARQLWrapper\n\nsparql = SPARQLWrapper("${endpoint}")\nsparql.setQuery(${pythonText(text)})\n${by(what, {
        SELECT: 'sparql.setReturnFormat(JSON)\nfor row in sparql.query().convert()["results"]["bindings"]:\n    print({name: term["value"] for name, term in row.items()})',
        ASK: 'sparql.setReturnFormat(JSON)\nprint(sparql.query().convert()["boolean"])',
        graph: "sparql.setReturnFormat(TURTLE)\nprint(sparql.query().convert().decode())",
      })}`,
    },
    {
      name: "Python, pandas",
      text: `# ${note}\n# pip install pandas\nfrom urllib.parse import urlencode\n${by(what, { SELECT: "\nimport pandas as pd", graph: "from urllib.request import urlopen" })}\n\nquery = ${pythonText(text)}\nurl = "${endpoint}?" + urlencode({"query": query, "format": "${format}"})\n${by(what, {
        SELECT: "table = pd.read_csv(url)\nprint(table)",
        ASK: 'import json\n\nprint(json.load(urlopen(url))["boolean"])',
        graph: "print(urlopen(url).read().decode())",
      })}`,
    },
    {
      name: "R",
      text: `# ${note}\n# ${t("R 4.0 or later")}\nquery <- ${rText(text)}\nurl <- paste0("${endpoint}?format=${format}&query=", URLencode(enc2utf8(query), reserved = TRUE))\n${by(what, {
        SELECT: 'table <- read.csv(url, encoding = "UTF-8")\nprint(table)',
        graph: 'cat(readLines(url, encoding = "UTF-8"), sep = "\\n")',
      })}`,
    },
    {
      name: "JavaScript",
      text: `// ${note}\nconst query = ${scriptText(text)};\nconst response = await fetch("${endpoint}", {\n  method: "POST",\n  headers: { "Content-Type": "application/sparql-query", Accept: "${by(what, { SELECT: "application/sparql-results+json", ASK: "application/sparql-results+json", graph: "text/turtle" })}" },\n  body: query,\n});\nif (!response.ok) throw new Error(await response.text());\n${by(what, {
        SELECT: "const { results } = await response.json();\nconsole.table(results.bindings.map((row) => Object.fromEntries(Object.entries(row).map(([name, term]) => [name, term.value]))));",
        ASK: "console.log((await response.json()).boolean);",
        graph: "console.log(await response.text());",
      })}`,
    },
  ];
}

/** How to cite the answer: what was asked of which release, where, and when; a saved query by the `page` that it has. */
export function citation({ query, endpoint, release, released, title, publisher, licence, name, page }) {
  const today = new Date().toISOString().slice(0, 10);
  const url = page ?? `${endpoint}?${new URLSearchParams({ query: query.trim() })}`;
  const who = publisher && publisher !== title ? `${publisher}: ` : "";
  return [
    `${who}${title}.`,
    released ? t("Release {release}, {day}.", { release, day: day(released) }) : t("Release {release}.", { release }),
    name && t("Query “{name}”.", { name }),
    licence && t("Licence: {licence}.", { licence }),
    t("Asked on {day}: {url}", { day: day(today), url }),
  ].filter(Boolean).join(" ");
}
