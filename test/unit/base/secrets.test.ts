import { describe, expect, it } from 'vitest';
import { lineLog } from '../../../src/base/log.ts';
import { hideSecrets } from '../../../src/base/secrets.ts';

const SECRETS: readonly (readonly [what: string, text: string, hidden: string])[] = [
  ['an Anthropic key', 'use sk-ant-api03-AbCdEf_123456-7890 now', 'use sk-[secret] now'],
  ['a Stripe key', 'sk_live_51H8abcdefghijklmnop', 'sk_live_[secret]'],
  ['a GitHub token', 'ghp_0123456789abcdefghijklmnopqrstuvwxyz', 'ghp_[secret]'],
  ['an AWS key id', 'id AKIAIOSFODNN7EXAMPLE.', 'id AKIA[secret].'],
  ['an AWS key', 'AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG', 'AWS_SECRET_ACCESS_KEY=[secret]'],
  ['a Google key', `AIza${'x'.repeat(35)}`, 'AIza[secret]'],
  ['a JSON Web Token', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_', 'eyJ[secret]'],
  ['a header', 'Authorization: Bearer abcdefgh.ijklmnop~1==', 'Authorization: Bearer [secret]'],
  ['a URL', 'postgres://ada:pass:word@db/x', 'postgres://ada:[secret]@db/x'],
  ['JSON', '{"db_password": "two words", "port": 5432}', '{"db_password": [secret], "port": 5432}'],
  ['an assignment', "api-key = 'hunter22'; next", 'api-key = [secret]; next'],
  [
    'a private key, cut off too',
    'a -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- b -----BEGIN PRIVATE KEY-----\nMI',
    'a -----BEGIN RSA PRIVATE KEY-----[secret] b -----BEGIN PRIVATE KEY-----[secret]',
  ],
];

describe('secrets in text that is logged', () => {
  it.each(SECRETS)('%s is hidden, and what stands around it is not', (_what, text, hidden) => {
    expect(hideSecrets(text)).toBe(hidden);
  });

  it.each([
    'the token is not one of a living session',
    'see src/secret.ts:12 and https://example.org:8080/x?token',
    'commit 3f2a9c0d1e4b5a69788796a5b4c3d2e1f0a9b8c7 is green',
    'task-1234567890123456 is done, password: no',
  ])('%s: is no secret', (text) => {
    expect(hideSecrets(text)).toBe(text);
  });

  it('are hidden in a log line, in errors and in what they carry, and the line is JSON still', () => {
    const lines: string[] = [];
    const log = lineLog((line) => lines.push(line), 'debug', { of: { key: 'ghp_0123456789abcdefghijklmn' } });
    log.warn('rejected', {
      excerpt: 'x -----BEGIN PRIVATE KEY-----\nMI',
      error: new Error('sk-0123456789abcdefg'),
    });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      of: { key: 'ghp_[secret]' },
      excerpt: 'x -----BEGIN PRIVATE KEY-----[secret]',
      error: { message: 'sk-[secret]' },
    });
  });

  it('takes no longer for text that was made to be slow', () => {
    for (const part of ['eyJ', 'secret', 'token="', 'a://b:', '-----BEGIN PRIVATE KEY-----', 'Bearer ']) {
      hideSecrets(part.repeat(300_000 / part.length));
    }
  });
});
