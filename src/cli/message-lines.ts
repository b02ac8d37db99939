/** Messages and their fates in lines for a person; what an agent wrote may not steer the terminal. */
import { sanitize, sanitizeLine } from '../base/sanitize.ts';
import { hideSecrets } from '../base/secrets.ts';
import type { MessageView } from '../protocol/message-view.ts';
import type { RelayEvent } from '../protocol/relay-event.ts';

export type Fate = Extract<RelayEvent, { type: 'fate' }>;

export function renderMessage(message: MessageView, now = Date.now()): string {
  const { at, from, to, topic, kind, body, deliveries } = message;
  const about = [topic && `on ${topic}`, kind !== 'message' && kind].filter(Boolean).join(', ');
  const head = `${from} → ${to ?? '(subscribers)'}${about ? `  (${about})` : ''}`;
  const fates = deliveries.map((one) => {
    const who = deliveries.length > 1 ? `${one.to} ` : '';
    return `${who}${one.state}${one.code ? ` ${one.code}: ${one.reason ?? ''}` : ''}`;
  });
  const text = body === undefined ? '(its text was forgotten)' : sanitize(body);
  const indented = text.split('\n').map((line) => `    ${line}`);
  const line = sanitizeLine(`${head}  ${fates.join(', ') || 'nobody'}`);
  return `${[`${timeOf(at, now)}  ${line}`, ...indented].join('\n')}\n`;
}

export function renderFate({ at, from, to, fate, code }: Fate, now = Date.now()): string {
  return `${timeOf(at, now)}  ${sanitizeLine(`${from} → ${to}  ${fate}${code ? ` ${code}` : ''}`)}\n`;
}

/** The message as a log may keep it. */
export const withoutSecrets = (message: MessageView): MessageView => ({
  ...message,
  ...(message.body === undefined ? {} : { body: hideSecrets(message.body) }),
  deliveries: message.deliveries.map((one) =>
    one.reason === undefined ? one : { ...one, reason: hideSecrets(one.reason) },
  ),
});

/** Local time to the second, with the date if that is not today's. */
export function timeOf(at: number, now = Date.now()): string {
  const [then, today] = [new Date(at), new Date(now)];
  const time = then.toTimeString().slice(0, 8);
  if (then.toDateString() === today.toDateString()) return time;
  const two = (value: number) => String(value).padStart(2, '0');
  return `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())} ${time}`;
}
