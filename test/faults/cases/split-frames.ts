/** Frames that come in two parts, split at every byte. docs/protocol.md §2. */
import { encodeEnvelope, newEnvelope } from '../../../src/protocol/envelope.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { DaemonProcess, withState } from '../daemon-process.ts';
import type { Fault } from '../fault.ts';
import { byeFrame, helloFrame, RawPeer } from '../raw-peer.ts';

export const fault: Fault = {
  name: 'split-frames',
  criterion:
    'HELLO, SEND and PING split at every byte over a real socket are taken as if they came whole, each once',
  run: ({ amount }) =>
    withState(async (state) => {
      const step = amount('step', { quick: 23, usual: 1, full: 1 });
      const daemon = await DaemonProcess.start(state);
      const body = (at: number) => `${at}: grüße, 漢字 und 🎉`; // a split within a character as well
      const wrong: string[] = [];
      const stored: string[] = [];
      let runs = 0;
      for (let at = 1; ; at += step) {
        const bytes = Buffer.concat([
          helloFrame('splitter'),
          encodeEnvelope(
            newEnvelope('SEND', { kind: 'message', body: body(at) }, Date.now(), { to: 'user' }),
          ),
          encodeEnvelope(newEnvelope('PING', { nonce: `${at}` }, Date.now())),
        ]);
        if (at >= bytes.length) break;
        const peer = new RawPeer(state);
        peer.socket.write(bytes.subarray(0, at));
        // So that the two parts are two reads.
        await new Promise((resolve) => setTimeout(resolve, 2));
        peer.socket.write(bytes.subarray(at));
        await waitFor(() => peer.got('ACK') && peer.got('PONG'), `the answers, split at ${at}`).catch(
          ({ message }) => wrong.push(`${message}: ${peer.types}`),
        );
        peer.socket.write(byeFrame());
        await waitFor(() => peer.closed, 'the end');
        runs++;
        if (peer.got('ACK')) stored.push(body(at));
      }
      const inbox = await daemon.inbox();
      const lost = stored.filter((each) => !inbox.includes(each));
      wrong.push(...lost.map((each) => `lost: ${each}`));
      wrong.push(
        ...inbox.filter((each) => !stored.includes(each)).map((each) => `not as it was sent: ${each}`),
      );
      const twice = inbox.length - new Set(inbox).size;
      return { runs, stored: stored.length, lost: lost.length, twice, wrong };
    }),
};
