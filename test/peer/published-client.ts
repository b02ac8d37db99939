/**
 * The published client of agent-relay 1.x, the system the protocol comes from, in a cache folder outside
 * our dependencies: it is no dependency of ours. protocol-decisions "peer".
 */
import { pathToFileURL } from 'node:url';
import { installedFile, installPinned, type Pinned } from '../agents/install.ts';

export const PUBLISHED: Pinned = {
  package: 'agent-relay@1.6.0',
  file: 'agent-relay/dist/wrapper/client.js',
};

export interface Payload {
  kind?: string;
  body: string;
  data?: Record<string, unknown>;
  thread?: string;
}

/** What we use of it. */
export interface PublishedClient {
  readonly state: string;
  readonly currentSessionId: string | undefined;
  onMessage?: (from: string, payload: Payload, id: string, meta?: object, originalTo?: string) => void;
  onStateChange?: (state: string) => void;
  connect(): Promise<void>;
  destroy(): void;
  sendMessage(
    to: string,
    body: string,
    kind?: string,
    data?: Record<string, unknown>,
    thread?: string,
    meta?: object,
  ): boolean;
  broadcast(body: string): boolean;
  joinChannel(channel: string): boolean;
  sendLog(data: string): boolean;
}

export type PublishedClass = new (config: {
  socketPath: string;
  agentName: string;
  quiet: boolean;
  reconnectDelayMs?: number;
}) => PublishedClient;

/** Why it cannot be had, or undefined. */
export const installPublished = (): string | undefined => installPinned('agent-relay', PUBLISHED);

export async function loadPublished(): Promise<PublishedClass> {
  const module = await import(pathToFileURL(installedFile('agent-relay', PUBLISHED)).href);
  return module.RelayClient as PublishedClass;
}
