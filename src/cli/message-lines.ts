/** A message and its fate in lines for a person; what an agent wrote may not steer the terminal. */
import { strip } from '../base/strip.ts';
import type { MessageView } from '../protocol/message-view.ts';

/** Local time of the day, to the second. */
export const timeOf = (at: number): string => new Date(at).toTimeString().slice(0, 8);

export function renderMessage({ at, from, to, topic, kind, body, deliveries }: MessageView): string {
  const about = [topic && `on ${topic}`, kind !== 'message' && kind].filter(Boolean).join(', ');
  const head = `${timeOf(at)}  ${from} → ${to ?? '(subscribers)'}${about ? `  (${about})` : ''}`;
  const fates = deliveries.map((one) => {
    const who = deliveries.length > 1 ? `${one.to} ` : '';
    return `${who}${one.state}${one.code ? ` ${one.code}: ${one.reason ?? ''}` : ''}`;
  });
  const text = body === undefined ? '(its text was forgotten)' : strip(body);
  const indented = text.split('\n').map((line) => `    ${line}`);
  return `${[`${head}  ${fates.join(', ') || 'nobody'}`, ...indented].join('\n')}\n`;
}
