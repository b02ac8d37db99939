/** SUBSCRIBE and UNSUBSCRIBE: topics belong to the name (P17). docs/protocol.md §5. */
import { RelayError } from '../../base/errors.ts';
import type { EnvelopeOf } from '../../protocol/envelope.ts';
import { MAX_TOPICS_PER_SESSION } from '../../protocol/limits.ts';
import type { Relay } from '../relay.ts';
import type { Session } from '../session-table.ts';
import type { Handler } from './handler.ts';

export const subscribe: Handler<'SUBSCRIBE'> = (relay, peer, envelope) => {
  void setTopic(relay, (peer.session as Session).name, topicOf(envelope), true);
};

export const unsubscribe: Handler<'UNSUBSCRIBE'> = (relay, peer, envelope) => {
  void setTopic(relay, (peer.session as Session).name, topicOf(envelope), false);
};

/** Resolves once it is stored. Throws QUEUE_FULL for one topic too many. */
export function setTopic(relay: Relay, name: string, topic: string, on: boolean): Promise<void> {
  const topics = relay.state.topicsOf(name);
  if (topics.includes(topic) === on) return Promise.resolve();
  if (on && topics.length >= MAX_TOPICS_PER_SESSION) {
    throw new RelayError('QUEUE_FULL', `${name} has ${MAX_TOPICS_PER_SESSION} topics already`);
  }
  return new Promise((stored) => relay.journal.write({ t: 'topic', name, topic, on }, stored));
}

function topicOf({ topic, payload }: EnvelopeOf<'SUBSCRIBE'> | EnvelopeOf<'UNSUBSCRIBE'>): string {
  const named = payload.topic ?? topic;
  if (named === undefined) throw new RelayError('BAD_REQUEST', 'no topic');
  return named;
}
