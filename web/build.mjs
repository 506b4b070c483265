// Builds the pages: bundles src/ into dist/assets/ and copies the HTML into dist/, pointed at the bundles.
// In: src/ and node_modules/. Out: dist/, which the server embeds whole, so that a page needs nothing from elsewhere.

import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { build } from "esbuild";

// An old bundle left behind would be embedded too.
await rm("dist", { recursive: true, force: true });
await mkdir("dist");

const { metafile } = await build({
  entryPoints: ["src/graphiql.jsx", "src/docs.js", "src/index.js"],
  outdir: "dist/assets",
  // The server lets browsers keep what is in assets/ for ever: a changed file must have another name.
  entryNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  format: "esm",
  jsx: "automatic",
  metafile: true,
  logLevel: "info",
});

// The HTML says `/assets/graphiql.js`; the browser is told the name with the hash.
const built = new Map();
for (const [path, { entryPoint, cssBundle }] of Object.entries(metafile.outputs)) {
  if (!entryPoint) continue;
  const name = basename(entryPoint, extname(entryPoint));
  built.set(`${name}.js`, basename(path));
  if (cssBundle) built.set(`${name}.css`, basename(cssBundle));
}

const icon = `data:image/svg+xml;base64,${(await readFile("src/icon.svg")).toString("base64")}`;

for (const page of (await readdir("src")).filter((file) => file.endsWith(".html"))) {
  const html = await readFile(`src/${page}`, "utf8");
  const linked = html.replaceAll("/icon.svg", icon).replace(/\/assets\/([\w.-]+)/g, (_, file) => {
    if (!built.has(file)) throw new Error(`${page} names ${file}, which no entry point makes`);
    return `/assets/${built.get(file)}`;
  });
  await writeFile(`dist/${page}`, linked);
}
