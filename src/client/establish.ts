/**
 * From an attachment to a READY channel: the handoff command if there is no session yet, then HELLO with
 * its token, or with the resume token of the session there was. docs/protocol.md §8 (P7, P21).
 */
import { type HandoffResult, HandoffResultSchema } from '../afd/handoff.ts';
import { parseResult, unwrap } from '../afd/parse-result.ts';
import { ProtocolHandlers } from '../afd/protocol-handlers.ts';
import { unlessAborted } from '../afd/unless-aborted.ts';
import type { Clock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Attachment } from './attachment.ts';
import { AGENT_RELAY, type HelloPayload, RelayChannel } from './channel.ts';

/** Milliseconds a command may take: a leader that recovers lets it wait, a stopped one would for ever (P20). */
const COMMAND_MS = 5_000;

/** What a client keeps of its session. */
export interface KeptSession {
  id: string;
  /** Resume tokens, newest first: the older one is good until the newer one was seen to work (P7). None: ask for a token by relay-reconnect. */
  tokens: string[];
}

export interface EstablishOptions {
  attachment: Attachment;
  agent: string;
  /** What relay-connect has answered already; judged as any answer. */
  answer: unknown;
  session: KeptSession | undefined;
  capabilities: NonNullable<HelloPayload['capabilities']>;
  scopedTokenHash: string | undefined;
  clock: Clock;
  log: Log;
  handshaking(): void;
}

export async function establish(options: EstablishOptions): Promise<RelayChannel> {
  const { session } = options;
  if (session !== undefined && session.tokens.length > 0) return resume(options, session);
  const handoff = await startSession(options);
  const handlers = new ProtocolHandlers<RelayChannel>(options.clock).register(
    AGENT_RELAY,
    ({ credentials, endpoint }) => hello(options, endpoint, credentials?.token),
  );
  return handlers.connect(handoff);
}

async function resume(options: EstablishOptions, session: KeptSession): Promise<RelayChannel> {
  const { attachment } = options;
  for (;;) {
    const channel = await hello(options, attachment.endpoint, session.tokens[0]);
    if (channel.resumed || session.tokens.length === 1) return channel;
    session.tokens.shift();
    channel.destroy();
  }
}

async function hello(
  options: EstablishOptions,
  endpoint: string,
  token: string | undefined,
): Promise<RelayChannel> {
  options.handshaking();
  const session = {
    ...(token === undefined ? {} : { resume_token: token }),
    ...(options.scopedTokenHash === undefined ? {} : { scoped_token_hash: options.scopedTokenHash }),
  };
  const payload = { agent: options.agent, capabilities: options.capabilities, session };
  return RelayChannel.open(await options.attachment.open(), endpoint, payload, options.clock);
}

/** relay-reconnect for a session whose token was refused, else relay-connect. */
async function startSession(options: EstablishOptions): Promise<HandoffResult> {
  const { agent, session } = options;
  const scoped = options.scopedTokenHash === undefined ? {} : { scopedTokenHash: options.scopedTokenHash };
  if (session !== undefined) {
    const again = parseResult(
      HandoffResultSchema,
      await called(options, 'relay-reconnect', { sessionId: session.id, ...scoped }),
    );
    if (again.success) return again.data;
    options.log.info('relay.reconnect-refused', { code: again.error.code });
  }
  const answer = options.answer ?? (await called(options, 'relay-connect', { agent, ...scoped }));
  return unwrap(parseResult(HandoffResultSchema, answer));
}

/** The answer of a command. Throws TIMEOUT. */
async function called(
  { attachment, clock }: EstablishOptions,
  name: string,
  input: unknown,
): Promise<unknown> {
  const late = new AbortController();
  const timer = clock.after(COMMAND_MS, () =>
    late.abort(new RelayError('TIMEOUT', `no answer to ${name} in ${COMMAND_MS} ms`)),
  );
  try {
    return await unlessAborted(late.signal, attachment.call(name, input, { signal: late.signal }));
  } finally {
    timer.cancel();
  }
}
