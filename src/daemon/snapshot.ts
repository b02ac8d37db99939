/**
 * The state as the fewest records that rebuild it, for compaction. It is read lazily while the daemon
 * goes on, so it may hold what also stands in the log behind it: `RelayState.recover` takes no harm.
 * docs/store.md "Compaction".
 */
import type { Delivery, Message } from './message.ts';
import { encodeRecord, type MessageRecord, type PastRecord, type RelayRecord } from './record.ts';
import { SessionTable } from './session-table.ts';
import type { RelayState } from './state.ts';

export function* snapshot(state: RelayState): Generator<Buffer, void> {
  for (const record of records(state)) yield encodeRecord(record);
}

function* records(state: RelayState): Generator<RelayRecord, void> {
  const { messages, sessions } = state;
  if (messages.dedupSince > 0) yield { t: 'dedup', since: messages.dedupSince };
  for (const { name, seenAt } of state.mailboxes()) {
    if (seenAt !== undefined) yield { t: 'seen', name, at: seenAt };
  }
  for (const session of sessions.all()) yield { t: 'session', session: SessionTable.save(session) };
  for (const [topic, names] of state.topics()) {
    for (const name of names) yield { t: 'topic', name, topic, on: true };
  }
  // What comes meanwhile stands in the log behind the snapshot: there is an end.
  let left = messages.size;
  for (const message of messages.all()) {
    if (left-- === 0) break;
    if (message.stored && message.open > 0) yield* recordsOf(message, state);
  }
  // In the order of their end, in which they are forgotten.
  left = messages.endedCount;
  for (const message of messages.ended()) {
    if (left-- === 0) break;
    if (message.stored) yield* recordsOf(message, state);
  }
  for (const mailbox of state.mailboxes()) {
    const { name: to, standstill } = mailbox;
    if (standstill) yield { t: 'standstill', name: to, on: true };
    for (const [from, until] of mailbox.holds()) yield { t: 'hold', from, to, until };
    for (const { delivery, session } of mailbox.deferred()) {
      yield { t: 'deferred', seq: delivery.seq, session };
    }
    for (const { since, deliveries, until } of mailbox.claims) {
      const seqs = deliveries.filter(({ state }) => state === 'claimed').map(({ seq }) => seq);
      yield { t: 'claim', name: to, since, seqs, until };
    }
  }
}

function* recordsOf(message: Message, { messages }: RelayState): Generator<RelayRecord, void> {
  yield messageRecord(message);
  for (const { state: how, seq, endedAt: at, reason } of message.deliveries) {
    if (how !== 'delivered' && how !== 'written' && how !== 'dead') continue;
    yield { t: 'ended', seqs: [seq], how, at, ...reason };
    // The text may be kept for another of its recipients.
    if (how === 'dead' && message.raw !== undefined && !messages.isDeadLetter(seq))
      yield { t: 'dropped', seq };
  }
}

function messageRecord(message: Message): MessageRecord | PastRecord {
  const { key, id, from, session, to, topic, at, acks, command, raw } = message;
  const head = {
    key,
    id,
    from,
    session,
    to,
    topic,
    at,
    acks,
    command: command || undefined,
    recipients: message.deliveries.map(recipientOf),
  };
  if (raw !== undefined) return { t: 'message', ...head, raw };
  return { t: 'past', ...head, hash: message.hash, size: message.size };
}

const recipientOf = ({ recipient, seq, until, hasTtl, full }: Delivery) => ({
  name: recipient,
  seq,
  until,
  ttl: hasTtl || undefined,
  full: full || undefined,
});
