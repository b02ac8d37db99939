/**
 * `npm run test:agents [-- <vitest arguments>]`: installs the agents, then runs the suite where it can reach
 * nothing but loopback. `AGENTS=claude,codex` installs and runs only these.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AGENTS, type AgentName, install, versionOf } from './install.ts';

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
const [file = '', ...args] = [...way, 'npx', 'vitest', 'run', '--config', config, ...process.argv.slice(2)];
const run = spawnSync(file, args, { stdio: 'inherit' });
process.exitCode = run.status ?? 1;
