/** `doctor`, the outboxes: what wrappers could not hand over and left for the next session of their name. */
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '../base/is-alive.ts';
import { directoryEnvironment, relayDirectories } from '../base/paths.ts';
import { decodeLine, splitLines } from '../wrap/outbox-line.ts';
import { outboxOwner } from '../wrap/outbox-name.ts';
import type { Found, Patient } from './doctor-finding.ts';

export function checkOutbox({ env, namespace }: Patient): Found[] {
  const directories = relayDirectories(namespace, directoryEnvironment(env))
    .map(({ path }) => join(path, 'outbox'))
    .filter((path) => existsSync(path));
  const left = new Map<string, number>();
  const found: Found[] = [];
  for (const path of directories.flatMap((each) => readdirSync(each).map((name) => join(each, name)))) {
    const owner = outboxOwner(path.slice(path.lastIndexOf('/') + 1));
    if (owner === undefined) {
      found.push({ state: 'note', text: `${path} is damaged`, advice: 'read it, then remove it' });
    } else if (!isAlive(owner.pid) && lstatSync(path).isFile()) {
      left.set(owner.name, (left.get(owner.name) ?? 0) + messagesIn(path));
    }
  }
  for (const [name, messages] of left) {
    const text = `${messages} messages of ${name} wait for its next session`;
    found.push({ state: 'note', text, advice: `start it again: agent-wrap --name ${name} …` });
  }
  return found.length === 0 ? [{ state: 'ok', text: 'nothing was left unsent' }] : found;
}

/** Those that a relay has already are counted as long as others of the same file wait. */
function messagesIn(path: string): number {
  const { lines } = splitLines(readFileSync(path));
  return lines.filter(({ line }) => (decodeLine(line, false)?.bytes ?? 0) > 0).length;
}
