import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { RelayClient } from '../../../src/client/relay-client.ts';
import { type DeliverEnvelope, newEnvelope } from '../../../src/protocol/envelope.ts';
import { Connection } from '../../../src/transport/connection.ts';
import { socketLink } from '../../../src/transport/socket.ts';
import { connectUnix } from '../../../src/transport/unix.ts';
import { Place } from '../../helpers/place.ts';
import { waitFor } from '../../helpers/wait-for.ts';

/** Unended messages of a pair at which SENDs are refused. */
const HARD_MARK = 100;
const MESSAGES = 400;

let place: Place;
const agents: Agent[] = [];

beforeEach(async () => {
  place = new Place();
  const leader = await place.attach({ settings: { pairHardMark: HARD_MARK, pairSoftMark: HARD_MARK / 2 } });
  await leader.call('relay-status', {});
});
afterEach(async () => {
  for (const { client } of agents.splice(0)) await client.close();
  await place.remove();
});

const numbers = (count: number) => Array.from({ length: count }, (_, n) => `${n}`);

/** An agent whose person may keep it from taking messages, as a dialog on its screen does. */
class Agent {
  readonly client: RelayClient;
  /** Bodies by sender, in order. */
  readonly got = new Map<string, string[]>();
  #waiting: DeliverEnvelope[] = [];
  #dialog: boolean;
  failed = 0;

  private constructor(name: string, dialog: boolean) {
    this.#dialog = dialog;
    this.client = new RelayClient(
      {
        attach: () => place.attach({ mayLead: false }),
        identity: { agent: name },
        capabilities: { ack: true, resume: true, max_inflight: 16 },
        clock: systemClock,
        log: silentLog,
        random: Math.random,
      },
      {
        delivery: (envelope) => {
          const { from = '', payload } = envelope;
          this.got.set(from, [...(this.got.get(from) ?? []), payload.body ?? '']);
          if (this.#dialog) this.#waiting.push(envelope);
          else this.client.ack(envelope);
        },
        fate: ({ outcome }) => {
          if (outcome === 'failed') this.failed++;
        },
      },
    );
    this.client.start();
  }

  static async join(name: string, { dialog = false } = {}): Promise<Agent> {
    const agent = new Agent(name, dialog);
    agents.push(agent);
    await waitFor(() => agent.client.state === 'ready', `${name} to be ready`);
    return agent;
  }

  say(to: string, body: string): void {
    this.client.send({ to, payload: { kind: 'message', body } });
  }

  /** The person has answered the dialog. */
  answer(): void {
    this.#dialog = false;
    for (const envelope of this.#waiting.splice(0)) this.client.ack(envelope);
  }

  from(name: string): string[] {
    return this.got.get(name) ?? [];
  }
}

describe('P14 backpressure, over real sockets', () => {
  it('a recipient in a dialog does not stop its sender towards others, and misses nothing', async () => {
    const ann = await Agent.join('ann');
    const bob = await Agent.join('bob', { dialog: true });
    const cal = await Agent.join('cal');
    for (const n of numbers(MESSAGES)) {
      ann.say('bob', n);
      ann.say('cal', n);
    }
    await waitFor(() => cal.from('ann').length === MESSAGES, 'all that was for the other');
    expect(cal.from('ann')).toEqual(numbers(MESSAGES));
    expect(bob.from('ann').length).toBeLessThanOrEqual(16);
    // What found no room waits with its sender.
    expect(ann.client.unended).toBeGreaterThanOrEqual(MESSAGES - 16);
    bob.answer();
    await waitFor(() => ann.client.unended === 0, 'all that was for the one in the dialog', 30_000);
    expect(bob.from('ann')).toEqual(numbers(MESSAGES));
    expect(ann.failed).toBe(0);
  });

  it('two agents that send to each other while both are full go on as soon as one takes messages', async () => {
    const ann = await Agent.join('ann', { dialog: true });
    const bob = await Agent.join('bob', { dialog: true });
    for (const n of numbers(MESSAGES)) {
      ann.say('bob', n);
      bob.say('ann', n);
    }
    await waitFor(() => ann.from('bob').length === 16 && bob.from('ann').length === 16, 'both to be full');
    ann.answer();
    await waitFor(() => bob.client.unended === 0, 'all that was for the first', 30_000);
    bob.answer();
    await waitFor(() => ann.client.unended === 0, 'all that was for the second', 30_000);
    expect([ann.from('bob'), bob.from('ann')]).toEqual([numbers(MESSAGES), numbers(MESSAGES)]);
    expect([ann.failed, bob.failed]).toEqual([0, 0]);
  });

  it('two clients that write to each other and do not read are both taken in, and read it all later', async () => {
    const [ann, bob] = [await Writer.join('ann'), await Writer.join('bob')];
    ann.connection.pause();
    bob.connection.pause();
    // More than the kernel keeps for a socket, in either direction.
    for (const n of numbers(HARD_MARK)) {
      ann.say('bob', n, 10_000);
      bob.say('ann', n, 10_000);
    }
    const looker = await place.attach({ mayLead: false });
    await waitFor(async () => {
      const { data } = (await looker.call('relay-status', {})) as {
        data: { metrics: { waiting: number } };
      };
      return data.metrics.waiting === 2 * HARD_MARK;
    }, 'the daemon to have it all');
    ann.connection.resume();
    bob.connection.resume();
    await waitFor(() => ann.got.length === HARD_MARK && bob.got.length === HARD_MARK, 'all of it');
    expect([ann.got, bob.got]).toEqual([numbers(HARD_MARK), numbers(HARD_MARK)]);
    for (const { connection } of [ann, bob]) connection.destroy();
  });
});

/** A client that knows the spec only. */
class Writer {
  readonly connection: Connection;
  readonly got: string[] = [];
  #welcome = false;

  private constructor(connection: Connection, name: string) {
    this.connection = connection;
    connection.start({
      envelope: (envelope) => {
        if (envelope.type === 'WELCOME') this.#welcome = true;
        if (envelope.type === 'PING') connection.send(newEnvelope('PONG', envelope.payload, Date.now()));
        if (envelope.type !== 'DELIVER') return;
        this.got.push((envelope.payload.body ?? '').trim());
        connection.send(newEnvelope('ACK', { ack_id: envelope.id }, Date.now()));
      },
      invalid: () => {},
      closed: () => {},
    });
    connection.send(newEnvelope('HELLO', { agent: name, capabilities: { ack: true } }, Date.now()));
  }

  static async join(name: string): Promise<Writer> {
    const path = `${place.directory}/relay.sock`;
    const writer = new Writer(new Connection(socketLink(await connectUnix(path))), name);
    await waitFor(() => writer.#welcome, 'WELCOME');
    return writer;
  }

  say(to: string, body: string, bytes: number): void {
    const payload = { kind: 'message' as const, body: body.padEnd(bytes) };
    this.connection.send(newEnvelope('SEND', payload, Date.now(), { to }));
  }
}
