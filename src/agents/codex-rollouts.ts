/** The rollout files that Codex keeps, one a thread, in a folder for each day. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { filesIn } from './agent-files.ts';
import { parseRolloutLine, type RolloutEvent } from './codex-rollout.ts';
import { type TailOptions, TranscriptTail } from './transcript-tail.ts';

const DAY_MS = 24 * 60 * 60_000;

/** Those of yesterday, today and tomorrow: whatever the time zone of the folder names is. */
export const recentRollouts = (folder: string, now: number): string[] =>
  [now - DAY_MS, now, now + DAY_MS].flatMap((day) => {
    const parts = new Date(day).toISOString().slice(0, 10).split('-');
    return rollouts(join(folder, ...parts));
  });

/** Those of any day that were written to at `since` or later (milliseconds since the epoch). */
export const rolloutsSince = (folder: string, since: number): string[] =>
  rollouts(folder, 'deep').filter((file) => writtenAt(file) >= since);

/** Whose thread it is; undefined if its first line does not say. */
export function threadOf(
  file: string,
  { clock, log }: Pick<TailOptions, 'clock' | 'log'>,
): Extract<RolloutEvent, { kind: 'thread' }> | undefined {
  let first: RolloutEvent | undefined;
  const line = (text: string) => {
    first ??= parseRolloutLine(text);
  };
  new TranscriptTail(file, { clock, log, from: 'start', line }).read();
  return first?.kind === 'thread' ? first : undefined;
}

const rollouts = (folder: string, depth?: 'deep'): string[] =>
  filesIn(folder, depth).filter((file) => /[\\/]rollout-[^\\/]*\.jsonl$/.test(file));

const writtenAt = (file: string): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
