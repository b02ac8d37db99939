/** Time from attach() to a served command, with an empty store and with one of N waiting messages. `npx tsx bench/recovery.ts [messages]`. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { encodeRecord } from '../src/daemon/record.ts';
import { openSegmentLog } from '../src/daemon/store/open.ts';
import { utf8 } from '../src/protocol/utf8.ts';
import { attach } from '../src/wrap/attach.ts';
import { median } from './table.ts';

const [messages = 100_000] = process.argv.slice(2).map(Number);
const state = mkdtempSync(join(tmpdir(), 'agent-wrap-bench-'));
const options = { env: { XDG_STATE_HOME: state }, mayLead: true, clock: systemClock, log: silentLog };

async function start(): Promise<{ ms: number; directory: string }> {
  const began = performance.now();
  const attachment = await attach({ namespace: 'default', ...options });
  await attachment.call('relay-status', {});
  const ms = performance.now() - began;
  await attachment.close();
  return { ms, directory: attachment.directory };
}

async function measured(what: string): Promise<void> {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) times.push((await start()).ms);
  console.log(`${what}: ready after ${median(times).toFixed(1)} ms`);
}

const { directory } = await start();
await measured('empty store');
const place = { directory, epoch: 100, fence: { check: () => {} }, durability: 'process' as const };
const store = openSegmentLog({ ...place, clock: systemClock, log: silentLog });
for await (const _ of store.recover());
const raw = { payload: utf8(JSON.stringify({ kind: 'message', body: 'x'.repeat(200) })) };
const at = Date.now();
await new Promise<void>((resolve) => {
  for (let n = 1; n <= messages; n++) {
    const recipients = [{ name: 'bob', seq: 100 * 2 ** 32 + n, until: at + 1e9 }];
    const id = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
    const head = { key: `ann\0${id}`, id, from: 'ann', session: 's', to: 'bob', at, acks: true };
    store.append(encodeRecord({ t: 'message', ...head, recipients, raw }), () => n === messages && resolve());
  }
});
await store.close();
await measured(`${messages} waiting messages`);
rmSync(state, { recursive: true });
