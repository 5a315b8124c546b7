// Runs every src/**/*.test.ts with Node's own test runner, bundled by esbuild: Node 18 reads no
// TypeScript.
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const entryPoints = [];
async function find(folder) {
  for (const each of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, each.name);
    if (each.isDirectory()) await find(path);
    else if (/\.test\.tsx?$/.test(each.name)) entryPoints.push(path);
  }
}
await find(join(here, "src"));
const made = await mkdtemp(join(here, "node_modules", ".tests-"));
try {
  await build({
    entryPoints,
    outbase: join(here, "src"),
    outdir: made,
    bundle: true,
    platform: "node",
    target: "node18",
    format: "esm",
    outExtension: { ".js": ".mjs" },
    jsx: "automatic",
    jsxImportSource: "preact",
    logLevel: "warning",
    sourcemap: "inline",
  });
  const files = entryPoints.map((path) =>
    join(made, path.slice(join(here, "src").length + 1).replace(/\.tsx?$/, ".mjs")),
  );
  const run = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...files], {
    stdio: "inherit",
    // A zone whose clocks change.
    env: { ...process.env, TZ: "Europe/Berlin", NODE_NO_WARNINGS: "1" },
  });
  process.exitCode = run.status ?? 1;
} finally {
  await rm(made, { recursive: true, force: true });
}
