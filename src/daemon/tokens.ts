/**
 * Tokens: `ah_` handoff, `ar_` resume (P7), `as_` for the agent's children (P10). 256 random bits; we
 * keep only their hashes. docs/protocol.md §Sessions.
 */
import { hash } from 'node:crypto';

export type TokenKind = 'ah' | 'ar' | 'as';
/** Random bytes, passed in so that a simulation can repeat itself. */
export type RandomBytes = (count: number) => Buffer;

const PREFIX = /^(ah|ar|as)_/;

export const mintToken = (kind: TokenKind, random: RandomBytes): string =>
  `${kind}_${random(32).toString('base64url')}`;

export const hashToken = (token: string): string => hash('sha256', token, 'hex');

/** What logs may say of a token (conformance 27). */
export const tokenId = (hash: string): string => `t-${hash.slice(0, 12)}`;

/** By its prefix alone (P7): a handoff token that was cut short is a wrong one. Undefined without one of ours. */
export const tokenKind = (token: string): TokenKind | undefined => PREFIX.exec(token)?.[1] as TokenKind;

/** 128 random bits, shown to nobody but the session's owner (P8). */
export const mintSessionId = (random: RandomBytes): string => `s-${random(16).toString('hex')}`;
