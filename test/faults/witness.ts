/**
 * A spec client beside a crew: it talks to the person all the while, joins whoever leads, and sends nothing
 * again. What the store loses of its messages is lost, whatever a crew's outboxes bring back. P12, P20.
 */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { callRpc } from '../../src/client/rpc.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { relayDirectory } from './daemon-process.ts';
import type { Figures } from './fault.ts';
import { PersonInbox } from './person-inbox.ts';
import { judge, numberOf, Sender, Tally } from './sender.ts';

/** Milliseconds between two messages, and how many may be under way: nearly always there is one. */
const EVERY_MS = 5;
const IN_FLIGHT = 4;

/** Milliseconds for it to find whoever leads next: many processes, few cores. */
const PATIENCE_MS = 60_000;

export class Witness {
  readonly #state: string;
  /** Its connections, one after the other. */
  readonly #senders: Sender[] = [];
  readonly #inbox: PersonInbox;
  readonly #read: string[] = [];
  #talking = true;
  readonly #over: Promise<void>;

  private constructor(state: string) {
    this.#state = state;
    const socket = join(relayDirectory(state), 'relay.sock');
    this.#inbox = new PersonInbox((command, input) => callRpc(socket, command, input));
    this.#over = this.#talk();
  }

  /** Joined and talking in the state directory of a crew. */
  static async start(state: string): Promise<Witness> {
    const witness = new Witness(state);
    await witness.talked();
    return witness;
  }

  /** Messages it was told are stored. */
  get stored(): number {
    return this.#senders.reduce((sum, { stored }) => sum + stored.length, 0);
  }

  /** Waits until more than now has been stored. */
  async talked(): Promise<void> {
    const before = this.stored;
    await waitFor(() => this.stored > before + 5, 'the witness to talk', PATIENCE_MS);
  }

  /** Reads what has come for the person so far, in a quiet moment: an answer that is lost is no message lost. */
  async read(): Promise<void> {
    this.#read.push(...(await this.#inbox.read()));
  }

  /** It talks no more; what it was promised is compared with what the person has. */
  async judge(): Promise<Pick<Figures, 'stored' | 'lost' | 'twice' | 'disordered' | 'wrong'>> {
    this.#talking = false;
    await this.#over;
    const last = this.#senders.at(-1);
    await waitFor(() => last?.open === 0 || last?.closed, 'an answer to each SEND of the witness');
    await this.read();
    const tally = new Tally();
    const bodies = new Map(this.#senders.map((sender) => [sender, [] as string[]]));
    for (const body of this.#read) {
      const n = numberOf(body);
      const sender = this.#senders.find(({ first, next }) => n !== undefined && first <= n && n < next);
      if (sender === undefined) tally.wrong.push(`not from the witness: ${body.slice(0, 60)}`);
      else bodies.get(sender)?.push(body);
    }
    for (const [sender, its] of bodies) {
      tally.add(`witness from ${sender.first} on`, judge(its, sender.stored, sender.refused));
    }
    return { ...tally, stored: this.stored };
  }

  async close(): Promise<void> {
    this.#talking = false;
    await this.#over;
    this.#senders.at(-1)?.close();
  }

  async #talk(): Promise<void> {
    for (let first = 1; this.#talking; first = this.#senders.at(-1)?.next ?? 1) {
      const sender = await Sender.join(this.#state, first).catch(() => undefined);
      if (sender === undefined) await setTimeout(EVERY_MS);
      else this.#senders.push(sender);
      while (this.#talking && sender?.closed === false) {
        if (sender.open < IN_FLIGHT) sender.send();
        await setTimeout(EVERY_MS);
      }
    }
  }
}
