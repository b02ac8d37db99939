/**
 * `npm run test:agents [-- <vitest arguments>]`: installs the agents, then runs the suite where it can reach
 * nothing but loopback. `AGENTS=claude,codex` installs and runs only these; `COUNT=30` repeats each
 * injection so often; `--record` writes the result to docs/agents.md.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AGENTS, type AgentName, install, versionOf } from './install.ts';
import { renderResults } from './results.ts';

const names = (process.env.AGENTS?.split(',') ?? Object.keys(AGENTS)) as AgentName[];
for (const name of names) {
  const reason = install(name);
  console.log(reason ? `skipped: ${name}: ${reason}` : `${name} ${versionOf(name)}`);
}

// A network namespace of its own has only `lo`: no agent can phone home, whatever its version does.
const LOOPBACK_ONLY = ['sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];
const ways = [['unshare', '-n', ...LOOPBACK_ONLY], ['unshare', '-rn', ...LOOPBACK_ONLY], []];
const works = (way: string[]) => spawnSync(way[0] ?? 'true', [...way.slice(1), 'true']).status === 0;
const way = ways.find(works) ?? [];
if (way.length === 0) console.log('no network namespace here: the agents could reach the network');

const config = fileURLToPath(new URL('vitest.config.ts', import.meta.url));
const given = process.argv.slice(2).filter((argument) => argument !== '--record');
const folder = mkdtempSync(join(tmpdir(), 'agent-wrap-results-'));
const results = join(folder, 'results.json');
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`];
const [file = '', ...args] = [...way, 'npx', 'vitest', 'run', '--config', config, ...reporters, ...given];
const run = spawnSync(file, args, { stdio: 'inherit' });
if (process.argv.includes('--record')) {
  const page = fileURLToPath(new URL('../../docs/agents.md', import.meta.url));
  const versions = names.map((name) => `${name} ${versionOf(name)}`);
  writeFileSync(page, renderResults(readFileSync(results, 'utf8'), versions, readFileSync(page, 'utf8')));
}
rmSync(folder, { recursive: true });
process.exitCode = run.status ?? 1;
