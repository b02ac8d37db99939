/** The folder of `--out`: made before the run, so that a mistake in its path costs nothing. docs/run.md. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RelayError } from '../base/errors.ts';
import { renderOutcome } from './outcome.ts';
import type { RoundReport } from './report.ts';
import { renderMessageLine, renderSummary } from './report-json.ts';
import { renderJunit } from './report-junit.ts';
import { renderDiagram } from './report-mermaid.ts';

/** Makes the folder of one round. Throws FILE_UNWRITABLE, as all of this file. */
export function makeOutDirectory(path: string): void {
  orUnwritable(path, () => {
    for (const folder of ['recordings', 'logs']) mkdirSync(join(path, folder), { recursive: true });
  });
}

export function writeRound(path: string, report: RoundReport): void {
  orUnwritable(path, () => {
    writeFileSync(join(path, 'messages.jsonl'), report.messages.map(renderMessageLine).join(''));
    writeFileSync(join(path, 'summary.json'), renderSummary(report));
    writeFileSync(join(path, 'junit.xml'), renderJunit([report]));
    const names = report.agents.map(({ name }) => name);
    writeFileSync(join(path, 'diagram.mmd'), renderDiagram(names, report.messages));
  });
}

/** What a run of several rounds came to; each round has a folder of its own beside it. */
export function writeRounds(path: string, reports: readonly RoundReport[], exitCode: number): void {
  const rounds = reports.map((report) => ({
    round: report.round,
    seed: report.seed,
    exitCode: report.exitCode,
    outcome: renderOutcome(report.outcome),
    durationMs: report.durationMs,
  }));
  orUnwritable(path, () => {
    writeFileSync(join(path, 'summary.json'), `${JSON.stringify({ exitCode, rounds }, null, 2)}\n`);
    writeFileSync(join(path, 'junit.xml'), renderJunit(reports));
  });
}

function orUnwritable(path: string, write: () => void): void {
  try {
    write();
  } catch (cause) {
    throw new RelayError('FILE_UNWRITABLE', `cannot write to ${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
}
