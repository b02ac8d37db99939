/**
 * The relay daemon: connections in, records and answers out. It knows no socket, disk or clock but those
 * it is given, so the same code runs hosted, alone, and in a simulation. architecture.md "The flow".
 */
import type { AuditEvent } from '../afd/audit.ts';
import type { CallOptions } from '../afd/context.ts';
import type { CommandRegistry } from '../afd/registry.ts';
import { type CommandResult, failureFrom } from '../afd/result.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { VERSION } from '../base/version.ts';
import { USER_NAME } from '../protocol/address.ts';
import type { Payload } from '../protocol/payloads.ts';
import { Connection } from '../transport/connection.ts';
import type { Link } from '../transport/link.ts';
import { identify } from './caller.ts';
import { relayCommands } from './commands/relay-commands.ts';
import { Compactor } from './compactor.ts';
import { Events, type RelayEvent } from './events.ts';
import { Journal } from './journal.ts';
import { Notices } from './notices.ts';
import { Peer } from './peer.ts';
import { Polls } from './polls.ts';
import { Recovery } from './recovery.ts';
import type { Relay } from './relay.ts';
import { Reports } from './reports.ts';
import { Router } from './router.ts';
import { Sessions } from './sessions.ts';
import { type DaemonSettings, DEFAULT_SETTINGS } from './settings.ts';
import { type Due, RelayState } from './state.ts';
import type { Fence, Store } from './store/store.ts';
import type { RandomBytes } from './tokens.ts';

/** Milliseconds between two looks at what is due; a fraction of every interval we promise. */
const TICK_MS = 250;

/** Deadlines of messages that have ended meanwhile, kept before they are thrown out. */
const SPARE_DEADLINES = 20_000;

/** Milliseconds between two rounds of forgetting. */
const SWEEP_MS = 60_000;

export interface DaemonOptions {
  store: Store;
  /** The one that the store asks as well. */
  fence: Fence;
  clock: Clock;
  log: Log;
  random: RandomBytes;
  /** The number of this reign (P20). */
  epoch: number;
  namespace: string;
  /** `unix:///…`: where handoffs point to. */
  endpoint: string;
  /** Another leader was here a moment ago: its agents may still be on their way to us (P9). */
  tookOver?: boolean;
  settings?: Partial<DaemonSettings>;
  /** Takes the audit records; without it they go to the log. */
  audit?: ((event: AuditEvent) => void) | undefined;
  /** Told once, when the store takes nothing any more: deposed, or the disk failed. */
  failed?(error: RelayError): void;
}

export class Daemon {
  readonly #relay: Relay;
  readonly #store: Store;
  readonly #registry: CommandRegistry;
  readonly #peers = new Set<Peer>();
  readonly #compactor: Compactor;
  readonly #failed: ((error: RelayError) => void) | undefined;
  #state: 'running' | 'closed' = 'running';
  #tick: Timer;
  #sweptAt: number;
  #closing: Promise<void> | undefined;

  /** Accepts connections at once; serves them when what the store holds is read. */
  constructor(options: DaemonOptions) {
    const { store, clock, epoch, namespace, endpoint } = options;
    const log = options.log.child({ epoch });
    const settings = { ...DEFAULT_SETTINGS, ...options.settings };
    const state = new RelayState();
    const journal = new Journal(store, state, options.fence, (error) => this.#storeFailed(error));
    const audit = options.audit ?? ((event: AuditEvent) => log.info('audit', event));
    const shared = {
      epoch,
      version: VERSION,
      namespace,
      endpoint,
      settings,
      clock,
      log,
      audit,
      state,
      journal,
    };
    const relay = {
      ...shared,
      events: new Events(),
      recovery: new Recovery(clock),
      peers: new Map<string, Peer>(),
    } as { -readonly [K in keyof Relay]: Relay[K] };
    relay.sessions = new Sessions(relay, options.random, options.tookOver === true);
    relay.router = new Router(relay);
    relay.notices = new Notices(relay);
    relay.polls = new Polls(relay);
    relay.reports = new Reports(relay);
    this.#relay = relay;
    this.#store = store;
    this.#failed = options.failed;
    this.#compactor = new Compactor(store, state, log);
    this.#registry = relayCommands(relay);
    this.#sweptAt = clock.monotonic();
    this.#tick = clock.every(TICK_MS, () => this.#look(), { unref: true });
    void this.#recover();
  }

  /** Resolves when the state of earlier reigns is rebuilt and everybody is served. */
  get ready(): Promise<void> {
    return this.#relay.recovery.done;
  }

  get epoch(): number {
    return this.#relay.epoch;
  }

  /** Connections there are, said HELLO or not. */
  get connections(): number {
    return this.#peers.size;
  }

  /** Serves a connection until it ends. */
  accept(link: Link): void {
    if (this.#state === 'closed') {
      link.destroy();
      return;
    }
    const connection = new Connection(link, this.#relay.settings.maxFrameBytes);
    const peer = new Peer(this.#relay, connection, (gone) => this.#peers.delete(gone));
    this.#peers.add(peer);
    peer.start();
  }

  /** Runs an AFD command as the owner of `token`, or as the person. Never rejects. */
  async execute(
    command: string,
    input: unknown,
    options: Omit<CallOptions, 'caller'> & { token?: string | undefined } = {},
  ): Promise<CommandResult> {
    await this.ready;
    const { token, ...call } = options;
    try {
      if (this.#state === 'closed') throw new RelayError('SHUTTING_DOWN', 'the daemon is leaving');
      const caller = identify(this.#relay, token);
      return await this.#registry.execute(command, input, { ...call, caller: { ...caller } });
    } catch (error) {
      return failureFrom(RelayError.from(error));
    }
  }

  /** The commands it offers. */
  get commands(): CommandRegistry {
    return this.#registry;
  }

  /** Watches what happens; returns the way to stop. */
  watch(listener: (event: RelayEvent) => void): () => void {
    return this.#relay.events.watch(listener);
  }

  /** The agent a token speaks for; undefined for the person. Throws as `identify`. */
  agentOf(token: string | undefined): string | undefined {
    const caller = identify(this.#relay, token);
    return caller.kind === 'user' ? undefined : caller.name;
  }

  /** What GET /health says. */
  health(): Record<string, unknown> {
    const { epoch, version, namespace, recovery, journal, peers, state } = this.#relay;
    const status = this.#state === 'closed' ? 'closing' : recovery.running ? 'recovering' : 'ok';
    const { messages, bytes } = state.messages.load;
    return {
      status,
      namespace,
      epoch,
      version,
      storeFormat: journal.format,
      durable: journal.durable,
      agents: peers.size,
      connections: this.connections,
      waiting: messages,
      waitingBytes: bytes,
      pid: process.pid,
    };
  }

  /** BYE to all, then the store is closed. Twice is fine. */
  close(bye: Payload<'BYE'> = { code: 'SHUTTING_DOWN' }): Promise<void> {
    this.#closing ??= this.#close(bye);
    return this.#closing;
  }

  async #close(bye: Payload<'BYE'>): Promise<void> {
    this.#state = 'closed';
    this.#tick.cancel();
    this.#relay.polls.close();
    this.#relay.recovery.finish();
    await this.#store.close().catch((error) => this.#relay.log.error('store.close', { error }));
    // What waits for room hears that none comes.
    this.#relay.journal.retry();
    for (const peer of this.#peers) peer.bye(bye);
  }

  async #recover(): Promise<void> {
    const { recovery, state, sessions, router, log } = this.#relay;
    try {
      const records = await recovery.run(this.#store, state);
      if (this.#state === 'closed') return;
      sessions.recovered();
      router.recovered();
      log.info('daemon.ready', { records });
      recovery.finish();
    } catch (error) {
      this.#storeFailed(RelayError.from(error));
    }
  }

  /** Nothing can be promised any more: everybody is sent away, to whoever leads now. */
  #storeFailed(error: RelayError): void {
    if (this.#state === 'closed') return;
    this.#relay.log.error('daemon.failed', { code: error.code, error });
    const code = error.code === 'DEPOSED' ? 'DEPOSED' : 'SHUTTING_DOWN';
    void this.close({ code, message: error.message, epoch: this.#relay.epoch });
    this.#failed?.(error);
  }

  #look(): void {
    const { clock, state, journal, recovery, reports, settings } = this.#relay;
    const now = clock.monotonic();
    for (const peer of [...this.#peers]) peer.look(now);
    if (recovery.running) return;
    journal.retry();
    reports.look();
    this.#compactor.look(clock.now());
    for (const due of state.due(clock.now())) this.#fellDue(due);
    state.messages.forget(clock.now() - settings.retentionMs);
    if (state.deadlines.size > SPARE_DEADLINES + 2 * state.messages.load.messages) {
      state.deadlines.prune((due) => due.kind !== 'delivery' || !due.delivery.ended);
    }
    if (now - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = now;
    this.#sweep();
  }

  #fellDue(due: Due): void {
    const { router, sessions, polls } = this.#relay;
    switch (due.kind) {
      case 'delivery':
        return router.fellDue(due.delivery);
      case 'session':
        return sessions.fellDue(due.session);
      case 'claim':
        return polls.fellDue(due.name);
      case 'hold':
        return router.release(due.from, due.to);
    }
  }

  /** Forgets what is long over, so that memory stays flat. */
  #sweep(): void {
    const { state, router, clock, settings } = this.#relay;
    const before = clock.now() - settings.retentionMs;
    for (const { name, seenAt = 0, empty } of [...state.mailboxes()]) {
      const used = name === USER_NAME || !empty || state.sessions.ofName(name).length > 0;
      if (!used && seenAt < before) state.dropMailbox(name);
    }
    router.sweep();
  }
}
