/** A connection that knows the framing only: bytes out as the test likes, frames in as they come. It answers PING. */
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Envelope, encodeEnvelope, newEnvelope, parseEnvelope } from '../../src/protocol/envelope.ts';
import { FrameDecoder } from '../../src/protocol/frame.ts';
import { relayDirectory } from './daemon-process.ts';

export const helloFrame = (agent: string): Buffer =>
  encodeEnvelope(newEnvelope('HELLO', { agent, capabilities: { ack: true } }, Date.now()));

export const byeFrame = (): Buffer => encodeEnvelope(newEnvelope('BYE', {}, Date.now()));

export class RawPeer {
  readonly socket: Socket;
  readonly received: Envelope[] = [];
  closed = false;
  /** What came, as it was, where it is no frames. */
  text = '';
  /** What comes is no frames. */
  deaf = false;

  constructor(state: string) {
    this.socket = connect(join(relayDirectory(state), 'relay.sock'));
    const decoder = new FrameDecoder();
    this.socket.on('data', (bytes: Buffer) => {
      if (this.deaf) {
        this.text += bytes;
        return;
      }
      for (const body of decoder.push(bytes)) this.#take(parseEnvelope(body));
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  #take(envelope: Envelope): void {
    this.received.push(envelope);
    if (envelope.type !== 'PING' || this.closed) return;
    this.socket.write(encodeEnvelope(newEnvelope('PONG', envelope.payload, Date.now())));
  }

  /** The type of each frame, of an ERROR also its code. */
  get types(): string[] {
    return this.received.map(({ type, payload }) =>
      type === 'ERROR' ? `ERROR ${(payload as { code: string }).code}` : type,
    );
  }

  got(type: string): boolean {
    return this.types.includes(type);
  }
}
