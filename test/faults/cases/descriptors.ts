/** The daemon's file descriptors are used up by connections. docs/protocol.md §1 (P20). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../src/base/clock.ts';
import { listEpochs, probe } from '../../../src/transport/relay-sockets.ts';
import { COMMAND } from '../../helpers/outer-terminal.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { DaemonProcess, withState } from '../daemon-process.ts';
import type { Fault } from '../fault.ts';
import { helloFrame, RawPeer } from '../raw-peer.ts';
import { Talker, Talkers } from '../talkers.ts';

/** Old enough to be deposed for silence (P20). */
const YOUNG_MS = 10_000;

export const fault: Fault = {
  name: 'descriptors',
  criterion:
    'more connections than the daemon may have file descriptors: those connected talk on, newcomers are told or closed, the ' +
    'daemon says so in its log, is not deposed, its store takes messages, and it serves newcomers when there is room',
  run: ({ amount, size, say }) =>
    withState(async (state) => {
      const limit = amount('descriptors', { quick: 64, usual: 64, full: 256 });
      const rounds = amount('rounds', { quick: 1, usual: 3, full: 10 });
      const log = join(state, 'daemon.log');
      const limited = ['prlimit', `--nofile=${limit}:${limit}`, ...COMMAND];
      const daemon = await DaemonProcess.startBy(limited, state, {}, '--log-file', log);
      if (!daemon.alive) throw new Error(`the daemon did not start: ${daemon.said}`);
      const talkers = await Talkers.join(state, 4);
      talkers.talk();
      const wrong: string[] = [];
      if (size !== 'quick') await new Promise((resolve) => setTimeout(resolve, YOUNG_MS));
      for (let round = 1; round <= rounds; round++) {
        const crowd: RawPeer[] = [];
        const come = () => {
          const peer = new RawPeer(state);
          peer.socket.write(helloFrame(`crowd-${crowd.length}`));
          crowd.push(peer);
        };
        while (crowd.length < 2 * limit) come();
        await waitFor(
          () => crowd.every((peer) => peer.closed || peer.got('WELCOME')),
          'an answer or an end for each newcomer',
          30_000,
        ).catch(() => wrong.push('some newcomers hang'));
        const served = crowd.filter((peer) => peer.got('WELCOME')).length;
        const told = crowd.filter((peer) => peer.got('ERROR TOO_MANY_CONNECTIONS')).length;
        say(`${served} of ${crowd.length} served, ${told} told that there is no room, the others closed`);
        if (served === 0) wrong.push('nobody was served');
        // Until the last of the crowd is gone on its side too, it may be closed like those.
        // Who left meanwhile, such as the newcomer of the round before, made room for one more.
        await waitFor(async () => {
          const answer = await health(state);
          if (answer.startsWith('HTTP/1.1 200')) come();
          return /^HTTP\/1.1 503 [\s\S]*TOO_MANY_CONNECTIONS/.test(answer);
        }, '503').catch(({ message }) => wrong.push(message));
        // More than one who looks whether the leader lives, as each newcomer does.
        const path = join(daemon.directory, 'relay.0000000001.sock');
        const looks = await Promise.all(Array.from({ length: 5 }, () => probe(path, systemClock)));
        const doubts = looks.filter((look) => look.state !== 'alive');
        if (doubts.length > 0) wrong.push(`taken for ${doubts.map((look) => look.state)}`);
        await talkers.traffic(20);
        const late = new Talker(state, `late-${round}`);
        for (const { socket } of crowd) socket.destroy();
        await waitFor(() => late.ready, 'a newcomer to be served again', 30_000).catch(({ message }) =>
          wrong.push(message),
        );
        await late.client.close();
      }
      const { wrong: judged, ...figures } = await talkers.judge();
      await talkers.leave();
      if (!daemon.alive) wrong.push(`the daemon ended: ${daemon.said}`);
      const epochs = listEpochs(daemon.directory);
      if (epochs.join() !== '1') wrong.push(`deposed: ${epochs}`);
      if (!readFileSync(log, 'utf8').includes('control.full')) wrong.push('the daemon did not say so');
      return {
        ...figures,
        wrong: [...wrong, ...judged],
        runs: rounds,
        note: `${limit} file descriptors, ${2 * limit} connections`,
      };
    }),
};

/** What GET /health answers, as it comes. */
async function health(state: string): Promise<string> {
  const peer = new RawPeer(state);
  peer.deaf = true;
  peer.socket.write('GET /health HTTP/1.1\r\nHost: relay\r\n\r\n');
  await waitFor(() => peer.closed, 'the answer to a request');
  return peer.text;
}
