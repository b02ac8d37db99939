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

/** Builds its CLI; calls `use` with the command that starts it. */
export async function withNewer<T>(
  changes: Changes,
  use: (command: readonly [string, string]) => Promise<T>,
): Promise<T> {
  const edits: [file: string, from: string, to: string][] = [
    ['src/base/version.ts', `'0.1.0'`, `'${NEWER}'`],
  ];
  if (changes.store) edits.push(['src/daemon/store/segment.ts', 'STORE_FORMAT = 1', 'STORE_FORMAT = 2']);
  if (changes.protocol) {
    edits.push(['src/protocol/envelope.ts', 'object.v !== 1', '(object as { v: number }).v !== 2']);
    edits.push(['src/protocol/envelope.ts', 'return { v: 1, type', 'return { v: 2, type']);
    edits.push(['src/protocol/envelope.ts', '{"v":1,', '{"v":2,']);
  }
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
            onLoad(
              { filter: /\/src\/(base\/version|daemon\/store\/segment|protocol\/envelope)\.ts$/ },
              ({ path }) => {
                let contents = readFileSync(path, 'utf8');
                for (const [file, from, to] of edits) {
                  if (path !== join(ROOT, file)) continue;
                  if (!contents.includes(from)) throw new Error(`${file} holds no ${from}`);
                  contents = contents.replaceAll(from, to);
                }
                return { contents, loader: 'ts' };
              },
            );
          },
        },
      ],
    });
    return await use([process.execPath, outfile]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
