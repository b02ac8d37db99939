/** The person's bytes and what we type, in any order and cut anywhere, at any pace. */

import { describe, expect, it } from 'vitest';
import { InputScanner } from '../../src/terminal/input-scanner.ts';
import { AgentInput } from '../../src/wrap/agent-input.ts';
import type { KeyHold } from '../../src/wrap/key-hold.ts';
import { FakeClock, settle } from '../helpers/fake-clock.ts';
import fc from '../helpers/fast-check.ts';

/** What no person types: it tells our bytes from theirs. */
const OURS = /\xfe\[[^\]]*\]|\xff/g;

const PIECES = [
  ...['a', '\r', '\x03', '\x1b', '\x1b[A', '\x1bOP', '\x1b[99;5u', '\x1b[27u', 'h\xc3\xa4', '\x1b[I'],
  ...['\x1b[?1;2c', '\x1b]11;rgb:0/0/0\x07', '\x1b[200~two\rlines\x03\x1b[201~', '\x1b[M !!'],
];

/** Neither a paste of the person nor a reply of their terminal is ever split, even when it comes in pieces. */
const WHOLE = ['\x1b[200~two\rlines\x03\x1b[201~', '\x1b[?1;2c', '\x1b]11;rgb:0/0/0\x07'];

/** `read`: so many bytes of what the person types arrive. */
type Step = { read: number } | { inject: true } | { submit: true } | { release: true } | { ms: number };

const moves: fc.WeightedArbitrary<Step>[] = [
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 9 }).map((read) => ({ read })) },
  ...(['inject', 'submit', 'release'] as const).map((what) => ({
    weight: 1,
    arbitrary: fc.constant({ [what]: true } as unknown as Step),
  })),
];
const person = fc.array(fc.constantFrom(...PIECES), { maxLength: 30 }).map((pieces) => pieces.join(''));
const steps = fc.array(fc.oneof(...moves), { maxLength: 60 });
const stepsInTime = fc.array(
  fc.oneof(...moves, { weight: 2, arbitrary: fc.nat({ max: 1_200 }).map((ms) => ({ ms })) }),
  { maxLength: 60 },
);

/** What the agent gets, and how many texts were typed. */
async function play(text: string, moves: readonly Step[]): Promise<{ agent: string; injected: number }> {
  const clock = new FakeClock();
  const typed = Buffer.from(text, 'latin1');
  let agent = '';
  let injected = 0;
  let at = 0;
  const input = new AgentInput({
    write: (bytes, onEnd) => {
      agent += Buffer.from(bytes).toString('latin1');
      onEnd?.(true);
    },
    passed: () => {},
    clock,
  });
  const read = (bytes: number) => {
    const chunk = typed.subarray(at, at + bytes);
    at += chunk.length;
    if (chunk.length > 0) input.push(Buffer.from(chunk));
  };
  let hold: KeyHold | undefined;
  for (const move of moves) {
    if ('read' in move) {
      read(move.read);
      // What waited for the end of a paste is typed now: its hold is the one that counts.
      await settle();
    } else if ('ms' in move) clock.advance(move.ms);
    else if ('inject' in move) {
      void input.paste(Buffer.from(`\xfe[${injected++}]`, 'latin1')).then((made) => {
        hold = made;
      });
      await settle();
    } else if ('submit' in move) {
      if (hold?.broken === 'no') void input.type(Buffer.from('\xff', 'latin1'));
    } else {
      hold?.release();
      hold = undefined;
    }
  }
  read(typed.length);
  clock.advance(10_000);
  await settle();
  hold?.release();
  clock.advance(1_000);
  return { agent, injected };
}

describe('what the agent gets', () => {
  it('is each text of ours whole, and the person’s bytes once and in order, no paste or reply split', async () => {
    await fc.assert(
      fc.asyncProperty(person, steps, async (text, moves) => {
        const { agent, injected } = await play(text, moves);
        expect(agent.replace(OURS, '')).toBe(text);
        for (let i = 0; i < injected; i++) expect(agent.split(`\xfe[${i}]`)).toHaveLength(2);
        for (const whole of WHOLE) expect(agent.split(whole)).toHaveLength(text.split(whole).length);
      }),
      { numRuns: 300 },
    );
  });

  it('has no key of the person between a text of ours and its submit key, at any pace', async () => {
    await fc.assert(
      fc.asyncProperty(person, stepsInTime, async (text, moves) => {
        const { agent } = await play(text, moves);
        expect(agent.replace(OURS, '')).toBe(text);
        for (const [, between = ''] of agent.matchAll(/\xfe\[\d+\]([^\xfe\xff]*)\xff/g)) {
          // Replies of the terminal may pass.
          const scanner = new InputScanner();
          expect(scanner.push(Buffer.from(between, 'latin1'))).toBe(false);
          expect(scanner.atBoundary).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
