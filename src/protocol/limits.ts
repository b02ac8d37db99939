/** Every limit of the relay in one place: its value, its unit and its reason. docs/protocol.md §Limits. */

/** Bytes of a frame's body. Spec §2: a pasted source file fits; a runaway block does not. */
export const MAX_FRAME_BYTES = 1024 * 1024;

/** Bytes of a frame that are the daemon's: a SEND must still fit once it is a DELIVER (P6). */
export const FRAME_HEADROOM_BYTES = 4 * 1024;

/** Arrays and objects within each other in a frame or a call: whoever writes JSON by recursion has room for it. */
export const MAX_JSON_DEPTH = 500;

/** Characters of an envelope's id (P3): a UUID fits four times; a key of a map stays small. */
export const MAX_ID_LENGTH = 128;

/** Characters of a topic: it is a map key in every daemon and a word in every header. */
export const MAX_TOPIC_LENGTH = 128;

/** Characters of the code of a recipient's NACK that are kept: ours are shorter. */
export const MAX_REASON_CODE_LENGTH = 64;

/** Characters of its message: a sentence or two, forwarded in a frame and kept as long as the message's id. */
export const MAX_REASON_LENGTH = 500;

/** Topics one session may subscribe to: each is a set entry looked at on every topic message. */
export const MAX_TOPICS_PER_SESSION = 256;

/** Milliseconds between heartbeats (spec §7; WELCOME tells the client). */
export const HEARTBEAT_MS = 5_000;

/** Milliseconds in which a new connection must have said HELLO (P5). */
export const HANDSHAKE_MS = 5_000;

/** Connections of a relay, each a file descriptor and some kilobytes: a hundred agents with all their tools. */
export const MAX_CONNECTIONS = 1_000;

/** File descriptors that are never a connection's: the store, its compaction, and newcomers who are told no. */
export const RESERVED_DESCRIPTORS = 32;

/** Newcomers beyond the limit who are told so at once; the next ones find the connection closed, and come again. */
export const MAX_TURNED_AWAY = 16;

/** Milliseconds in which a newcomer beyond the limit must have said something. */
export const TURNED_AWAY_MS = 1_000;

/** Unacknowledged DELIVERs a connection may have (P13), if its HELLO says nothing. */
export const DEFAULT_MAX_INFLIGHT = 256;

/** The same for our wrapper: it types one message at a time, so more would only wait there (P14). */
export const WRAPPER_MAX_INFLIGHT = 16;

/** Bytes of unacknowledged DELIVERs a connection may have (P14); at least one message always may. */
export const MAX_INFLIGHT_BYTES = 4 * 1024 * 1024;

/** Bytes that wait in our memory for a peer that does not read (P14); beyond it SLOW_CONSUMER. */
export const MAX_OUTBOUND_BYTES = 4 * 1024 * 1024;

/** Unended messages of a (sender, recipient) pair at which the sender is advised to slow down (P14). */
export const PAIR_SOFT_MARK = 10_000;

/** Unended messages of a (sender, recipient) pair at which SENDs are refused (P14). */
export const PAIR_HARD_MARK = 50_000;

/** Unended messages of a whole relay (P14). */
export const RELAY_MAX_MESSAGES = 200_000;

/** Bytes of unended messages of a whole relay (P14). */
export const RELAY_MAX_BYTES = 256 * 1024 * 1024;

/** The share of the two limits above that one sender may fill (P14). */
export const SENDER_SHARE = 0.25;

/** Unended SENDs a client keeps in memory: as many as a relay with the limits above holds of one sender. */
export const OUTBOX_MEMORY_MESSAGES = RELAY_MAX_MESSAGES * SENDER_SHARE;

/** Bytes of the same. */
export const OUTBOX_MEMORY_BYTES = RELAY_MAX_BYTES * SENDER_SHARE;

/** SENDs that wait for their first answer in memory; more lie on disk only. A burst of 10,000 needs no disk. */
export const OUTBOX_UNANSWERED_MESSAGES = 16_384;

/** Bytes of the same. */
export const OUTBOX_UNANSWERED_BYTES = 16 * 1024 * 1024;

/** The same while no relay answers: all is on disk then, and memory only makes the first send faster. */
export const OUTBOX_AWAY_MESSAGES = 1_024;

/** SENDs a client with a disk keeps at all: as many as a relay; half an hour of 100 directives a second. */
export const OUTBOX_MAX_MESSAGES = RELAY_MAX_MESSAGES;

/** Bytes of the same. */
export const OUTBOX_MAX_BYTES = RELAY_MAX_BYTES;

/** Bytes of a file of the outbox before the next is begun: each is read at once, in some milliseconds. */
export const OUTBOX_FILE_BYTES = 256 * 1024;

/** Milliseconds a relay may leave a SEND unanswered before it is put on disk: many commits of a slow one. */
export const OUTBOX_LATE_MS = 250;

/** Milliseconds a message waits for a name that was never seen (P16). */
export const UNKNOWN_NAME_TTL_MS = 10 * 60_000;

/** Milliseconds an ACK of a SEND gives to a delivery to leave in one piece with it. */
export const ANSWER_MS = 1;

/** Milliseconds a stored message and its deduplication key are kept (P15, P16). */
export const RETENTION_MS = 7 * 24 * 60 * 60_000;

/** Milliseconds a wrapper's name is kept for it after an unclean disconnect (P9). */
export const NAME_LEASE_MS = 10_000;

/** Milliseconds after a takeover in which no name is given by prefix (P9). */
export const PREFIX_PAUSE_MS = 2_000;

/** Milliseconds a handoff token is good for (P7), if relay-connect is not told otherwise. */
export const HANDOFF_TTL_MS = 5 * 60_000;

/** Milliseconds a handoff token may be good for at most (P7, AFD security). */
export const MAX_HANDOFF_TTL_MS = 15 * 60_000;

/** Milliseconds a disconnected session can be taken up again (AFD reconnectWindow). */
export const RECONNECT_WINDOW_MS = 5 * 60_000;

/**
 * Milliseconds without a message, an acknowledgment or a command after which a connected session expires
 * (AFD idleTimeout; AFD's own default is 30 minutes). 0: never, because an agent may be silent overnight and
 * must still be reachable in the morning; whether it is alive is the heartbeat's business.
 */
export const IDLE_TIMEOUT_MS = 0;

/** Milliseconds a session may last at all (AFD maxSessionDuration, there 24 hours). 0: as long as its agent. */
export const MAX_SESSION_MS = 0;

/** Times a session may be taken up again by `relay-reconnect`; resume tokens are not counted. */
export const MAX_RECONNECTS = 10;

/** `relay-connect` calls a minute of one agent (AFD security). */
export const HANDOFFS_PER_MINUTE = 10;

/** Milliseconds a message may wait for the recipient's person before its sender is told. */
export const BLOCKED_NOTICE_MS = 30_000;

/** Bytes of the audit log before it is turned over; one older file is kept. Some 15,000 records. */
export const MAX_AUDIT_BYTES = 4 * 1024 * 1024;

/** Ended messages whose ids are remembered (P15); some 400 bytes each. */
export const MAX_ENDED_MESSAGES = 50_000;

/** Dead letters kept with their text; of older ones only the end is remembered. */
export const MAX_DEAD_LETTERS = 1_000;

/** Characters of dead letters, so that a thousand of the largest do not fill the memory. */
export const MAX_DEAD_LETTER_BYTES = 32 * 1024 * 1024;

/** Characters of delivered messages kept for `agent-wrap log`: what agents said in the last hours. */
export const MAX_PAST_TEXT_BYTES = 4 * 1024 * 1024;

/** Bytes of texts in one answer of `relay-log`, one message always: what is read out of the way of keys and frames. */
export const MAX_LOG_BYTES = 512 * 1024;

/** Messages that `relay-log` is asked for by their ids at once. */
export const MAX_LOG_IDS = 500;

/** Bytes of the store that stand for nothing any more before it is worth compacting. */
export const COMPACT_DEAD_BYTES = 8 * 1024 * 1024;

/** Milliseconds after which the store is compacted whatever it gains: what has ended shall not lie there. */
export const COMPACT_AGE_MS = 24 * 60 * 60_000;

/** Milliseconds before a compaction that failed is tried again. */
export const COMPACT_RETRY_MS = 60_000;

/** Milliseconds a stream stays refused after a QUEUE_FULL, unless the refused id comes again (P15). */
export const QUEUE_FULL_PAUSE_MS = 5_000;

/** Milliseconds between two BUSY frames of a daemon that still recovers (P20). */
export const RECOVERING_BUSY_MS = 500;

/** Bytes of one peer that may wait for the disk before its socket is paused (P14). */
export const MAX_UNSTORED_BYTES = 1024 * 1024;

/** Milliseconds after which what a poll handed out and nobody confirmed returns (P27). */
export const CLAIM_MS = 60_000;

/** Milliseconds a poll may wait for a message (P22). */
export const MAX_POLL_WAIT_MS = 30_000;

/** Bytes of a request's body on the control interface (P22). */
export const MAX_HTTP_BODY_BYTES = 1024 * 1024;

/** Requests served at once on the control interface (P22). */
export const MAX_HTTP_REQUESTS = 64;

/** Milliseconds for the header, and for the whole, of a request (P22). */
export const HTTP_HEADER_MS = 5_000;
export const HTTP_REQUEST_MS = 10_000;

/** Bytes of events that wait for one reader of /events; beyond it the stream ends with `gap` (P22). */
export const MAX_EVENT_BUFFER_BYTES = 1024 * 1024;

/** The brake of P18: messages a minute between two agents, in both directions together. */
export const BRAKE_PAIR_PER_MINUTE = 30;

/** The brake of P18: broadcasts a minute of one agent. */
export const BRAKE_BROADCASTS_PER_MINUTE = 10;

/** The brake of P18: messages a minute into one agent. */
export const BRAKE_INJECTIONS_PER_MINUTE = 60;

/** The brake of P18: times the same text may follow itself between two agents. */
export const BRAKE_SAME_BODY = 5;

/** Milliseconds after which a held pair is let go on (P18). */
export const BRAKE_HOLD_MS = 60_000;
