/** A chat domain without a relay: enough commands to try the AFD layer on. */
import * as z from 'zod';
import { defineCommand } from '../../src/afd/command.ts';
import { createHandoff, HandoffResultSchema } from '../../src/afd/handoff.ts';
import { error, success } from '../../src/afd/result.ts';

export const chatConnect = defineCommand({
  name: 'chat-connect',
  description: 'Connect to a chat room for messages as they come',
  category: 'chat',
  input: z.object({ room: z.string().min(1).describe('where to talk'), nick: z.string().default('anon') }),
  output: HandoffResultSchema,
  tags: ['chat', 'handoff:resumable'],
  mutation: true,
  handoff: true,
  handoffProtocol: 'toy',
  errors: ['SESSION_NOT_FOUND'],
  examples: [{ title: 'Join the lobby', input: { room: "bob's" } }],
  handler(input, ctx) {
    if (input.room === 'closed') return error('ROOM_CLOSED', 'the room is closed');
    ctx.facts.tokenId = 'tok-1';
    const handoff = createHandoff('toy', 'unix:///tmp/toy.sock', {
      credentials: { token: 'ah_0123456789abcdefghij', sessionId: 's-1' },
      metadata: { reconnect: true, description: input.nick },
    });
    return success(handoff, {
      reasoning: 'Session made.',
      metadata: { agentHints: { handoffType: 'toy', consumable: false, fallbackCommand: 'chat-poll' } },
    });
  },
});

export const chatPoll = defineCommand({
  name: 'chat-poll',
  description: 'Fetch the messages that wait in a chat room',
  category: 'chat',
  input: z.object({ room: z.string(), limit: z.number().int().min(1).max(100).default(50) }),
  output: z.object({ messages: z.array(z.object({ id: z.string() })), hasMore: z.boolean() }),
  tags: ['chat', 'read', 'agent-friendly'],
  errors: ['SESSION_NOT_FOUND'],
  expose: { mcp: true },
  handler: () => success({ messages: [], hasMore: false }),
});

export const chatStream = defineCommand({
  name: 'chat-stream',
  description: 'Start a chat stream for a browser page',
  category: 'chat',
  input: z.object({}),
  output: HandoffResultSchema,
  tags: ['chat'],
  handoff: true,
  handoffProtocol: 'websocket',
  errors: ['SESSION_NOT_FOUND'],
  expose: { cli: false },
  handler: () => success(createHandoff('websocket', 'ws://127.0.0.1/x')),
});
