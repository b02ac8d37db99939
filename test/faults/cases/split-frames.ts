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
      const body = 'grüße, 漢字 und 🎉'; // a split within a character as well
      const wrong: string[] = [];
      let stored = 0;
      let runs = 0;
      for (let at = 1; ; at += step) {
        const bytes = Buffer.concat([
          helloFrame('splitter'),
          encodeEnvelope(newEnvelope('SEND', { kind: 'message', body }, Date.now(), { to: 'user' })),
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
        stored += peer.types.filter((type) => type === 'ACK').length;
      }
      const inbox = await daemon.inbox();
      if (inbox.some((each) => each !== body)) wrong.push('a body is not as it was sent');
      const lost = Math.max(0, stored - inbox.length);
      const twice = Math.max(0, inbox.length - stored);
      return { runs, stored, lost, twice, wrong };
    }),
};
