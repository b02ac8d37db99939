/** When a run is over: the `until` of the pairing file, told what happens and asked after each event. */
import { SYSTEM_NAME, USER_NAME } from '../protocol/address.ts';
import { ALL } from './agent-schema.ts';
import type { RunMessage } from './conversation.ts';
import { compileMatcher, renderMatcher } from './matcher.ts';
import type { Condition } from './schema.ts';

/** An agent as conditions see it. */
export interface AgentView {
  name: string;
  /** It has ended and will not be started again. */
  ended: boolean;
  /** It has been on the relay. */
  joined: boolean;
  /** `clock.monotonic` when it last printed or said something. */
  lastActiveAt: number;
  /** A message waits for it. */
  awaited: boolean;
}

type Watch = (agents: readonly AgentView[], now: number) => boolean;

export class Conditions {
  readonly #watches: { title: string; message: (message: RunMessage) => void; met: Watch }[];

  constructor(conditions: readonly Condition[]) {
    this.#watches = conditions.map(watchOf);
  }

  /** A message was sent, or its fate has changed. Throws TIMEOUT (see pattern.ts). */
  message(message: RunMessage): void {
    for (const watch of this.#watches) watch.message(message);
  }

  /** The first condition that holds, in words. `now` by `clock.monotonic`. */
  met(agents: readonly AgentView[], now: number): string | undefined {
    return this.#watches.find((watch) => watch.met(agents, now))?.title;
  }
}

function watchOf({ exited, message, count = 1, idle, messages = 0 }: Condition) {
  if (exited !== undefined) {
    const met: Watch = (agents) => chosen(agents, exited).every((agent) => agent.ended);
    return { title: `exited: ${[exited].flat().join(', ')}`, message: () => {}, met };
  }
  if (idle !== undefined) {
    const idleMs = idle.seconds * 1000;
    const met: Watch = (agents, now) =>
      chosen(agents, idle.agents).every(
        (agent) => agent.ended || (agent.joined && !agent.awaited && now - agent.lastActiveAt >= idleMs),
      );
    return {
      title: `idle for ${idle.seconds} s: ${[idle.agents].flat().join(', ')}`,
      message: () => {},
      met,
    };
  }
  const matches = message === undefined ? isOfAgent : compileMatcher(message);
  const wanted = message === undefined ? messages : count;
  const title =
    message === undefined
      ? `${messages} messages`
      : `${count > 1 ? `${count} messages` : 'message'}: ${renderMatcher(message)}`;
  const found = new Set<RunMessage>();
  return {
    title,
    message: (each: RunMessage) => {
      if (matches(each)) found.add(each);
    },
    met: () => found.size >= wanted,
  };
}

const chosen = (agents: readonly AgentView[], names: string | readonly string[]): readonly AgentView[] => {
  const wanted = [names].flat();
  return wanted.includes(ALL) ? agents : agents.filter(({ name }) => wanted.includes(name));
};

const isOfAgent = ({ from }: RunMessage): boolean => from !== USER_NAME && from !== SYSTEM_NAME;
