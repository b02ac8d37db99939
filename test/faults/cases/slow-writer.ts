/** A peer that writes a byte at a time, and never stops to. docs/protocol.md §7 (P2, P5). */
import { encodeEnvelope, newEnvelope } from '../../../src/protocol/envelope.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { DaemonProcess, withState } from '../daemon-process.ts';
import type { Fault } from '../fault.ts';
import { helloFrame, RawPeer } from '../raw-peer.ts';
import { Talkers } from '../talkers.ts';

export const fault: Fault = {
  name: 'slow-writer',
  criterion:
    'an agent whose bytes come one by one (1 a second in the full size) stays connected, its message is taken and answered ' +
    'when it is whole, and the others talk on',
  run: ({ amount }) =>
    withState(async (state) => {
      const everyMs = amount('every', { quick: 4, usual: 100, full: 1_000 });
      await DaemonProcess.start(state);
      const talkers = await Talkers.join(state, 2);
      talkers.talk();
      const slow = new RawPeer(state);
      slow.socket.write(helloFrame('slow'));
      await waitFor(() => slow.got('WELCOME'), 'WELCOME');
      const message = { kind: 'message', body: 'byte by byte' } as const;
      const frame = encodeEnvelope(
        newEnvelope('SEND', message, Date.now(), { to: 'user', payload_meta: { requires_ack: true } }),
      );
      for (const byte of frame) {
        slow.socket.write(Buffer.of(byte));
        await new Promise((resolve) => setTimeout(resolve, everyMs));
      }
      await waitFor(() => slow.got('ACK') || slow.closed, 'an answer').catch(() => {});
      await talkers.traffic();
      const { wrong, ...figures } = await talkers.judge();
      if (!slow.got('ACK') || slow.closed) wrong.push(`the slow one was told ${slow.types}`);
      slow.socket.destroy();
      await talkers.leave();
      return { ...figures, wrong, runs: 1, note: `${frame.length} bytes, one each ${everyMs} ms` };
    }),
};
