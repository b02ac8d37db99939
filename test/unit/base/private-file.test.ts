import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lineLog } from '../../../src/base/log.ts';
import { appendPrivate, replacePrivate } from '../../../src/base/private-file.ts';
import { AUDIT_FILE, auditFile } from '../../../src/daemon/audit-file.ts';
import { renewHost } from '../../../src/daemon/host-file.ts';

let directory: string;
let victim: string;
let umask: number;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'private-file-'));
  victim = join(directory, 'victim');
  writeFileSync(victim, 'precious');
  chmodSync(victim, 0o644);
  umask = process.umask(0);
});
afterEach(() => {
  process.umask(umask);
  rmSync(directory, { recursive: true });
});

const at = (name: string) => join(directory, name);
const mode = (name: string) => statSync(at(name)).mode & 0o777;

describe('P19 files in a directory of ours', () => {
  it('are 0600 whatever the umask is, those that were opened to others too', () => {
    appendPrivate(at('a'), 'one ');
    chmodSync(at('a'), 0o666);
    appendPrivate(at('a'), 'two');
    replacePrivate(at('b'), 'three');
    expect([mode('a'), mode('b')]).toEqual([0o600, 0o600]);
    expect(readFileSync(at('a'), 'utf8')).toBe('one two');
  });

  it('no link is followed: what it leads to stays as it is', () => {
    symlinkSync(victim, at('a'));
    expect(() => appendPrivate(at('a'), 'x')).toThrow(expect.objectContaining({ code: 'ELOOP' }));
    symlinkSync(victim, at('b'));
    symlinkSync(victim, at(`b.${process.pid}`));
    replacePrivate(at('b'), 'new');
    expect(readFileSync(at('b'), 'utf8')).toBe('new');
    expect(readFileSync(victim, 'utf8')).toBe('precious');
    expect(mode('victim')).toBe(0o644);
    expect(readdirSync(directory).sort()).toEqual(['a', 'b', 'victim']);
  });

  it('what is no file is refused', () => {
    mkdirSync(at('a'));
    expect(() => appendPrivate(at('a'), 'x')).toThrow(expect.objectContaining({ code: 'EISDIR' }));
  });

  it('of the relay are written so: audit.log, host.json', () => {
    const lines: string[] = [];
    symlinkSync(victim, at(AUDIT_FILE));
    symlinkSync(victim, at('host.json'));
    auditFile(
      directory,
      lineLog((line) => lines.push(line)),
    )({ ts: '', command: 'relay-connect', traceId: '', interface: 'rpc', success: true });
    renewHost(directory, 1);
    expect(lines.join()).toContain('audit.lost');
    expect(mode('host.json')).toBe(0o600);
    expect(readFileSync(victim, 'utf8')).toBe('precious');
  });
});
