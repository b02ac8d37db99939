/**
 * What may be kept when all is at rest and the relay's minute of sweeping has passed: each table of the
 * daemon and of its clients is bounded by what is alive, and a table that is not named here is a mistake.
 * docs/protocol.md §Limits (P14).
 */
import type { RelayClient } from '../../src/client/relay-client.ts';
import type { Daemon } from '../../src/daemon/daemon.ts';
import type { Due } from '../../src/daemon/state.ts';
import { MAX_DEAD_LETTERS } from '../../src/protocol/limits.ts';
import type { SimAgent } from './sim-agent.ts';
import { leaderOf } from './sim-ground.ts';
import type { SimMachine } from './sim-machine.ts';
import { sizeOf, type Table, tablesOf } from './tables.ts';

/** What is alive. */
export interface Alive {
  /** Names that were ever used. */
  names: number;
  connections: number;
  /** Names that will not come back. */
  gone: number;
  /** Messages that wait for somebody who is gone. */
  waiting: number;
  /** Messages there ever were, notices and those sent anew included. */
  messages: number;
  /** Sessions that are known: final ones for an hour. */
  sessions: number;
  /** Files of the store. */
  segments: number;
}

/** Nothing is under way. */
const EMPTY = [
  'AckLists.#ids.delivered',
  'AckLists.#ids.stored',
  'AckLists.#ids.written',
  'Answers.#taken',
  'AppendQueue.#barriers',
  'AppendQueue.#waiting',
  'Brake.#repeats',
  'Brake.#windows',
  'Committer.#idle',
  'Connection.#queue',
  'Events.#listeners',
  'Inbox.#waiting',
  'Journal.#postponed',
  'Journal.#unwritten',
  'Leadership.#inTheWay',
  'LogReader.damage',
  'Mailbox.#held',
  'Mailbox.claims',
  'MemoryLink.#incoming',
  'Notices.#told',
  'OutboxFiles.#files',
  'Peer.#early',
  'Polls.#waiting',
  'PushedBack.#held',
  'Readers.#waiting',
  'Recovery.#postponed',
  'RefusedStreams.#streams',
  'Reign.#unfinished',
  'RelayState.#fresh',
  'Sender.#waiting',
  'Unsent.#entries',
  'Unwritten.#deliveries',
  'Inflight.#deliveries',
];

/** The most that each of the others may hold. */
const MOST: Record<string, (alive: Alive) => number> = {
  'ClientSession.#kept.tokens': () => 2,
  'ClientSession.#options.topics': () => 1,
  'CommandRegistry.#commands': () => 30,
  'Daemon.#peers': ({ connections }) => connections,
  // Whoever is gone may come back for some minutes.
  'Fates.#untold': ({ gone }) => gone,
  'Fates.#untold.item': ({ gone, messages }) => gone * messages,
  'Leadership.#links': () => 1,
  'Loads.#pairs': ({ waiting }) => waiting,
  'Loads.#pairs.item': ({ waiting }) => waiting,
  'Loads.#senders': ({ waiting }) => waiting,
  // Of its beginning: what was compacted since is still counted, and grows no more.
  'LogReader.#links': () => 40,
  'LogReader.counts': () => 40,
  'LogReader.lastGroup': () => 40,
  'Mailbox.#deferred': ({ waiting }) => waiting,
  'Mailbox.#streams': ({ names }) => names,
  'Mailbox.#streams.item': () => 3,
  'Mailbox.#turns': ({ names }) => 3 * names,
  'MessageTable.#deadLetters': ({ messages }) => Math.min(messages, MAX_DEAD_LETTERS),
  'MessageTable.#given': ({ messages, names }) => messages * names,
  'MessageTable.#messages': ({ messages }) => messages,
  'OutboxEntry.#ended': ({ names }) => names,
  'OutboxEntry.#waiting': ({ names }) => names,
  'OutboxMemory.#entries': ({ waiting }) => waiting,
  'Queue.#items': ({ messages }) => messages,
  'RelayState.#mailboxes': ({ names }) => names,
  'RelayState.#topics': () => 1,
  'RelayState.#topics.item': ({ names }) => names,
  'SegmentSizes.#segments': ({ segments }) => segments,
  'SeqTable.#pages': ({ messages }) => messages,
  'SessionTable.#names': ({ names }) => names,
  // Those that a relay-connect opened and nobody took up.
  'SessionTable.#names.item': () => 12,
  'SessionTable.item.resume': () => 8,
  'SessionTable.item.spent': () => 4,
  'SessionTable.#sessions': ({ sessions }) => sessions,
  'Stream.#waiting': ({ waiting }) => waiting,
  'Verdicts.#older': () => 0,
  'Verdicts.#recent': ({ messages }) => messages,
  peers: ({ connections }) => connections,
};

/** The daemon's looks, its host's healing and renewing, and its client's look whether it lives. */
const LEADER_TIMERS = 4;

/** Says what is more than it may be, of the leader and of each agent. */
export function checkMemory(machine: SimMachine, agents: readonly SimAgent[], alive: Alive): void {
  const { witness, disk } = machine;
  const leader = leaderOf(machine);
  if (leader?.daemon === undefined) return witness.violated('nobody leads at rest');
  for (const { process, manner } of agents) {
    const [timers, files] = leader.process === process ? [LEADER_TIMERS, 1] : [1, 0];
    if (process.timers.size > timers)
      witness.violated(`${process.timers.size} timers of ${manner.name} at rest`);
    const open = disk.openFiles(process);
    if (open > files) witness.violated(`${open} files open in ${manner.name} at rest`);
  }
  const clients = agents.map(({ client }) => client);
  for (const text of excesses(leader.daemon, clients, alive)) witness.violated(`${text} at rest`);
}

function excesses(daemon: Daemon, clients: readonly RelayClient[], alive: Alive): string[] {
  const found: string[] = [];
  for (const [name, tables] of tablesOf([daemon, ...clients])) {
    if (IGNORED.test(name)) continue;
    const check = CHECKS[name];
    const most = EMPTY.includes(name) ? 0 : MOST[placeOf(name)]?.(alive);
    for (const table of tables) {
      if (check !== undefined) found.push(...check(table, alive).map((what) => `${name}: ${what}`));
      else if (most === undefined) found.push(`${name} is a table that is not known here`);
      else if (sizeOf(table) > most) found.push(`${sizeOf(table)} in ${name}, where ${most} may be`);
    }
  }
  return [...new Set(found)];
}

/** Reached from many places, and by any of several tables. */
const placeOf = (name: string): string =>
  name.replace(/^.*\.peers$/, 'peers').replace(/^SessionTable\.#\w+\.item\./, 'SessionTable.item.');

/** What a command is made of; pages of a SeqTable, which are full of places; what a session's record lists. */
const IGNORED = /^(CommandRegistry\.#commands\.|SeqTable\.#(pages\.item|recent)\.items|Segment)/;

const CHECKS: Record<string, (table: Table, alive: Alive) => string[]> = {
  /** Each promise of a time stands there once, and what has ended no longer than its time. */
  'Deadlines.#heap': (table) => {
    const seen = new Set<unknown>();
    const twice: string[] = [];
    for (const { value } of table as readonly { value: Due }[]) {
      if (value.kind !== 'delivery') continue;
      if (seen.has(value.delivery))
        twice.push(`a delivery to ${value.delivery.recipient} stands there twice`);
      seen.add(value.delivery);
    }
    return twice.slice(0, 1);
  },
  'SessionTable.#tokens': (table, { sessions }) =>
    sizeOf(table) > 4 * sessions ? [`${sizeOf(table)} tokens of ${sessions} sessions`] : [],
};
