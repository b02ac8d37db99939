/** `doctor`, the agents: which of those we know are on PATH, in which version, with which adapter. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { PROFILES } from '../agents/adapter.ts';
import { ADAPTERS } from '../agents/pick.ts';
import { RelayError } from '../base/errors.ts';
import { resolveAgent } from '../terminal/resolve.ts';
import type { Found, Patient } from './doctor-finding.ts';

/** Milliseconds a program gets to do what takes it a moment. */
const PATIENCE_MS = 10_000;

export async function checkAgents(patient: Patient): Promise<Found[]> {
  const known = PROFILES.filter((profile) => profile !== 'generic');
  const found = (await Promise.all(known.map((profile) => describeAgent(profile, patient)))).flat();
  if (found.length > 0) return found;
  return [
    {
      state: 'note',
      text: `none of ${known.join(', ')} is on PATH`,
      advice: 'install one; any other program with a terminal can be wrapped too',
    },
  ];
}

async function describeAgent(profile: (typeof PROFILES)[number], { cwd, env }: Patient): Promise<Found[]> {
  let file: string;
  try {
    file = resolveAgent(profile, cwd, env.PATH);
  } catch (thrown) {
    const error = RelayError.from(thrown);
    if (error.code === 'AGENT_NOT_FOUND') return [];
    return [{ state: 'problem', text: error.message, advice: error.suggestion }];
  }
  const adapter = profile in ADAPTERS ? profile : 'generic';
  try {
    const running = promisify(execFile)(file, ['--version'], {
      cwd,
      env,
      timeout: PATIENCE_MS,
      killSignal: 'SIGKILL',
    });
    running.child.stdin?.end();
    const version = (await running).stdout
      .split('\n', 1)[0]
      ?.replace(/[^\x20-\x7e]/g, '')
      .slice(0, 80)
      .trim();
    return [{ state: 'ok', text: `${profile} ${version}, profile ${adapter}, ${file}` }];
  } catch {
    return [
      {
        state: 'problem',
        text: `${profile}: ${file} --version fails`,
        advice: `run it yourself, and install ${profile} again if it is broken`,
      },
    ];
  }
}
