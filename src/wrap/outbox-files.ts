/**
 * The outbox on disk: files of one wrapper, `<name>.<ms>-<pid>-<n>`, mode 0600, in the relay's directory,
 * each removed when a relay has all of it. What a wrapper leaves, killed or not, the next of its name
 * sends. Without a disk all works but that. docs/protocol.md §5 (P12, P15, P21).
 */
import type { Log } from '../base/log.ts';
import type { Spill, SpilledSend, SpillPlace } from '../client/spill.ts';
import { LineCount } from './line-count.ts';
import { OutboxFile, type OutboxPlace, type OutboxShared } from './outbox-file.ts';
import type { OutboxGround } from './outbox-ground.ts';
import { outboxName, outboxOwner, outboxStamp } from './outbox-name.ts';

export interface OutboxFilesOptions {
  ground: OutboxGround;
  /** The agent. */
  name: string;
  /** The wall clock, ms. */
  now: () => number;
  /** So many messages were on disk and cannot be read any more. */
  damaged: (messages: number, path: string) => void;
  log: Log;
}

export class OutboxFiles implements Spill {
  readonly #options: OutboxFilesOptions;
  readonly #shared: OutboxShared;
  /** Of our files, from the first on. */
  #ownStamp: string | undefined;
  readonly #waiting = new LineCount();
  #files: OutboxFile[] = [];
  #count = 0;
  #sound = true;
  #due = false;
  /** One thing after the other is done to the files. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: OutboxFilesOptions) {
    const { ground, damaged, log } = options;
    this.#options = options;
    this.#shared = { ground, waiting: this.#waiting, damaged, log };
  }

  get waiting(): number {
    return this.#waiting.lines;
  }

  get waitingBytes(): number {
    return this.#waiting.bytes;
  }

  get sound(): boolean {
    return this.#sound;
  }

  copy(frame: Buffer, triedAt: number): SpillPlace {
    const place = this.#open().copy(frame, triedAt);
    this.#flushSoon();
    return place;
  }

  push(frame: Buffer, triedAt: number): void {
    this.#open().push(frame, triedAt);
    this.#flushSoon();
  }

  async take(taken: (sends: readonly SpilledSend[]) => void): Promise<void> {
    for (let some = false; !some; ) {
      const file = this.#files.find(({ unread }) => unread.lines > 0);
      if (file === undefined) return;
      some = await this.#do(async () => {
        await this.#write();
        return file.read(taken);
      });
      this.#sweep(file);
    }
  }

  release(place: SpillPlace): void {
    const { file, bytes } = place as OutboxPlace;
    file.release(bytes);
    this.#sweep(file);
  }

  tried(now: number): void {
    for (const file of this.#files) if (file.tried(now)) this.#flushSoon();
  }

  async adopt(found: () => void): Promise<void> {
    const { log } = this.#options;
    const left = await this.#do(() => this.#left()).catch((error: unknown) => {
      log.warn('outbox.unreadable', { error });
      return [];
    });
    if (left.length === 0) return;
    found();
    for (const file of this.#files) file.returned();
    this.#files = [...left, ...this.#files];
    for (const { unread } of left) this.#waiting.add(unread.lines, unread.bytes);
    log.info('outbox.found', { files: left.length, messages: this.waiting });
  }

  flush(): Promise<void> {
    return this.#do(() => this.#write());
  }

  /** The file that takes the next line. */
  #open(): OutboxFile {
    const last = this.#files.at(-1);
    if (last?.open) return last;
    const name = outboxName(this.#options.name, this.#stamp(), ++this.#count);
    const file = new OutboxFile(this.#shared, name, true);
    this.#files.push(file);
    return file;
  }

  #stamp(): string {
    if (this.#ownStamp !== undefined) return this.#ownStamp;
    const { ground, log, name, now } = this.#options;
    let others: string[] = [];
    try {
      others = ground.directory.names();
    } catch (error) {
      log.warn('outbox.unreadable', { error });
    }
    this.#ownStamp = outboxStamp(name, now(), ground.pid, others);
    return this.#ownStamp;
  }

  /** What is said in one go is written in one go. */
  #flushSoon(): void {
    if (this.#due) return;
    this.#due = true;
    this.#options.ground.soon(() => {
      this.#due = false;
      void this.flush();
    });
  }

  async #write(): Promise<void> {
    for (const file of this.#files) {
      if (!file.due) continue;
      try {
        await file.write();
        this.#sound = true;
      } catch (error) {
        if (this.#sound) this.#options.log.warn('outbox.unwritable', { path: file.name, error });
        this.#sound = false;
        return;
      }
    }
  }

  /** The files of wrappers of this name that are gone, the oldest first. */
  async #left(): Promise<OutboxFile[]> {
    const { ground, log, name } = this.#options;
    const left: OutboxFile[] = [];
    for (const each of ground.directory.names()) {
      const owner = outboxOwner(each);
      if (owner?.name !== name || each.includes(this.#stamp())) continue;
      if (owner.pid !== ground.pid && ground.isAlive(owner.pid)) continue;
      try {
        const file = await OutboxFile.left(this.#shared, each);
        if (file.unread.lines > 0) left.push(file);
        else this.#sweep(file);
      } catch (error) {
        log.warn('outbox.refused', { path: each, error });
      }
    }
    return left;
  }

  /** Removes what nobody needs any more. */
  #sweep(file: OutboxFile): void {
    if (!file.retire()) return;
    this.#files = this.#files.filter((other) => other !== file);
    void this.#do(() => file.remove()).catch((error: unknown) =>
      this.#options.log.warn('outbox.left', { path: file.name, error }),
    );
  }

  #do<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }
}
