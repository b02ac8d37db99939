/** A client process of bench/latency.ts: told by its parent what to do, answers with figures. */
import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { RelayClient } from '../src/client/relay-client.ts';
import { attach } from '../src/wrap/attach.ts';

type Order =
  | { do: 'send'; to: string; count: number; gapMs: number; bytes: number }
  | { do: 'expect'; count: number };

const [name = 'peer', mayLead = 'false'] = process.argv.slice(2);
const nowUs = () => Number(process.hrtime.bigint() / 1000n);
let expected = 0;
let latencies: number[] = [];
let firstAt = 0;

const client = new RelayClient(
  {
    attach: () =>
      attach({
        namespace: 'bench',
        env: process.env,
        mayLead: mayLead === 'true',
        clock: systemClock,
        log: silentLog,
      }),
    identity: { agent: name },
    capabilities: { ack: true, resume: true },
    clock: systemClock,
    log: silentLog,
    random: Math.random,
  },
  {
    delivery: (envelope) => {
      const at = nowUs();
      firstAt ||= at;
      latencies.push(at - Number(envelope.payload.body?.slice(0, 20)));
      client.ack(envelope);
      if (latencies.length === expected) process.send?.({ done: 'expect', latencies, us: at - firstAt });
    },
    stateChanged: (state) =>
      state === 'ready' && process.send?.({ ready: true, role: client.attachment?.role }),
  },
);
client.start();

process.on('message', (order: Order) => {
  if (order.do === 'expect') {
    expected = order.count;
    latencies = [];
    firstAt = 0;
    process.send?.({ expecting: true });
  } else void send(order);
});
process.on('disconnect', () => void client.close().then(() => process.exit(0)));

async function send({ to, count, gapMs, bytes }: Extract<Order, { do: 'send' }>): Promise<void> {
  for (let i = 0; i < count; i++) {
    const body = String(nowUs()).padStart(20, '0').padEnd(bytes, 'x');
    client.send({ to, payload: { kind: 'message', body } });
    if (gapMs > 0) await new Promise((resolve) => setTimeout(resolve, gapMs));
    // As a program would: what the outbox cannot take yet is sent when it has room.
    else while (client.unended > 2_000) await new Promise((resolve) => setImmediate(resolve));
  }
}
