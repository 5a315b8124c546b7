// Builds the page into xg2g/web/pages/built: what the daemon serves, nothing else.
//
// Names under assets/ carry a hash of their content, so that a browser may keep them for ever.
// Text lies beside itself gzipped, so that the daemon compresses nothing.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "..", "xg2g", "web", "pages", "built");
const made = `${target}.new`;
const ICONS = [
  "icon.svg",
  "icon-192.png",
  "icon-512.png",
  "icon-maskable-512.png",
  "touch-icon.png",
];
const LICENCE = /^licen[cs]e(\.\w+)?$/i;

/** The browsers of 2021 on: televisions are seldom newer. */
const BROWSERS = ["chrome87", "firefox91", "safari15"];

async function write(name, content) {
  const body = Buffer.from(content);
  await mkdir(dirname(join(made, name)), { recursive: true });
  await writeFile(join(made, name), body);
  if (!name.endsWith(".png")) {
    await writeFile(join(made, `${name}.gz`), gzipSync(body, { level: 9 }));
  }
}

/** Write a file under a name with its hash, and return that name. */
async function writeAsset(name, content) {
  const body = Buffer.from(content);
  const hash = createHash("sha256").update(body).digest("hex").slice(0, 10);
  const asset = `assets/${name.replace(/(\.\w+)$/, `-${hash}$1`)}`;
  await write(asset, body);
  return asset;
}

/** Bundle one entry point: its script, its style sheet if any, and the packages inside. */
async function bundle(entry, options) {
  const result = await build({
    absWorkingDir: here,
    entryPoints: [entry],
    outdir: made,
    write: false,
    bundle: true,
    minify: true,
    metafile: true,
    target: BROWSERS,
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logLevel: "warning",
    ...options,
  });
  const text = (end) => result.outputFiles.find((file) => file.path.endsWith(end))?.text ?? "";
  const packages = Object.keys(result.metafile.inputs)
    .map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1])
    .filter((name) => name !== undefined);
  return { script: text(".js"), style: text(".css"), packages };
}

/** The licences of the packages that went into the page. */
async function licences(packages) {
  const texts = [];
  let isApache = false;
  for (const name of [...new Set(packages)].sort()) {
    const folder = join(here, "node_modules", name);
    const about = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).find((each) => LICENCE.test(each));
    if (file === undefined) throw new Error(`${name} comes without the text of its licence`);
    const text = (await readFile(join(folder, file), "utf8")).trim();
    texts.push(`${name} ${about.version} (${about.license})\n\n${text}\n`);
    if (about.license === "Apache-2.0") isApache = true;
  }
  // A package that is under it often only says so; whoever gets the work gets the text, too.
  if (isApache) texts.push(await readFile(join(here, "..", "licenses", "Apache-2.0.txt"), "utf8"));
  return texts.join(`\n${"-".repeat(78)}\n\n`);
}

await rm(made, { recursive: true, force: true });

const app = await bundle("src/main.tsx", {
  format: "esm",
});
const theme = await bundle("src/theme-first.ts", { format: "iife" });
const notice = "/*! Licences of what is inside: licenses.txt */\n";
const names = {
  APP: await writeAsset("app.js", notice + app.script),
  STYLE: await writeAsset("app.css", app.style),
  THEME: await writeAsset("theme.js", theme.script),
};
for (const icon of ICONS) {
  names[icon] = await writeAsset(icon, await readFile(join(here, "src", "icons", icon)));
}

const fill = (text) =>
  text.replace(/%([\w.-]+)%/g, (_, name) => {
    if (names[name] === undefined) throw new Error(`nothing is called ${name}`);
    return names[name];
  });
names["manifest"] = "manifest.webmanifest";
await write(
  "manifest.webmanifest",
  fill(await readFile(join(here, "src", "manifest.webmanifest"), "utf8")),
);
await write("licenses.txt", await licences([...app.packages, ...theme.packages]));
await write("index.html", fill(await readFile(join(here, "src", "index.html"), "utf8")));

await rm(target, { recursive: true, force: true });
await rename(made, target);
