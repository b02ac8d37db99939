import { expect, it } from 'vitest';
import { RelayError } from '../../../src/base/errors.ts';
import { Journal } from '../../../src/daemon/journal.ts';
import type { RelayState } from '../../../src/daemon/state.ts';
import type { Store } from '../../../src/daemon/store/store.ts';

/** A store that gives each append the next of these answers; the last one for ever. */
function journalOn(...answers: (RelayError | undefined)[]) {
  const failures: string[] = [];
  const store = {
    append: (_: Buffer, done: (error?: RelayError) => void) =>
      done(answers.length > 1 ? answers.shift() : answers[0]),
  } as unknown as Store;
  const state = { apply() {} } as unknown as RelayState;
  const journal = new Journal(store, state, { check() {} }, ({ code }) => failures.push(code));
  return { journal, failures };
}

const release = { t: 'release', from: 'ann', to: 'bob' } as const;

it('what found no room is tried again, and promised when there is some', async () => {
  const { journal, failures } = journalOn(new RelayError('STORE_FULL', 'full'), undefined);
  const promise = journal.committed(release);
  journal.retry();
  await promise;
  expect(failures).toEqual([]);
});

it('what waits for room hears that none comes when another record finds the store at its end', async () => {
  const { journal, failures } = journalOn(
    new RelayError('STORE_FULL', 'full'),
    new RelayError('DEPOSED', 'another leads'),
  );
  const waits = journal.committed(release);
  await expect(journal.committed(release)).rejects.toMatchObject({ code: 'DEPOSED' });
  await expect(waits).rejects.toMatchObject({ code: 'DEPOSED' });
  expect(failures).toEqual(['DEPOSED']);
});
