import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { type OpencodeEvent, orderOf, parseOpencodeEvent } from '../../../src/agents/opencode-event.ts';
import { OpencodeSessions } from '../../../src/agents/opencode-sessions.ts';
import { ServerEvents } from '../../../src/agents/server-events.ts';

/** Recorded from opencode 1.18.33: hello, a tool call behind a question, a prompt by its API. */
const recorded = readFileSync(
  new URL('../../../fixtures/agents-data/opencode/events.jsonl', import.meta.url),
  'utf8',
)
  .trimEnd()
  .split('\n');

const heard: string[] = [];
const lookedUp: string[] = [];
const states: string[] = [];
const told: string[] = [];
const entered: string[] = [];
/** Sessions in which something was missed. */
const missed = new Set<string>();
let sessions: OpencodeSessions;

beforeEach(() => {
  heard.length = lookedUp.length = states.length = told.length = entered.length = 0;
  missed.clear();
  sessions = new OpencodeSessions({
    sink: {
      text: (id, offset, text) => heard.push(`${id}@${offset}: ${text}`),
      end: (id) => heard.push(`${id} ends`),
      prompt: (text) => heard.push(`prompt: ${text}`),
    },
    started: 500,
    entered: (session, message) => {
      entered.push(`${session} ${message}`);
      return missed.has(session);
    },
    told: (session, part) => told.push(`${session} ${part}`),
    lookUp: (session) => lookedUp.push(session),
    changed: () => states.at(-1) !== sessions.state && states.push(sessions.state),
  });
});

const session = (id: string, parent?: string): OpencodeEvent => ({
  kind: 'session',
  session: { id, parent, title: id },
});
const message = (
  id: string,
  over: Partial<Extract<OpencodeEvent, { kind: 'message' }>> = {},
): OpencodeEvent => ({
  kind: 'message',
  session: 'main',
  id,
  role: 'assistant',
  created: 1000,
  completed: false,
  summary: false,
  choice: { agent: 'build', model: undefined, variant: undefined },
  ...over,
});
const text = (part: string, content: string, over: object = {}): OpencodeEvent => ({
  kind: 'text',
  session: 'main',
  message: 'm1',
  part,
  text: content,
  ended: false,
  synthetic: false,
  ...over,
});
const delta = (part: string, content: string): OpencodeEvent => ({
  kind: 'delta',
  session: 'main',
  message: 'm1',
  part,
  text: content,
});
const push = (...events: OpencodeEvent[]) => {
  for (const event of events) sessions.push(event);
};

describe("opencode's events, as recorded", () => {
  it('tell what was asked and said, and the states between', () => {
    for (const line of recorded) {
      const event = parseOpencodeEvent(line);
      if (event) sessions.push(event);
    }
    expect(heard.map((line) => line.replace(/^prt_\w+/, 'part'))).toEqual([
      'prompt: please say hello',
      'part@0: Hello **bold**\n>>relay:bob hi\n',
      'part ends',
      'prompt: please use the tool',
      'part@0: before the tool',
      'part ends',
      'part@0: tool done',
      'part ends',
      'prompt: native one',
      'part@0: Hello **bold**\n>>relay:bob hi\n',
      'part ends',
    ]);
    expect(states).toEqual(['ready', 'busy', 'ready', 'busy', 'dialog', 'busy', 'ready', 'busy', 'ready']);
    expect(sessions.target?.choice).toEqual({
      agent: 'build',
      model: { providerID: 'mock', modelID: 'm' },
      variant: undefined,
    });
    expect(lookedUp).toEqual([]);
  });

  it('never throw, whatever they are', () => {
    const types = fc.constantFrom(
      'session.created',
      'message.updated',
      'message.part.updated',
      'permission.asked',
    );
    fc.assert(fc.property(fc.string(), (data) => void parseOpencodeEvent(data)));
    fc.assert(
      fc.property(types, fc.jsonValue(), (type, properties) => {
        const event = parseOpencodeEvent(JSON.stringify({ type, properties }));
        if (event) sessions.push(event);
      }),
    );
  });
});

describe('the speech of opencode', () => {
  it('streams: pieces once, the whole text at the end not again', () => {
    push(session('main'), message('m1'), text('p', ''), delta('p', 'one '), delta('p', 'two'));
    push(text('p', 'one two', { ended: true }));
    expect(heard).toEqual(['p@0: one ', 'p@4: two', 'p ends']);
  });

  it('is none of a sub-agent, a summary, a reasoning part or a copied conversation', () => {
    push(session('main'), session('sub', 'main'));
    push(
      message('m1', { session: 'sub' }),
      text('p1', '', { session: 'sub' }),
      text('p1', 'x', { session: 'sub', ended: true }),
    );
    push(
      message('m2', { summary: true }),
      text('p2', '', { message: 'm2' }),
      text('p2', 'x', { message: 'm2', ended: true }),
    );
    push(message('m3'), delta('reasoning', 'x'));
    push(message('m4'), text('p4', 'copied at once', { message: 'm4', ended: true }));
    expect(heard).toEqual([]);
  });

  it('waits until it is known whose session it is', () => {
    push(message('m1'), text('p', ''), text('p', 'x', { ended: true }));
    expect(heard).toEqual([]);
    expect(lookedUp).toEqual(['main']);
    push(session('main'));
    expect(heard).toEqual(['p@0: x', 'p ends']);
  });

  it('is completed after a break: each piece once, what was said before it not again', () => {
    push(session('main'), message('m1'), text('p', ''), delta('p', 'one '));
    const stored = [
      message('old', { created: 1, completed: true }),
      text('p0', 'long ago', { message: 'old', ended: true }),
      message('m1'),
      text('p', 'one two '),
      message('m2', { created: 2000, completed: true }),
      text('p2', 'missed', { message: 'm2', ended: true }),
    ];
    sessions.catchUp(stored, 1500);
    push(delta('p', 'two '), text('p', 'one two three', { ended: true }));
    expect(heard).toEqual(['p@0: one ', 'p@4: two ', 'p2@0: missed', 'p2 ends', 'p@8: three', 'p ends']);
  });
});

describe('what a wrapper of ours that was killed did not hear', () => {
  const id = (prefix: string, order: number) => `${prefix}_${order.toString(16).padStart(12, '0')}AbCdEf`;
  const kept = { offset: 20, begun: [], until: 400 };

  it('is told before anything new of the session, and nothing else is', () => {
    missed.add('main');
    push(session('main'), message(id('msg', 90), { role: 'user' }));
    push(text(id('prt', 91), 'go on', { message: id('msg', 90) }));
    push(message('m1'), text('p', ''), text('p', 'new', { ended: true }));
    // The server repeats what it knows of the session: that is no sign to go on.
    push(session('main'));
    expect(heard).toEqual([]);
    expect(entered).toEqual([`main ${id('msg', 90)}`]);
    const old = (order: number, over: object = {}) =>
      message(id('msg', order), { created: 300, completed: true, ...over });
    const said = (of: number, order: number, content: string, over: object = {}) =>
      text(id('prt', order), content, { message: id('msg', of), ended: true, ...over });
    const stored = [
      old(10),
      said(10, 20, 'told before the crash'),
      said(10, 21, 'the rest of that message'),
      old(30, { role: 'user' }),
      said(30, 31, 'a prompt'),
      old(32, { summary: true }),
      said(32, 33, 'a summary'),
      old(40),
      said(40, 41, 'broken off\n>>relay:bob half a', { ended: false }),
      old(50, { created: 401 }),
      said(50, 51, 'when nobody was wrapped'),
      old(90, { created: 600 }),
      said(90, 92, 'of this run'),
    ];
    sessions.tellMissed('main', stored, kept);
    expect(told).toEqual([`main ${id('prt', 21)}`, `main ${id('prt', 41)}`]);
    sessions.goOn('main');
    expect(heard).toEqual([
      `${id('prt', 21)}@0: the rest of that message`,
      `${id('prt', 21)} ends`,
      `${id('prt', 41)}@0: broken off\n`,
      `${id('prt', 41)} ends`,
      'prompt: go on',
      'p@0: new',
      'p ends',
    ]);
    expect(told.at(-1)).toBe('main p');
  });

  it('is asked for once a session, with its first message of this run', () => {
    push(session('main'), session('sub', 'main'));
    push(message('m0', { created: 499 }), message('m2', { session: 'sub' }), message('m1'), message('m3'));
    expect(entered).toEqual(['main m1']);
  });

  it('is nothing where ids do not tell what came later', () => {
    sessions.tellMissed('main', [message('m1', { created: 300 }), text('p', 'x', { ended: true })], kept);
    expect(heard).toEqual([]);
    expect(orderOf('prt_1f953a8bf00134wQCKztkg88FV')).toBeGreaterThan(
      orderOf('msg_1f953a37c001dC55BJ6QpeLiue'),
    );
  });
});

describe('the state of opencode', () => {
  it('is that of the session of the newest prompt', () => {
    push(session('main'), message('u', { role: 'user' }), { kind: 'status', session: 'other', busy: true });
    expect(sessions.state).toBe('ready');
    push({ kind: 'status', session: 'main', busy: true });
    expect(sessions.state).toBe('busy');
  });

  it('asks as long as any question is open, and no longer than the answer that asks', () => {
    push(
      session('main'),
      { kind: 'asked', session: 'main', request: 'a' },
      { kind: 'asked', session: 'sub', request: 'b' },
    );
    push({ kind: 'answered', request: 'a' });
    expect(sessions.state).toBe('dialog');
    push({ kind: 'status', session: 'sub', busy: false });
    expect(sessions.state).toBe('ready');
  });
});

describe('server-sent events', () => {
  it('are the same however the bytes are cut', () => {
    const stream = Buffer.from(
      ': hello\n\ndata: {"a":"日本🎉"}\r\n\r\ndata: one\ndata: two\n\nevent: x\ndata:three\n\n',
    );
    fc.assert(
      fc.property(fc.array(fc.nat({ max: stream.length })), (cuts) => {
        const decoder = new ServerEvents();
        const at = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const events = at.slice(1).flatMap((end, i) => decoder.push(stream.subarray(at[i], end)));
        expect(events).toEqual(['{"a":"日本🎉"}', 'one\ntwo', 'three']);
      }),
    );
  });
});
