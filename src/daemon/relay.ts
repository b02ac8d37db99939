/** What the parts of one daemon share. Made by Daemon; handlers and commands get it passed in. */
import type { AuditEvent } from '../afd/audit.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Events } from './events.ts';
import type { Journal } from './journal.ts';
import type { Notices } from './notices.ts';
import type { Peer } from './peer.ts';
import type { Polls } from './polls.ts';
import type { Recovery } from './recovery.ts';
import type { Reports } from './reports.ts';
import type { Router } from './router.ts';
import type { Sessions } from './sessions.ts';
import type { DaemonSettings } from './settings.ts';
import type { RelayState } from './state.ts';

export interface Relay {
  readonly epoch: number;
  readonly version: string;
  readonly namespace: string;
  /** `unix:///…`: what a handoff points to. */
  readonly endpoint: string;
  readonly settings: DaemonSettings;
  readonly clock: Clock;
  readonly log: Log;
  /** Who got, changed and lost the right to speak as whom (checklist 27). */
  readonly audit: (event: AuditEvent) => void;
  readonly state: RelayState;
  readonly journal: Journal;
  readonly events: Events;
  readonly sessions: Sessions;
  readonly router: Router;
  readonly notices: Notices;
  readonly polls: Polls;
  readonly reports: Reports;
  readonly recovery: Recovery;
  /** The connection that serves a name, from its HELLO on. */
  readonly peers: Map<string, Peer>;
}
