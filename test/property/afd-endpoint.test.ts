import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseEndpoint, renderEndpoint } from '../../src/afd/endpoint.ts';
import { isHandoff } from '../../src/afd/handoff.ts';
import fc from '../helpers/fast-check.ts';

const name = fc
  .string({ unit: 'grapheme', minLength: 1 })
  .map((text) => text.replaceAll('\0', ''))
  .filter((text) => text !== '');

describe('checklist 13: endpoints of local sockets', () => {
  it('give every socket path back, are valid handoff endpoints, and survive `new URL`', () => {
    const paths = fc
      .array(name, { minLength: 1, maxLength: 5 })
      .map((segments) => posix.normalize(`/${segments.join('/')}`))
      .filter((path) => !path.endsWith('/'));
    fc.assert(
      fc.property(paths, (path) => {
        const endpoint = renderEndpoint(path);
        expect(parseEndpoint(endpoint)).toBe(path);
        expect(isHandoff({ protocol: 'p', endpoint })).toBe(true);
        expect(decodeURIComponent(new URL(endpoint).pathname)).toBe(path);
      }),
    );
  });

  it('give every pipe name back', () => {
    fc.assert(
      fc.property(
        name.filter((text) => text !== '.' && text !== '..'),
        (pipe) => {
          const path = `\\\\.\\pipe\\${pipe}`;
          expect(parseEndpoint(renderEndpoint(path))).toBe(path);
        },
      ),
    );
  });

  it('are either understood or refused with BAD_HANDOFF, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webUrl(),
          name.map((text) => `unix:///${text}`),
        ),
        (text) => {
          try {
            expect(parseEndpoint(text)).toMatch(/^(\/|\\\\\.\\pipe\\)/);
          } catch (thrown) {
            expect(thrown).toMatchObject({ code: 'BAD_HANDOFF' });
          }
        },
      ),
    );
  });
});
