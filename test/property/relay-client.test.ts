import { describe, expect, it } from 'vitest';
import type { Timer } from '../../src/base/clock.ts';
import { RelayError } from '../../src/base/errors.ts';
import { silentLog } from '../../src/base/log.ts';
import type { Attachment } from '../../src/client/attachment.ts';
import type { ClientState } from '../../src/client/contract.ts';
import type { Fate } from '../../src/client/fate.ts';
import { RelayClient } from '../../src/client/relay-client.ts';
import { type DeliverEnvelope, type Envelope, newEnvelope } from '../../src/protocol/envelope.ts';
import { encodeFrame } from '../../src/protocol/frame.ts';
import { Connection } from '../../src/transport/connection.ts';
import type { Link } from '../../src/transport/link.ts';
import { memoryLinks } from '../../src/transport/memory.ts';
import { FakeClock, settle } from '../helpers/fake-clock.ts';
import fc from '../helpers/fast-check.ts';

/** What the scripted daemon does with the HELLO of a connection. */
type Answer =
  | 'welcome'
  | 'welcome-later'
  | 'too-old'
  | 'in-use'
  | 'token-used'
  | 'token-unknown'
  | 'cut'
  | 'silent';

/** Milliseconds to find the relay. */
const ATTACH_MS = 300;

/** A daemon that answers as it is told, and writes down what it is sent. */
class ScriptedDaemon {
  readonly clock: FakeClock;
  answer: Answer = 'welcome';
  connection: Connection | undefined;
  #welcomed = false;
  #sessions = 0;
  session = '';
  /** What WELCOME says of its memory of ids. */
  dedupSince: number | undefined;
  /** It was sent something else than HELLO before its WELCOME. */
  hasty = false;
  /** It was connected to while it served the client already. */
  crowded = false;
  /** SEND ids of the present connection, in the order in which they came. */
  sends: string[] = [];
  /** For now; later SENDs of the stream are refused until it comes again. */
  #refused: { id: string; code: string } | undefined;
  /** SENDs whose end was told. */
  readonly ended = new Set<string>();
  /** Per connection: ACKs by DELIVER id. */
  acks: string[] = [];
  /** It is stopped: it neither says nor hears anything on the connection there is. */
  #hung = false;
  /** Tokens that were refused: they are never good again. */
  readonly #dead = new Set<string>();
  #tokens = 0;

  readonly #pings: Timer;

  constructor(clock: FakeClock) {
    this.clock = clock;
    this.#pings = clock.every(2_000, () => this.ready && this.say('PING', { nonce: 'n' }));
  }

  /** Like a leader under SIGSTOP; whoever connects next finds another. */
  hang(): void {
    this.#hung = true;
  }

  /** It says nothing by itself any more. */
  hush(): void {
    this.#pings.cancel();
  }

  attachment(): Attachment {
    return {
      role: 'client',
      leading: false,
      directory: '/scripted',
      epoch: 1,
      endpoint: 'unix:///scripted/relay.sock',
      call: async () => ({
        success: true,
        data: {
          protocol: 'agent-relay',
          endpoint: 'unix:///scripted/relay.sock',
          credentials: { token: `ah_${'x'.repeat(43)}`, sessionId: this.session },
        },
      }),
      open: async () => this.#open(),
      close: async () => {},
    };
  }

  #open(): Link {
    const [ours, theirs] = memoryLinks();
    const connection = new Connection(theirs);
    const before = this.ready ? this.connection : undefined;
    this.#hung = false;
    // What the client has destroyed just now, we have not heard of yet.
    void settle().then(() => {
      if (before?.open === true) this.crowded = true;
    });
    this.connection = connection;
    this.#welcomed = false;
    this.sends = [];
    this.acks = [];
    this.#refused = undefined;
    connection.start({
      envelope: (envelope) => this.connection === connection && !this.#hung && this.#received(envelope),
      invalid: () => {},
      closed: () => {},
    });
    return ours;
  }

  get ready(): boolean {
    return this.#welcomed && !this.#hung && this.connection?.open === true;
  }

  #received(envelope: Envelope): void {
    if (!this.#welcomed && envelope.type !== 'HELLO') this.hasty = true;
    switch (envelope.type) {
      case 'HELLO':
        return this.#hello(envelope.payload.session?.resume_token);
      case 'SEND':
        if (this.#refused?.id === envelope.id) this.#refused = undefined;
        this.sends.push(envelope.id);
        if (this.#refused !== undefined) this.#refuse(envelope.id, this.#refused.code);
        return;
      case 'ACK':
        return void this.acks.push(envelope.payload.ack_id ?? '');
      case 'BYE':
        this.say('BYE', {});
        return this.connection?.end();
    }
  }

  #hello(token = ''): void {
    if (this.answer.startsWith('token-')) this.#dead.add(token);
    const dead = this.#dead.has(token) && token.startsWith('ar_');
    const answer = dead ? 'token-unknown' : this.answer;
    switch (answer) {
      case 'welcome':
        return this.welcome(this.session === '');
      case 'too-old':
        this.say('ERROR', { code: 'RESUME_TOO_OLD', message: '', fatal: false });
        return this.welcome(true);
      case 'in-use':
      case 'token-used':
      case 'token-unknown': {
        const codes = {
          'in-use': 'NAME_IN_USE',
          'token-used': 'TOKEN_USED',
          'token-unknown': 'TOKEN_UNKNOWN',
        };
        this.say('ERROR', { code: codes[answer], message: '', fatal: true });
        return this.connection?.end();
      }
      case 'cut':
        return this.connection?.destroy();
    }
  }

  welcome(fresh: boolean): void {
    if (this.#welcomed || this.connection?.open !== true) return;
    if (fresh) this.session = `s-${++this.#sessions}`;
    this.say('WELCOME', {
      session_id: this.session,
      resume_token: `ar_${String(++this.#tokens).padStart(43, '0')}`,
      server: {
        max_frame_bytes: 1024 * 1024,
        heartbeat_ms: 5_000,
        ...(this.dedupSince === undefined ? {} : { dedup_since: this.dedupSince }),
      },
    });
    this.#welcomed = true;
  }

  say(type: Parameters<typeof newEnvelope>[0], payload: object): void {
    if (!this.#hung) this.connection?.send(newEnvelope(type, payload as never, this.clock.now()));
  }

  deliver(n: number): void {
    const envelope = {
      ...newEnvelope('DELIVER', { body: `${n}` }, this.clock.now(), { id: `delivery-${n}` }),
      from: 'bob',
      to: 'ann',
      delivery: { seq: n + 1, session_id: this.session },
    };
    this.connection?.sendFrame(encodeFrame(JSON.stringify(envelope)));
  }

  /**
   * Refuses the oldest SEND of this connection for good, or for now: then all after it as well, until it
   * comes again (P15).
   */
  refuse(code: string): void {
    const [id, ...later] = this.sends.filter((each) => !this.ended.has(each));
    if (id === undefined) return;
    this.#refuse(id, code);
    if (code === 'REJECTED') return;
    this.#refused = { id, code };
    for (const each of later) this.#refuse(each, code);
  }

  #refuse(id: string, code: string): void {
    if (code === 'REJECTED') this.ended.add(id);
    // It is told so again on every connection that asks (P15): what passes is not remembered.
    else this.sends = this.sends.filter((each) => each !== id);
    this.say('NACK', { ack_id: id, code, message: '' });
  }

  /** Ends the oldest SEND of this connection. */
  end(): void {
    const id = this.sends.find((each) => !this.ended.has(each));
    if (id === undefined) return;
    this.ended.add(id);
    this.say('ACK', { ack_id: id, stage: 'delivered', to: 'bob' });
  }
}

const answer = fc.oneof(
  // It stays so until the next cut: else there would hardly be a session in which something happens.
  { weight: 4, arbitrary: fc.constant<Answer>('welcome') },
  { weight: 2, arbitrary: fc.constant<Answer>('too-old') },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Answer>(
      'welcome-later',
      'in-use',
      'token-used',
      'token-unknown',
      'cut',
      'silent',
    ),
  },
);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ do: 'send' as const }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('deliver' as const), n: fc.nat(6) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('take' as const), n: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.constant({ do: 'end' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('refuse' as const),
      code: fc.constantFrom('QUEUE_FULL', 'STORE_FULL', 'REJECTED'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const), next: answer }) },
  { weight: 1, arbitrary: fc.constant({ do: 'bye' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'hang' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'welcome' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'suspend' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'resume' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 8_000 }) }),
  },
);

/** @param find what finding the relay comes to, the nth time. */
function start(find: (daemon: ScriptedDaemon, nth: number) => Promise<Attachment> = found) {
  const clock = new FakeClock();
  const daemon = new ScriptedDaemon(clock);
  let searches = 0;
  const handed: { session: string; envelope: DeliverEnvelope }[] = [];
  const fates: Fate[] = [];
  const states: ClientState[] = [];
  const client = new RelayClient(
    {
      attach: () => find(daemon, ++searches),
      identity: { agent: 'ann' },
      capabilities: { ack: true },
      clock,
      log: silentLog,
      random: () => 0.5,
    },
    {
      delivery: (envelope) => handed.push({ session: envelope.delivery.session_id, envelope }),
      fate: (fate) => fates.push(fate),
      stateChanged: (state) => states.push(state),
    },
  );
  client.start();
  return { clock, daemon, client, handed, fates, states };
}

describe('§8, §10: a client whatever its daemon answers', () => {
  it('hands on and acknowledges once, keeps the order of its outbox, and comes back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 50 }), async (steps) => {
        const { clock, daemon, client, handed, fates } = start();
        const sent: string[] = [];
        const taken = new Set<string>();
        const look = async () => {
          await settle();
          // Oldest first on every connection, each once.
          const places = daemon.sends.map((id) => sent.indexOf(id));
          expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
          // Nothing is acknowledged that was not taken.
          for (const id of daemon.acks) expect(taken).toContain(id);
        };
        await look();
        for (const each of steps) {
          switch (each.do) {
            case 'send':
              sent.push(client.send({ to: 'bob', payload: { body: 'hello' } }));
              break;
            case 'deliver':
              if (daemon.ready) daemon.deliver(each.n);
              break;
            case 'take': {
              const next = handed[handed.length - 1 - each.n]?.envelope;
              if (next === undefined || !client.mayType(next)) break;
              // It is ours in this session, not of one before.
              const places = handed.filter(({ envelope }) => envelope.id === next.id);
              expect(places.map(({ session }) => session)).toContain(client.sessionId);
              taken.add(next.id);
              client.ack(next);
              break;
            }
            case 'end':
              if (daemon.ready) daemon.end();
              break;
            case 'refuse':
              if (daemon.ready) daemon.refuse(each.code);
              break;
            case 'cut':
              daemon.answer = each.next;
              daemon.connection?.destroy();
              break;
            case 'bye':
              if (daemon.ready) daemon.say('BYE', { code: 'DEPOSED', epoch: 2 });
              break;
            case 'hang':
              daemon.hang();
              break;
            case 'welcome':
              daemon.welcome(daemon.session === '');
              break;
            case 'suspend':
              await client.suspend();
              break;
            case 'resume':
              client.resume();
              break;
            case 'pass':
              await clock.advanceAsync(each.ms);
              break;
          }
          await look();
        }
        expect(daemon.crowded).toBe(false);
        expect(daemon.hasty).toBe(false);
        const once = handed.map(({ session, envelope }) => `${session} ${envelope.id}`);
        expect(new Set(once).size).toBe(once.length);

        daemon.answer = 'welcome';
        client.resume();
        await clock.advanceAsync(120_000);
        expect(client.state).toBe('ready');
        // What was refused asks again bit by bit.
        for (let round = 0; round < 10 && client.unended > 0; round++) {
          while (daemon.sends.some((id) => !daemon.ended.has(id))) daemon.end();
          await settle();
          // What was ended on a connection that broke is told by the next one, as the daemon does (P15).
          for (const id of daemon.sends) daemon.say('ACK', { ack_id: id, stage: 'delivered', to: 'bob' });
          await settle();
        }
        expect(client.unended).toBe(0);
        expect(fates.map(({ id }) => id).sort()).toEqual([...sent].sort());
        await close(client, clock);
      }),
      { numRuns: 150 },
    );
  });

  it('closes from every state, and leaves no timer behind', async () => {
    await fc.assert(
      fc.asyncProperty(
        answer,
        fc.integer({ min: 0, max: 20_000 }),
        fc.boolean(),
        async (given, ms, suspend) => {
          const { clock, daemon, client, states } = start();
          daemon.answer = given;
          await clock.advanceAsync(ms);
          if (suspend) await client.suspend();
          await close(client, clock);
          daemon.hush();
          expect(clock.timers).toBe(0);
          const { length } = states;
          client.resume();
          client.start();
          await clock.advanceAsync(60_000);
          expect(client.state).toBe('closed');
          expect(states).toHaveLength(length);
          expect(clock.timers).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('connects once when it is suspended and resumed while it looks for the relay', async () => {
    // The first search fails after the second has succeeded, while its session is being opened.
    const { clock, daemon, client } = start(async (daemon, nth) => {
      await later(daemon.clock, nth === 1 ? 2 * ATTACH_MS : ATTACH_MS);
      if (nth === 1) throw new RelayError('DAEMON_UNREACHABLE', 'scripted');
      const attachment = daemon.attachment();
      const call: Attachment['call'] = async (...command) => {
        await later(daemon.clock, 1.1 * ATTACH_MS);
        return attachment.call(...command);
      };
      return { ...attachment, call };
    });
    await client.suspend();
    client.resume();
    await clock.advanceAsync(10 * ATTACH_MS);
    expect(client.state).toBe('ready');
    expect(daemon.crowded).toBe(false);
    await close(client, clock);
  });

  it('P15: does not resend what its daemon may have forgotten, and reports it', async () => {
    const { clock, daemon, client, fates } = start();
    await clock.advanceAsync(ATTACH_MS);
    const old = client.send({ to: 'bob', payload: { body: 'old' } });
    await clock.advanceAsync(1_000);
    const since = clock.now();
    const young = client.send({ to: 'bob', payload: { body: 'young' } });
    await settle();
    daemon.answer = 'silent';
    daemon.connection?.destroy();
    const untried = client.send({ to: 'bob', payload: { body: 'untried' } });
    daemon.answer = 'welcome';
    daemon.dedupSince = since;
    await clock.advanceAsync(60_000);
    expect(daemon.sends).toEqual([young, untried]);
    expect(fates).toEqual([expect.objectContaining({ id: old, to: 'bob', code: 'NOT_CONFIRMED' })]);
    await close(client, clock);
  });

  it('P14: asks a relay that is full again with one SEND, and less and less often', async () => {
    const { clock, daemon, client } = start();
    await clock.advanceAsync(ATTACH_MS);
    const ids = Array.from({ length: 100 }, () => client.send({ to: 'bob', payload: { body: '' } }));
    await settle();
    const tries: number[] = [];
    for (let ms = 0; ms < 30_000; ms += 50) {
      if (daemon.sends.length > 0) tries.push(daemon.sends.length);
      daemon.refuse('QUEUE_FULL');
      await settle();
      await clock.advanceAsync(50);
    }
    expect(tries).toEqual([100, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    const taken = new Set<string>();
    for (let ms = 0; ms < 10_000; ms += 50) {
      for (const id of daemon.sends.filter((each) => !taken.has(each))) {
        taken.add(id);
        daemon.say('ACK', { ack_id: id, stage: 'stored', to: 'bob' });
      }
      await settle();
      await clock.advanceAsync(50);
    }
    expect([...taken]).toEqual(ids);
    await close(client, clock);
  });

  it('P14: follows BUSY for whom it is, and nobody else', async () => {
    const { clock, daemon, client } = start();
    await clock.advanceAsync(ATTACH_MS);
    daemon.say('BUSY', { retry_after_ms: 200, queue_depth: 10_000, to: 'bob' });
    daemon.say('BUSY', { retry_after_ms: 200, queue_depth: 10_000 });
    await settle();
    const bob = client.send({ to: 'bob', payload: { body: '' } });
    const cal = client.send({ to: 'cal', payload: { body: '' } });
    await clock.advanceAsync(199);
    expect(daemon.sends).toEqual([cal]);
    await clock.advanceAsync(1);
    expect(daemon.sends).toEqual([cal, bob]);
    await close(client, clock);
  });

  it('refuses what no relay would take, and goes on', async () => {
    const { clock, daemon, client } = start();
    const refused = (code: string) => expect.objectContaining({ code });
    const body = '';
    expect(() => client.send({ to: 'bob', topic: 't'.repeat(129), payload: { body } })).toThrow(
      refused('BAD_REQUEST'),
    );
    expect(() => client.send({ to: 'bob', payload: { kind: 'k'.repeat(65), body } })).toThrow(
      refused('BAD_REQUEST'),
    );
    expect(() => client.send({ to: 'bob', ttlMs: 0, payload: { body } })).toThrow(refused('BAD_REQUEST'));
    expect(() => client.send({ to: 'bob', payload: { body: '"'.repeat(600_000) } })).toThrow(
      refused('MESSAGE_TOO_LARGE'),
    );
    const id = client.send({ to: 'bob', topic: 'chat', payload: { body } });
    await clock.advanceAsync(ATTACH_MS);
    expect(daemon.sends).toEqual([id]);
    await close(client, clock);
  });

  it('a SEND that its daemon does not understand has ended', async () => {
    const { clock, daemon, client, fates } = start();
    await clock.advanceAsync(ATTACH_MS);
    const id = client.send({ to: 'bob', payload: { body: 'x' } });
    await settle();
    daemon.say('ERROR', { code: 'BAD_REQUEST', message: 'what?', fatal: false, ref_id: id });
    await settle();
    expect(client.unended).toBe(0);
    expect(fates).toEqual([
      expect.objectContaining({ id, to: 'bob', code: 'BAD_REQUEST', message: 'what?' }),
    ]);
    await close(client, clock);
  });

  it('does not come back by itself when another took its session over', async () => {
    const { clock, daemon, client, handed } = start();
    await clock.advanceAsync(ATTACH_MS);
    daemon.deliver(1);
    await settle();
    daemon.say('ERROR', { code: 'SESSION_TAKEN_OVER', message: '', fatal: true });
    daemon.say('BYE', { code: 'SESSION_TAKEN_OVER' });
    daemon.connection?.end();
    await clock.advanceAsync(120_000);
    expect(client.state).toBe('closed');
    expect(handed).toHaveLength(1);
    expect(client.mayType(handed[0]?.envelope as DeliverEnvelope)).toBe(false);
  });
});

const later = (clock: FakeClock, ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));

async function found(daemon: ScriptedDaemon): Promise<Attachment> {
  await later(daemon.clock, ATTACH_MS);
  return daemon.attachment();
}

async function close(client: RelayClient, clock: FakeClock): Promise<void> {
  const closed = client.close();
  await clock.advanceAsync(2_000);
  await closed;
  await client.close();
}
