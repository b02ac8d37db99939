/**
 * `npm run test:agents [-- <vitest arguments>]`: installs the agents, then runs the suite where it can reach
 * nothing but loopback. `AGENTS=claude,codex` installs and runs only these; `COUNT=30` repeats each
 * injection so often; `VERSIONS=codex@0.170.0` takes another version than the pinned one; `--record` writes
 * the result to docs/agents.md.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install, named, versionOf } from './install.ts';
import { loopbackOnly } from './loopback-only.ts';
import { renderResults } from './results.ts';

const names = named();
for (const name of names) {
  const reason = install(name);
  console.log(reason ? `skipped: ${name}: ${reason}` : `${name} ${versionOf(name)}`);
}

const config = fileURLToPath(new URL('vitest.config.ts', import.meta.url));
const given = process.argv.slice(2).filter((argument) => argument !== '--record');
const folder = mkdtempSync(join(tmpdir(), 'agent-wrap-results-'));
const results = join(folder, 'results.json');
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`];
const [file = '', ...args] = [
  ...loopbackOnly(),
  'npx',
  'vitest',
  'run',
  '--config',
  config,
  ...reporters,
  ...given,
];
const run = spawnSync(file, args, { stdio: 'inherit' });
if (process.argv.includes('--record')) {
  const page = fileURLToPath(new URL('../../docs/agents.md', import.meta.url));
  const versions = names.filter((name) => name !== 'node').map((name) => `${name} ${versionOf(name)}`);
  const count = `COUNT=${process.env.COUNT ?? 3}`;
  const when = [new Date().toISOString().slice(0, 10), ...versions, count].join(', ');
  writeFileSync(page, renderResults(readFileSync(results, 'utf8'), when, readFileSync(page, 'utf8')));
}
rmSync(folder, { recursive: true });
process.exitCode = run.status ?? 1;
