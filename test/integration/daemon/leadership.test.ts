import { type ChildProcess, fork } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import { lineLog } from '../../../src/base/log.ts';
import { leadersTrials } from '../../faults/leaders.ts';
import { Place } from '../../helpers/place.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const CHILD = fileURLToPath(new URL('../../faults/attach-once.ts', import.meta.url));
let place: Place;
const children: ChildProcess[] = [];

beforeEach(() => {
  place = new Place();
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await place.remove();
});

/** Another process that attaches here. */
async function other(): Promise<{ child: ChildProcess; report: { role: string; epoch: number } }> {
  const child = fork(CHILD, { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  children.push(child);
  const next = () => new Promise<unknown>((resolve) => child.once('message', resolve));
  await next();
  const report = next();
  child.send({ state: place.state });
  return { child, report: (await report) as { role: string; epoch: number } };
}

/** A leader that was just elected and has not said anything yet. */
async function listening(epoch = 1) {
  mkdirSync(place.directory, { recursive: true, mode: 0o700 });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    leader.connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (bytes) => {
      leader.heard += bytes.toString('latin1');
    });
  });
  const leader = {
    path: join(place.directory, `relay.000000000${epoch}.sock`),
    connections: 0,
    heard: '',
    get open() {
      return sockets.size;
    },
    close: () =>
      new Promise((closed) => {
        server.close(closed);
        for (const socket of sockets) socket.destroy();
      }),
  };
  await new Promise<void>((up) => server.listen(leader.path, up));
  return leader;
}

/** Elected two seconds ago, as far as others can see. */
function noLongerNew(path: string): void {
  const at = Date.now() / 1000 - 2;
  utimesSync(path, at, at);
}

const code = (code: string) => expect.objectContaining({ code });

describe('P20 leadership', () => {
  it('20 processes attach at once with a stale socket lying there: exactly one leader', async () => {
    expect(await leadersTrials(10, 20)).toEqual([]);
  });

  it('a leader that was killed is followed by another, at a higher epoch', async () => {
    const { child, report } = await other();
    expect(report).toMatchObject({ role: 'leader', epoch: 1 });
    const client = await place.attach();
    expect(client).toMatchObject({ role: 'client', epoch: 1 });
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    await expect(client.call('relay-status', {})).rejects.toThrow(code('DAEMON_UNREACHABLE'));
    const next = await place.attach();
    expect(next).toMatchObject({ role: 'leader', leading: true, epoch: 2 });
  });

  it('a stopped leader that is no longer young is replaced, and finds itself deposed when it wakes', async () => {
    const { child } = await other();
    child.kill('SIGSTOP');
    noLongerNew(join(place.directory, 'relay.0000000001.sock'));
    const seen: string[] = [];
    const next = await place.attach({ log: lineLog((line) => seen.push(line)) });
    expect(next).toMatchObject({ role: 'leader', epoch: 2 });
    expect(seen.some((line) => line.includes('"young":true'))).toBe(true);
    child.kill('SIGCONT');
    const socket = join(place.directory, 'relay.0000000002.sock');
    await waitFor(() => readlinkSync(join(place.directory, 'relay.sock')) === 'relay.0000000002.sock');
    expect(readdirSync(place.directory).filter((name) => /\d\.sock$/.test(name))).toEqual([
      socket.split('/').at(-1),
    ]);
  });

  it('a leader that was just elected is joined without a question, by the one connection that is needed', async () => {
    const leader = await listening();
    try {
      const client = await place.attach();
      expect(client).toMatchObject({ role: 'client', epoch: 1 });
      const link = await client.open();
      link.write(Buffer.from('hello'));
      await waitFor(() => leader.heard === 'hello');
      expect(leader.connections).toBe(1);
      link.destroy();
      const unused = await place.attach();
      await unused.close();
      await waitFor(() => leader.connections === 2 && leader.open === 0, 'the unused connection to end');
    } finally {
      await leader.close();
    }
  });

  it('a leader that is no longer new, or was killed at once, is asked', async () => {
    const leader = await listening();
    noLongerNew(leader.path);
    const attached = place.attach();
    await waitFor(() => leader.heard.startsWith('GET /health'));
    await leader.close();
    // Its socket went with it.
    expect(await attached).toMatchObject({ role: 'leader', epoch: 1 });
    const { path, close } = await listening(3);
    renameSync(path, `${path}.kept`);
    await close();
    renameSync(`${path}.kept`, path);
    expect(await place.attach()).toMatchObject({ role: 'leader', epoch: 4 });
  });

  it('a leader that has no room and hangs up on everybody lives, and is not deposed', async () => {
    const { child } = await other();
    const path = join(place.directory, 'relay.0000000001.sock');
    child.kill('SIGKILL');
    unlinkSync(path);
    const full = createServer((socket) => socket.destroy());
    await new Promise<void>((up) => full.listen(path, up));
    utimesSync(path, 0, 0); // no longer young
    try {
      expect(await place.attach()).toMatchObject({ role: 'client', epoch: 1 });
    } finally {
      full.close();
    }
  });

  it('a leader whose directory is swept away steps down, and the next attach makes it anew', async () => {
    const first = await place.attach();
    renameSync(place.directory, `${place.directory}.gone`);
    await waitFor(() => !first.leading, 'the leader to notice');
    const second = await place.attach();
    expect(second).toMatchObject({ role: 'leader', leading: true });
  });

  it('a leader whose directory gave way to a link, even to where it was moved, steps down', async () => {
    const first = await place.attach();
    renameSync(place.directory, `${place.directory}.moved`);
    symlinkSync(`${place.directory}.moved`, place.directory);
    await waitFor(() => !first.leading, 'the leader to notice');
    await expect(place.attach()).rejects.toThrow(code('DIRECTORY_UNSAFE'));
  });

  it('a leader whose socket is swept away steps down', async () => {
    const first = await place.attach();
    unlinkSync(join(place.directory, 'relay.0000000001.sock'));
    await waitFor(() => !first.leading, 'the leader to notice');
  });

  it('a clean exit leaves the highest socket, so that epochs never go back', async () => {
    await (await place.attach()).close();
    expect(await place.attach()).toMatchObject({ role: 'leader', epoch: 2 });
    expect(readdirSync(place.directory)).not.toContain('relay.0000000001.sock');
  });

  it('heals the fixed symlink', async () => {
    await place.attach();
    const link = join(place.directory, 'relay.sock');
    unlinkSync(link);
    await waitFor(() => {
      try {
        return readlinkSync(link) === 'relay.0000000001.sock';
      } catch {
        return false;
      }
    });
  });

  it('sets a fixed symlink right that leads elsewhere, and says once what else lies there', async () => {
    const lines: string[] = [];
    await place.attach({ log: lineLog((line) => lines.push(line)) });
    const link = join(place.directory, 'relay.sock');
    unlinkSync(link);
    symlinkSync('/etc/hostname', link);
    await waitFor(() => readlinkSync(link) === 'relay.0000000001.sock');
    unlinkSync(link);
    mkdirSync(link);
    const said = () => lines.filter((line) => line.includes('leader.link-in-the-way')).length;
    const renewed = () => statSync(join(place.directory, 'host.json')).mtimeMs;
    await waitFor(() => said() > 0, 'it to say so');
    // Each renewal comes after three more looks.
    const before = renewed();
    await waitFor(() => renewed() > before + 3_000, 'more looks');
    expect(said()).toBe(1);
  });

  it('without leave to lead, an empty place is DAEMON_UNREACHABLE', async () => {
    await expect(place.attach({ mayLead: false })).rejects.toThrow(code('DAEMON_UNREACHABLE'));
  });

  it('without leave to lead, who comes in the middle of a takeover waits for its end', async () => {
    const { child } = await other();
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    let looks = 0;
    const clock = {
      ...systemClock,
      // With the second look the next leader is there.
      after: (ms: number, fn: () => void) =>
        systemClock.after(ms, () => void (++looks === 2 ? place.attach().then(fn) : fn())),
    };
    expect(await place.attach({ mayLead: false, clock })).toMatchObject({ role: 'client', epoch: 2 });
  });

  it('without leave to lead, who comes when the last has left is told at once', async () => {
    const last = await place.attach();
    await last.close();
    let looks = 0;
    const clock: Clock = {
      ...systemClock,
      after(ms, fn, options) {
        const counted = () => {
          looks++;
          fn();
        };
        return systemClock.after(ms, counted, options);
      },
    };
    await expect(place.attach({ mayLead: false, clock })).rejects.toThrow(code('DAEMON_UNREACHABLE'));
    expect(looks).toBe(0);
  });
});

describe('P19 the directory', () => {
  it('is refused when others can use it, or when it is a link', async () => {
    mkdirSync(join(place.state, 'agent-relay'), { mode: 0o755 });
    chmodSync(join(place.state, 'agent-relay'), 0o755);
    await expect(place.attach()).rejects.toMatchObject({
      code: 'DIRECTORY_UNSAFE',
      suggestion: expect.stringContaining(`chmod 700 ${join(place.state, 'agent-relay')}`),
    });
    rmSync(join(place.state, 'agent-relay'), { recursive: true });
    mkdirSync(join(place.state, 'elsewhere'), { mode: 0o700 });
    symlinkSync('elsewhere', join(place.state, 'agent-relay'));
    await expect(place.attach()).rejects.toThrow(code('DIRECTORY_UNSAFE'));
  });

  it('may have a path longer than a socket’s', async () => {
    const state = join(place.state, 'x'.repeat(120));
    const env = { XDG_STATE_HOME: state };
    const leader = await place.attach({ env });
    const client = await place.attach({ env });
    expect([leader.role, client.role]).toEqual(['leader', 'client']);
    expect(await client.call('relay-status', {})).toMatchObject({ success: true });
    const link = await client.open();
    link.destroy();
  });

  it('another machine that hosts the relay is not deposed: the next directory is used', async () => {
    await (await place.attach()).close();
    const file = join(place.directory, 'host.json');
    writeFileSync(file, JSON.stringify({ boot_id: 'another machine', renewed: Date.now() }));
    const runtime = join(place.state, 'run');
    const attachment = await place.attach({ env: { ...place.env, XDG_RUNTIME_DIR: runtime } });
    expect(attachment.directory.startsWith(runtime)).toBe(true);
  });
});

describe('P19 --socket', () => {
  it('is a symlink to the leader', async () => {
    const socketPath = join(place.state, 'known.sock');
    const leader = await place.attach({ socketPath });
    expect(readlinkSync(socketPath)).toBe(join(place.directory, 'relay.0000000001.sock'));
    expect(await place.attach({ socketPath })).toMatchObject({ role: 'client', epoch: leader.epoch });
  });

  it('that is somebody else’s and alive is joined as a plain client', async () => {
    const elsewhere = new Place();
    const theirs = await elsewhere.attach();
    const socketPath = join(elsewhere.directory, 'relay.sock');
    const joined = await place.attach({ socketPath });
    expect(joined).toMatchObject({ role: 'client', epoch: theirs.epoch });
    await elsewhere.remove();
  });

  it('that is somebody else’s and dead is left alone', async () => {
    const socketPath = join(place.state, 'dead.sock');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(place.state, 'alive.sock'), resolve));
    renameSync(join(place.state, 'alive.sock'), socketPath);
    await new Promise((resolve) => server.close(resolve));
    await expect(place.attach({ socketPath })).rejects.toThrow(code('SOCKET_IN_THE_WAY'));
    expect(readdirSync(place.state)).toContain('dead.sock');
  });
});
