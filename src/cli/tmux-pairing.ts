/** The messages of a pairing file, sent once its agents are on the relay. docs/people.md "In tmux". */
import * as z from 'zod';
import { RelayError } from '../base/errors.ts';
import type { Pairing } from '../run/schema.ts';
import { agentsOf } from './known-agents.ts';
import type { Place } from './place.ts';
import { callRelay } from './relay-call.ts';

/** How long the agents may take to join, and how often we look, milliseconds. */
const JOIN_MS = 30_000;
const LOOK_MS = 200;

/**
 * Sends the prompts and the opening messages. What decides a run (`until`, `expect`, `restart`, `timeout`,
 * `size`) has no place here: in tmux the person decides. Throws TIMEOUT.
 */
export async function openPairing(place: Place, pairing: Pairing): Promise<void> {
  const prompts = pairing.agents.flatMap(({ name, prompt }) =>
    prompt === undefined ? [] : [{ to: name, body: prompt }],
  );
  const messages = [...prompts, ...pairing.messages];
  if (messages.length === 0) return;
  await allJoined(
    place,
    pairing.agents.map(({ name }) => name),
  );
  for (const message of messages) await callRelay(place, 'relay-send', message, z.looseObject({}));
}

async function allJoined(place: Place, names: readonly string[]): Promise<void> {
  const end = performance.now() + JOIN_MS;
  for (;;) {
    const active = ((await agentsOf(place)) ?? []).filter(({ state }) => state === 'active');
    const missing = names.filter((name) => !active.some((agent) => agent.name === name));
    if (missing.length === 0) return;
    if (performance.now() > end) {
      throw new RelayError('TIMEOUT', `not on the relay after ${JOIN_MS / 1000} s: ${missing.join(', ')}`, {
        suggestion: 'look at their panes; no opening message was sent',
      });
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
