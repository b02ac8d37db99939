/** A message and its fate in lines for a person; what an agent wrote may not steer the terminal. */
import * as z from 'zod';
import { strip } from '../base/strip.ts';

export const Logged = z.looseObject({
  id: z.string(),
  at: z.number(),
  from: z.string(),
  to: z.string().optional(),
  topic: z.string().optional(),
  kind: z.string().optional(),
  body: z.string().optional(),
  deliveries: z.array(
    z.looseObject({
      id: z.string(),
      to: z.string(),
      state: z.string(),
      code: z.string().optional(),
      reason: z.string().optional(),
    }),
  ),
});

export type LoggedMessage = z.output<typeof Logged>;

/** Local time of the day, to the second. */
export const timeOf = (at: number): string => new Date(at).toTimeString().slice(0, 8);

export function renderMessage({ at, from, to, topic, kind, body, deliveries }: LoggedMessage): string {
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
