/** `--brief`, `--no-brief` and `--brief-file` of the wrapper: the text that teaches the agent the relay. */
import { readFileSync } from 'node:fs';
import type { Profile } from '../agents/adapter.ts';
import { RelayError } from '../base/errors.ts';

export interface BriefOptions {
  /** `--no-brief` makes it false; `--brief` asks for it also where it is typed before the first message. */
  brief?: boolean;
  briefFile?: string;
  profile?: Profile;
}

/** Of an agent that we do not know only if asked for: it would be typed. Throws FILE_UNREADABLE. */
export async function briefingFor(
  { brief, briefFile, profile }: BriefOptions,
  command: readonly string[],
  namespace: string,
): Promise<((name: string) => string) | undefined> {
  if (brief === false) return undefined;
  if (briefFile !== undefined) {
    const text = readText(briefFile);
    return () => text;
  }
  const { findAgent } = await import('../agents/pick.ts');
  const kind = profile ?? findAgent(command)?.profile ?? 'generic';
  if (kind === 'generic' && brief !== true) return undefined;
  const { briefing } = await import('../agents/briefing.ts');
  return (name) => briefing({ name, profile: kind, namespace });
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new RelayError('FILE_UNREADABLE', `${path} cannot be read`, { cause });
  }
}
