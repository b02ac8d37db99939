/** `agent-wrap doctor`: whether all that a wrapper needs is there, and what to do where it is not. */
import { Chalk } from 'chalk';
import { Command } from 'commander';
import { RelayError } from '../base/errors.ts';
import { currentDirectory } from '../terminal/resolve.ts';
import { checkAgents } from './doctor-agents.ts';
import type { Finding, Found, Patient } from './doctor-finding.ts';
import { checkNode, checkPlatform, checkPty, checkTerminal } from './doctor-machine.ts';
import { checkOutbox } from './doctor-outbox.ts';
import { checkDirectory, checkLeader, checkSettings, checkStoreOf } from './doctor-relay.ts';
import { type PlaceOptions, placeOf, placeOptions } from './place.ts';
import { throwUsage } from './usage.ts';

type Check = (patient: Patient) => Found[] | Promise<Found[]>;

const CHECKS: readonly (readonly [string, Check])[] = [
  ['platform', checkPlatform],
  ['node', checkNode],
  ['pty', checkPty],
  ['terminal', checkTerminal],
  ['settings', checkSettings],
  ['directory', checkDirectory],
  ['leader', checkLeader],
  ['store', checkStoreOf],
  ['outbox', checkOutbox],
  ['agents', checkAgents],
];

const EXAMPLES = `
Exit code: 0 if all is well, 1 if there is a problem.

Examples:
  agent-wrap doctor
  agent-wrap doctor --json`;

export function command(): Command {
  const doctor = throwUsage(new Command('doctor'))
    .description('Look at all a wrapper needs, and say what to do about each problem.')
    .option('--json', 'the findings as JSON')
    .addHelpText('after', EXAMPLES);
  const [namespace] = placeOptions();
  doctor.addOption(namespace);
  return doctor.action(async ({ json, ...place }: PlaceOptions & { json?: true }) => {
    const findings = await examine({
      env: process.env,
      cwd: currentDirectory(),
      platform: process.platform,
      arch: process.arch,
      versions: { node: process.versions.node, uv: process.versions.uv },
      terminal: { cols: process.stdout.columns ?? 0, rows: process.stdout.rows ?? 0 },
      namespace: placeOf(place, process.env).namespace,
    });
    process.stdout.write(json ? `${JSON.stringify(findings, undefined, 2)}\n` : renderFindings(findings));
    if (findings.some(({ state }) => state === 'problem')) process.exitCode = 1;
  });
}

/** Runs every check; one that throws is a problem with the error's own way out. */
export async function examine(patient: Patient): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [check, run] of CHECKS) {
    try {
      for (const found of await run(patient)) findings.push({ check, ...found });
    } catch (thrown) {
      const { message, suggestion } = RelayError.from(thrown);
      findings.push({ check, state: 'problem', text: message, advice: suggestion });
    }
  }
  return findings;
}

function renderFindings(findings: readonly Finding[]): string {
  const paint = new Chalk(process.stdout.isTTY ? {} : { level: 0 });
  const mark = { ok: paint.green('ok     '), note: paint.yellow('note   '), problem: paint.red('PROBLEM') };
  const width = Math.max(...findings.map(({ check }) => check.length));
  return findings
    .map(({ check, state, text, advice }) => {
      const line = `${mark[state]}  ${check.padEnd(width)}  ${text}\n`;
      return advice === undefined ? line : `${line}${' '.repeat(width + 11)}→ ${advice}\n`;
    })
    .join('');
}
