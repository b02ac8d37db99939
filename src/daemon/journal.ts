/**
 * The only way to change the state: append a record, and say the promise once the store says it is safe
 * (write → sync → fence, P20). docs/protocol.md §Records.
 */
import { RelayError } from '../base/errors.ts';
import type { Message } from './message.ts';
import { encodeRecord, type RelayRecord } from './record.ts';
import type { RelayState } from './state.ts';
import { lacksDescriptors } from './store/patience.ts';
import type { Fence, Store, Urgency } from './store/store.ts';

/** Who is to be told that a record is safe, or never will be. */
interface Waiting {
  done?: (() => void) | undefined;
  rejected?: (error: RelayError) => void;
  urgency: Urgency;
}

interface Unwritten extends Waiting {
  bytes: Buffer;
}

interface Postponed {
  again: () => void;
  /** The store takes nothing any more: it will not be tried again. */
  over?: ((error: RelayError) => void) | undefined;
}

export class Journal {
  readonly #store: Store;
  readonly #state: RelayState;
  readonly #fence: Fence;
  readonly #failed: (error: RelayError) => void;
  /** Records that found no room on the disk, and those behind them: tried again, in their order. */
  #unwritten: Unwritten[] = [];
  /** What found no look at the fence: tried again, nothing of it said till then. */
  #postponed: Postponed[] = [];

  /** @param failed called when the store takes nothing any more: deposed, or broken. */
  constructor(store: Store, state: RelayState, fence: Fence, failed: (error: RelayError) => void) {
    this.#store = store;
    this.#state = state;
    this.#fence = fence;
    this.#failed = (error) => {
      failed(error);
      for (const { rejected } of this.#unwritten.splice(0)) rejected?.(error);
      for (const { over } of this.#postponed.splice(0)) over?.(error);
    };
  }

  get durable(): boolean {
    return this.#store.durable;
  }

  get format(): number {
    return this.#store.format;
  }

  /**
   * Records what happened; the state has it at once, `done` may say it. A full disk delays it, because it
   * cannot be undone any more. `soon`: nobody waits for `done`.
   */
  write(record: RelayRecord, done?: () => void, urgency: Urgency = 'now'): void {
    this.#state.apply(record);
    this.#append({ bytes: encodeRecord(record), done, urgency });
  }

  /** As `write`, for those who wait. Rejects when the store takes nothing any more. */
  committed(record: RelayRecord): Promise<void> {
    this.#state.apply(record);
    return new Promise((done, rejected) =>
      this.#append({ bytes: encodeRecord(record), done, rejected, urgency: 'now' }),
    );
  }

  /** Records a message: stored and ready to be delivered, or refused as if it had never come. */
  admit(
    record: Extract<RelayRecord, { t: 'message' }>,
    stored: (message: Message) => void,
    refused: (error: RelayError) => void,
  ): Message {
    const message = this.#state.messages.add(record);
    this.#store.append(encodeRecord(record), (error) => {
      if (error === undefined) {
        this.#state.settle(message);
        stored(message);
        return;
      }
      this.#state.messages.retract(message);
      refused(error);
      this.#judge(error);
    });
    return message;
  }

  /**
   * Calls `then` behind the fence, for what is handed out though no record of its own has brought it here
   * (P20): now, or later if there are no file descriptors to look with. `deposed`: we lead no more.
   */
  behindFence(then: () => void, deposed?: () => void): void {
    try {
      this.#fence.check();
    } catch (error) {
      if (lacksDescriptors(error)) {
        this.#postponed.push({ again: () => this.behindFence(then, deposed), over: deposed });
      } else {
        this.#failed(RelayError.from(error));
        deposed?.();
      }
      return;
    }
    then();
  }

  /** Tries again what found no room, or no descriptor. */
  retry(): void {
    const unwritten = this.#unwritten;
    const postponed = this.#postponed;
    this.#unwritten = [];
    this.#postponed = [];
    for (const each of unwritten) this.#append(each);
    for (const { again } of postponed) again();
  }

  /** None overtakes one that waits for room: what is told of a session may depend on its beginning. */
  #append(record: Unwritten): void {
    if (this.#unwritten.length > 0) {
      this.#unwritten.push(record);
      return;
    }
    const { bytes, done, rejected, urgency } = record;
    const answered = (error?: RelayError) => {
      if (error === undefined) {
        done?.();
      } else if (error.code === 'STORE_FULL') {
        this.#unwritten.push(record);
      } else {
        rejected?.(error);
        this.#judge(error);
      }
    };
    this.#store.append(bytes, answered, urgency);
  }

  #judge(error: RelayError): void {
    if (error.code !== 'STORE_FULL') this.#failed(error);
  }
}
