/**
 * A connection that sends numbered messages, to the person mostly, and keeps what it was told of each. It knows the
 * spec only and sends nothing again: what the store loses, no outbox brings back.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { newEnvelope } from '../../src/protocol/envelope.ts';
import { Connection } from '../../src/transport/connection.ts';
import { socketLink } from '../../src/transport/socket.ts';
import { connectUnix } from '../../src/transport/unix.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { relayDirectory } from './daemon-process.ts';
import type { Figures } from './fault.ts';

/** Text that tells by itself whether it is whole: its number, filling, and a hash of both. */
const bodyOf = (n: number, bytes: number): string => sealed(`${n} ${'x'.repeat(bytes)}`);

const sealed = (text: string): string =>
  `${text} ${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;

/** The number of a body that is as it was sent. */
export function numberOf(body: string): number | undefined {
  const text = body.slice(0, Math.max(0, body.lastIndexOf(' ')));
  return sealed(text) === body ? Number.parseInt(text, 10) : undefined;
}

/** The number of the first whole body that stands somewhere in `text`. */
export function numberIn(text: string): number | undefined {
  const body = /\d+ x* [0-9a-f]{16}/.exec(text)?.[0];
  return body === undefined ? undefined : numberOf(body);
}

export class Sender {
  /** Numbers of the messages that were called stored, in that order. */
  readonly stored: number[] = [];
  /** Codes with which messages were refused, by number. */
  readonly refused = new Map<number, string>();
  /** Codes of ERROR and BYE, in order. */
  readonly told: string[] = [];
  closed = false;
  /** Called at each `stored`. */
  onStored: (n: number) => void = () => {};
  readonly #numbers = new Map<string, number>();
  readonly #connection: Connection;
  #welcome = false;
  /** The number of its first message. */
  readonly first: number;
  readonly #to: string;
  #sent = 0;

  private constructor(connection: Connection, first: number, to: string) {
    this.#connection = connection;
    this.first = first;
    this.#to = to;
    connection.start({
      envelope: (envelope) => {
        if (envelope.type === 'WELCOME') this.#welcome = true;
        if (envelope.type === 'PING') connection.send(newEnvelope('PONG', envelope.payload, Date.now()));
        if (envelope.type === 'ERROR') this.told.push(envelope.payload.code);
        if (envelope.type === 'BYE') this.told.push(envelope.payload.code ?? 'BYE');
        if (envelope.type !== 'ACK' && envelope.type !== 'NACK') return;
        const n = this.#numbers.get(envelope.payload.ack_id ?? '');
        if (n === undefined) return;
        if (envelope.type === 'NACK') this.refused.set(n, envelope.payload.code);
        else if (envelope.payload.stage === 'stored') {
          this.stored.push(n);
          this.onStored(n);
        }
      },
      invalid: ({ code }) => void this.told.push(code),
      closed: () => {
        this.closed = true;
      },
    });
    connection.send(newEnvelope('HELLO', { agent: 'sender', capabilities: { ack: true } }, Date.now()));
  }

  /** Connected and welcomed; its messages go to `to` and are numbered from `first` on. Throws when it is turned away. */
  static async join(state: string, first = 1, to = 'user'): Promise<Sender> {
    const path = join(relayDirectory(state), 'relay.sock');
    const sender = new Sender(new Connection(socketLink(await connectUnix(path))), first, to);
    await waitFor(() => sender.#welcome || sender.closed, 'a WELCOME for the sender', 60_000);
    if (!sender.#welcome) throw new Error(`the sender was turned away: ${sender.told}`);
    return sender;
  }

  /** The number of the next message. */
  get next(): number {
    return this.first + this.#sent;
  }

  /** Messages neither stored nor refused yet. */
  get open(): number {
    return this.#sent - this.stored.length - this.refused.size;
  }

  /** Sends the next message, with so many bytes of filling; returns its number. */
  send(bytes = 100): number {
    const n = this.first + this.#sent++;
    const body = bodyOf(n, bytes);
    const meta = { requires_ack: true };
    const envelope = newEnvelope('SEND', { kind: 'message', body }, Date.now(), {
      to: this.#to,
      payload_meta: meta,
    });
    this.#numbers.set(envelope.id, n);
    this.#connection.send(envelope);
    return n;
  }

  /** Sends so many and waits until each was stored or refused. */
  async sendAll(count: number, bytes?: number): Promise<void> {
    for (let n = 0; n < count; n++) this.send(bytes);
    await waitFor(() => this.open === 0 || this.closed, 'an answer to each SEND', 60_000);
    if (this.closed) throw new Error(`the daemon ended the connection: ${this.told}`);
  }

  /** Cuts the connection. */
  close(): void {
    this.#connection.destroy();
  }
}

export type Judged = Pick<Figures, 'lost' | 'twice' | 'disordered' | 'wrong'>;

/** Judges what was read of the person's inbox: all that was `stored` is there, once, in order, whole; nothing `refused`. */
export function judge(
  inbox: readonly string[],
  stored: readonly number[],
  refused: ReadonlyMap<number, string> = new Map(),
): Judged {
  const wrong: string[] = [];
  const seen = new Set<number>();
  const figures = { lost: 0, twice: 0, disordered: 0 };
  let last = 0;
  for (const body of inbox) {
    const n = numberOf(body);
    if (n === undefined) {
      wrong.push(`not as it was sent: ${body.slice(0, 60)}`);
      continue;
    }
    if (seen.has(n)) figures.twice++;
    else if (n < last) figures.disordered++;
    if (n <= last) wrong.push(`message ${n} after ${last}`);
    if (refused.has(n)) wrong.push(`message ${n} was refused with ${refused.get(n)}, and is there`);
    seen.add(n);
    last = n;
  }
  const lost = stored.filter((n) => !seen.has(n));
  wrong.push(...lost.map((n) => `lost: ${n}`));
  return { ...figures, lost: lost.length, wrong };
}

/** The sum of several judgements; each breach says of which run it is. */
export class Tally implements Judged {
  runs = 0;
  stored = 0;
  lost = 0;
  twice = 0;
  disordered = 0;
  readonly wrong: string[] = [];

  add(what: string, { stored = 0, lost, twice, disordered, wrong }: Judged & { stored?: number }): void {
    this.runs++;
    this.stored += stored;
    this.lost += lost;
    this.twice += twice;
    this.disordered += disordered;
    this.wrong.push(...wrong.map((line) => `${what}: ${line}`));
  }

  get figures(): Partial<Figures> {
    const { runs, stored, lost, twice, disordered, wrong } = this;
    return { runs, stored, lost, twice, disordered, wrong };
  }
}
