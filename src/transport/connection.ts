/** A link that speaks envelopes: framing, bounded sending, and an error that arrives before the close (P5). */
import { RelayError } from '../base/errors.ts';
import { type Envelope, encodeEnvelope, parseEnvelope } from '../protocol/envelope.ts';
import { FrameDecoder } from '../protocol/frame.ts';
import { MAX_FRAME_BYTES, MAX_OUTBOUND_BYTES } from '../protocol/limits.ts';
import type { Link } from './link.ts';

export interface ConnectionHandlers {
  envelope(envelope: Envelope): void;
  /** A frame that could not be taken; `fatal` ones end the connection after this call returned. */
  invalid(error: RelayError, fatal: boolean): void;
  /** What we sent has left our memory. */
  drain?(): void;
  /** Bytes arrived: whatever they hold, the peer lives (P2). */
  heard?(): void;
  /** Called once; nothing after it. */
  closed(error?: Error): void;
}

export class Connection {
  readonly #link: Link;
  readonly #decoder: FrameDecoder;
  #handlers: ConnectionHandlers | undefined;
  #state: 'open' | 'ending' | 'closed' = 'open';

  constructor(link: Link, maxFrameBytes: number = MAX_FRAME_BYTES) {
    this.#link = link;
    this.#decoder = new FrameDecoder(maxFrameBytes);
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  /** Bytes that wait in our memory for the peer to read. */
  get bufferedBytes(): number {
    return this.#link.bufferedBytes;
  }

  start(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    this.#link.start({
      data: (bytes) => this.#received(bytes),
      drain: () => handlers.drain?.(),
      closed: (error) => {
        if (this.#state === 'closed') return;
        this.#state = 'closed';
        handlers.closed(error);
      },
    });
  }

  send(envelope: Envelope): void {
    this.sendFrame(encodeEnvelope(envelope));
  }

  /** Sends an encoded frame. A peer that lets more than MAX_OUTBOUND_BYTES pile up is cut off (P14). */
  sendFrame(frame: Buffer): void {
    if (this.#state !== 'open') return;
    this.#link.write(frame);
    if (this.#link.bufferedBytes > MAX_OUTBOUND_BYTES) {
      this.#handlers?.invalid(
        new RelayError(
          'SLOW_CONSUMER',
          `${this.#link.bufferedBytes} bytes wait for a peer that does not read`,
        ),
        true,
      );
      this.end();
    }
  }

  /** Stops and starts reading: bytes then wait in the kernel and slow the peer. */
  pause(): void {
    this.#link.pause();
  }

  resume(): void {
    this.#link.resume();
  }

  /** Sends what is queued, then closes; what still arrives is not read. */
  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#link.end();
  }

  destroy(): void {
    if (this.#state === 'closed') return;
    this.#state = 'ending';
    this.#link.destroy();
  }

  #received(bytes: Buffer): void {
    if (this.#state !== 'open') return;
    this.#handlers?.heard?.();
    try {
      for (const body of this.#decoder.push(bytes)) {
        this.#parsed(body);
        if (this.#state !== 'open') return;
      }
    } catch (error) {
      this.#refuse(RelayError.from(error), true);
    }
  }

  #parsed(body: Buffer): void {
    let envelope: Envelope;
    try {
      envelope = parseEnvelope(body);
    } catch (thrown) {
      const error = RelayError.from(thrown);
      this.#refuse(error, error.code !== 'BAD_REQUEST');
      return;
    }
    this.#handlers?.envelope(envelope);
  }

  #refuse(error: RelayError, fatal: boolean): void {
    this.#handlers?.invalid(error, fatal);
    if (fatal) this.end();
  }
}
