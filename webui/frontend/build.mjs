// Bundles the browser's part into ../static/dist: hashed names, a manifest, a sprite of the icons used, gzipped twins.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "..", "static", "dist");
const BUDGET = 60 * 1024;

async function bundle() {
  const made = await build({
    absWorkingDir: here,
    entryPoints: { app: "src/app.ts", coaching: "src/coaching.ts", review: "src/review.ts", score: "src/score.ts", style: "src/css/index.css" },
    outdir: dist,
    bundle: true,
    minify: true,
    format: "esm",
    target: ["chrome123", "firefox120", "safari17.5"],
    entryNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    publicPath: "/static",
    loader: { ".woff2": "file" },
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  const names = {};
  for (const [path, { entryPoint }] of Object.entries(made.metafile.outputs)) {
    if (entryPoint) names[entryPoint.endsWith(".css") ? "app.css" : basename(entryPoint, ".ts") + ".js"] = basename(path);
  }
  return names;
}

// One file of <symbol>s: only the icons that templates and modules name.
async function sprite() {
  const { icons } = JSON.parse(await readFile(join(here, "icons.json"), "utf8"));
  const nodes = JSON.parse(await readFile(join(here, "node_modules/lucide-static/icon-nodes.json"), "utf8"));
  const symbols = icons.map((name) => {
    if (!nodes[name]) throw new Error(`There is no icon "${name}": look the name up at lucide and mend icons.json.`);
    const parts = nodes[name].map(([tag, attributes]) => {
      const written = Object.entries(attributes).filter(([key]) => key !== "key");
      return `<${tag}${written.map(([key, value]) => ` ${key}="${value}"`).join("")}/>`;
    });
    return `<symbol id="${name}" viewBox="0 0 24 24">${parts.join("")}</symbol>`;
  });
  const text = `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 8).toUpperCase();
  await writeFile(join(dist, `icons-${hash}.svg`), text);
  return `icons-${hash}.svg`;
}

async function squeeze() {
  let total = 0;
  for (const name of await readdir(dist)) {
    if (!/\.(js|css|svg)$/.test(name)) continue;
    const small = gzipSync(await readFile(join(dist, name)), { level: 9 });
    await writeFile(join(dist, `${name}.gz`), small);
    if (!name.endsWith(".svg")) total += small.length;
  }
  if (total > BUDGET) throw new Error(`JavaScript and CSS are ${total} bytes gzipped, more than the ${BUDGET} of the budget.`);
  return total;
}

// What is shipped inside the bundle keeps its authors' terms.
async function licences() {
  const packages = ["htmx.org", "bootstrap", "@fontsource-variable/inter", "lucide-static"];
  const texts = packages.map(async (name) => `== ${name} ==\n\n${await readFile(join(here, "node_modules", name, "LICENSE"), "utf8")}`);
  await writeFile(join(dist, "licences.txt"), (await Promise.all(texts)).join("\n\n"));
}

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
const manifest = await bundle();
manifest["icons.svg"] = await sprite();
await licences();
const total = await squeeze();
await writeFile(join(dist, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
console.log(`built into webui/static/dist: ${(total / 1024).toFixed(1)} KB gzipped of JavaScript and CSS`);
