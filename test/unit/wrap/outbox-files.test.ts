import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lineLog } from '../../../src/base/log.ts';
import type { Fate } from '../../../src/client/fate.ts';
import { Outbox } from '../../../src/client/outbox.ts';
import { encodeEnvelope, newEnvelope } from '../../../src/protocol/envelope.ts';
import { OUTBOX_AWAY_MESSAGES, OUTBOX_FILE_BYTES } from '../../../src/protocol/limits.ts';
import { OutboxFiles } from '../../../src/wrap/outbox-files.ts';
import { firmOutbox } from '../../../src/wrap/outbox-ground.ts';
import { encodeLine } from '../../../src/wrap/outbox-line.ts';
import { outboxOwner } from '../../../src/wrap/outbox-name.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const uid = process.getuid?.() ?? 0;

let parent: string;
let directory: string;
let now: number;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'agent-wrap-outbox-'));
  directory = join(parent, 'outbox');
  now = 1_700_000_000_000;
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const frame = (id: string, body = id): Buffer =>
  encodeEnvelope(newEnvelope('SEND', { kind: 'message', body }, now, { id, to: 'bob' }));
const files = (): string[] => (existsSync(directory) ? readdirSync(directory).sort() : []);
const path = (): string => join(directory, files()[0] as string);

/** A life of the wrapper of ada, as its outbox knows it. */
class Life {
  readonly files: OutboxFiles;
  readonly outbox: Outbox;
  readonly fates: Fate[] = [];
  readonly damaged: number[] = [];
  readonly lines: string[] = [];
  wakes = 0;

  constructor(options: { name?: string; directory?: () => string } = {}) {
    now += 1_000;
    const log = lineLog((line) => this.lines.push(line), 'debug');
    this.files = new OutboxFiles({
      ground: firmOutbox({ directory: options.directory ?? (() => directory), uid, log }),
      name: options.name ?? 'ada',
      now: () => now,
      damaged: (messages) => this.damaged.push(messages),
      log,
    });
    this.outbox = new Outbox({
      spill: this.files,
      now: () => now,
      wake: () => this.wakes++,
      fate: (fate) => this.fates.push(fate),
    });
  }

  add(...ids: string[]): void {
    for (const id of ids) this.outbox.add(id, 'bob', frame(id));
  }

  /** A connection is there, and what was left has been looked for. */
  async connect(dedupSince?: number): Promise<void> {
    const before = this.wakes;
    this.fates.push(...this.outbox.restart(dedupSince));
    if (before === 0) await waitFor(() => this.wakes > before, 'the look for what was left');
  }

  /** The ids of all it sends now, as the relay gets them; each is answered at once if `stage` is given. */
  async send(count: number, stage?: 'stored' | 'delivered'): Promise<string[]> {
    const sent: string[] = [];
    await waitFor(() => {
      for (let next = this.outbox.next(); next !== undefined; next = this.outbox.next()) {
        const { id } = JSON.parse(next.toString('utf8', 4)) as { id: string };
        sent.push(id);
        if (stage !== undefined) this.outbox.acknowledged({ ack_id: id, stage, to: 'bob' });
      }
      return sent.length >= count;
    }, `${count} to be sent`);
    return sent;
  }
}

const ids = (count: number, from = 0): string[] => Array.from({ length: count }, (_, n) => `m${from + n}`);

describe('P21 what is said while no relay answers', () => {
  it('is on disk for us alone, and sent by the next of the name after a crash, in order, under its ids', async () => {
    const killed = new Life();
    killed.add(...ids(50));
    await killed.files.flush();
    expect(files()).toHaveLength(1);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    const next = new Life();
    next.add('own');
    await next.connect();
    expect(await next.send(51, 'stored')).toEqual([...ids(50), 'own']);
    await next.files.flush();
    expect(files()).toEqual([]);
  });

  it('is sent in the order of the sessions, though the clock was set back between them', async () => {
    for (const id of ['first', 'second', 'third']) {
      const killed = new Life();
      killed.add(id);
      await killed.files.flush();
      now -= 100_000;
    }
    const next = new Life();
    next.add('own');
    await next.connect();
    expect(await next.send(4, 'stored')).toEqual(['first', 'second', 'third', 'own']);
  });

  it('is left by its name where another name says a time that cannot be passed', async () => {
    mkdirSync(directory, { mode: 0o700 });
    writeFileSync(join(directory, `ada.9999999999999-${process.ppid}-000001`), '', { mode: 0o600 });
    const killed = new Life();
    killed.add('1');
    await killed.files.flush();
    expect(files().map((name) => outboxOwner(name)?.name)).toEqual(['ada', 'ada']);
  });

  it('is left alone by an agent of another name, whose name only begins alike', async () => {
    const killed = new Life({ name: 'ada' });
    killed.add('1');
    await killed.files.flush();
    const other = new Life({ name: 'ad' });
    await other.connect();
    expect(other.outbox.size).toBe(0);
    expect(files()).toHaveLength(1);
    expect(outboxOwner(files()[0] as string)).toMatchObject({ name: 'ada', pid: process.pid });
  });

  it('is left to a wrapper that still lives', async () => {
    const living = new Life();
    living.add('1');
    await living.files.flush();
    const [name = ''] = files();
    renameSync(join(directory, name), join(directory, name.replace(`-${process.pid}-`, `-${process.ppid}-`)));
    const next = new Life();
    await next.connect();
    expect(next.outbox.size).toBe(0);
  });

  it('lies on disk only when it is much, in memory a little, and all of it leaves in order', async () => {
    const life = new Life();
    const all = ids(20_000);
    life.add(...all);
    expect(life.outbox.size).toBe(all.length);
    expect(life.outbox.size - life.files.waiting).toBe(OUTBOX_AWAY_MESSAGES);
    await life.files.flush();
    for (const name of files())
      expect(statSync(join(directory, name)).size).toBeLessThan(2 * OUTBOX_FILE_BYTES);
    await life.connect();
    expect(await life.send(all.length, 'delivered')).toEqual(all);
    expect(life.outbox.size).toBe(0);
    await life.files.flush();
    expect(files()).toEqual([]);
    for (const name of files())
      expect(statSync(join(directory, name)).size).toBeLessThan(2 * OUTBOX_FILE_BYTES);
  });

  it('keeps its order where connections come and go, and what was said meanwhile stays behind it', async () => {
    const life = new Life();
    const all = ids(3_000);
    life.add(...all);
    await life.connect();
    const first = await life.send(500);
    for (const id of first.slice(0, 400))
      life.outbox.acknowledged({ ack_id: id, stage: 'stored', to: 'bob' });
    life.outbox.away();
    life.add('later');
    await life.connect();
    // What was stored is sent again as well: its end is not known.
    expect(await life.send(3_001, 'stored')).toEqual([...all, 'later']);
  });

  it('is handed on at the moment it waits no more, so that nothing said next comes before it', async () => {
    const life = new Life();
    life.add(...ids(OUTBOX_AWAY_MESSAGES + 10));
    const waiting = [life.files.waiting];
    const taken: string[] = [];
    await life.files.take((sends) => {
      waiting.push(life.files.waiting);
      taken.push(...sends.map(({ id }) => id));
    });
    expect(waiting).toEqual([10, 0]);
    expect(taken).toEqual(ids(10, OUTBOX_AWAY_MESSAGES));
  });

  it('comes back from memory where the disk has refused it, behind what was only copied', async () => {
    const { files } = new Life({
      directory: () => {
        throw new Error('no disk');
      },
    });
    for (const id of ids(2)) files.copy(frame(id), 0);
    for (const id of ids(2, 2)) files.push(frame(id), 0);
    const taken: string[] = [];
    await files.take((sends) => taken.push(...sends.map(({ id }) => id)));
    expect(taken).toEqual(ids(2, 2));
    expect(files.waiting).toBe(0);
  });

  it('is refused, and said to be, where there is no more room', () => {
    const life = new Life({
      directory: () => {
        throw new Error('no disk');
      },
    });
    const full = expect.objectContaining({ code: 'QUEUE_FULL' });
    const outbox = new Outbox({ now: () => now, spill: life.files, limits: { messages: 3, bytes: 1e6 } });
    for (const id of ids(3)) outbox.add(id, 'bob', frame(id));
    expect(() => outbox.add('4', 'bob', frame('4'))).toThrow(full);
    const small = new Outbox({ now: () => now, spill: life.files, limits: { messages: 9, bytes: 300 } });
    small.add('1', 'bob', frame('1'));
    expect(() => small.add('2', 'bob', frame('2', 'x'.repeat(300)))).toThrow(full);
  });

  it('without a disk it waits in memory, up to its limit, and is said to be lost in the end', async () => {
    const life = new Life({
      directory: () => {
        throw new Error('no disk');
      },
    });
    life.add('0');
    await life.files.flush();
    life.add(...ids(OUTBOX_AWAY_MESSAGES - 1, 1));
    expect(() => life.add('one more')).toThrow(expect.objectContaining({ code: 'QUEUE_FULL' }));
    expect(await life.outbox.flush()).toEqual({
      unanswered: OUTBOX_AWAY_MESSAGES,
      lost: OUTBOX_AWAY_MESSAGES,
    });
    await life.connect();
    expect(await life.send(OUTBOX_AWAY_MESSAGES, 'stored')).toHaveLength(OUTBOX_AWAY_MESSAGES);
  });
});

describe('P21 the disk and a relay that answers', () => {
  it('meet never while it answers in time', async () => {
    const life = new Life();
    await life.connect();
    for (let round = 0; round < 3; round++) {
      life.add(...ids(10, round * 10));
      await life.send(10, 'stored');
      life.outbox.look();
    }
    await life.files.flush();
    expect(existsSync(directory)).toBe(false);
  });

  it('meet when it pushes back, or is late', async () => {
    const life = new Life();
    await life.connect();
    life.add('refused');
    await life.send(1);
    expect(life.outbox.refused({ ack_id: 'refused', code: 'QUEUE_FULL', message: 'full' })).toBe('retry');
    life.outbox.retry();
    await life.files.flush();
    expect(readFileSync(path(), 'utf8')).toContain('"refused"');
    life.add('late');
    await life.send(1);
    life.outbox.look();
    life.outbox.look();
    await life.files.flush();
    expect(readFileSync(path(), 'utf8')).toContain('"late"');
    for (const id of ['refused', 'late'])
      life.outbox.acknowledged({ ack_id: id, stage: 'stored', to: 'bob' });
    await life.files.flush();
    expect(files()).toEqual([]);
    expect(await life.outbox.flush()).toEqual({ unanswered: 0, lost: 0 });
  });
});

describe('P15 the next session', () => {
  it('does not send what a relay may have had and forgotten, and says so; what was never tried is sent', async () => {
    const killed = new Life();
    killed.add('tried');
    await killed.connect();
    await killed.send(1);
    killed.outbox.away();
    killed.add('never tried');
    await killed.files.flush();
    now += 1_000;
    const next = new Life();
    await next.connect(now);
    expect(await next.send(1, 'stored')).toEqual(['never tried']);
    expect(next.fates).toEqual([expect.objectContaining({ id: 'tried', to: 'bob', code: 'NOT_CONFIRMED' })]);
    await next.files.flush();
    expect(files()).toEqual([]);
  });

  it('sends again what was tried, as long as the relay would know it', async () => {
    const killed = new Life();
    killed.add('tried');
    await killed.connect();
    await killed.send(1);
    await killed.files.flush();
    const next = new Life();
    await next.connect(1);
    expect(await next.send(1, 'stored')).toEqual(['tried']);
    expect(next.fates).toEqual([]);
  });

  it('sends once what it hears again from the words of the agent', async () => {
    const killed = new Life();
    killed.add('1');
    await killed.files.flush();
    const next = new Life();
    await next.connect();
    await next.send(1);
    next.add('1', '2');
    expect(await next.send(1)).toEqual(['2']);
  });
});

describe('a file that is not as we wrote it', () => {
  /** Something of ada that a wrapper left. */
  const left = async (count: number): Promise<void> => {
    const killed = new Life();
    killed.add(...ids(count));
    await killed.files.flush();
  };

  it('loses only a line that was torn at its end', async () => {
    await left(3);
    const whole = readFileSync(path());
    for (const cut of [1, 20, whole.length / 3 - 1]) {
      writeFileSync(path(), whole.subarray(0, whole.length - cut));
      const next = new Life();
      await next.connect();
      expect(await next.send(2)).toEqual(['m0', 'm1']);
      expect(next.damaged).toEqual([]);
    }
  });

  it('says what is damaged in it, sends the rest and puts it aside', async () => {
    await left(3);
    const bytes = readFileSync(path());
    const at = bytes.length / 2;
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(path(), bytes);
    const next = new Life();
    await next.connect();
    expect(await next.send(2, 'stored')).toEqual(['m0', 'm2']);
    expect(next.damaged).toEqual([1]);
    await next.files.flush();
    expect(files()).toEqual([expect.stringMatching(/\.damaged$/)]);
  });

  it('sends nothing that is no SEND', async () => {
    await left(1);
    const hello = encodeEnvelope(newEnvelope('HELLO', { agent: 'eve' }, 1));
    const huge = encodeEnvelope(newEnvelope('SEND', { body: 'x'.repeat(1024 * 1024) }, 1, { to: 'bob' }));
    const lines = [hello, huge, Buffer.from('....[]'), Buffer.from('....{"__proto__":1}')];
    writeFileSync(path(), Buffer.concat([...lines.map((each) => encodeLine(1, each)), readFileSync(path())]));
    const next = new Life();
    await next.connect();
    expect(await next.send(1)).toEqual(['m0']);
    expect(next.damaged.reduce((sum, count) => sum + count)).toBe(lines.length);
  });

  it.each([
    [
      'a link',
      (at: string, aside: string) => {
        renameSync(at, aside);
        symlinkSync(aside, at);
      },
    ],
    ['a second name of a file', (at: string, aside: string) => linkSync(at, aside)],
    ['open to others', (at: string) => chmodSync(at, 0o644)],
    [
      'a directory',
      (at: string) => {
        rmSync(at);
        mkdirSync(at);
      },
    ],
    ['longer than we write', (at: string) => writeFileSync(at, Buffer.alloc(5 * 1024 * 1024))],
  ])('refuses %s, and leaves it', async (_, change) => {
    await left(1);
    change(path(), join(parent, 'aside'));
    const next = new Life();
    await next.connect();
    expect(next.outbox.size).toBe(0);
    expect(next.lines.join('\n')).toContain('outbox.refused');
    expect(files()).toHaveLength(1);
  });

  it('refuses a directory that is not ours alone', async () => {
    mkdirSync(join(parent, 'elsewhere'), { mode: 0o777 });
    symlinkSync(join(parent, 'elsewhere'), directory);
    const life = new Life();
    life.add('1');
    await life.files.flush();
    expect(life.files.sound).toBe(false);
    expect(readdirSync(join(parent, 'elsewhere'))).toEqual([]);
  });
});
