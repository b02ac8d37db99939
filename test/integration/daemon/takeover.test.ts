import { existsSync, renameSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Crew } from '../../faults/crew.ts';
import { waitFor } from '../../helpers/wait-for.ts';

let crew: Crew;

beforeEach(async () => {
  crew = await Crew.start(5);
  await crew.traffic();
});
afterEach(() => crew.close());

describe('P12, P20 nothing that was stored is lost, nothing comes twice in a session', () => {
  it('when the leader is killed in mid-traffic', async () => {
    const first = await crew.leads();
    await crew.kill(first);
    await crew.ready();
    await crew.traffic();
    const { wrong, stored } = await crew.judge();
    expect(wrong).toEqual([]);
    expect(stored).toBeGreaterThan(50);
  });

  it('when the leader leaves: another takes over at once', async () => {
    await crew.leave(await crew.leads());
    await crew.ready();
    await crew.traffic();
    expect((await crew.judge()).wrong).toEqual([]);
  });

  it('when the next leader is killed while it takes over', async () => {
    await crew.kill(await crew.leads());
    await crew.kill(await crew.leads());
    await crew.ready();
    await crew.traffic();
    expect((await crew.judge()).wrong).toEqual([]);
  });

  it('when everybody is killed, and starts again', async () => {
    for (const name of crew.names) await crew.kill(name);
    for (const name of crew.names) crew.spawn(name);
    await crew.ready();
    await crew.traffic();
    expect((await crew.judge()).wrong).toEqual([]);
  });

  it('when the relay directory is deleted under the leader', async () => {
    rmSync(crew.directory, { recursive: true });
    await waitFor(() => existsSync(`${crew.directory}/relay.sock`), 'the directory to be healed', 30_000);
    await crew.ready();
    await crew.traffic();
    // Its senders are alive: what the store has lost, their outboxes still hold.
    expect((await crew.judge()).wrong).toEqual([]);
  });

  it('when the store alone is moved away', async () => {
    renameSync(`${crew.directory}/store`, `${crew.directory}/gone`);
    await crew.traffic();
    expect((await crew.judge()).wrong).toEqual([]);
  });
});
