/** The live lines of a run on stderr: what a CI log shows while it happens. */
import { strip } from '../base/strip.ts';
import { BROADCAST } from '../protocol/address.ts';
import type { Reception, RunMessage } from './conversation.ts';

/** Characters of a body in a line; messages.jsonl has all of it. */
const MAX_BODY = 160;

/** `   1.532 s  ada → bob  [chess] plays c5` */
export function renderSaid({ at, from, to, topic, kind, body, recipients }: RunMessage): string {
  const target = to === BROADCAST || to === undefined ? `${to ?? `#${topic}`} (${recipients.length})` : to;
  const about = [
    kind === undefined || kind === 'message' ? '' : `${kind} `,
    topic === undefined ? '' : `[${topic}] `,
  ].join('');
  return `${renderTime(at)}  ${from} → ${oneLine(target)}  ${oneLine(about + body)}`;
}

/** A fate worth a line: what was delivered is what everybody expects. */
export function renderFate(
  at: number,
  { from }: RunMessage,
  { name, fate, code, text }: Reception,
): string | undefined {
  if (fate === 'held') return `${renderTime(at)}  ${from} → ${name}  held by the brake`;
  if (fate !== 'dead') return undefined;
  return `${renderTime(at)}  ${from} → ${name}  not delivered: ${oneLine(`${text ?? ''} [${code}]`)}`;
}

export const renderNews = (at: number, text: string): string => `${renderTime(at)}  ${oneLine(text)}`;

const renderTime = (ms: number): string => `${(ms / 1000).toFixed(3).padStart(8)} s`;

/** One line that cannot do anything to a terminal or to a CI log that takes commands from line starts. */
export function oneLine(text: string): string {
  const flat = strip(text).replace(/\s+/g, ' ').replace(/\p{C}/gu, '').trim();
  const characters = [...flat];
  return characters.length > MAX_BODY ? `${characters.slice(0, MAX_BODY - 1).join('')}…` : flat;
}
