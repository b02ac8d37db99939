/**
 * A link that speaks envelopes: framing, bounded sending, and an error that arrives before the close (P5).
 * What is sent in one turn of the event loop leaves in one piece.
 */
import { RelayError } from '../base/errors.ts';
import { type Envelope, parseEnvelope, renderEnvelope } from '../protocol/envelope.ts';
import { FrameDecoder, FrameWriter } from '../protocol/frame.ts';
import { MAX_FRAME_BYTES, MAX_OUTBOUND_BYTES } from '../protocol/limits.ts';
import type { Utf8 } from '../protocol/utf8.ts';
import type { Link } from './link.ts';

export interface ConnectionHandlers {
  envelope(envelope: Envelope): void;
  /** A frame that could not be taken; `fatal` ones end the connection after this call returned. */
  invalid(error: RelayError, fatal: boolean): void;
  /** What we sent has left our memory. */
  drain?(): void;
  /** All of this turn is about to leave: the last moment to add to it. */
  leaving?(): void;
  /** Bytes arrived: whatever they hold, the peer lives (P2). */
  heard?(): void;
  /** The peer sends no more and may still read: whoever does not `end` the connection has more to say. */
  ended?(): void;
  /** Called once; nothing after it. */
  closed(error?: Error): void;
}

export class Connection {
  readonly #link: Link;
  readonly #decoder: FrameDecoder;
  readonly #writer = new FrameWriter();
  #leavingSoon = false;
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
    return this.#writer.length + this.#link.bufferedBytes;
  }

  start(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    this.#link.start({
      data: (bytes) => this.#received(bytes),
      drain: () => handlers.drain?.(),
      ended: () => {
        if (handlers.ended === undefined) this.end();
        else handlers.ended();
      },
      closed: (error) => {
        if (this.#state === 'closed') return;
        this.#state = 'closed';
        handlers.closed(error);
      },
    });
  }

  send(envelope: Envelope): void {
    if (this.#state !== 'open') return;
    this.#writer.text(renderEnvelope(envelope));
    this.#sent();
  }

  /** Sends the frame of an envelope that is JSON in UTF-8 already. */
  sendUtf8(json: Utf8): void {
    if (this.#state !== 'open') return;
    this.#writer.utf8(json);
    this.#sent();
  }

  /** Sends an encoded frame. */
  sendFrame(frame: Buffer): void {
    if (this.#state !== 'open') return;
    this.#writer.frame(frame);
    this.#sent();
  }

  /** Asks for `leaving`, at the end of this turn. */
  leaveSoon(): void {
    if (this.#leavingSoon) return;
    this.#leavingSoon = true;
    queueMicrotask(() => this.#leave());
  }

  #leave(): void {
    this.#leavingSoon = false;
    if (this.#state === 'open') this.#handlers?.leaving?.();
    if (this.#writer.length > 0 && this.#state !== 'closed') this.#link.write(this.#writer.take());
  }

  /** A peer that lets more than MAX_OUTBOUND_BYTES pile up is cut off (P14). */
  #sent(): void {
    this.leaveSoon();
    const waiting = this.bufferedBytes;
    if (waiting <= MAX_OUTBOUND_BYTES) return;
    this.#handlers?.invalid(
      new RelayError('SLOW_CONSUMER', `${waiting} bytes wait for a peer that does not read`),
      true,
    );
    this.end();
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
    this.#leave();
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
