/**
 * The store of a relay, in its directory: looked at before an election, opened by its winner.
 * architecture.md "Leadership and the store" (P19, P20).
 */
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { RelayError, systemCode } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { diskFiles, type Files, readAt, STORE_DIRECTORY } from './files.ts';
import {
  type Durability,
  decodeHeader,
  highestEpoch,
  parseSegmentName,
  SEGMENT_HEADER_BYTES,
} from './segment.ts';
import { SegmentLog } from './segment-log.ts';
import type { Fence, Store } from './store.ts';

export interface StorePlace {
  /** The relay's directory. */
  directory: string;
  epoch: number;
  fence: Fence;
  durability: Durability;
  clock: Clock;
  log: Log;
}

/** Opens the store of a reign; it reads nothing yet. Throws STORE_FAILED. */
export function openSegmentLog({ directory, ...options }: StorePlace): Store {
  return explained(
    directory,
    () => new SegmentLog({ files: diskFiles(join(directory, STORE_DIRECTORY)), ...options }),
  );
}

/**
 * The highest epoch that ever wrote the store of a relay's directory, 0 if there is none yet. Whoever
 * cannot read it must not stand for election (P20): throws STORE_TOO_NEW, STORE_FAILED.
 */
export async function inspectStore(directory: string): Promise<number> {
  try {
    return await inspectFiles(diskFiles(join(directory, STORE_DIRECTORY), { make: false }));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0;
    return explained(directory, () => {
      throw error;
    });
  }
}

/** The same, of the files of a store. Throws also what the disk throws. */
export async function inspectFiles(files: Files): Promise<number> {
  const names = await files.list();
  const newest = names
    .filter((name) => parseSegmentName(name))
    .sort()
    .at(-1);
  if (newest !== undefined) await judgeFormat(files, newest);
  return highestEpoch(names);
}

/** Versions only grow from segment to segment: the newest tells. Throws STORE_TOO_NEW. */
async function judgeFormat(files: Files, name: string): Promise<void> {
  const file = await files.open(name);
  try {
    decodeHeader(await readAt(file, 0, SEGMENT_HEADER_BYTES), name);
  } finally {
    await file.close();
  }
}

function explained<T>(directory: string, open: () => T): T {
  try {
    return open();
  } catch (cause) {
    if (cause instanceof RelayError && cause.code === 'STORE_TOO_NEW') throw cause;
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new RelayError('STORE_FAILED', `the store in ${join(directory, STORE_DIRECTORY)}: ${text}`, {
      cause,
    });
  }
}
