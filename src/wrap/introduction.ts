/**
 * The name before the client: finds the relay and asks it for a session with as little code as that takes,
 * so that the agent can start while the client is still to be loaded (P10).
 */
import { randomBytes } from 'node:crypto';
import type { Clock, Timer } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Attachment } from '../client/attachment.ts';

/** Milliseconds that the agent's start may wait for the relay to name it (P10). */
const NAME_MS = 100;

export interface IntroductionOptions {
  attach: () => Promise<Attachment>;
  agentPrefix: string;
  scopedTokenHash: string;
  clock: Clock;
  log: Log;
}

interface Given {
  name: string;
  sessionId: string;
}

export class Introduction {
  readonly #options: IntroductionOptions;
  /** The relay, once; rejects if there is none. */
  readonly #attached: Promise<Attachment>;
  #state: 'asking' | 'named' | 'too-late' = 'asking';
  #answer: unknown;

  /** Begins to look for the relay at once. */
  constructor(options: IntroductionOptions) {
    this.#options = options;
    this.#attached = options.attach();
    this.#attached.catch(() => {}); // The client will ask again, and say so.
  }

  /** The name the relay gives; in time, else `<agentPrefix>-<4 hex>`. */
  async name(): Promise<string> {
    const { agentPrefix, clock, log } = this.#options;
    let timer: Timer | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = clock.after(NAME_MS, () => resolve(undefined));
    });
    const asked = this.#ask().catch((thrown: unknown) => {
      const { code, message } = RelayError.from(thrown);
      log.info('introduction.failed', { code, message });
      return undefined;
    });
    const given = await Promise.race([asked, late]);
    timer?.cancel();
    this.#state = given === undefined ? 'too-late' : 'named';
    return given?.name ?? `${agentPrefix}-${randomBytes(2).toString('hex')}`;
  }

  /** What relay-connect answered, if it gave the name. */
  get answer(): unknown {
    return this.#answer;
  }

  /** For the client's first attach. */
  get attachment(): Promise<Attachment> {
    return this.#attached;
  }

  async #ask(): Promise<Given | undefined> {
    const { agentPrefix, scopedTokenHash } = this.#options;
    const relay = await this.#attached;
    if (this.#state === 'too-late') return undefined;
    const answer = await relay.call('relay-connect', { agentPrefix, scopedTokenHash });
    const given = givenBy(answer);
    if (given === undefined) return undefined;
    if (this.#state === 'asking') this.#answer = answer;
    // The agent runs under another name: this session is of no use.
    else await relay.call('relay-disconnect', { sessionId: given.sessionId });
    return given;
  }
}

/** Name and session in a HandoffResult; the client, which has the schemas, judges the rest. */
function givenBy(answer: unknown): Given | undefined {
  const { credentials } =
    (answer as { data?: { credentials?: { [key: string]: unknown } } } | null)?.data ?? {};
  const headers = credentials?.headers as { 'agent-name'?: unknown } | undefined;
  const [name, sessionId] = [headers?.['agent-name'], credentials?.sessionId];
  return typeof name === 'string' && typeof sessionId === 'string' ? { name, sessionId } : undefined;
}
