/** The disk below a real process's store, as the test wants it: disk.cjs loaded by NODE_OPTIONS. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writtenBytes } from './written-bytes.ts';

export interface DiskOrder {
  /** Only this process; absent: each that was started with our environment. */
  pid?: number;
  /** The code with which each write, or each sync, fails. */
  write?: string;
  sync?: string;
  /** Bytes that the store's directory may hold in all; beyond it writes are short, then ENOSPC. */
  room?: number;
  /** Milliseconds by which a sync that is done on the disk is told later. */
  slowMs?: number;
}

interface LedgerLine {
  pid: number;
  /** A sync succeeded: of a file up to `end`, behind which zeros lie up to `size`, or of the directory with these names. */
  ino?: number;
  size?: number;
  end?: number;
  names?: Record<string, number>;
  failed?: 'write' | 'full' | 'sync';
}

export class FaultyDisk {
  readonly #folder: string;

  /** Its order and ledger lie in `state`, and go with it. */
  constructor(state: string) {
    this.#folder = mkdtempSync(join(state, 'disk-'));
  }

  /** For the processes whose disk this is. */
  get env(): Record<string, string> {
    const loader = fileURLToPath(new URL('disk.cjs', import.meta.url));
    return { NODE_OPTIONS: `--require=${loader}`, FAULT_DISK: this.#folder };
  }

  order(order: DiskOrder): void {
    const path = join(this.#folder, 'order.json');
    writeFileSync(`${path}.new`, JSON.stringify(order));
    renameSync(`${path}.new`, path);
  }

  get ledger(): LedgerLine[] {
    const path = join(this.#folder, 'ledger');
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').split('\n');
    return lines.slice(0, -1).map((line) => JSON.parse(line) as LedgerLine);
  }

  /** Files of which a sync failed and, by the same process, a later one was called good. */
  syncsRetried(): number[] {
    const failed = new Set<string>();
    const retried: number[] = [];
    for (const { pid, ino, failed: what, size } of this.ledger) {
      if (what === 'sync') failed.add(`${pid} ${ino}`);
      else if (size !== undefined && failed.has(`${pid} ${ino}`)) retried.push(ino as number);
    }
    return retried;
  }

  /**
   * Copies a store as a power cut now may leave it: the names that were synced, of each file the bytes that
   * were, and of those that were not what `torn` makes of them. Nobody is stopped for it, and nothing later
   * than the ledger's last line counts as synced.
   */
  copySynced(store: string, to: string, torn: (tail: Buffer) => Buffer): void {
    const ledger = this.ledger;
    const synced = new Map<number, { size: number; end: number }>();
    for (const { ino, size, end } of ledger) {
      if (size !== undefined && end !== undefined) synced.set(ino as number, { size, end });
    }
    const names = ledger.findLast((line) => line.names !== undefined)?.names ?? {};
    mkdirSync(to, { recursive: true, mode: 0o700 });
    const there = new Map(readdirSync(store).map((name) => [statSync(join(store, name)).ino, name]));
    for (const [name, ino] of Object.entries(names)) {
      const now = there.get(ino);
      if (now === undefined) continue;
      const { size, end } = synced.get(ino) ?? { size: 0, end: 0 };
      const bytes = readFileSync(join(store, now));
      const written = Math.max(end, writtenBytes(join(store, now)));
      const kept = Buffer.concat([bytes.subarray(0, end), torn(bytes.subarray(end, written))]);
      const zeros = Buffer.alloc(Math.max(0, size - kept.length));
      writeFileSync(join(to, name), Buffer.concat([kept, zeros]), { mode: 0o600 });
    }
  }
}
