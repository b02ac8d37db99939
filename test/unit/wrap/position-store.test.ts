import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/base/log.ts';
import { MAX_KEPT, PositionStore } from '../../../src/wrap/position-store.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

describe('positions in transcripts', () => {
  let root: string;
  let directory: string;
  let file: string;
  let clock: FakeClock;
  let settled: boolean;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'agent-wrap-heard-'));
    directory = join(root, 'heard');
    file = join(root, 'a.jsonl');
    writeFileSync(file, '0123456789');
    clock = new FakeClock();
    settled = true;
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const open = () =>
    new PositionStore({ directory: () => directory, settled: () => settled, clock, log: silentLog });
  /** What a wrapper finds that starts after all others were killed. */
  const found = () => open().get(file);
  const only = () => join(directory, readdirSync(directory)[0] as string);

  it('are those of the killed wrapper, at most a second old', () => {
    expect(found()).toBeUndefined();
    const store = open();
    store.set(file, 2);
    expect(found()?.offset).toBe(2);
    store.set(file, 5);
    store.set(file, 7);
    expect(found()?.offset).toBe(2);
    clock.advance(1_000);
    expect(found()?.offset).toBe(7);
    expect(statSync(only()).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  it('wait until the relay has what was heard before them', () => {
    const store = open();
    store.set(file, 2);
    settled = false;
    store.set(file, 7);
    clock.advance(5_000);
    expect(found()?.offset).toBe(2);
    settled = true;
    clock.advance(1_000);
    expect(found()?.offset).toBe(7);
  });

  it('hold a message that has begun at once, with the position before it', () => {
    const store = open();
    store.set(file, 2);
    settled = false;
    store.set(file, 4, [{ id: 'm', text: 'one' }]);
    store.set(file, 6, [{ id: 'n', text: 'two' }]);
    expect(found()).toMatchObject({ offset: 2, begun: [{ id: 'm' }, { id: 'n' }] });
    settled = true;
    clock.advance(1_000);
    expect(found()).toMatchObject({ offset: 6, begun: [{ id: 'n' }] });
  });

  it('say until when the wrapper lived, also while its agent is silent', () => {
    open().set(file, 2);
    const until = found()?.until as number;
    clock.advance(60_000);
    expect(found()?.until).toBe(until + 60_000);
  });

  it('are gone after an orderly end, unless the relay lacks something', () => {
    const store = open();
    store.set(file, 2);
    settled = false;
    store.close();
    expect(found()?.offset).toBe(2);
    const next = open();
    next.set(file, 2);
    settled = true;
    next.close();
    next.close();
    expect(found()).toBeUndefined();
    expect(readdirSync(directory)).toEqual([]);
    expect(clock.timers).toBe(0);
  });

  it('do not hold for a file that shrank or was replaced', () => {
    open().set(file, 8);
    truncateSync(file, 5);
    expect(found()).toBeUndefined();
    appendFileSync(file, 'abcdefg');
    expect(found()?.offset).toBe(8);
    writeFileSync(join(root, 'b'), '0123456789abcdef');
    renameSync(join(root, 'b'), file);
    expect(found()).toBeUndefined();
  });

  it('of a wrapper that lives are its own', () => {
    open().set(file, 2);
    const written = JSON.parse(readFileSync(only(), 'utf8'));
    writeFileSync(only(), JSON.stringify({ ...written, pid: process.ppid }));
    expect(found()).toBeUndefined();
  });

  it.each(['', '{', '[]', '{"transcript":1}', '{"transcript":"/a","inode":-1}'])(
    'are unknown if %j is written',
    (text) => {
      open().set(file, 2);
      writeFileSync(only(), text);
      expect(found()).toBeUndefined();
    },
  );

  it('are also of sessions that a server keeps, whatever it is called', () => {
    const store = open();
    store.set('opencode ses_1', 2 ** 47);
    expect(open().get('opencode ses_1')?.offset).toBe(2 ** 47);
    expect(open().get('opencode ses_2')).toBeUndefined();
    store.close();
    expect(open().get('opencode ses_1')).toBeUndefined();
  });

  it('are kept for the newest files only', () => {
    mkdirSync(directory, { mode: 0o700 });
    for (let i = 0; i < MAX_KEPT + 5; i++) {
      writeFileSync(join(directory, `${i}.json`), '');
      utimesSync(join(directory, `${i}.json`), 1_000 + i, 1_000 + i);
    }
    open().set(file, 2);
    const left = readdirSync(directory);
    expect(left).toHaveLength(MAX_KEPT + 1);
    expect(left).not.toContain('4.json');
  });

  it('are not kept where no directory can be made, and nothing else suffers', () => {
    writeFileSync(directory, 'in the way');
    const store = open();
    store.set(file, 2);
    store.set(file, 3);
    clock.advance(2_000);
    store.close();
    expect(store.get(file)).toBeUndefined();
  });
});
