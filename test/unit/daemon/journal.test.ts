import { expect, it } from 'vitest';
import { RelayError } from '../../../src/base/errors.ts';
import { Journal } from '../../../src/daemon/journal.ts';
import type { RelayState } from '../../../src/daemon/state.ts';
import { MemoryStore } from '../../../src/daemon/store/memory-store.ts';
import type { Store } from '../../../src/daemon/store/store.ts';
import { settle } from '../../helpers/fake-clock.ts';
import { TestRelay } from '../../helpers/relay.ts';

/** A store that gives each append the next of these answers; the last one for ever. */
function journalOn(...answers: (RelayError | undefined)[]) {
  const failures: string[] = [];
  const stored: string[] = [];
  const store = {
    append: (record: Buffer, done: (error?: RelayError) => void) => {
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer === undefined) stored.push(JSON.parse(record.toString()).t);
      done(answer);
    },
  } as unknown as Store;
  const state = { apply() {} } as unknown as RelayState;
  const journal = new Journal(store, state, { check() {} }, ({ code }) => failures.push(code));
  return { journal, failures, stored };
}

const release = { t: 'release', from: 'ann', to: 'bob' } as const;

it('what found no room is tried again, and promised when there is some', async () => {
  const { journal, failures } = journalOn(new RelayError('STORE_FULL', 'full'), undefined);
  const promise = journal.committed(release);
  journal.retry();
  await promise;
  expect(failures).toEqual([]);
});

it('what comes while something waits for room stands behind it in the log', async () => {
  const { journal, stored } = journalOn(new RelayError('STORE_FULL', 'full'), undefined);
  const ended = journal.committed({ t: 'ended', seqs: [1], how: 'dead', at: 1 });
  const dropped = journal.committed({ t: 'dropped', seq: 1 });
  journal.retry();
  await Promise.all([ended, dropped]);
  expect(stored).toEqual(['ended', 'dropped']);
});

it('what waits for room hears that none comes when the store is found at its end', async () => {
  const { journal, failures } = journalOn(
    new RelayError('STORE_FULL', 'full'),
    new RelayError('DEPOSED', 'another leads'),
  );
  const waits = journal.committed(release);
  const behind = journal.committed(release);
  journal.retry();
  await expect(behind).rejects.toMatchObject({ code: 'DEPOSED' });
  await expect(waits).rejects.toMatchObject({ code: 'DEPOSED' });
  expect(new Set(failures)).toEqual(new Set(['DEPOSED']));
});

it('a command that waits for room is refused when the daemon leaves', async () => {
  const store = new MemoryStore({ check() {} });
  const append = store.append.bind(store);
  let full = true;
  store.append = (record, done) => (full ? done(new RelayError('STORE_FULL', 'full')) : append(record, done));
  const relay = new TestRelay({ store });
  await relay.daemon.ready;
  const held = relay.daemon.execute('relay-hold', { agent: 'bob' });
  await settle();
  full = false;
  await relay.daemon.close();
  expect(await held).toMatchObject({ success: false, error: { code: 'SHUTTING_DOWN' } });
});
