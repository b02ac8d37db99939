/**
 * Mistakes a daemon could make, put around the production code from outside: the simulation must find each
 * of them, or it proves nothing.
 */

import type { RelayError } from '../../src/base/errors.ts';
import type { Spill } from '../../src/client/spill.ts';
import type { FileStat, SocketFiles } from '../../src/daemon/socket-files.ts';
import type { Files, OpenFile } from '../../src/daemon/store/files.ts';
import type { Fence, Store } from '../../src/daemon/store/store.ts';
import { encodeFrame, FrameDecoder } from '../../src/protocol/frame.ts';
import { derivedId } from '../../src/protocol/ids.ts';
import type { Link } from '../../src/transport/link.ts';

export const MISTAKES = [
  'ack-before-sync',
  'no-epoch-check',
  'seq-reset-on-takeover',
  'no-deduplication',
  'replay-of-unsynced-records',
  'inbox-forgets',
  'ends-told-before-sync',
  'resume-token-not-rotated',
  'claims-lost-on-restart',
  'postponed-records-dropped',
  'outbox-left-behind',
  'left-outbox-goes-last',
  'resume-replays-nothing',
  'dropped-letters-return',
  'files-left-open',
] as const;

export type Mistake = (typeof MISTAKES)[number];

/** A frame as it is on the wire, looked at or changed on the way. */
// biome-ignore lint/suspicious/noExplicitAny: whatever a frame may hold
export type Frame = Record<string, any>;

/** The fence that a store is given. */
export function mistakenFence(fence: Fence, mistake: Mistake | undefined): Fence {
  return mistake === 'no-epoch-check' ? { check: () => {} } : fence;
}

/** The directory of sockets as a leader sees it: a mistaken one looks once, when it has linked its own. */
export function mistakenSocketFiles(files: SocketFiles, mistake: Mistake | undefined): SocketFiles {
  if (mistake !== 'no-epoch-check') return files;
  const seen = new Map<string, FileStat | undefined>();
  let names: string[] | undefined;
  const once = (path: string, look: (path: string) => FileStat | undefined) => {
    if (names === undefined) return look(path);
    if (!seen.has(path)) seen.set(path, look(path));
    return seen.get(path);
  };
  return {
    ...files,
    lstat: (path) => once(path, files.lstat),
    list: (path) => names ?? files.list(path),
    link: (from, to) => {
      files.link(from, to);
      names = files.list('');
    },
  };
}

/** The disk that a leader is given; `recovering` says whether it still reads what it found. */
export function mistakenFiles(files: Files, mistake: Mistake | undefined, recovering: () => boolean): Files {
  if (mistake === 'files-left-open') {
    const opened = (file: OpenFile): OpenFile => ({ ...file, close: async () => {} });
    return { ...files, open: async (name) => opened(await files.open(name)) };
  }
  const lazy =
    mistake === 'ack-before-sync'
      ? () => true
      : mistake === 'replay-of-unsynced-records'
        ? recovering
        : undefined;
  if (lazy === undefined) return files;
  const wrap = (file: OpenFile): OpenFile => ({
    ...file,
    sync: () => (lazy() ? Promise.resolve() : file.sync()),
  });
  return {
    ...files,
    create: async (name) => wrap(await files.create(name)),
    open: async (name) => wrap(await files.open(name)),
  };
}

/** The store that a daemon is given, changed in place. */
export function mistakeStore(store: Store, mistake: Mistake | undefined): void {
  const is = (record: Buffer, type: string) => record.toString('latin1', 0, 40).startsWith(`{"t":"${type}"`);
  const append = store.append.bind(store);
  const recover = store.recover.bind(store);
  switch (mistake) {
    case 'ends-told-before-sync':
      store.append = (record, done, urgency) => {
        if (!is(record, 'ended')) return append(record, done, urgency);
        queueMicrotask(() => done());
        append(record, () => {}, urgency);
      };
      return;
    case 'postponed-records-dropped':
      store.append = (record, done, urgency) => {
        const refused = (error?: RelayError) => done(error?.code === 'STORE_FULL' ? undefined : error);
        append(record, is(record, 'message') ? done : refused, urgency);
      };
      return;
    case 'dropped-letters-return':
      store.recover = async function* () {
        for await (const record of recover()) if (!is(record, 'dropped')) yield record;
      };
      return;
    case 'claims-lost-on-restart':
      store.recover = async function* () {
        for await (const record of recover()) if (!is(record, 'claim')) yield record;
      };
      return;
  }
}

/** The disk that a client's outbox is given. */
export function mistakeSpill(spill: Spill, mistake: Mistake | undefined): Spill {
  const adopt = spill.adopt.bind(spill);
  if (mistake === 'outbox-left-behind') spill.adopt = async () => {};
  // What this session has in memory goes first.
  if (mistake === 'left-outbox-goes-last') spill.adopt = () => adopt(() => {});
  return spill;
}

/** The daemon's end of a connection; `connection` is another number for each. */
export function mistakenLink(link: Link, mistake: Mistake | undefined, connection: number): Link {
  switch (mistake) {
    case 'seq-reset-on-takeover':
      return changedLink(link, {
        received: (frame) => frame,
        sent: (frame) => {
          if (frame.delivery) frame.delivery.seq %= 2 ** 32;
          return frame;
        },
      });
    case 'no-deduplication': {
      const original = new Map<string, string>();
      return changedLink(link, {
        received: (frame) => {
          if (frame.type !== 'SEND') return frame;
          const id = derivedId(frame.id, String(connection));
          original.set(id, frame.id);
          return { ...frame, id };
        },
        sent: (frame) => {
          const { payload } = frame;
          const known = (id: string) => original.get(id) ?? id;
          if (payload.ack_id !== undefined) payload.ack_id = known(payload.ack_id);
          if (payload.ack_ids !== undefined) payload.ack_ids = payload.ack_ids.map(known);
          return frame;
        },
      });
    }
    case 'inbox-forgets': {
      // To the client every DELIVER of a new connection is a new one.
      const original = new Map<string, string>();
      return changedLink(link, {
        received: (frame) => {
          const id = original.get(frame.payload.ack_id);
          if (id !== undefined) frame.payload.ack_id = id;
          return frame;
        },
        sent: (frame) => {
          if (frame.type !== 'DELIVER') return frame;
          const id = derivedId(frame.id, String(connection));
          original.set(id, frame.id);
          return { ...frame, id };
        },
      });
    }
    case 'resume-replays-nothing': {
      const given = new Set<string>();
      return changedLink(link, {
        received: (frame) => frame,
        sent: (frame) => {
          if (frame.type !== 'DELIVER') return frame;
          if (given.has(frame.id)) return undefined;
          given.add(frame.id);
          return frame;
        },
      });
    }
    case 'resume-token-not-rotated':
      return changedLink(link, {
        received: (frame) => frame,
        sent: (frame) => {
          const { session_id: id, resume_token: token } = frame.payload;
          if (frame.type === 'WELCOME') frame.payload.resume_token = `${token.slice(0, 3)}${id.slice(2)}`;
          return frame;
        },
      });
    default:
      return link;
  }
}

/** A link whose frames are seen, in both directions, before they go on. */
export function watchedLink(
  link: Link,
  seen: { sent(frame: Frame): void; received(frame: Frame): void; closed(): void },
): Link {
  const sent = new FrameDecoder();
  const received = new FrameDecoder();
  return {
    start: (handlers) =>
      link.start({
        data: (bytes) => {
          for (const body of received.push(bytes)) seen.received(JSON.parse(body.toString('utf8')));
          handlers.data(bytes);
        },
        drain: () => handlers.drain(),
        closed: (error) => {
          seen.closed();
          handlers.closed(error);
        },
      }),
    write: (bytes) => {
      for (const body of sent.push(bytes)) seen.sent(JSON.parse(body.toString('utf8')));
      link.write(bytes);
    },
    get bufferedBytes() {
      return link.bufferedBytes;
    },
    pause: () => link.pause(),
    resume: () => link.resume(),
    end: () => link.end(),
    destroy: () => link.destroy(),
  };
}

/** A link whose frames are changed on the way, or go nowhere. */
function changedLink(
  link: Link,
  change: { sent(frame: Frame): Frame | undefined; received(frame: Frame): Frame | undefined },
): Link {
  const sent = new FrameDecoder();
  const received = new FrameDecoder();
  const changed = (bytes: Buffer, decoder: FrameDecoder, how: (frame: Frame) => Frame | undefined): Buffer =>
    Buffer.concat(
      [...decoder.push(bytes)]
        .map((body) => how(JSON.parse(body.toString('utf8'))))
        .filter((frame) => frame !== undefined)
        .map((frame) => encodeFrame(JSON.stringify(frame))),
    );
  return {
    start: (handlers) =>
      link.start({
        data: (bytes) => handlers.data(changed(bytes, received, change.received)),
        drain: () => handlers.drain(),
        closed: (error) => handlers.closed(error),
      }),
    write: (bytes) => {
      const left = changed(bytes, sent, change.sent);
      if (left.length > 0) link.write(left);
    },
    get bufferedBytes() {
      return link.bufferedBytes;
    },
    pause: () => link.pause(),
    resume: () => link.resume(),
    end: () => link.end(),
    destroy: () => link.destroy(),
  };
}
