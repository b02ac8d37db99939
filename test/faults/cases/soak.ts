/** Messages without end: what is over is forgotten, in memory and on the disk. docs/store.md, architecture.md "Rules". */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { RelayClient } from '../../../src/client/relay-client.ts';
import { attach } from '../../../src/wrap/attach.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { DaemonProcess, withState } from '../daemon-process.ts';
import type { Fault } from '../fault.ts';

const PROBE = fileURLToPath(new URL('../memory-probe.mjs', import.meta.url));
/** SENDs under way at once. */
const WINDOW = 1_000;
const FILLING = 'x'.repeat(150);
/** Fewer messages say nothing of memory: it is still being filled with what is kept on purpose. */
const TELLING = 400_000;
/** How much the last quarter may exceed the second. */
const GROWTH = 1.2;
/** Bytes of the store: its retention. */
const MAX_STORE_BYTES = 256e6;

interface Sample {
  rss: number;
  heapUsed: number;
  external: number;
}

const MB = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;

export const fault: Fault = {
  name: 'soak',
  criterion:
    'millions of messages through one daemon: each arrives exactly once and in order, memory (RSS, heap) of the last quarter ' +
    'is at most 1.2 × that of the second, and the store stays within 256 MB',
  run: ({ amount, say }) =>
    withState(async (state) => {
      const count = amount('messages', { quick: 5_000, usual: 400_000, full: 2_000_000 });
      const file = join(state, 'memory');
      const daemon = await DaemonProcess.start(state, {
        NODE_OPTIONS: `--import=${PROBE}`,
        PROBE_FILE: file,
      });
      const wrong: string[] = [];
      const figures = { stored: 0, twice: 0, disordered: 0 };
      let received = 0;
      const bob = await joined(state, 'bob', (body) => {
        const n = Number.parseInt(body, 10);
        if (n < received) figures.twice++;
        else if (n > received) figures.disordered++;
        received = n + 1;
      });
      const ann = await joined(state, 'ann', () => {}, {
        stored: () => figures.stored++,
        failed: (code) => wrong.push(`failed: ${code}`),
      });
      const began = performance.now();
      let largest = 0;
      let sent = 0;
      let said = 0;
      const look = setInterval(() => {
        largest = Math.max(largest, storeBytes(daemon.store));
        const { rss = 0, heapUsed = 0 } = samples(file).at(-1) ?? {};
        if (sent - said < count / 20) return;
        said = sent;
        say(`${sent} messages: RSS ${MB(rss)}, heap ${MB(heapUsed)}, store ${MB(largest)} at most`);
      }, 1_000);
      while (sent < count && daemon.alive) {
        while (sent < count && ann.unended < WINDOW) {
          ann.send({ to: 'bob', payload: { kind: 'message', body: `${sent++} ${FILLING}` } });
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      await waitFor(() => ann.unended === 0, 'the end of each message', 60_000).catch(({ message }) =>
        wrong.push(message),
      );
      clearInterval(look);
      const seconds = (performance.now() - began) / 1_000;
      const memory = samples(file);
      await ann.close();
      await bob.close();
      const quarter = (n: number) =>
        memory.slice(Math.floor((memory.length * n) / 4), Math.floor((memory.length * (n + 1)) / 4));
      const notes: string[] = [];
      for (const what of ['rss', 'heapUsed'] as const) {
        const [second, last] = [1, 3].map((n) => Math.max(...quarter(n).map((sample) => sample[what])));
        if (second === undefined || last === undefined || count < TELLING) continue;
        notes.push(`${what} ${MB(second)} → ${MB(last)}`);
        if (last > GROWTH * second) wrong.push(`${what} grew from ${MB(second)} to ${MB(last)}`);
      }
      if (largest > MAX_STORE_BYTES) wrong.push(`the store had ${MB(largest)}`);
      if (!daemon.alive) wrong.push(`the daemon ended: ${daemon.said}`);
      notes.push(`store ${MB(largest)} at most`, `${Math.round(count / seconds)} messages/s`);
      return { ...figures, runs: 1, lost: count - received, wrong, note: notes.join('; ') };
    }),
};

async function joined(
  state: string,
  name: string,
  got: (body: string) => void,
  told: { stored?: () => void; failed?: (code: string) => void } = {},
): Promise<RelayClient> {
  const client: RelayClient = new RelayClient(
    {
      attach: () =>
        attach({
          namespace: 'default',
          env: { XDG_STATE_HOME: state },
          mayLead: false,
          clock: systemClock,
          log: silentLog,
        }),
      identity: { agent: name },
      capabilities: { ack: true, resume: true, max_inflight: WINDOW },
      clock: systemClock,
      log: silentLog,
      random: Math.random,
    },
    {
      delivery: (envelope) => {
        got(envelope.payload.body ?? '');
        client.ack(envelope);
      },
      fate: (fate) => {
        if (fate.outcome === 'stored') told.stored?.();
        if (fate.outcome === 'failed') told.failed?.(fate.code);
      },
    },
  );
  client.start();
  await waitFor(() => client.state === 'ready', `${name} to be ready`, 60_000);
  return client;
}

function samples(file: string): Sample[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Sample);
}

function storeBytes(directory: string): number {
  let bytes = 0;
  for (const name of readdirSync(directory)) {
    bytes += statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}
