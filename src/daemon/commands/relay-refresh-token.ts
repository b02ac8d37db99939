/** relay-refresh-token: a new handoff token before the old one expires. Checklist 25. */
import * as z from 'zod';
import { defineCommand } from '../../afd/command.ts';
import { success } from '../../afd/result.ts';
import { RelayError } from '../../base/errors.ts';
import { type Caller, sessionFor } from '../caller.ts';
import type { Relay } from '../relay.ts';
import { hashToken } from '../tokens.ts';

const input = z.object({ sessionId: z.string(), currentToken: z.string() });
const output = z.object({ token: z.string(), expiresAt: z.iso.datetime() });

export const relayRefreshToken = (relay: Relay) =>
  defineCommand({
    name: 'relay-refresh-token',
    description: 'Update the handoff token of a session: gives a new one, the one before is void',
    category: 'relay',
    tags: ['relay', 'write'],
    mutation: true,
    input,
    output,
    errors: ['SESSION_NOT_FOUND', 'SESSION_CLOSED', 'SESSION_EXPIRED', 'TOKEN_UNKNOWN', 'FORBIDDEN'],
    async handler({ sessionId, currentToken }, ctx) {
      const session = sessionFor(relay, ctx.caller as Caller, sessionId);
      const hash = hashToken(currentToken);
      if (session.handoff?.hash !== hash && !session.resume.includes(hash)) {
        throw new RelayError('TOKEN_UNKNOWN', 'the current token is not one of this session');
      }
      const { token, tokenId, until } = await relay.sessions.renew(session, 'refresh');
      ctx.facts.agent = session.name;
      ctx.facts.tokenId = tokenId;
      return success({ token, expiresAt: new Date(until).toISOString() });
    },
  });
