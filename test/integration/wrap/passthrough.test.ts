/** The loop with a scripted terminal, a real agent in a real PTY, and the system's clock. */
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { isAlive } from '../../../src/base/is-alive.ts';
import { lineLog } from '../../../src/base/log.ts';
import { NullTty, type TtyEvents } from '../../../src/terminal/tty.ts';
import { Passthrough, type PassthroughHooks } from '../../../src/wrap/passthrough.ts';
import { waitFor } from '../../helpers/wait-for.ts';

/** A terminal whose person is the test. */
class ScriptedTty extends NullTty {
  events: TtyEvents | undefined;
  output = '';
  room = true;

  constructor() {
    super({ cols: 80, rows: 24 });
  }

  override start(events: TtyEvents): void {
    this.events = events;
  }

  override write(chunk: Uint8Array): boolean {
    this.output += Buffer.from(chunk).toString('latin1');
    return this.room;
  }

  type(text: string): void {
    this.events?.onInput(Buffer.from(text));
  }
}

let run: Passthrough | undefined;
let kill: (() => void) | undefined;
afterEach(async () => {
  kill?.();
  await run?.exited;
  run = undefined;
});

function start(command: string, hooks: PassthroughHooks = {}) {
  const tty = new ScriptedTty();
  const log: string[] = [];
  const handlers = new Map<string, () => void>();
  run = new Passthrough({
    tty,
    agent: { file: 'sh', args: ['-c', command], env: process.env, cwd: process.cwd() },
    sizeFor: (size) => size,
    clock: systemClock,
    log: lineLog((line) => log.push(line)),
    signals: {
      on: (signal, handler) => {
        handlers.set(signal, handler);
        return () => handlers.delete(signal);
      },
      raise: (signal) => log.push(`raised ${signal}`),
    },
    hooks,
  });
  kill = () => handlers.get('SIGTERM')?.();
  return { tty, log, run, handlers };
}

/** Echoes its input as hex, so that order and wholeness are seen. */
const HEX = 'stty raw -echo; printf ready; exec od -An -v -w1 -tx1';
const hex = (text: string) => Buffer.from(text).toString('hex');
const seen = (tty: ScriptedTty) => tty.output.replace(/^[\s\S]*ready/, '').replace(/\s/g, '');

describe('injected text', () => {
  it('goes in at once when the person is between two keys', async () => {
    const { tty, run } = start(`${HEX} -N 5`);
    await waitFor(() => tty.output.includes('ready'), 'ready');
    expect(await run.write(Buffer.from('hello'))).toBe(true);
    expect(await run.exited).toEqual({ code: 0 });
    expect(seen(tty)).toBe(hex('hello'));
  });

  it('waits for the end of a paste, which stays whole', async () => {
    const paste = `\x1b[200~${'p'.repeat(10_000)}\x1b[201~`;
    const { tty, run } = start(`${HEX} -N ${paste.length + 3}`);
    await waitFor(() => tty.output.includes('ready'), 'ready');
    tty.type(paste.slice(0, 5000));
    const written = run.write(Buffer.from('MSG'));
    tty.type(paste.slice(5000));
    expect(await written).toBe(true);
    await run.exited;
    expect(seen(tty)).toBe(hex(`${paste}MSG`));
  });

  it('waits for the end of a reply of the terminal, and of a character', async () => {
    const { tty, run } = start(`${HEX} -N 14`);
    await waitFor(() => tty.output.includes('ready'), 'ready');
    tty.type('\x1b[12;');
    void run.write(Buffer.from('A'));
    tty.type('40R');
    expect(run.lastInputAt()).toBeUndefined();
    tty.events?.onInput(Buffer.from([0xf0, 0x9f]));
    expect(run.lastInputAt()).toBeDefined();
    void run.write(Buffer.from('B'));
    tty.events?.onInput(Buffer.from([0x8e, 0x89]));
    await run.exited;
    expect(seen(tty)).toBe(hex('\x1b[12;40RA🎉B'));
  });

  it('goes in after a lone Escape, once it is clear that nothing follows', async () => {
    const { tty, run } = start(`${HEX} -N 2`);
    await waitFor(() => tty.output.includes('ready'), 'ready');
    tty.type('\x1b');
    expect(await run.write(Buffer.from('x'))).toBe(true);
    await run.exited;
    expect(seen(tty)).toBe(hex('\x1bx'));
  });

  it('that the agent did not live to read is reported as not written', async () => {
    const { tty, run } = start('printf ready; sleep 0.1; exit 3');
    await waitFor(() => tty.output.includes('ready'), 'ready');
    tty.type('\x1b[200~');
    expect(await run.write(Buffer.from('late'))).toBe(false);
    expect(await run.exited).toEqual({ code: 3 });
  });
});

describe('hooks', () => {
  it('that throw or reject hurt nobody and are logged', async () => {
    const fail = () => {
      throw new Error('a bug in a hook');
    };
    const { tty, run, log } = start('read -r line; echo "got $line"; exit 5', {
      onOutput: () => Promise.reject(new Error('a bug in a hook')),
      onInput: fail,
      onResize: fail,
      onExit: fail,
    });
    tty.type('text\r');
    run.resize({ cols: 90, rows: 30 });
    expect(await run.exited).toEqual({ code: 5 });
    expect(tty.output).toContain('got text');
    for (const hook of ['onOutput', 'onInput', 'onResize', 'onExit']) {
      expect(log.some((line) => line.includes('hook.failed') && line.includes(hook))).toBe(true);
    }
  });

  it('see all output, after the person, and may hold it back without a loss', async () => {
    let heard = '';
    const { tty, run } = start('seq 1 4000', {
      onOutput: async (chunk) => {
        await new Promise((done) => setImmediate(done));
        heard += chunk.toString('latin1');
        expect(tty.output.startsWith(heard)).toBe(true);
      },
    });
    await run.exited;
    expect(tty.output).toBe(Array.from({ length: 4000 }, (_, i) => `${i + 1}\r\n`).join(''));
    await waitFor(() => heard === tty.output, 'the hook to hear all');
  });

  it('an output hook that never ends holds the agent no longer than a second', async () => {
    const { tty, run, log } = start('seq 1 4000; exit 7', { onOutput: () => new Promise(() => {}) });
    expect(await run.exited).toEqual({ code: 7 });
    expect(tty.output.endsWith('4000\r\n')).toBe(true);
    expect(log.some((line) => line.includes('hook.slow'))).toBe(true);
  });

  it('an exit hook that never ends does not keep the person', async () => {
    const { run } = start('exit 6', { onExit: () => new Promise(() => {}) });
    expect(await run.exited).toEqual({ code: 6 });
  });

  it('of a suspend run before the stop, with what the agent printed shown', async () => {
    const order: string[] = [];
    // The kernel's SIGCHLD goes to the test process, which tells the scripted signals.
    const told = () => handlers.get('SIGCHLD')?.();
    process.on('SIGCHLD', told);
    const { tty, run, log, handlers } = start('printf bye; kill -STOP $$; printf back; exit 8', {
      onSuspend: () => {
        order.push('suspend');
      },
      onContinue: () => {
        order.push('continue');
      },
    });
    await waitFor(() => log.includes('raised SIGSTOP'), 'the stop');
    process.off('SIGCHLD', told);
    expect([order, tty.output]).toEqual([['suspend'], 'bye']);
    handlers.get('SIGCONT')?.();
    expect(await run.exited).toEqual({ code: 8 });
    expect([order, tty.output]).toEqual([['suspend', 'continue'], 'byeback']);
  });
});

describe('a terminal that does not read', () => {
  it('stops the agent instead of filling memory, and loses nothing when it reads again', async () => {
    const { tty, run } = start('head -c 300000 /dev/zero | tr "\\0" x; exit 2');
    tty.room = false;
    await waitFor(() => tty.output.length > 0, 'some output');
    const before = tty.output.length;
    await new Promise((done) => setImmediate(done));
    expect(tty.output.length).toBeLessThan(before + 100_000);
    tty.room = true;
    tty.events?.onDrain();
    expect(await run.exited).toEqual({ code: 2 });
    expect(tty.output.length).toBe(300_000);
  });

  it('also holds what is left at the exit of the agent', async () => {
    const { tty, run } = start('head -c 3000 /dev/zero | tr "\\0" x; printf end; exit 2');
    tty.room = false;
    await waitFor(() => tty.output.length > 0, 'some output');
    await waitFor(() => !isAlive(run.pid), 'the end of the agent');
    tty.room = true;
    tty.events?.onDrain();
    expect(await run.exited).toEqual({ code: 2 });
    expect(tty.output).toBe(`${'x'.repeat(3000)}end`);
  });
});
