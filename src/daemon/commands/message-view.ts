/** A message and its fate as the person is shown it: `relay-log`, `relay-dead-letters` (P22). */

import type { MessageView } from '../../protocol/message-view.ts';
import { textOf } from '../../protocol/utf8.ts';
import type { Delivery, Message } from '../message.ts';

export function viewMessage(message: Message, deliveries: readonly Delivery[]): MessageView {
  const { id, at, from, to, topic, raw } = message;
  const { kind, body } = raw === undefined ? {} : JSON.parse(textOf(raw.payload));
  return {
    id,
    at,
    from,
    ...(to === undefined ? {} : { to }),
    ...(topic === undefined ? {} : { topic }),
    ...(typeof kind === 'string' ? { kind } : {}),
    ...(typeof body === 'string' ? { body } : {}),
    deliveries: deliveries.map(viewDelivery),
  };
}

const viewDelivery = ({ id, recipient, state, ended, endedAt, reason }: Delivery) => ({
  id,
  to: recipient,
  state,
  ...(ended ? { endedAt } : {}),
  ...(reason === undefined ? {} : { code: reason.code, reason: reason.text }),
});
