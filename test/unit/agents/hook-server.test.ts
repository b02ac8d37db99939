import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HookServer, MAX_HOOK_BYTES } from '../../../src/agents/hook-server.ts';
import type { JsonRecord } from '../../../src/agents/json-record.ts';
import { silentLog } from '../../../src/base/log.ts';

describe('the address of the hooks', () => {
  let server: HookServer;
  let heard: JsonRecord[];

  beforeEach(async () => {
    heard = [];
    server = await HookServer.listen('s3cret', silentLog);
    server.onHook((hook) => heard.push(hook));
  });
  afterEach(() => server.close());

  /** The status of the answer, or `reset` if the connection was ended instead. */
  const send = (body: string, more: { path?: string; method?: string; headers?: object } = {}) =>
    new Promise<number | string>((resolve) => {
      const url = new URL(server.url);
      const { path = url.pathname, method = 'POST', headers = {} } = more;
      const options = { host: '127.0.0.1', port: url.port, path, method, headers: { ...headers } };
      const sent = request(options, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      sent.on('error', () => resolve('reset'));
      sent.end(body);
    });

  it('listens on loopback only and takes what knows the secret', async () => {
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/s3cret$/);
    expect(await send('{"a":1}')).toBe(200);
    expect(heard).toEqual([{ a: 1 }]);
  });

  it('does not exist for whoever does not know the secret', async () => {
    expect(await send('{"a":1}', { path: '/s3creT' })).toBe(404);
    expect(await send('{"a":1}', { path: '/' })).toBe(404);
    expect(await send('{"a":1}', { path: '/s3cret/' })).toBe(404);
    expect(await send('', { method: 'GET' })).toBe(404);
    expect(heard).toEqual([]);
  });

  it('does not exist for a page in a browser', async () => {
    expect(await send('{}', { headers: { Origin: 'http://evil.example' } })).toBe(404);
    expect(await send('{}', { headers: { Host: 'evil.example' } })).toBe(404);
    expect(heard).toEqual([]);
  });

  it('refuses what is no JSON object, and what is too long, and goes on', async () => {
    expect(await send('nonsense')).toBe(400);
    expect(await send('[1]')).toBe(400);
    expect([413, 'reset']).toContain(await send('x'.repeat(MAX_HOOK_BYTES + 1)));
    expect(await send('{"b":2}')).toBe(200);
    expect(heard).toEqual([{ b: 2 }]);
  });

  it('can be closed twice', async () => {
    await server.close();
    await server.close();
  });
});
