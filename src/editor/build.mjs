// Builds the editor into the package: node build.mjs [FOLDER]. The same sources give the same bytes.
import { build } from "esbuild";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "..", "tracktwo", "web", "static"));

// One file each, flat; `editor.js` asks for the other two only when they are needed.
const ENTRIES = { editor: "src/main.js", "editor-pictures": "src/pictures.js", "editor-explain": "src/explain.js" };

const result = await build({
  absWorkingDir: here,
  entryPoints: { ...ENTRIES, "editor.css": "src/editor.css" },
  entryNames: "[name]",
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  write: false,
  logLevel: "warning",
});

for (const file of result.outputFiles) writeFileSync(join(out, file.path.endsWith(".css") ? "editor.css" : relative(out, file.path)), file.text);

// The licence of every package of which something is in the files.
const packages = new Map();
for (const output of Object.values(result.metafile.outputs)) {
  for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
    const parts = join(here, input).split(sep);
    const at = parts.lastIndexOf("node_modules");
    if (at < 0 || !bytesInOutput) continue;
    const length = parts[at + 1].startsWith("@") ? 3 : 2;
    const folder = parts.slice(0, at + length).join(sep);
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    packages.set(`${name} ${version}`, { folder, license });
  }
}
const texts = [...packages].sort(([a], [b]) => (a < b ? -1 : 1)).map(([title, { folder, license }]) => {
  const file = readdirSync(folder).sort().find((name) => /^licen[cs]e/i.test(name));
  const text = file ? readFileSync(join(folder, file), "utf8").replace(/\r\n/g, "\n").trim() : "";
  return `${title} (${license})\n\n${text}`.trim();
});
writeFileSync(
  join(out, "editor-licences.txt"),
  `The files editor*.js hold code of these packages.\n\n${texts.join(`\n\n${"-".repeat(72)}\n\n`)}\n`,
);
