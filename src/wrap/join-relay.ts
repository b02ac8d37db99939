/** The wrapper's client of the relay, under the name that was settled before the agent started. */
import { createHash, randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { directoryEnvironment, wrapperDirectory } from '../base/paths.ts';
import type { RelayClientHandlers } from '../client/contract.ts';
import type { RelayClient } from '../client/relay-client.ts';
import { BROADCAST, namePrefix } from '../protocol/address.ts';
import { WRAPPER_MAX_INFLIGHT } from '../protocol/limits.ts';
import { Introduction } from './introduction.ts';
import type { WrapperOptions } from './wrapper-options.ts';

/** What is settled before the agent starts (P10). */
export interface Introduced {
  name: string;
  /** The relay that gave the name; without, the person did. */
  introduction?: Introduction;
  scopedToken: string;
  scopedTokenHash: string;
}

/** Settles name and scoped token; a missing relay delays that by 100 ms at most. */
export async function introduce(options: WrapperOptions): Promise<Introduced> {
  const { agent, attach, clock, log } = options;
  const scopedToken = `as_${randomBytes(32).toString('base64url')}`;
  const scopedTokenHash = createHash('sha256').update(scopedToken).digest('hex');
  const token = { scopedToken, scopedTokenHash };
  if (options.name !== undefined) return { name: options.name, ...token };
  const agentPrefix = namePrefix(basename(agent.typed));
  const introduction = new Introduction({ attach, agentPrefix, scopedTokenHash, clock, log });
  return { name: await introduction.name(), introduction, ...token };
}

/** Loads the client, which the agent's start need not wait for. It is not started yet. */
export async function joinRelay(
  { topics, namespace, env, clock, log, attach }: WrapperOptions,
  { name, introduction, scopedTokenHash }: Introduced,
  handlers: RelayClientHandlers,
): Promise<RelayClient> {
  const [{ RelayClient }, { OutboxFiles }, { firmOutbox }] = await Promise.all([
    import('../client/relay-client.ts'),
    import('./outbox-files.ts'),
    import('./outbox-ground.ts'),
  ]);
  const spill = new OutboxFiles({
    ground: firmOutbox({
      directory: () => wrapperDirectory(namespace, directoryEnvironment(env), 'outbox'),
      uid: process.getuid?.() ?? 0,
      log,
    }),
    name,
    now: () => clock.now(),
    damaged: (messages, path) => {
      const message = `${messages} kept in ${path} cannot be read any more`;
      handlers.fate?.({ id: '', to: BROADCAST, outcome: 'failed', code: 'FILE_UNREADABLE', message });
    },
    log,
  });
  let first = introduction?.attachment;
  return new RelayClient(
    {
      attach: () => {
        const found = first ?? attach();
        first = undefined;
        return found;
      },
      identity: { agent: name },
      answer: introduction?.answer,
      capabilities: {
        ack: true,
        resume: true,
        supports_topics: true,
        max_inflight: WRAPPER_MAX_INFLIGHT,
        injects: true,
      },
      topics,
      scopedTokenHash,
      spill,
      clock,
      log,
      random: Math.random,
    },
    handlers,
  );
}
