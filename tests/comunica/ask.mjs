// What Comunica answers. Standard input is {query, sources} as JSON; standard output {rows}, {truth} or {quads}.

import { QueryEngine } from "@comunica/query-sparql";

const { query, sources } = JSON.parse(await new Promise((done) => {
  let text = "";
  process.stdin.on("data", (chunk) => (text += chunk)).on("end", () => done(text));
}));

/** As SPARQL's results in JSON write a term. */
function term({ termType, value, language, datatype }) {
  if (termType === "Literal") return { type: "literal", value, ...(language ? { "xml:lang": language } : { datatype: datatype.value }) };
  return { type: termType === "NamedNode" ? "uri" : "bnode", value };
}

const result = await new QueryEngine().query(query, { sources });
const found = await result.execute();
let answer;
if (result.resultType === "boolean") answer = { truth: found };
else if (result.resultType === "quads") answer = { quads: (await found.toArray()).map(({ subject, predicate, object }) => [subject, predicate, object].map(term)) };
else answer = { rows: (await found.toArray()).map((row) => Object.fromEntries([...row].map(([variable, value]) => [variable.value, term(value)]))) };
console.log(JSON.stringify(answer));
