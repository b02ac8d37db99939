/**
 * Somebody who polls instead of holding a connection (P27): the person, or an agent with a handoff token.
 * Answers get lost, and now and then it forgets where it was.
 */
import type { CommandResult } from '../../src/afd/result.ts';
import { callLeader } from './sim-ground.ts';
import type { SimMachine } from './sim-machine.ts';
import type { SimProcess } from './sim-process.ts';

/** The same in every poll: with a smaller one, what an answer has no room for is free again. */
const LIMIT = 3;

export class SimReader {
  readonly name: string;
  readonly #machine: SimMachine;
  readonly #process: SimProcess;
  #since: string | undefined;
  /** Of an agent: what it polls with. */
  #token: string | undefined;
  #state: 'reading' | 'over' = 'reading';

  constructor(machine: SimMachine, name: string) {
    this.#machine = machine;
    this.name = name;
    this.#process = machine.newProcess();
    void this.#read();
  }

  close(): void {
    this.#state = 'over';
    this.#process.kill();
  }

  async #read(): Promise<void> {
    const { random } = this.#machine;
    while (this.#state === 'reading') {
      await this.#process.sleep(random.next() * (random.chance(0.3) ? 8_000 : 400));
      if (this.#machine.unlucky(0.1)) this.#since = undefined;
      if (this.name !== 'user' && this.#token === undefined) await this.#connect();
      else await this.#poll();
    }
  }

  async #connect(): Promise<void> {
    const result = await this.#call('relay-connect', { agent: this.name });
    if (!result?.success) return;
    this.#token = (result.data as { credentials: { token: string } }).credentials.token;
  }

  async #poll(): Promise<void> {
    const { witness } = this.#machine;
    const since = this.#since;
    const result = await this.#call('relay-poll', {
      limit: LIMIT,
      ...(since === undefined ? {} : { since }),
    });
    if (result === undefined) return;
    if (!result.success) {
      if (result.error.code === 'STALE') this.#since = undefined;
      else if (this.name !== 'user') this.#token = undefined;
      return;
    }
    const { messages, lastMessageId } = result.data as Page;
    for (const { body } of messages) witness.taken(this.name, 0, body ?? '');
    this.#since = lastMessageId;
  }

  /** Undefined when no answer came. */
  async #call(command: string, input: unknown): Promise<CommandResult | undefined> {
    try {
      return await callLeader(this.#machine, this.#process, command, input, this.#token);
    } catch {
      return undefined;
    }
  }
}

export interface Page {
  messages: { id: string; to: string; body?: string }[];
  lastMessageId?: string;
}
