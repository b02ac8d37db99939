import { beforeEach, describe, expect, it } from 'vitest';
import type { AgentState, InputBox, NativeChannel } from '../../../src/agents/adapter.ts';
import { Gate, type GateOptions } from '../../../src/inject/gate.ts';
import { Patience } from '../../../src/inject/patience.ts';
import type { DeliverEnvelope } from '../../../src/protocol/envelope.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

const deliver = (more: Partial<DeliverEnvelope['delivery']> = {}): DeliverEnvelope => ({
  v: 1,
  type: 'DELIVER',
  id: '00000001-aaaa-5aaa-8aaa-aaaaaaaaaaaa',
  ts: 1,
  from: 'bob',
  payload: { body: 'hello' },
  delivery: { seq: 1, session_id: 's', ...more },
});

const native: NativeChannel = { name: 'test', deliver: async () => {}, close: async () => {} };

/** What the gate sees, and what it said. */
const seen = {
  state: 'ready' as AgentState,
  box: { text: '', mode: 'prompt' } as InputBox | undefined,
  bracketedPaste: true,
  line: undefined as { canonical: boolean; echo: boolean } | undefined,
  lastOutputAt: 0,
  lastKeyAt: 0,
  keysSinceSubmit: 0,
  relayReady: true,
};
const empty = structuredClone(seen);
let clock: FakeClock;
let gate: Gate;
let events: string[];
let gone: boolean;

const open = (more: Partial<Pick<GateOptions, 'known' | 'mode'>> & { native?: NativeChannel } = {}) => {
  const terminal = {
    write: async () => {},
    paste: async () => ({ broken: 'no' as const, release: () => {} }),
    view: async () => ({
      rows: () => [],
      cursor: { row: 0, column: 0 },
      bracketedPaste: seen.bracketedPaste,
      faint: () => false,
      alternateScreen: false,
    }),
    lineMode: async () => seen.line,
    onceChanged: () => () => {},
    get lastOutputAt() {
      return seen.lastOutputAt;
    },
    get lastKeyAt() {
      return seen.lastKeyAt;
    },
    get keysSinceSubmit() {
      return seen.keysSinceSubmit;
    },
  };
  gate = new Gate(
    {
      terminal,
      agent: {
        get state() {
          return { state: seen.state, output() {}, screen() {}, onChange() {} };
        },
        inputBox: () => seen.box,
        typeWhileBusy: false,
        native: more.native,
      },
      known: more.known ?? true,
      mode: more.mode ?? 'auto',
      mayType: () => seen.relayReady,
      clock,
    },
    new Patience(terminal, clock, () => gone),
    (reason) => events.push(reason ?? 'clear'),
  );
};
/** Tells how the delivery passed, when it has. */
const pass = (envelope = deliver()) =>
  void gate.pass(envelope, () => gone).then((way) => events.push(`by ${way}`));
const wait = (ms: number) => clock.advanceAsync(ms);

beforeEach(() => {
  Object.assign(seen, structuredClone(empty));
  clock = new FakeClock();
  clock.advance(60_000);
  events = [];
  gone = false;
  open();
});

describe('the gate', () => {
  it('is open for keys where nothing is in the way', async () => {
    pass();
    await wait(1);
    expect(events).toEqual(['by keys']);
  });

  it('waits while the relay is away, and while the person holds it here or there', async () => {
    seen.relayReady = false;
    pass();
    await wait(1_000);
    seen.relayReady = true;
    gate.hold('terminal', true);
    await wait(1_000);
    gate.hold('relay', true);
    gate.hold('terminal', false);
    await wait(1_000);
    expect(events).toEqual(['relay-away', 'held']);
    gate.hold('relay', false);
    await wait(1_000);
    expect(events).toEqual(['relay-away', 'held', 'clear', 'by keys']);
    expect(gate.reason).toBeUndefined();
  });

  it('does not take the box of an agent that is not ready for text, or that is out of sight, for an empty one', async () => {
    seen.bracketedPaste = false;
    pass();
    await wait(1_000);
    seen.bracketedPaste = true;
    seen.box = undefined;
    await wait(1_000);
    expect(events).toEqual(['no-box']);
  });

  it('is shut at a password prompt', async () => {
    open({ known: false });
    seen.state = 'unknown';
    seen.line = { canonical: true, echo: false };
    pass();
    await wait(60_000);
    expect(events).toEqual(['no-echo']);
  });

  it('is shut for an agent without signals until that was silent', async () => {
    open({ known: false });
    seen.state = 'unknown';
    seen.lastOutputAt = clock.monotonic();
    pass();
    await wait(300);
    expect(events).toEqual(['printing']);
    await wait(200);
    expect(events.slice(1)).toEqual(['clear', 'by keys']);
  });

  it('lets nothing pass that has expired, or is not ours any more', async () => {
    seen.state = 'busy';
    pass(deliver({ expires_at: clock.now() + 1_000 }));
    await wait(2_000);
    expect(events).toEqual(['busy', 'by expired']);
    pass();
    gone = true;
    await wait(1_000);
    expect(events.slice(2)).toEqual(['by gone']);
  });

  it('looks last whether it is ours still: looking takes a moment', async () => {
    pass();
    gone = true;
    await wait(1);
    expect(events).toEqual(['by gone']);
  });

  it('says that nothing waits once nothing does', async () => {
    seen.state = 'busy';
    pass(deliver({ expires_at: clock.now() + 100 }));
    await wait(1_000);
    gate.clear();
    expect(events).toEqual(['busy', 'by expired', 'clear']);
  });

  describe('of an agent with its own channel', () => {
    it.each(['typing', 'draft', 'dialog', 'busy', 'no-box'])('is open to it behind %s', async (obstacle) => {
      open({ native });
      if (obstacle === 'typing') seen.lastKeyAt = clock.monotonic();
      if (obstacle === 'draft') seen.box = { text: 'half a sente', mode: 'prompt' };
      if (obstacle === 'dialog' || obstacle === 'busy') seen.state = obstacle;
      if (obstacle === 'no-box') seen.box = undefined;
      pass();
      await wait(1);
      // Behind a question it waits there as well, and that is told.
      expect(events).toEqual([...(obstacle === 'dialog' ? ['dialog'] : []), 'by native']);
    });

    it('is shut to both while the person holds it', async () => {
      open({ native });
      gate.hold('terminal', true);
      pass();
      await wait(60_000);
      expect(events).toEqual(['held']);
    });

    it('is no way for ten seconds after the channel failed; keys are, where they may be', async () => {
      open({ native });
      seen.state = 'busy';
      gate.nativeFailed();
      pass();
      await wait(9_000);
      expect(events).toEqual(['busy']);
      await wait(2_000);
      expect(events.slice(1)).toEqual(['clear', 'by native']);
      gate.nativeFailed();
      seen.state = 'ready';
      pass();
      await wait(1);
      expect(events.slice(3)).toEqual(['by keys']);
    });

    it('has no other way with --inject native, and none but keys with --inject keys', async () => {
      open({ native, mode: 'native' });
      gate.nativeFailed();
      pass();
      await wait(9_000);
      expect(events).toEqual(['no-channel']);
      await wait(2_000);
      expect(events.slice(1)).toEqual(['clear', 'by native']);
      open({ native, mode: 'keys' });
      seen.state = 'busy';
      pass();
      await wait(60_000);
      expect(events.slice(3)).toEqual(['busy']);
    });
  });
});
