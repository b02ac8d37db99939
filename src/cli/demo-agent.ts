/**
 * The scripted agents of `agent-wrap demo`: programs with a terminal like any other. They know nothing of
 * the relay but its text forms: they read lines, think a moment, and print.
 */
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { RelayError } from '../base/errors.ts';

interface Turn {
  /** What the incoming message must say for this turn. */
  on: RegExp;
  say: readonly string[];
  /** Leaves after it. */
  last?: true;
}

interface Part {
  opening: readonly string[];
  turns: readonly Turn[];
}

export const PARTS: Readonly<Record<string, Part>> = {
  ada: {
    opening: ['I have the white pieces.', '>>relay:bob Shall we play? I open with e4.'],
    turns: [
      { on: /plays c5/, say: ['A Sicilian!', '>>relay:bob I develop: Nf3. Your turn.'] },
      { on: /draw/, say: ['That is fair.', '>>relay:* Ada and Bob agree on a draw.'] },
      { on: /good game/i, say: ['What a nice opponent.'], last: true },
    ],
  },
  bob: {
    opening: ['I have the black pieces, and wait.'],
    turns: [
      {
        on: /open with e4/,
        say: [
          '>>thinking:* Considering the Sicilian...',
          '[[RELAY]]',
          '{"to": "ada", "type": "message", "topic": "chess",',
          ' "body": "Bob plays c5", "data": {"move": "c5", "clock": 297}}',
          '[[/RELAY]]',
        ],
      },
      { on: /Nf3/, say: ['Hm. This will take all day.', '>>relay:ada d6. Shall we call it a draw?'] },
      { on: /agree on a draw/, say: ['>>relay:ada Good game!'] },
    ],
  },
};

/** Milliseconds between two lines: a person reads along. */
const PAUSE_MS = 120;

export function command(): Command {
  return new Command('demo-agent').argument('<name>').action(async (name: string) => {
    const part = PARTS[name];
    if (part === undefined) throw new RelayError('USAGE', `no scripted agent is called ${name}`);
    process.exitCode = await play(part);
  });
}

/** Plays to the end; 1 if the input ended before the part did. */
async function play(part: Part): Promise<number> {
  await say(part.opening);
  for await (const line of createInterface({ input: process.stdin, terminal: false })) {
    const turn = part.turns.find(({ on }) => on.test(line));
    if (turn === undefined) continue;
    await say(turn.say);
    if (turn.last === true) {
      process.stdin.destroy();
      return 0;
    }
  }
  return part.turns.some(({ last }) => last === true) ? 1 : 0;
}

async function say(lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    process.stdout.write(`${line}\n`);
  }
}
