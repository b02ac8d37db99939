import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { directoryEnvironment, relayDirectories } from '../../src/base/paths.ts';
import { examine } from '../../src/cli/doctor.ts';
import type { Patient } from '../../src/cli/doctor-finding.ts';
import { encodeEnvelope, newEnvelope } from '../../src/protocol/envelope.ts';
import { attach } from '../../src/wrap/attach.ts';
import { encodeLine } from '../../src/wrap/outbox-line.ts';

let home: string;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'doctor-')));
  mkdirSync(join(home, 'bin'));
});
afterEach(() => rmSync(home, { recursive: true }));

const patient = (changes: Partial<Patient> = {}): Patient => ({
  env: { HOME: home, PATH: join(home, 'bin') },
  cwd: home,
  platform: 'linux',
  arch: 'x64',
  versions: { node: '24.21.0', uv: '1.52.1' },
  terminal: { cols: 100, rows: 30 },
  namespace: 'default',
  ...changes,
});

const find = async (check: string, changes: Partial<Patient> = {}) =>
  (await examine(patient(changes))).filter((finding) => finding.check === check);

const program = (name: string, script: string) =>
  writeFileSync(join(home, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });

describe('doctor', () => {
  it('finds a healthy machine well, a true PTY included', async () => {
    program('claude', 'echo "2.1.0 (Claude Code)"');
    const findings = await examine(patient());
    expect(findings.filter(({ state }) => state !== 'ok')).toEqual([]);
    expect(findings.map(({ check }) => check)).toEqual([
      'platform',
      'node',
      'pty',
      'terminal',
      'settings',
      'directory',
      'leader',
      'store',
      'outbox',
      'agents',
    ]);
  });

  it.each<[string, Partial<Patient>, string]>([
    ['platform', { platform: 'win32' }, 'problem'],
    ['platform', { platform: 'darwin' }, 'note'],
    ['node', { versions: { node: '20.18.3', uv: '1.46.0' } }, 'problem'],
    ['node', { versions: { node: '20.19.0', uv: '1.46.0' } }, 'note'],
    ['node', { versions: { node: '24.1.0', uv: '1.51.0' } }, 'note'],
    ['node', { versions: { node: '26.0.0', uv: '2.0.0' } }, 'ok'],
    ['terminal', { terminal: { cols: 1, rows: 1 } }, 'problem'],
    ['terminal', { terminal: { cols: 0, rows: 0 } }, 'note'],
    ['pty', { cwd: '/', env: { HOME: '/nowhere' } }, 'ok'],
    ['agents', {}, 'note'],
  ])('%s of %j is %s, and says what to do', async (check, changes, state) => {
    const [finding] = await find(check, changes);
    expect(finding?.state).toBe(state);
    expect(finding?.advice === undefined).toBe(state === 'ok');
  });

  it('says what a wrapper that is gone has left unsent', async () => {
    expect(await find('outbox')).toEqual([expect.objectContaining({ state: 'ok' })]);
    const [place] = relayDirectories('default', directoryEnvironment(patient().env));
    const outbox = join(place?.path as string, 'outbox');
    mkdirSync(outbox, { recursive: true, mode: 0o700 });
    const send = encodeLine(0, encodeEnvelope(newEnvelope('SEND', { body: 'x' }, 1, { to: 'bob' })));
    const gone = 2 ** 22 + 1; // More than any pid of Linux.
    writeFileSync(
      join(outbox, `ada.1700000000000-${gone}-000001`),
      Buffer.concat([send, encodeLine(9), send]),
    );
    writeFileSync(join(outbox, `bob.1700000000000-${process.pid}-000001`), send);
    writeFileSync(join(outbox, `cid.1700000000000-${gone}-000001.damaged`), 'x');
    const findings = await find('outbox');
    expect(findings.map(({ state, text }) => `${state} ${text}`)).toEqual([
      expect.stringMatching(/^note .*cid.*damaged$/),
      'note 2 messages of ada wait for its next session',
    ]);
  });

  it('sees a relay directory that others can use', async () => {
    const root = join(home, '.local/state/agent-relay');
    mkdirSync(root, { recursive: true });
    chmodSync(root, 0o777);
    expect(await find('directory')).toEqual([
      expect.objectContaining({ state: 'problem', text: expect.stringContaining(root) }),
    ]);
  });

  it('sees the leader, and when there is none', async () => {
    expect((await find('leader'))[0]?.text).toContain('none now');
    const { env, namespace } = patient();
    const leader = await attach({ namespace, env, mayLead: true, clock: systemClock, log: silentLog });
    try {
      expect((await find('leader'))[0]).toMatchObject({
        state: 'ok',
        text: expect.stringContaining('epoch 1,'),
      });
      expect((await find('leader', { namespace: 'other' }))[0]?.text).toContain('none now');
    } finally {
      await leader.close();
    }
  });

  it('names each agent with version and profile, and one that does not run', async () => {
    program('claude', "printf '\\033[31m2.1.0\\n'");
    program('codex', 'exit 3');
    const findings = await find('agents');
    expect(findings).toHaveLength(2);
    expect(findings[0]).toMatchObject({
      state: 'ok',
      text: expect.stringContaining('claude [31m2.1.0, profile claude,'),
    });
    expect(findings[1]).toMatchObject({ state: 'problem', text: expect.stringContaining('codex: ') });
  });

  it('shows a broken configuration with its line', async () => {
    mkdirSync(join(home, '.config/agent-wrap'), { recursive: true });
    writeFileSync(join(home, '.config/agent-wrap/config.yaml'), 'rows: 5\ncols: many');
    expect((await find('settings'))[0]).toMatchObject({
      state: 'problem',
      text: expect.stringContaining('config.yaml:2: '),
    });
  });
});
