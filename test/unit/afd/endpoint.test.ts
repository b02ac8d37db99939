import { describe, expect, it } from 'vitest';
import { parseEndpoint, renderEndpoint } from '../../../src/afd/endpoint.ts';

describe('checklist 13: endpoints of local sockets', () => {
  it.each([
    ['/tmp/x.sock', 'unix:///tmp/x.sock'],
    ['/tmp/a b#c?d%e.sock', 'unix:///tmp/a%20b%23c%3Fd%25e.sock'],
    ['/tmp/größe/中.sock', 'unix:///tmp/gr%C3%B6%C3%9Fe/%E4%B8%AD.sock'],
    ['\\\\.\\pipe\\agent relay', 'npipe://./pipe/agent%20relay'],
  ])('writes %s as %s, and back', (path, endpoint) => {
    expect(renderEndpoint(path)).toBe(endpoint);
    expect(parseEndpoint(endpoint)).toBe(path);
  });

  it('resolves dot segments before a client with `new URL` does', () => {
    expect(renderEndpoint('/tmp/a/../b/./x.sock')).toBe('unix:///tmp/b/x.sock');
  });

  it.each([
    'x.sock',
    './x.sock',
    '',
    '/',
    '/tmp/',
    '/tmp/\0x',
    '/tmp/\ud800',
    '\\\\.\\pipe\\',
    '\\\\.\\pipe\\..',
  ])('refuses the path %j', (path) => {
    expect(() => renderEndpoint(path)).toThrow(expect.objectContaining({ code: 'BAD_HANDOFF' }));
  });

  it.each([
    'unix://tmp/x.sock',
    'unix:/tmp/x.sock',
    'unix:///tmp/x?token=1',
    'unix:///tmp/x#y',
    'unix:///tmp/%ff',
    'unix:///tmp/%',
    'unix:///tmp/%00',
    'npipe:////./pipe/a',
    'npipe://./pipe/',
    'npipe://host/pipe/a',
    'ws://h/x',
    '/tmp/x.sock',
    '',
  ])('refuses the endpoint %j', (endpoint) => {
    expect(() => parseEndpoint(endpoint)).toThrow(expect.objectContaining({ code: 'BAD_HANDOFF' }));
  });
});
