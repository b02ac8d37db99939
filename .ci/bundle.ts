/**
 * `npm run bundle`: the CLI and the public API into dist/. The CLI chunk by chunk, so that a command loads
 * only what it uses, and as CommonJS, which costs Node 20 less CPU than the same chunks as ES modules: 6 ms of
 * 131 without the relay, 15 of 213 with it (bench/startup.ts beside the former build, p10, load 16).
 */
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type BuildOptions, build } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '..');

const COMMON = {
  absWorkingDir: ROOT,
  outdir: 'dist',
  platform: 'node',
  target: 'node20.19',
  // Names stay: a stack trace in a report must be readable. Measured: they cost nothing at the start.
  minifySyntax: true,
  sourcemap: 'linked',
  metafile: true,
  logLevel: 'warning',
} satisfies BuildOptions;

const BUNDLED = {
  ...COMMON,
  bundle: true,
  format: 'esm',
  external: ['@lydell/node-pty', '@xterm/headless'],
} satisfies BuildOptions;

// What lies in dist/ is packed: nothing of an earlier build may.
for (const name of ['chunks', 'types', 'main.js', 'main.js.map']) {
  rmSync(join(ROOT, 'dist', name), { recursive: true, force: true });
}

await build({ ...BUNDLED, entryPoints: ['src/index.ts'] });

// esbuild splits ES modules only; each chunk becomes CommonJS after that.
const { outputs } = (
  await build({
    ...BUNDLED,
    entryPoints: ['src/cli/main.ts'],
    splitting: true,
    entryNames: '[name]',
    chunkNames: 'chunks/[name]-[hash]',
    outExtension: { '.js': '.cjs' },
  })
).metafile;
await build({
  ...COMMON,
  entryPoints: Object.keys(outputs).filter((file) => file.endsWith('.cjs')),
  outbase: 'dist',
  outExtension: { '.js': '.cjs' },
  allowOverwrite: true,
  format: 'cjs',
  // import() of our own chunks becomes require(), which is what it costs less by.
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': '__filename' },
});

// One `import { z } from 'zod'` is enough to bring all 60 of them, and 12 ms to every start with the relay.
const locales = Object.values(outputs).flatMap(({ inputs }) =>
  Object.keys(inputs).filter((file) => /zod\/v4\/locales\/(?!en\.js)/.test(file)),
);
if (locales.length > 0) throw new Error("zod's locales are in the bundle: write import * as z from 'zod'");
