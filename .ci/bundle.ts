/**
 * `npm run bundle`: the CLI and the public API into dist/. The CLI is one CommonJS file whose modules run when
 * they are first used, and beside it what V8 compiled of it (bin/load.cjs): both cost less at a start than ES
 * modules or many chunks (docs/benchmarks.md).
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '..');
const LOCALES = join(ROOT, 'node_modules/zod/v4/locales');

const COMMON = {
  absWorkingDir: ROOT,
  outdir: 'dist',
  platform: 'node',
  target: 'node20.19',
  // Names stay: a stack trace in a report must be readable. Measured: they cost nothing at the start.
  minifySyntax: true,
  sourcemap: 'linked',
  logLevel: 'warning',
} satisfies BuildOptions;

const BUNDLED = {
  ...COMMON,
  bundle: true,
  format: 'esm',
  external: ['@lydell/node-pty', '@xterm/headless'],
} satisfies BuildOptions;

// What lies in dist/ is packed: nothing of an earlier build may.
for (const name of ['chunks', 'types', 'main.js', 'main.js.map', 'main.cjs.cache']) {
  rmSync(join(ROOT, 'dist', name), { recursive: true, force: true });
}

/** zod's messages in 60 languages would cost every start with the relay 12 ms. */
const ENGLISH: Plugin = {
  name: 'english',
  setup({ onLoad }) {
    const contents = "export { default as en } from './en.js';";
    onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({ contents, resolveDir: LOCALES }));
  },
};

await build({ ...BUNDLED, entryPoints: ['src/index.ts'] });
await build({
  ...BUNDLED,
  format: 'cjs',
  entryPoints: { main: 'src/cli/main.ts' },
  outExtension: { '.js': '.cjs' },
  // What is external is loaded by require(), which needs no module loader of Node's.
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': '__filename' },
  minifyWhitespace: true,
  plugins: [ENGLISH],
});
// bin/load.cjs reads one byte a character. esbuild leaves regular expressions as they are.
const main = join(ROOT, 'dist/main.cjs');
const ascii = readFileSync(main, 'utf8').replace(
  /[^\0-\x7f]/g,
  (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
);
writeFileSync(main, ascii);

execFileSync(process.execPath, [join(ROOT, '.ci/code-cache.cjs')], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
