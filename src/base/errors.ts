/**
 * One error class with stable codes: the same on the wire, in AFD results and on the CLI.
 * Every code of the table stands in docs/errors.md; a test compares the two.
 */

export interface ErrorEntry {
  /** What the code means, one sentence. */
  meaning: string;
  /** The way out when the thrower knows no better one. */
  suggestion: string;
  /** The same request may succeed later, unchanged. */
  retryable: boolean;
}

const entry = (meaning: string, suggestion: string, retryable = false): ErrorEntry => ({
  meaning,
  suggestion,
  retryable,
});

export const ERRORS = {
  // The wire, docs/protocol.md (P5)
  FRAME_TOO_LARGE: entry('a frame is longer than max_frame_bytes', 'send smaller messages'),
  BAD_FRAME: entry('a frame is not a JSON object in UTF-8', 'check the framing of the client'),
  UNSUPPORTED_VERSION: entry('the envelope has a protocol version we do not speak', 'send "v": 1'),
  BAD_REQUEST: entry(
    'an envelope has an unknown type or a payload against its schema',
    'compare it with docs/protocol.md',
  ),
  HANDSHAKE_TIMEOUT: entry('no HELLO came in time', 'send HELLO as the first frame', true),
  SLOW_CONSUMER: entry('the peer does not read what we send it', 'reconnect and read faster', true),
  TOO_MANY_CONNECTIONS: entry(
    'the relay has as many connections as it may',
    'close some, raise `ulimit -n` of who hosts it, or wait',
    true,
  ),
  // Sessions (P7–P10)
  BAD_NAME: entry(
    'an agent name is malformed or reserved',
    'use 1–64 of A-Z a-z 0-9 _ . -, and none of user, human, system, daemon, relay',
  ),
  NAME_IN_USE: entry('another session holds this name', 'choose another --name, or wait', true),
  SESSION_TAKEN_OVER: entry('another connection took this session over', 'stop one of the two'),
  TOKEN_REQUIRED: entry('the call names an agent and carries no token', 'pass the token of that session'),
  TOKEN_UNKNOWN: entry('the token is not one of ours', 'call relay-connect for a new one'),
  TOKEN_USED: entry('the handoff token was used before', 'call relay-reconnect for a new one'),
  TOKEN_EXPIRED: entry('the handoff token is too old', 'call relay-reconnect for a new one'),
  TOKEN_FOREIGN: entry('the token belongs to another agent or session', 'use the token of this session'),
  RESUME_TOO_OLD: entry('the resume token is unknown here', 'go on with the new session of WELCOME'),
  SESSION_NOT_FOUND: entry('no session has this id', 'call relay-connect for a new session'),
  SESSION_CLOSED: entry('the session was closed', 'call relay-connect for a new session'),
  SESSION_EXPIRED: entry('the session timed out', 'call relay-connect for a new session'),
  SESSION_DISCONNECTED: entry('the session is not connected now', 'try again when it is back', true),
  MAX_RECONNECTS: entry('the session was reconnected too often', 'call relay-connect for a new session'),
  FORBIDDEN: entry('the token does not allow this', 'call it with the token of the agent concerned'),
  // Delivery (P11–P18)
  BAD_TARGET: entry('the message has no recipient, or a malformed one', 'see the names: agent-wrap agents'),
  MESSAGE_TOO_LARGE: entry('the message does not fit into a frame', 'send it in parts, or as a file path'),
  DUPLICATE_ID: entry('the id was used for another content', 'give each message an id of its own'),
  QUEUE_FULL: entry('too much waits undelivered', 'wait for the recipient, then send again', true),
  RATE_LIMITED: entry('too many requests', 'wait, then try again', true),
  EXPIRED: entry(
    'the message was not delivered within its time to live',
    'send it again if it still matters',
  ),
  NOT_CONFIRMED: entry(
    'the message may or may not have reached the agent',
    'ask the recipient, or look with: agent-wrap log',
  ),
  DEFERRED: entry('the recipient gave the message back to its queue', 'it will be delivered later', true),
  REJECTED: entry('the recipient refused the message', 'see the message of the refusal'),
  STALE: entry('the position lies beyond retention', 'send a fresh HELLO'),
  // The life of a daemon (P19–P22)
  DEPOSED: entry('another daemon took over', 'reconnect: the new one is at the higher epoch', true),
  SHUTTING_DOWN: entry('the daemon is leaving', 'reconnect: another one takes over', true),
  STORE_FULL: entry('the disk of the relay is full', 'free some space, then send again', true),
  STORE_FAILED: entry(
    'the store of the relay cannot be written',
    'see the log, then: agent-wrap store check',
    true,
  ),
  STORE_CORRUPT: entry('the store of the relay holds damaged records', 'run: agent-wrap store check'),
  STORE_TOO_NEW: entry('a newer version wrote this store', 'update agent-wrap, or use another --namespace'),
  DAEMON_RUNNING: entry('a daemon hosts this relay already', 'use it, or choose another --namespace'),
  DAEMON_UNREACHABLE: entry('no relay daemon answers', 'start one: agent-wrap daemon', true),
  SOCKET_IN_THE_WAY: entry('a socket of somebody else lies there', 'choose another --socket'),
  RELAY_ELSEWHERE: entry('another machine hosts this relay', 'use another --namespace'),
  DIRECTORY_UNSAFE: entry(
    'the relay directory is not ours alone',
    'remove it, or set XDG_STATE_HOME to a directory of your own',
  ),
  PATH_TOO_LONG: entry('the socket path is too long for this platform', 'use a shorter directory'),
  CONNECTION_LOST: entry('the connection to the relay ended', 'it is retried by itself', true),
  TIMEOUT: entry('no answer came in time', 'try again', true),
  // AFD commands
  VALIDATION_ERROR: entry('the input does not fit the schema of the command', 'see: agent-wrap commands'),
  COMMAND_NOT_FOUND: entry('there is no such command', 'see: agent-wrap commands'),
  COMMAND_NOT_EXPOSED: entry('the command is not offered on this way in', 'see: agent-wrap commands'),
  COMMAND_CANCELLED: entry('the caller gave up', 'call it again', true),
  COMMAND_EXECUTION_ERROR: entry('the command failed inside', 'see the log file of the daemon'),
  BAD_RESULT: entry('the answer to a command is not a CommandResult', 'check what answers there'),
  BAD_HANDOFF: entry('a handoff or its endpoint is malformed', 'check the server that made it'),
  PROTOCOL_UNKNOWN: entry('nobody here speaks the protocol of the handoff', 'register a handler for it'),
  // The wrapper and the CLI
  USAGE: entry('the command line is wrong', 'see: agent-wrap --help'),
  CONFIG_INVALID: entry('a configuration file or variable does not fit', 'see: agent-wrap config --help'),
  AGENT_NOT_FOUND: entry('there is no such program', 'check the name and PATH'),
  AGENT_NOT_EXECUTABLE: entry('the program cannot be executed', 'check its permissions (chmod +x)'),
  CWD_GONE: entry('the current directory does not exist any more', 'cd to a directory that exists'),
  TERMINAL_TOO_SMALL: entry(
    'the terminal is too small for an agent',
    'enlarge it, or pass --cols and --rows',
  ),
  TMUX_MISSING: entry('tmux is not installed', 'install it: apt-get install tmux, or brew install tmux'),
  TMUX_TOO_OLD: entry('the tmux here lacks what we need', 'install tmux 3.2 or newer'),
  TMUX_FAILED: entry('tmux did not do what it was told', 'see: tmux list-sessions'),
  UNSENT: entry(
    'no relay took over what the agent said',
    'it is kept, and leaves with the next session of that name',
  ),
  PTY_FAILED: entry('no pseudo-terminal could be opened', 'see: agent-wrap doctor'),
  FILE_UNREADABLE: entry('a file could not be read', 'check the path and its permissions'),
  FILE_UNWRITABLE: entry('a file could not be written', 'choose another path, or free some space'),
  PAIRING_INVALID: entry(
    'the file of a pairing has mistakes',
    'compare it with docs/run.md, or with the schema: agent-wrap run --schema',
  ),
  BLOCK_INVALID: entry(
    'a [[RELAY]] block is not a valid message',
    'write one JSON object with "to" and "body"',
  ),
  DIRECTIVE_INVALID: entry(
    'a >>relay: line names no agent, or is too long',
    'write >>relay:<name> <text>, with a name from: agent-wrap agents',
  ),
  FENCE_UNCLOSED: entry(
    'a code fence on the screen was never closed, so directives in it went unheard',
    'close code fences',
  ),
  INTERNAL: entry('a bug of ours', 'please report it with the log file'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);

/** An error that a person or a program can act on. `message` says what happened, on what. */
export class RelayError extends Error {
  readonly code: ErrorCode;
  readonly suggestion: string;
  readonly retryable: boolean;
  readonly details: Record<string, unknown> | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      suggestion?: string;
      retryable?: boolean;
      details?: Record<string, unknown>;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RelayError';
    this.code = code;
    this.suggestion = options.suggestion ?? ERRORS[code].suggestion;
    this.retryable = options.retryable ?? ERRORS[code].retryable;
    this.details = options.details;
  }

  /** Anything thrown → a RelayError; what is not ours becomes INTERNAL with its cause kept. */
  static from(thrown: unknown): RelayError {
    if (thrown instanceof RelayError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new RelayError('INTERNAL', message, { cause: thrown });
  }
}

/** The `code` of a Node system error (`EAGAIN`, `ENOENT`, …), if it is one. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Marks a branch that exhaustive switches cannot reach. */
export function unreachable(value: never): never {
  throw new RelayError('INTERNAL', `unreachable: ${JSON.stringify(value)}`);
}
