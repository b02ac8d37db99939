/** What a client knows of the relay it has found: how to call its commands and how to open a link to it. */
import type { RelayError } from '../base/errors.ts';
import type { Link } from '../transport/link.ts';

export interface Attachment {
  /** `leader`: this process hosts the daemon. */
  readonly role: 'leader' | 'client';
  /** This process hosts the daemon and was not deposed: another attach() would find itself. */
  readonly leading: boolean;
  /** Why this process hosts the daemon no more though it did not leave: DEPOSED, STORE_FAILED, STORE_FULL. */
  readonly failure?: RelayError | undefined;
  /** The relay's directory (P19). */
  readonly directory: string;
  /** The reign we attached to. */
  readonly epoch: number;
  /** `unix:///…/relay.<epoch>.sock`, percent-encoded. */
  readonly endpoint: string;
  /** Calls an AFD command: directly in the hosting process, else by POST /rpc (P22). */
  call(command: string, input: unknown, options?: { token?: string; signal?: AbortSignal }): Promise<unknown>;
  /** A link to the daemon: in memory in the hosting process, else its socket. Throws DAEMON_UNREACHABLE. */
  open(): Promise<Link>;
  /** Lets go: a hosting process says BYE to all and leaves the relay to another. Twice is fine. */
  close(): Promise<void>;
}
