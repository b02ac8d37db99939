/** A later agent-wrap, built from this source with other numbers in it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '../..');
export const NEWER = '9.9.9';

/** Which of its numbers are one higher. */
export interface Changes {
  store?: boolean;
  protocol?: boolean;
}

const STORE: [RegExp, string][] = [[/STORE_FORMAT = \d+/, 'STORE_FORMAT = 99']];
const PROTOCOL: [RegExp, string][] = [
  [/object\.v !== 1/, '(object as { v: number }).v !== 2'],
  [/return \{ v: 1, type/, 'return { v: 2, type'],
  [/\{"v":1,/, '{"v":2,'],
];

/** Builds its CLI; calls `use` with the command that starts it. */
export async function withNewer<T>(
  changes: Changes,
  use: (command: readonly [string, string]) => Promise<T>,
): Promise<T> {
  const edits: [from: RegExp, to: string][] = [
    [/export const VERSION = '[^']*'/, `export const VERSION = '${NEWER}'`],
    ...(changes.store ? STORE : []),
    ...(changes.protocol ? PROTOCOL : []),
  ];
  const done = new Set<RegExp>();
  // Below the repository, where what is not bundled is found.
  mkdirSync(join(ROOT, 'build'), { recursive: true });
  const folder = mkdtempSync(join(ROOT, 'build/newer-'));
  const outfile = join(folder, 'main.cjs');
  try {
    await build({
      ...{ absWorkingDir: ROOT, entryPoints: ['src/cli/main.ts'], outfile, bundle: true },
      ...{ platform: 'node', target: 'node20.19', format: 'cjs', logLevel: 'warning' },
      external: ['@lydell/node-pty', '@xterm/headless'],
      supported: { 'dynamic-import': false },
      define: { 'import.meta.url': '__filename' },
      plugins: [
        {
          name: 'newer',
          setup({ onLoad }) {
            onLoad({ filter: /\/src\/(base|daemon\/store|protocol)\/[^/]*\.ts$/ }, ({ path }) => {
              let contents = readFileSync(path, 'utf8');
              for (const [from, to] of edits) {
                if (!from.test(contents)) continue;
                contents = contents.replace(from, to);
                done.add(from);
              }
              return { contents, loader: 'ts' };
            });
          },
        },
      ],
    });
    const missed = edits.filter(([from]) => !done.has(from));
    if (missed.length > 0) throw new Error(`the source holds no ${missed.map(([from]) => from)}`);
    return await use([process.execPath, outfile]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
