/** opencode's channel and its reconnection, on a server of ours that behaves as the recorded one. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isTitleOf, OpencodeNative } from '../../../src/agents/opencode-native.ts';
import { OpencodeSpeech } from '../../../src/agents/opencode-speech.ts';
import { OpencodeState } from '../../../src/agents/opencode-state.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { until } from '../../agents/until.ts';
import { MemoryPositions } from '../../helpers/memory-positions.ts';

const AUTHORIZATION = `Basic ${Buffer.from('opencode:secret').toString('base64')}`;
const SESSION = { id: 'ses_1', title: 'A talk' };

let server: Server;
let port: number;
let streams: ServerResponse[];
/** Sessions the server lists. */
let listed: object[];
/** Messages the server has stored. */
let stored: object[];
/** Bodies of prompt_async. */
let asked: Record<string, unknown>[];
/** Is a prompt shown in its session? */
let shows: boolean;
/** Does the server answer a prompt, or is it too busy? */
let answers: boolean;
let refused: number;
let speech: OpencodeSpeech;
let state: OpencodeState;
let native: OpencodeNative;
let positions: MemoryPositions;
const heard: string[] = [];
const failed: string[] = [];

const emit = (type: string, properties: object) => {
  for (const stream of streams) stream.write(`data: ${JSON.stringify({ type, properties })}\n\n`);
};
const info = (id: string, role: string, over: object = {}) => ({
  info: { id, role, sessionID: 'ses_1', time: { created: Date.now() }, agent: 'build', ...over },
});
const part = (messageID: string, id: string, text: string, end?: number) => ({
  part: { id, messageID, sessionID: 'ses_1', type: 'text', text, time: { start: 1, end } },
});
const prompt = (id: string, text: string) => {
  const model = { providerID: 'mock', modelID: 'm', variant: 'high' };
  emit('message.updated', info(id, 'user', { agent: 'plan', model }));
  emit('message.part.updated', part(id, `prt_${id}`, text));
};

beforeEach(async () => {
  [streams, listed, stored, asked, shows, refused] = [[], [], [], [], true, 0];
  answers = true;
  heard.length = failed.length = 0;
  positions = new MemoryPositions();
  server = createServer(async (request, response) => {
    if (request.headers.authorization !== AUTHORIZATION) {
      refused++;
      response.writeHead(401).end();
    } else if (request.url === '/event') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"type":"server.connected","properties":{}}\n\n');
      streams.push(response);
    } else if (request.url?.startsWith('/session/ses_1/message')) {
      const limit = Number(new URL(request.url, 'http://x').searchParams.get('limit'));
      response.end(JSON.stringify(stored.slice(-limit)));
    } else if (request.url === '/session/ses_1') response.end(JSON.stringify(SESSION));
    else if (request.url === '/session') response.end(JSON.stringify(listed));
    else if (request.url === '/session/status') response.end('{}');
    else if (request.url === '/session/ses_1/prompt_async') {
      let body = '';
      for await (const chunk of request) body += chunk;
      const read = JSON.parse(body) as { parts: { text: string }[] };
      asked.push(read);
      if (answers) response.writeHead(204).end();
      else response.destroy();
      if (shows) prompt(`msg_${asked.length}`, read.parts[0]?.text ?? '');
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as { port: number }).port;
});
afterEach(async () => {
  await native.close();
  await speech.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const open = (password = 'secret') => {
  state = new OpencodeState(silentLog);
  const plan = { args: [], env: {}, port, user: 'opencode', password };
  speech = new OpencodeSpeech({ plan, state, positions, clock: systemClock, log: silentLog });
  native = new OpencodeNative({
    server: speech.server,
    sessions: speech.sessions,
    state,
    clock: systemClock,
  });
  speech.onPrompt((text) => native.taken(text));
  speech.start({
    text: (_id, offset, text) => heard.push(`${offset}: ${text}`),
    end: () => heard.push('ends'),
    failed: (reason) => failed.push(reason),
  });
};
const connected = () => until('the stream', () => speech.server.open && streams.length > 0);

describe("opencode's events", () => {
  const id = (prefix: string, order: number) => `${prefix}_${order.toString(16).padStart(12, '0')}AbCdEf`;
  const told = (order: number, text: string) => ({
    ...info(id('msg', order), 'assistant', { time: { created: Date.now() - 60_000 } }),
    parts: [part(id('msg', order), id('prt', order), text, 2).part],
  });

  it('of a session whose wrapper was killed begin with what that did not live to hear', async () => {
    positions.set('opencode ses_1', 1_000);
    positions.crash(Date.now());
    // More than one answer of the server holds.
    stored = Array.from({ length: 230 }, (_, i) => told(1_000 + i, `${i}`));
    open();
    await connected();
    prompt(id('msg', 5_000), 'go on');
    await until('all of it', () => heard.length === 2 * 229);
    expect(heard.filter((line) => line !== 'ends')).toEqual(
      Array.from({ length: 229 }, (_, i) => `0: ${i + 1}`),
    );
    await until('the position', () => positions.live.get('opencode ses_1')?.offset === 1_229);
  });

  it('leave a position behind: of the first prompt, then of what was said', async () => {
    open();
    await connected();
    prompt(id('msg', 5_000), 'hello');
    await until('the position', () => positions.live.get('opencode ses_1')?.offset === 5_000);
    emit('message.updated', info(id('msg', 5_001), 'assistant'));
    emit('message.part.updated', part(id('msg', 5_001), id('prt', 5_002), ''));
    emit('message.part.updated', part(id('msg', 5_001), id('prt', 5_002), 'hi', 2));
    await until('the position', () => positions.live.get('opencode ses_1')?.offset === 5_002);
    expect(heard).toEqual(['0: hi', 'ends']);
  });

  it('are taken up again after a break, with what was missed and nothing twice', async () => {
    open();
    await connected();
    emit('session.status', { sessionID: 'ses_1', status: { type: 'busy' } });
    emit('message.updated', info('msg_1', 'assistant'));
    emit('message.part.updated', part('msg_1', 'prt_1', ''));
    emit('message.part.delta', {
      sessionID: 'ses_1',
      messageID: 'msg_1',
      partID: 'prt_1',
      field: 'text',
      delta: 'one ',
    });
    await until('the first piece', () => heard.length === 1);
    stored = [
      {
        ...info('msg_0', 'assistant', { time: { created: 1, completed: 2 } }),
        parts: [part('msg_0', 'prt_0', 'old', 2).part],
      },
      { ...info('msg_1', 'assistant'), parts: [part('msg_1', 'prt_1', 'one two', 2).part] },
    ];
    const old = { ...SESSION, id: 'ses_0', time: { updated: 1 } };
    listed = [{ ...SESSION, time: { updated: Date.now() } }, old];
    for (const stream of streams.splice(0)) stream.destroy();
    await until('the rest', () => heard.length === 3);
    expect(heard).toEqual(['0: one ', '4: two', 'ends']);
    // The end of its work was missed as well.
    await until('the state', () => speech.sessions.state === 'ready');
    expect(failed).toEqual([]);
  });

  it('that came before we were connected are heard as well', async () => {
    // The agent starts after us, and speaks before its port is open to us.
    open();
    listed = [{ ...SESSION, time: { updated: Date.now() } }];
    const time = { created: Date.now(), completed: Date.now() };
    stored = [{ ...info('msg_1', 'assistant', { time }), parts: [part('msg_1', 'prt_1', 'early', 2).part] }];
    await until('the answer', () => heard.length === 2);
    expect(heard).toEqual(['0: early', 'ends']);
  });

  it('fail at once when the password is refused', async () => {
    open('another');
    await until('the failure', () => failed.length > 0);
    expect(failed).toEqual(['its server answers 401']);
    expect(refused).toBe(1);
  });
});

describe("opencode's channel", () => {
  const ready = async () => {
    open();
    await connected();
    prompt('msg_0', 'hello');
    await until('a session', () => speech.sessions.target);
  };

  it("gives a prompt to the session, with the person's agent and model, and waits until it is there", async () => {
    await ready();
    await native.deliver('Relay message from bob [1]: hi');
    expect(asked).toEqual([
      {
        agent: 'plan',
        model: { providerID: 'mock', modelID: 'm' },
        variant: 'high',
        parts: [{ type: 'text', text: 'Relay message from bob [1]: hi' }],
      },
    ]);
  });

  it('gives a prompt once when the server took it and did not say so', async () => {
    await ready();
    answers = false;
    await native.deliver('Relay message from bob [1]: hi');
    expect(asked).toHaveLength(1);
    answers = true;
    shows = false;
    server.closeAllConnections();
    await until('the break', () => !speech.server.open);
    await expect(native.deliver('x')).rejects.toMatchObject({ code: 'REJECTED' });
  });

  it('refuses while there is no conversation, or another one is shown', async () => {
    open();
    await expect(native.deliver('x')).rejects.toMatchObject({ code: 'REJECTED' });
    await connected();
    await expect(native.deliver('x')).rejects.toThrow('no conversation');
    prompt('msg_0', 'hello');
    await until('a session', () => speech.sessions.target);
    state.output(Buffer.from('\x1b]0;OC | Another talk\x07'));
    await expect(native.deliver('x')).rejects.toThrow('another session');
    state.output(Buffer.from('\x1b]0;OC | A talk\x07'));
    await native.deliver('x');
    expect(asked.length).toBe(1);
  });

  it('refuses when the person has switched to another agent', async () => {
    await ready();
    state.agent = 'Build';
    await expect(native.deliver('x')).rejects.toThrow('another agent');
    state.agent = 'Plan';
    await native.deliver('x');
  });
});

describe("the terminal's title", () => {
  it.each([
    ['OC | A talk', 'A talk', true],
    ['OC | A talk', 'Another talk', false],
    ['OpenCode', 'New session - 2026-11-20T14:19:30.207Z', true],
    ['OpenCode', 'A talk', false],
    [`OC | ${'x'.repeat(37)}…`, 'x'.repeat(50), true],
    [`OC | ${'x'.repeat(37)}…`, `y${'x'.repeat(50)}`, false],
  ])('%s fits the session %s: %s', (title, session, fits) => {
    expect(isTitleOf(title, { id: 's', parent: undefined, title: session })).toBe(fits);
  });
});
