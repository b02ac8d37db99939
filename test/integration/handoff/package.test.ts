import { spawn } from 'node:child_process';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type * as Package from '../../../src/index.ts';
import { Place } from '../../helpers/place.ts';
import { waitFor } from '../../helpers/wait-for.ts';

// By the name that embedders use: `exports` of package.json leads to the built file.
const {
  attach,
  connectHandoff,
  createReconnectingHandoff,
  getHandoffTTL,
  isHandoff,
  isHandoffExpired,
  parseEndpoint,
  parseResult,
  HandoffResultSchema,
  RelayClient,
  RelayError,
  registerProtocolHandler,
  renderEndpoint,
  silentLog,
  systemClock,
  unwrap,
} = (await import('agent-wrap' as string)) as typeof Package;

let place: Place;
let relay: Package.Attachment;
beforeEach(async () => {
  place = new Place();
  relay = await attach({
    namespace: 'default',
    env: place.env,
    mayLead: true,
    clock: systemClock,
    log: silentLog,
  });
});
afterEach(async () => {
  await relay.close();
  await place.remove();
});

const handoffFor = async (agent: string) =>
  unwrap(parseResult(HandoffResultSchema, await relay.call('relay-connect', { agent })));

/** Connects, and keeps the bodies it is DELIVERed, each acknowledged. */
async function joined(agent: string) {
  const bodies: unknown[] = [];
  const connection = (await connectHandoff(await handoffFor(agent), {
    onMessage: (data) => {
      const envelope = data as Package.Envelope;
      if (envelope.type !== 'DELIVER') return;
      bodies.push(envelope.payload.body);
      connection.ack(envelope);
    },
  })) as Package.RelayConnection;
  return { connection, bodies };
}

/** A socket that leads to the relay's until it is cut. */
async function cuttableWire(endpoint: string): Promise<{ endpoint: string; cut: () => void }> {
  const path = join(place.state, 'wire.sock');
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(parseEndpoint(endpoint));
    for (const socket of [near, far]) socket.on('error', () => {});
    near.pipe(far).pipe(near);
    sockets.push(near, far);
  });
  await new Promise<void>((listening) => server.listen(path, listening));
  const cut = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { endpoint: renderEndpoint(path), cut };
}

describe('the built package', () => {
  it('connects with a handoff, talks, and leaves', async () => {
    const handoff = await handoffFor('probe');
    expect(isHandoff(handoff)).toBe(true);
    expect(isHandoffExpired(handoff)).toBe(false);
    expect(getHandoffTTL(handoff)).toBeGreaterThan(4 * 60_000);
    const [ann, bob] = [await joined('ann'), await joined('bob')];
    ann.connection.send({ to: 'bob', payload: { body: 'hello' } });
    await waitFor(() => bob.bodies.length > 0);
    expect(bob.bodies).toEqual(['hello']);
    expect(() => ann.connection.send({ type: 'NOISE' })).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST' }),
    );
    ann.connection.close();
    ann.connection.close();
    expect(ann.connection.state).toBe('disconnected');
    expect(() => ann.connection.send({})).toThrow(RelayError);
    bob.connection.close();
  });

  it.each([
    ['TOKEN_UNKNOWN', { token: `ah_${'x'.repeat(43)}` }],
    ['TOKEN_FOREIGN', { headers: { 'agent-name': 'eve' } }],
  ])('checklist 17: a bad credential is refused by its code %s', async (code, change) => {
    const handoff = await handoffFor('ann');
    const forged = { ...handoff, credentials: { ...handoff.credentials, ...change } };
    await expect(connectHandoff(forged)).rejects.toMatchObject({ code });
  });

  it('checklist 20: a reconnecting handoff comes back to its session with a new token', async () => {
    const handoff = await handoffFor('ann');
    const wire = await cuttableWire(handoff.endpoint);
    const bodies: unknown[] = [];
    const states: string[] = [];
    const calls: unknown[] = [];
    const client: Package.CommandClient = {
      call: (name, args) => {
        calls.push({ name, args });
        return relay.call(name, args);
      },
    };
    const ann = await createReconnectingHandoff(
      client,
      { ...handoff, endpoint: wire.endpoint },
      {
        reconnectCommand: 'relay-reconnect',
        onStateChange: (state) => states.push(state),
        onMessage: (data) => {
          const envelope = data as Package.Envelope;
          if (envelope.type === 'DELIVER') bodies.push(envelope.payload.body);
        },
      },
    );
    wire.cut();
    await waitFor(() => states.at(-1) === 'connected' && states.includes('reconnecting'));
    expect(calls).toEqual([{ name: 'relay-reconnect', args: { sessionId: handoff.credentials?.sessionId } }]);
    await relay.call('relay-send', { to: 'ann', body: 'welcome back' });
    await waitFor(() => bodies.length > 0);
    expect(bodies).toEqual(['welcome back']);
    await ann.close();
  });

  it('checklist 24: it does not come back once another took its session over', async () => {
    const failures: string[] = [];
    const handoff = await handoffFor('bob');
    const bob = await createReconnectingHandoff({ call: (name, args) => relay.call(name, args) }, handoff, {
      reconnectCommand: 'relay-reconnect',
      onReconnectFailed: ({ code }) => failures.push(code),
    });
    const { sessionId } = handoff.credentials ?? {};
    const again = await relay.call('relay-reconnect', { sessionId });
    const thief = await connectHandoff(unwrap(parseResult(HandoffResultSchema, again)));
    await waitFor(() => failures.length > 0);
    expect([failures, bob.state]).toEqual([['SESSION_TAKEN_OVER'], 'failed']);
    await thief.close();
  });

  it('a handler for another protocol can be registered', async () => {
    registerProtocolHandler('carrier-pigeon', async ({ protocol, endpoint }) => ({
      protocol,
      endpoint,
      state: 'connected',
      send: () => {},
      close: () => {},
    }));
    const pigeon = { protocol: 'carrier-pigeon', endpoint: 'pigeon://roof/1' };
    expect((await connectHandoff(pigeon)).state).toBe('connected');
    await expect(connectHandoff({ ...pigeon, protocol: 'smoke' })).rejects.toMatchObject({
      code: 'PROTOCOL_UNKNOWN',
    });
  });

  it('RelayClient keeps a session and sends', async () => {
    const fates: Package.Fate[] = [];
    const bob = await joined('bob');
    const client = new RelayClient(
      {
        attach: () => place.attach({ mayLead: false }),
        identity: { agent: 'ann' },
        capabilities: { ack: true },
        clock: systemClock,
        log: silentLog,
        random: Math.random,
      },
      { delivery: (envelope) => client.ack(envelope), fate: (fate) => fates.push(fate) },
    );
    client.start();
    client.send({ to: 'bob', payload: { kind: 'message', body: 'from a client' } });
    await waitFor(() => fates.length > 0);
    expect(bob.bodies).toEqual(['from a client']);
    await client.close();
    bob.connection.close();
  });

  it('keeps nothing alive and prints nothing when it is only imported', async () => {
    const child = spawn(process.execPath, ['-e', "import('agent-wrap')"], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (said += bytes));
    const code = await new Promise((done) => child.on('close', done));
    expect([code, said]).toEqual([0, '']);
  });
});
