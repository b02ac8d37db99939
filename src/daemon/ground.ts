/**
 * What a host stands on: the names in the relay's directory, a socket to listen on, the store. This
 * machine's, or one that is simulated. architecture.md "Leadership and the store".
 */
import { randomBytes } from 'node:crypto';
import type { AuditEvent } from '../afd/audit.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { auditFile } from './audit-file.ts';
import { inspectHost, renewHost } from './host-file.ts';
import { type Listener, SocketListener } from './listener.ts';
import { type SocketFiles, socketFiles } from './socket-files.ts';
import { inspectStore, openSegmentLog, type StorePlace } from './store/open.ts';
import type { Store } from './store/store.ts';
import type { RandomBytes } from './tokens.ts';

export interface Ground {
  readonly files: SocketFiles;
  readonly random: RandomBytes;
  listener(clock: Clock, log: Log): Listener;
  /** As host-file.ts. */
  inspectHost(directory: string, now: number): { tookOver: boolean };
  renewHost(directory: string, now: number, empty: boolean): void;
  /** As store/open.ts. */
  inspectStore(directory: string): Promise<number>;
  openStore(place: StorePlace): Store;
  /** As audit-file.ts. */
  audit(directory: string, log: Log): (event: AuditEvent) => void;
}

/** This machine. */
export const firmGround: Ground = {
  files: socketFiles,
  random: randomBytes,
  listener: (clock, log) => new SocketListener(clock, log),
  inspectHost,
  renewHost,
  inspectStore,
  openStore: openSegmentLog,
  audit: auditFile,
};
