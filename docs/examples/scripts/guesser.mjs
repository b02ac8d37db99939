// Finds a number from 1 to 100 by halving.
import { createInterface } from 'node:readline';

let low = 1;
let high = 100;
let guess = 0;

function ask() {
  guess = Math.floor((low + high) / 2);
  const message = { to: 'keeper', topic: 'game', type: 'guess', body: `Is it ${guess}?`, data: { guess } };
  console.log(`[[RELAY]]\n${JSON.stringify(message)}\n[[/RELAY]]`);
}

for await (const line of createInterface({ input: process.stdin })) {
  if (/Relay message from user/.test(line)) ask();
  const verdict = /Relay message from keeper .*: (higher|lower)/.exec(line)?.[1];
  if (verdict === 'higher') low = guess + 1;
  if (verdict === 'lower') high = guess - 1;
  if (verdict !== undefined) ask();
}
