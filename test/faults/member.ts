/**
 * One agent of a crew (crew.ts): joins the relay or hosts it, sends to the others without pause, and notes
 * each thing it was told in a file before it goes on, so that kill -9 takes no note away.
 */
import { openSync, writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock.ts';
import { fileLog } from '../../src/base/log.ts';
import { RelayClient } from '../../src/client/relay-client.ts';
import { attach } from '../../src/wrap/attach.ts';
import { waitFor } from '../helpers/wait-for.ts';

interface Order {
  state: string;
  notes: string;
  name: string;
  /** Of this life: told apart from those before it. */
  life: number;
  others: string[];
  everyMs: number;
}

/**
 * Dies by kill -9 at that very moment; as the new leader, `afterMs` after its election (it recovers, nobody was
 * welcomed) or after its own WELCOME (all come back, and what they did not ACK is replayed).
 */
export interface Doom {
  die: 'sending' | 'receiving' | 'recovering' | 'replaying' | 'never';
  afterMs?: number;
}

let doom: Doom = { die: 'never' };

/** Messages that are all it has to say. */
const BURST = Number(process.env.BURST ?? 0);

/** Milliseconds for all it sent to end, when everybody is busy with takeovers. */
const QUIET_MS = 60_000;

let client: RelayClient | undefined;
let sending: NodeJS.Timeout | undefined;

const die = () => process.kill(process.pid, 'SIGKILL');

function start({ state, notes, name, life, others, everyMs }: Order): void {
  const log = fileLog(`${notes}.log`);
  const file = openSync(notes, 'a');
  const note = (line: object) => writeSync(file, `${JSON.stringify(line)}\n`);
  const bodies = new Map<string, string>();
  const counts = new Map<string, number>();
  let leads = false;
  client = new RelayClient(
    {
      async attach() {
        const attachment = await attach({
          namespace: 'default',
          env: { XDG_STATE_HOME: state },
          mayLead: true,
          clock: systemClock,
          log,
        });
        leads = attachment.role === 'leader';
        if (leads && doom.die === 'recovering') void setTimeout(doom.afterMs).then(die);
        return attachment;
      },
      identity: { agent: name },
      capabilities: { ack: true, resume: true },
      clock: systemClock,
      log,
      random: Math.random,
    },
    {
      delivery(envelope) {
        if (doom.die === 'receiving') die();
        note({ got: envelope.payload.body, session: envelope.delivery.session_id });
        client?.ack(envelope);
      },
      fate(fate) {
        const body = bodies.get(fate.id);
        note(fate.outcome === 'failed' ? { failed: body, code: fate.code } : { [fate.outcome]: body });
      },
      stateChanged(state) {
        process.send?.({ state });
        if (state === 'ready' && leads && doom.die === 'replaying') void setTimeout(doom.afterMs).then(die);
      },
    },
  );
  const talk = () => {
    const to = others[Math.floor(Math.random() * others.length)] as string;
    const n = (counts.get(to) ?? 0) + 1;
    counts.set(to, n);
    const body = `${name}.${life}>${to} ${n}`;
    bodies.set(client?.send({ to, payload: { kind: 'message', body } }) as string, body);
    if (doom.die === 'sending') setImmediate(die); // The SEND has left for the socket.
  };
  // At once, before there is a relay, or one after the other without end.
  for (let n = 0; n < BURST; n++) talk();
  client.start();
  if (BURST === 0) sending = setInterval(talk, everyMs);
}

process.on('message', async (order: Order | Doom | 'hush' | 'leave') => {
  if (order === 'hush') {
    clearInterval(sending);
    await waitFor(() => client?.unended === 0, 'the end of all it sent', QUIET_MS);
    process.send?.('quiet');
  } else if (order === 'leave') {
    clearInterval(sending);
    await client?.close();
    process.exit(0);
  } else if ('die' in order) {
    doom = order;
  } else {
    start(order);
  }
});
process.on('disconnect', () => process.exit());
process.send?.('up');
