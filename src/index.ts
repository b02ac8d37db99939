/**
 * What embedders may use. The only barrel of the project, and the only place where the handler of our own
 * protocol is registered for the whole process, as AFD's clients register theirs.
 */
import { registerProtocolHandler } from './afd/protocol-handlers.ts';
import { AGENT_RELAY } from './client/channel.ts';
import { relayProtocol } from './client/protocol-handler.ts';

registerProtocolHandler(AGENT_RELAY, relayProtocol());

// Commands and their answers (AFD)
export { type Command, defineCommand, getHandoffProtocol, isHandoffCommand } from './afd/command.ts';
export { parseEndpoint, renderEndpoint } from './afd/endpoint.ts';
// The handoff (AFD)
export {
  createHandoff,
  getHandoffTTL,
  type HandoffResult,
  HandoffResultSchema,
  isHandoff,
  isHandoffExpired,
  isHandoffProtocol,
} from './afd/handoff.ts';
export { parseResult, unwrap } from './afd/parse-result.ts';
export {
  connectHandoff,
  type HandoffConnection,
  type HandoffConnectionOptions,
  type HandoffConnectionState,
  type ProtocolHandler,
  ProtocolHandlers,
  registerProtocolHandler,
} from './afd/protocol-handlers.ts';
export { createReconnectingHandoff, type ReconnectingHandoff } from './afd/reconnecting.ts';
export type { CommandClient, ReconnectingOptions } from './afd/reconnecting-options.ts';
export { CommandRegistry } from './afd/registry.ts';
export {
  type CommandFailure,
  type CommandResult,
  type CommandSuccess,
  error,
  failure,
  isFailure,
  isSuccess,
  success,
} from './afd/result.ts';
// What is passed in
export { type Clock, systemClock } from './base/clock.ts';
export { ERRORS, type ErrorCode, RelayError } from './base/errors.ts';
export { fileLog, type Log, silentLog } from './base/log.ts';
// The relay
export type { Attachment } from './client/attachment.ts';
export { AGENT_RELAY } from './client/channel.ts';
export type { ClientState, Outgoing, RelayClientHandlers, RelayClientOptions } from './client/contract.ts';
export type { Fate } from './client/fate.ts';
export type { OutboxLimits } from './client/outbox.ts';
export { RelayConnection, type RelayProtocolOptions, relayProtocol } from './client/protocol-handler.ts';
export { RelayClient } from './client/relay-client.ts';
export type { Spill, SpilledSend, SpillPlace } from './client/spill.ts';
export type { DeliverEnvelope, Envelope } from './protocol/envelope.ts';
export { type AttachOptions, attach } from './wrap/attach.ts';
