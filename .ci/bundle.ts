/**
 * `npm run bundle`: the CLI and the public API into dist/, chunk by chunk, so that a command loads only what
 * it uses.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { build } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '..');
const CHUNKS = join(ROOT, 'dist/chunks');

// What lies in dist/ is packed: nothing of an earlier build may.
rmSync(join(ROOT, 'dist/types'), { recursive: true, force: true });

const { metafile } = await build({
  absWorkingDir: ROOT,
  entryPoints: ['src/cli/main.ts', 'src/index.ts'],
  outdir: 'dist',
  entryNames: '[name]',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  // Names stay: a stack trace in a report must be readable. Measured: they cost nothing at the start.
  minifySyntax: true,
  sourcemap: 'linked',
  external: ['@lydell/node-pty', '@xterm/headless'],
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  metafile: true,
  logLevel: 'warning',
});

// One `import { z } from 'zod'` is enough to bring all 60 of them, and 12 ms to every start with the relay.
const locales = Object.values(metafile.outputs).flatMap(({ inputs }) =>
  Object.keys(inputs).filter((file) => /zod\/v4\/locales\/(?!en\.js)/.test(file)),
);
if (locales.length > 0) throw new Error("zod's locales are in the bundle: write import * as z from 'zod'");

for (const name of readdirSync(CHUNKS)) {
  const file = join(CHUNKS, name);
  if (!(relative(ROOT, file) in metafile.outputs)) rmSync(file);
}
