/**
 * Agents in this process that talk to each other through a daemon elsewhere, while harm is done to it or
 * beside them; and the judgement: all that was called stored has arrived, once in a session and in order.
 */
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { RelayClient } from '../../src/client/relay-client.ts';
import type { Link } from '../../src/transport/link.ts';
import { attach } from '../../src/wrap/attach.ts';
import { waitFor } from '../helpers/wait-for.ts';
import type { Figures } from './fault.ts';

/** Milliseconds for everybody to be back and everything to arrive: few cores. */
const PATIENCE_MS = 120_000;

interface Told {
  body: string;
  stored: boolean;
  ended: boolean;
}

export class Talker {
  readonly name: string;
  readonly client: RelayClient;
  /** Our messages by id, and what we were told of them. */
  readonly sent = new Map<string, Told>();
  /** What we were given: session and body, in order. */
  readonly got: { session: string; body: string }[] = [];
  /** Its connection is there, and was made after the last cut. */
  ready = false;
  readonly #counts = new Map<string, number>();
  #link: Link | undefined;

  constructor(state: string, name: string) {
    this.name = name;
    this.client = new RelayClient(
      {
        attach: async () => {
          const found = await attach({
            namespace: 'default',
            env: { XDG_STATE_HOME: state },
            mayLead: false,
            clock: systemClock,
            log: silentLog,
          });
          // Not a copy: `leading` and `call` are what they were.
          return Object.create(found, { open: { value: async () => this.#keep(await found.open()) } });
        },
        identity: { agent: name },
        capabilities: { ack: true, resume: true },
        clock: systemClock,
        log: silentLog,
        random: Math.random,
      },
      {
        delivery: (envelope) => {
          this.got.push({ session: envelope.delivery.session_id, body: envelope.payload.body ?? '' });
          this.client.ack(envelope);
        },
        fate: ({ id, outcome }) => {
          const told = this.sent.get(id) as Told;
          if (outcome === 'stored' || outcome === 'delivered') told.stored = true;
          if (outcome === 'delivered' || outcome === 'failed') told.ended = true;
        },
        stateChanged: (state) => {
          this.ready = state === 'ready';
        },
      },
    );
    this.client.start();
  }

  send(to: string): void {
    const n = (this.#counts.get(to) ?? 0) + 1;
    this.#counts.set(to, n);
    const body = `${this.name}>${to} ${n}`;
    const id = this.client.send({ to, payload: { kind: 'message', body } });
    this.sent.set(id, { body, stored: false, ended: false });
  }

  /** Cuts the connection under the client. */
  cut(): void {
    this.ready = false;
    this.#link?.destroy();
  }

  #keep(link: Link): Link {
    this.#link = link;
    return link;
  }
}

export class Talkers {
  readonly all: readonly Talker[];
  #timer: NodeJS.Timeout | undefined;

  private constructor(all: readonly Talker[]) {
    this.all = all;
  }

  /** All joined. Agents are called `<prefix>-<n>`. */
  static async join(state: string, count: number, prefix = 'talker'): Promise<Talkers> {
    const talkers = new Talkers(Array.from({ length: count }, (_, n) => new Talker(state, `${prefix}-${n}`)));
    await talkers.ready();
    return talkers;
  }

  /** Waits until all are READY. */
  async ready(): Promise<void> {
    await waitFor(() => this.all.every(({ ready }) => ready), 'all to be ready', PATIENCE_MS);
  }

  /** Waits until all have noticed that their connections are gone. */
  async lost(): Promise<void> {
    await waitFor(() => this.all.every(({ ready }) => !ready), 'all to be lost', PATIENCE_MS);
  }

  /** Everybody sends to the next one, again and again. */
  talk(everyMs = 10): void {
    this.#timer = setInterval(() => {
      for (const [n, talker] of this.all.entries()) {
        talker.send((this.all[(n + 1) % this.all.length] as Talker).name);
      }
    }, everyMs);
  }

  /** Waits until each has been given so many more than now. */
  async traffic(more = 3): Promise<void> {
    const before = this.all.map(({ got }) => got.length);
    await waitFor(
      () => this.all.every(({ got }, n) => got.length >= (before[n] as number) + more),
      'traffic',
      PATIENCE_MS,
    );
  }

  /** Nobody sends any more, all has arrived; what is wrong, in figures and lines. */
  async judge(): Promise<Pick<Figures, 'stored' | 'lost' | 'twice' | 'disordered' | 'wrong'>> {
    clearInterval(this.#timer);
    const open = () =>
      this.all.flatMap(({ sent }) =>
        [...sent.values()].filter(({ ended }) => !ended).map(({ body }) => body),
      );
    await waitFor(() => open().length === 0, 'the end of each message', PATIENCE_MS).catch(() => {});
    const wrong = open().map((body) => `without an end: ${body}`);
    const arrived = new Set<string>();
    const figures = { stored: 0, lost: 0, twice: 0, disordered: 0 };
    for (const { got } of this.all) {
      const last = new Map<string, number>();
      const seen = new Set<string>();
      for (const { session, body } of got) {
        arrived.add(body);
        const [stream, n] = body.split(' ') as [string, string];
        const key = `${session} ${stream}`;
        if (seen.has(`${key} ${n}`)) figures.twice++;
        else if (Number(n) < (last.get(key) ?? 0)) figures.disordered++;
        if (Number(n) <= (last.get(key) ?? 0)) wrong.push(`${body} after ${last.get(key)} in ${session}`);
        seen.add(`${key} ${n}`);
        last.set(key, Number(n));
      }
    }
    for (const { body, stored } of this.all.flatMap(({ sent }) => [...sent.values()])) {
      if (!stored) continue;
      figures.stored++;
      if (arrived.has(body)) continue;
      figures.lost++;
      wrong.push(`lost: ${body}`);
    }
    return { ...figures, wrong };
  }

  async leave(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.all.map(({ client }) => client.close()));
  }
}
