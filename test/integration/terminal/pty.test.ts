/** The PTY by itself, with real children. terminal.md §0 and §2. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { Pty, type PtyExit } from '../../../src/terminal/pty.ts';
import { waitFor } from '../../helpers/wait-for.ts';

function spawn(command: string) {
  const seen = { output: '', exit: undefined as PtyExit | undefined, drains: 0 };
  const options = { file: 'sh', args: ['-c', command], env: process.env, cwd: '/', cols: 80, rows: 24 };
  const events = {
    onOutput: (chunk: Buffer) => {
      expect(seen.exit).toBeUndefined();
      seen.output += chunk.toString('latin1');
    },
    onDrain: () => {
      seen.drains += 1;
    },
    onExit: (exit: PtyExit) => {
      expect(seen.exit).toBeUndefined();
      seen.exit = exit;
    },
  };
  return { pty: new Pty(options, events, systemClock), seen };
}

const openFds = () => readdirSync('/proc/self/fd').length;
const NUMBERS = Array.from({ length: 4000 }, (_, i) => `${i + 1}\r\n`).join('');

describe('§0 the end of the output', () => {
  it('is complete although the reader was paused while the child ended', async () => {
    const { pty, seen } = spawn('head -c 8000 /dev/zero | tr "\\0" y');
    pty.pause();
    await waitFor(() => !readdirSync('/proc').includes(String(pty.pid)), 'the end of the child');
    expect(seen).toMatchObject({ output: '', exit: undefined });
    pty.resume();
    await waitFor(() => seen.exit !== undefined, 'the exit');
    expect(seen.output).toBe('y'.repeat(8000));
  });

  it('comes before the exit, and 30 children in a row leave no descriptor behind', async () => {
    const before = openFds();
    for (let child = 0; child < 30; child += 1) {
      const { seen } = spawn('seq 1 4000; exit 3');
      await waitFor(() => seen.exit !== undefined, 'the exit');
      expect(seen.output).toBe(NUMBERS);
      expect(seen.exit).toEqual({ exitCode: 3, signal: 0 });
    }
    await waitFor(() => openFds() <= before, 'the descriptors to be closed');
  });

  it('is not waited for from a grandchild that prints for ever', async () => {
    const { seen } = spawn('(trap "" HUP; echo $$; exec yes) & sleep 0.1; exit 4');
    await waitFor(() => seen.exit !== undefined, 'the exit');
    expect(seen.exit?.exitCode).toBe(4); // yes ends by EIO when the master is closed.
  });
});

describe('what has been printed', () => {
  it('can be read at once, without a turn of the event loop', async () => {
    const { pty, seen } = spawn('printf now; exec sleep 60');
    const end = performance.now() + 10_000;
    while (seen.output === '' && performance.now() < end) pty.readPending();
    expect(seen.output).toBe('now');
    pty.close();
    await waitFor(() => seen.exit !== undefined, 'the exit');
    expect(seen.exit?.signal).toBe(1);
  });
});

describe('§2 writes', () => {
  it('are whole and in order, say when they are done, and drain', async () => {
    const { pty, seen } = spawn('stty raw -echo; printf R; sleep 0.2; head -c 300004 | tail -c 8');
    await waitFor(() => seen.output === 'R', 'raw mode');
    const ended: boolean[] = [];
    pty.write(Buffer.alloc(300_000, 'a'), (whole) => ended.push(whole));
    pty.write(Buffer.from('done'), (whole) => ended.push(whole));
    expect(pty.pendingBytes).toBeGreaterThan(64 * 1024);
    await waitFor(() => seen.exit !== undefined, 'the exit');
    expect(seen.output).toBe('Raaaadone');
    expect([ended, pty.pendingBytes]).toEqual([[true, true], 0]);
    expect(seen.drains).toBeGreaterThan(0);
  });

  it('that the child does not live to read end as not whole', async () => {
    const { pty, seen } = spawn('stty raw -echo; printf R; sleep 0.1');
    await waitFor(() => seen.output === 'R', 'raw mode');
    const ended: boolean[] = [];
    pty.write(Buffer.alloc(300_000, 'a'), (whole) => ended.push(whole));
    await waitFor(() => seen.exit !== undefined, 'the exit');
    pty.write(Buffer.from('late'), (whole) => ended.push(whole));
    expect(ended).toEqual([false, false]);
  });
});

describe('close', () => {
  it('twice is fine, and a paused end is still reported', async () => {
    const { pty, seen } = spawn('head -c 100 /dev/zero; exit 5');
    pty.pause();
    await waitFor(() => !readdirSync('/proc').includes(String(pty.pid)), 'the end of the child');
    pty.close();
    pty.close();
    await waitFor(() => seen.exit !== undefined, 'the exit');
    expect(seen.exit?.exitCode).toBe(5);
  });
});
