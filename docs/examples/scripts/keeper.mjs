// Thinks of a number from 1 to 100, chosen by the seed of the run, and judges guesses.
import { createInterface } from 'node:readline';

const number = (Number(process.env.AGENT_WRAP_SEED) % 100) + 1;
for await (const line of createInterface({ input: process.stdin })) {
  const guess = /Relay message from guesser .*Is it (\d+)\?/.exec(line)?.[1];
  if (guess === undefined) continue;
  const verdict = Number(guess) === number ? 'found' : Number(guess) < number ? 'higher' : 'lower';
  const message = { to: 'guesser', topic: 'game', type: 'verdict', body: `${guess}: ${verdict}` };
  console.log(`[[RELAY]]\n${JSON.stringify(message)}\n[[/RELAY]]`);
}
