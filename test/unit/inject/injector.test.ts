import { describe, expect, it } from 'vitest';
import type { AgentState, InputBox, NativeChannel } from '../../../src/agents/adapter.ts';
import { RelayError } from '../../../src/base/errors.ts';
import { silentLog } from '../../../src/base/log.ts';
import { Injector } from '../../../src/inject/injector.ts';
import type { AgentTerminal, Hold } from '../../../src/inject/typing.ts';
import type { DeliverEnvelope } from '../../../src/protocol/envelope.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

let nextId = 0;
function deliver(body: string, more: Partial<DeliverEnvelope['delivery']> = {}): DeliverEnvelope {
  const id = `${String(++nextId).padStart(8, '0')}-aaaa-5aaa-8aaa-aaaaaaaaaaaa`;
  return {
    v: 1,
    type: 'DELIVER',
    id,
    ts: 1,
    from: 'bob',
    payload: { body },
    delivery: { seq: 1, session_id: 's', ...more },
  };
}

/** An agent with one input box: it shows what is pasted and takes it at CR. */
class FakeAgent implements AgentTerminal {
  readonly clock = new FakeClock();
  state: AgentState = 'ready';
  box = '';
  mode: InputBox['mode'] = 'prompt';
  taken: string[] = [];
  written: string[] = [];
  lastOutputAt = -10_000;
  lastKeyAt = -10_000;
  keysSinceSubmit = 0;
  line: { canonical: boolean; echo: boolean } | undefined;
  echoes = true;
  ignoredSubmits = 0;
  typeWhileBusy = false;
  readonly #listeners = new Set<() => void>();

  async write(bytes: Buffer): Promise<void> {
    const text = bytes.toString();
    this.written.push(text);
    if (text !== '\r') {
      if (this.echoes) this.box += text.replace(/\x1b\[20[01]~/g, '');
    } else if (this.ignoredSubmits > 0) {
      this.ignoredSubmits--;
    } else {
      this.taken.push(this.box);
      this.box = '';
    }
    this.changed();
  }

  /** Keys that wait until the hold ends. */
  kept: string | undefined;
  broken: Hold['broken'] = 'no';

  async paste(bytes: Buffer): Promise<Hold> {
    await this.write(bytes);
    this.kept = '';
    this.broken = 'no';
    const broken = () => this.broken;
    return {
      get broken() {
        return broken();
      },
      release: () => this.release(),
    };
  }

  /** The person's keys are not kept back any more, and go into the box. */
  release(broken: Hold['broken'] = 'no'): void {
    const { kept } = this;
    if (kept === undefined) return;
    this.kept = undefined;
    this.broken = broken;
    if (kept !== '') this.type(kept);
  }

  async view() {
    return {
      rows: () => this.box.split('\n'),
      cursor: { row: 0, column: 0 },
      bracketedPaste: true,
      faint: () => false,
      alternateScreen: false,
    };
  }

  async lineMode() {
    return this.line;
  }

  onceChanged(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** How many wait for a change: it must not grow while nothing changes. */
  get listeners(): number {
    return this.#listeners.size;
  }

  changed(): void {
    for (const listener of this.#listeners) {
      this.#listeners.delete(listener);
      listener();
    }
  }

  type(text: string): void {
    if (this.kept !== undefined) {
      this.kept += text;
      return;
    }
    this.box = text === '\x03' ? '' : this.box + text.replace('\x1b', '');
    this.lastKeyAt = this.clock.monotonic();
    this.keysSinceSubmit += text.length;
    this.changed();
  }
}

function setup(
  options: {
    known?: boolean;
    mayType?: () => boolean;
    mode?: 'auto' | 'keys' | 'native';
    native?: NativeChannel;
    preface?: string;
  } = {},
) {
  const agent = new FakeAgent();
  const events: string[] = [];
  const injector = new Injector(
    {
      terminal: agent,
      agent: {
        get state() {
          return { state: agent.state, output() {}, screen() {}, onChange() {} };
        },
        inputBox: () => ({ text: agent.box, mode: agent.mode }),
        get typeWhileBusy() {
          return agent.typeWhileBusy;
        },
        native: options.native,
      },
      known: options.known ?? true,
      echoed: false,
      mode: options.mode ?? 'auto',
      preface: options.preface,
      mayType: options.mayType ?? (() => true),
      clock: agent.clock,
      log: silentLog,
    },
    {
      submitted: (e) => events.push(`submitted ${e.payload.body}`),
      refused: (e, code) => events.push(`${code} ${e.payload.body}`),
      waiting: (reason) => events.push(`waiting ${reason ?? 'for nothing'}`),
    },
  );
  return { agent, injector, events, pass: (ms: number) => agent.clock.advanceAsync(ms) };
}

describe('the injector', () => {
  it('pastes, waits for the echo and at least 120 ms, and presses the submit key alone', async () => {
    const { agent, injector, events, pass } = setup();
    injector.add(deliver('hello'));
    await pass(100);
    expect(agent.written).toHaveLength(1);
    await pass(2_000);
    expect(agent.written.slice(1)).toEqual(['\r']);
    expect(agent.taken).toEqual([expect.stringContaining('hello')]);
    expect(events).toEqual(['submitted hello']);
  });

  it('gives several waiting messages to a known agent in one go, each with its own header', async () => {
    const { agent, injector, events, pass } = setup();
    agent.state = 'busy';
    for (const body of ['one', 'two', 'x'.repeat(9_000), 'four']) injector.add(deliver(body));
    await pass(1_000);
    agent.state = 'ready';
    await pass(10_000);
    expect(agent.taken.map((text) => text.match(/^Relay message from/gm)?.length)).toEqual([2, 1, 1]);
    expect(events.filter((event) => event.startsWith('submitted'))).toHaveLength(4);
  });

  it('does not take a box that is out of sight for a moment for an empty one', async () => {
    const { agent, injector, events, pass } = setup();
    agent.ignoredSubmits = 1;
    injector.add(deliver('hello'));
    await pass(100);
    const { box } = agent;
    await pass(150);
    expect(agent.written.slice(1)).toEqual(['\r']);
    agent.box = 'what stands in its place during a redraw';
    agent.changed();
    await pass(60);
    agent.box = box;
    agent.changed();
    await pass(1_000);
    expect(events).toEqual([]);
    await pass(5_000);
    expect(agent.written.slice(1)).toEqual(['\r', '\r']);
    expect(agent.taken).toEqual([box]);
    expect(events).toEqual(['submitted hello']);
  });

  it('puts the briefing before the first message only', async () => {
    const { agent, injector, pass } = setup({ preface: 'Be brief.' });
    injector.add(deliver('one'));
    await pass(5_000);
    injector.add(deliver('two'));
    await pass(5_000);
    expect(agent.taken.map((text) => text.includes('Be brief.'))).toEqual([true, false]);
  });

  it('leaves nothing behind while it waits', async () => {
    const { agent, injector, pass } = setup();
    agent.state = 'dialog';
    injector.add(deliver('hello'));
    await pass(600_000);
    expect(agent.listeners).toBe(1);
  });

  it('gives an unknown program one message at a time, in order', async () => {
    const { agent, injector, events, pass } = setup({ known: false });
    for (const body of ['one', 'two', 'three']) injector.add(deliver(body));
    await pass(10_000);
    expect(agent.taken.map((text) => /: (\w+)/.exec(text)?.[1])).toEqual(['one', 'two', 'three']);
    expect(events).toEqual(['submitted one', 'submitted two', 'submitted three']);
  });

  it.each<[string, (agent: FakeAgent) => void, (agent: FakeAgent) => void]>([
    [
      'a dialog',
      (a) => {
        a.state = 'dialog';
      },
      (a) => {
        a.state = 'ready';
      },
    ],
    [
      'an answer under way',
      (a) => {
        a.state = 'busy';
      },
      (a) => {
        a.state = 'ready';
      },
    ],
    [
      'a draft',
      (a) => {
        a.box = 'half a sente';
      },
      (a) => {
        a.box = '';
      },
    ],
    [
      'a search box',
      (a) => {
        a.mode = 'other';
      },
      (a) => {
        a.mode = 'prompt';
      },
    ],
  ])('types nothing into %s, and the message afterwards', async (_what, begin, end) => {
    const { agent, injector, events, pass } = setup();
    begin(agent);
    injector.add(deliver('hello'));
    await pass(60_000);
    expect(agent.written).toEqual([]);
    end(agent);
    await pass(5_000);
    expect(events.at(-1)).toBe('submitted hello');
  });

  it('does not press the key while a dialog is open that came after the paste, and types the text once', async () => {
    const { agent, injector, events, pass } = setup();
    injector.add(deliver('hello'));
    await pass(50);
    agent.state = 'dialog';
    agent.changed();
    await pass(60_000);
    expect(agent.written).toHaveLength(1);
    expect(events).toEqual([]);
    agent.state = 'ready';
    agent.changed();
    await pass(5_000);
    expect(agent.written.slice(1)).toEqual(['\r']);
    expect(events).toEqual(['submitted hello']);
  });

  it('keeps no key back from a dialog that came after the paste, and submits the text once it is answered', async () => {
    const { agent, injector, events, pass } = setup();
    injector.add(deliver('hello'));
    await pass(50);
    agent.state = 'dialog';
    agent.changed();
    await pass(500);
    expect(agent.kept).toBeUndefined();
    agent.lastKeyAt = agent.clock.monotonic();
    agent.state = 'ready';
    agent.changed();
    await pass(10_000);
    expect(agent.written.slice(1)).toEqual(['\r']);
    expect(events).toEqual(['submitted hello']);
  });

  it('lets the keys of the person wait till the message is submitted, and then has them in the box', async () => {
    const { agent, injector, events, pass } = setup();
    injector.add(deliver('hello'));
    await pass(50);
    agent.type('and me');
    await pass(5_000);
    expect(agent.taken).toEqual([expect.not.stringContaining('and me')]);
    expect(agent.box).toBe('and me');
    expect(events).toEqual(['submitted hello']);
  });

  it('does not press the key when the person waited long enough, and typed into the box', async () => {
    const { agent, injector, events, pass } = setup();
    injector.add(deliver('hello'));
    await pass(50);
    agent.type(' and me');
    agent.release('late');
    await pass(60_000);
    expect(agent.taken).toEqual([]);
    expect(events).toContain('NOT_CONFIRMED hello');
  });

  it('knows a message as taken that the person submitted with their words', async () => {
    const { agent, injector, events, pass } = setup();
    const message = deliver('hello');
    injector.add(message);
    await pass(50);
    agent.type(' and me');
    agent.release('late');
    await pass(1_000);
    injector.prompted(agent.box);
    agent.box = '';
    await pass(5_000);
    expect(events).toEqual(['submitted hello']);
    expect(agent.written).not.toContain('\r');
  });

  it('types again, later, what the person threw out of the box', async () => {
    const { agent, injector, events, pass } = setup();
    injector.add(deliver('hello'));
    await pass(50);
    agent.type('\x03');
    agent.release('interrupted');
    expect(agent.box).toBe('');
    await pass(10_000);
    expect(agent.taken).toEqual([expect.stringContaining('hello')]);
    expect(events.at(-1)).toBe('submitted hello');
    expect(events.filter((event) => /hello/.test(event))).toHaveLength(1);
  });

  it('types again what was thrown out before it was seen, but only when it had time to appear', async () => {
    const { agent, injector, events, pass } = setup();
    agent.echoes = false;
    injector.add(deliver('hello'));
    await pass(50);
    agent.type('\x03');
    agent.release('interrupted');
    await pass(9_000);
    expect(agent.written).toHaveLength(1);
    agent.echoes = true;
    await pass(10_000);
    expect(agent.taken).toEqual([expect.stringContaining('hello')]);
    expect(events.at(-1)).toBe('submitted hello');
  });

  it('does not type again what the person may have submitted', async () => {
    const { agent, injector, events, pass } = setup();
    injector.add(deliver('hello'));
    await pass(50);
    agent.type('\x03');
    agent.release('interrupted');
    agent.state = 'busy';
    await pass(1_000);
    agent.typeWhileBusy = true;
    await pass(60_000);
    expect(agent.written).toHaveLength(1);
    expect(events).toContain('NOT_CONFIRMED hello');
  });

  it('submits what an Escape left as it was, once the person is quiet', async () => {
    const { agent, injector, events, pass } = setup();
    injector.add(deliver('hello'));
    await pass(50);
    agent.type('\x1b');
    agent.release('interrupted');
    await pass(1_500);
    expect(agent.taken).toEqual([]);
    await pass(5_000);
    expect(agent.taken).toHaveLength(1);
    expect(events).toEqual(['submitted hello']);
  });

  it('waits for a person who types, and 2 s more', async () => {
    const { agent, injector, pass } = setup();
    agent.lastKeyAt = agent.clock.monotonic();
    injector.add(deliver('hello'));
    await pass(1_900);
    expect(agent.written).toEqual([]);
    await pass(1_000);
    expect(agent.taken).toHaveLength(1);
  });

  it('presses the key again when the text still stands in the box, but types it once only', async () => {
    const { agent, injector, events, pass } = setup();
    agent.ignoredSubmits = 1;
    injector.add(deliver('hello'));
    await pass(10_000);
    expect(agent.written.filter((text) => text === '\r')).toHaveLength(2);
    expect(agent.written.filter((text) => text !== '\r')).toHaveLength(1);
    expect(events).toEqual(['submitted hello']);
  });

  it('presses no key without an echo', async () => {
    const { agent, injector, events, pass } = setup({ known: false });
    agent.state = 'unknown';
    agent.echoes = false;
    injector.add(deliver('hello'));
    await pass(60_000);
    expect(agent.written).toHaveLength(1);
    expect(events).toContain('NOT_CONFIRMED hello');
  });

  it('refuses a line that the kernel would cut', async () => {
    const { agent, injector, events, pass } = setup({ known: false });
    agent.state = 'unknown';
    agent.line = { canonical: true, echo: true };
    injector.add(deliver('x'.repeat(5_000)));
    await pass(5_000);
    expect(agent.written).toEqual([]);
    expect(events.at(-1)).toMatch(/^MESSAGE_TOO_LARGE/);
  });

  it('lets a message expire while it waits, and types the next', async () => {
    const { agent, injector, events, pass } = setup();
    agent.state = 'busy';
    injector.add(deliver('old', { expires_at: agent.clock.now() + 1_000 }));
    injector.add(deliver('new'));
    await pass(2_000);
    agent.state = 'ready';
    await pass(5_000);
    expect(events.filter((event) => !event.startsWith('waiting'))).toEqual(['EXPIRED old', 'submitted new']);
  });

  it('does not type what is the daemon’s again, nor anything after close', async () => {
    const { agent, injector, events, pass } = setup();
    agent.state = 'busy';
    const [one, two] = [deliver('one'), deliver('two')];
    injector.add(one);
    injector.add(two);
    injector.release([one.id]);
    agent.state = 'ready';
    await pass(5_000);
    expect(events).toContain('submitted two');
    injector.close();
    injector.add(deliver('three'));
    await pass(5_000);
    expect(agent.taken).toHaveLength(1);
  });

  describe('with a native channel', () => {
    const channel = (deliver: (text: string) => Promise<void>): NativeChannel => ({
      name: 'test',
      deliver,
      close: async () => {},
    });

    it('types when that is safe at once, and takes the channel when a draft is in the way', async () => {
      const given: string[] = [];
      const { agent, injector, events, pass } = setup({
        native: channel(async (text) => void given.push(text)),
      });
      injector.add(deliver('typed'));
      await pass(5_000);
      agent.box = 'half a sente';
      injector.add(deliver('handed over'));
      await pass(5_000);
      expect(agent.taken).toHaveLength(1);
      expect(given).toEqual([expect.stringContaining('handed over')]);
      expect(agent.box).toBe('half a sente');
      expect(events).toEqual(['submitted typed', 'submitted handed over']);
    });

    it('waits for keys when the channel fails, and loses nothing', async () => {
      const { agent, injector, events, pass } = setup({
        native: channel(() => Promise.reject(new Error('no'))),
      });
      agent.state = 'busy';
      injector.add(deliver('hello'));
      await pass(5_000);
      agent.state = 'ready';
      await pass(5_000);
      expect(events.at(-1)).toBe('submitted hello');
      expect(agent.taken).toHaveLength(1);
    });

    it('does not type what the channel may have handed over', async () => {
      const { agent, injector, events, pass } = setup({
        native: channel(() => Promise.reject(new RelayError('NOT_CONFIRMED', 'no sign of it'))),
      });
      agent.state = 'busy';
      injector.add(deliver('hello'));
      await pass(5_000);
      agent.state = 'ready';
      await pass(5_000);
      expect(events).toEqual(['NOT_CONFIRMED hello']);
      expect(agent.written).toEqual([]);
    });

    it('hands over what waits in one go, and what the channel surely has not once more', async () => {
      const given: string[] = [];
      let works = false;
      const { agent, injector, events, pass } = setup({
        native: channel(async (text) => {
          given.push(text);
          if (!works) throw new Error('no');
        }),
      });
      agent.box = 'half a sente';
      for (const body of ['one', 'two']) injector.add(deliver(body));
      await pass(5_000);
      works = true;
      await pass(15_000);
      expect(given.map((text) => text.match(/^Relay message from/gm)?.length)).toEqual([2, 2]);
      expect(events).toEqual(['waiting draft', 'waiting for nothing', 'submitted one', 'submitted two']);
      expect(agent.written).toEqual([]);
    });

    it('tells that a message waits behind a dialog, also when it is handed over', async () => {
      let take = () => {};
      const taken = new Promise<void>((resolve) => {
        take = resolve;
      });
      const { agent, injector, events, pass } = setup({ native: channel(() => taken) });
      agent.state = 'dialog';
      injector.add(deliver('hello'));
      await pass(60_000);
      expect(events).toEqual(['waiting dialog']);
      take();
      await pass(100);
      expect(events).toEqual(['waiting dialog', 'submitted hello', 'waiting for nothing']);
    });

    it('never types with --inject native', async () => {
      const given: string[] = [];
      const { agent, injector, pass } = setup({
        mode: 'native',
        native: channel(async (text) => void given.push(text)),
      });
      injector.add(deliver('hello'));
      await pass(5_000);
      expect(given).toHaveLength(1);
      expect(agent.written).toEqual([]);
    });
  });
});
