/** What an agent says while no relay can be had: kept, in order, and sent when there is one. P21. */
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { attach } from '../../src/wrap/attach.ts';
import { COMMAND, OuterTerminal } from '../helpers/outer-terminal.ts';
import { waitFor } from '../helpers/wait-for.ts';

/** Milliseconds for a client that has waited long to try again. */
const PATIENCE_MS = 60_000;

/** An agent that says as many directives as it is told, m<first> … to the person, then `said`. */
const SAYS = `echo ready
while read first count; do
  n=$first; end=$((first + count))
  while [ $n -lt $end ]; do echo ">>relay:user m$n"; n=$((n + 1)); done
  echo said $end
done`;

let home: string;
let terminals: OuterTerminal[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'agent-wrap-outbox-'));
  terminals = [];
});

afterEach(async () => {
  for (const terminal of terminals) await terminal.dispose();
  rmSync(home, { recursive: true, force: true });
});

const env = () => ({ ...process.env, XDG_STATE_HOME: home, AGENT_RELAY_TOKEN: undefined });
const root = () => join(home, 'agent-relay');
const logOf = (terminal: OuterTerminal) =>
  readFileSync(join(home, `${terminals.indexOf(terminal)}.log`), 'utf8');

/** A wrapper with an agent that says things, joined to the relay. */
async function wrapped(name: string): Promise<OuterTerminal> {
  const log = join(home, `${terminals.length}.log`);
  const terminal = new OuterTerminal(
    [...COMMAND, '--log-file', log, '--log-level', 'debug', '--name', name, 'sh', '-c', SAYS],
    { env: env(), cols: 100 },
  );
  terminals.push(terminal);
  await terminal.see('ready');
  return terminal;
}

const joined = (terminal: OuterTerminal) =>
  waitFor(() => logOf(terminal).includes('"state":"ready"'), 'the wrapper to be READY', PATIENCE_MS);

/** ada, and a relay that has gone and that nobody can bring back. */
async function forsaken(): Promise<OuterTerminal> {
  const host = await wrapped('host');
  await joined(host);
  const ada = await wrapped('ada');
  await joined(ada);
  // Others may write there: nobody leads, or joins, in such a directory.
  chmodSync(root(), 0o777);
  process.kill(host.pid, 'SIGKILL');
  await waitFor(() => logOf(ada).includes('DIRECTORY_UNSAFE'), 'ada to have no relay');
  return ada;
}

const returns = () => chmodSync(root(), 0o700);

/** Lines in the outbox on disk. */
function kept(): number {
  const outbox = join(root(), readdirSync(root())[0] as string, 'outbox');
  if (!existsSync(outbox)) return 0;
  const files = readdirSync(outbox).map((name) => readFileSync(join(outbox, name), 'latin1'));
  return files
    .join('')
    .split('\n')
    .filter((line) => line.includes('"SEND"')).length;
}

const messages = (count: number, first = 0) => Array.from({ length: count }, (_, n) => `m${first + n}`);

interface Page {
  messages: { from: string; body: string }[];
  lastMessageId?: string;
}

/** A page of the person's inbox; undefined: no relay is there yet. */
async function page(since: string | undefined): Promise<Page | undefined> {
  const input = { limit: 100, waitMs: 500, ...(since === undefined ? {} : { since }) };
  try {
    const relay = await attach({
      namespace: 'default',
      env: { XDG_STATE_HOME: home },
      mayLead: false,
      clock: systemClock,
      log: silentLog,
    });
    const result = (await relay.call('relay-poll', input)) as { data?: Page };
    await relay.close();
    return result.data;
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 100));
    return undefined;
  }
}

/** What the person is told by ada, in order, until it is `count` messages and nothing more waits. */
async function heard(count: number): Promise<string[]> {
  const bodies: string[] = [];
  let since: string | undefined;
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; ) {
    const found = await page(since);
    if (found === undefined) continue;
    since = found.lastMessageId;
    for (const { from, body } of found.messages) if (from === 'ada') bodies.push(body);
    if (found.messages.length === 0 && bodies.length >= count) break;
  }
  return bodies;
}

describe('P21 while no relay can be had', () => {
  it('5,000 directives are kept, and each arrives once and in order when it returns', async () => {
    const ada = await forsaken();
    ada.write('0 5000\n');
    await ada.see('said 5000');
    await waitFor(
      () => kept() === 5_000,
      () => `all on disk, not ${kept()}`,
    );
    returns();
    expect(await heard(5_000)).toEqual(messages(5_000));
    await waitFor(() => kept() === 0, 'the disk to be given back');
  }, 120_000);

  it('50 that a killed wrapper had on disk are sent by the next session of its name', async () => {
    const ada = await forsaken();
    ada.write('0 50\n');
    await ada.see('said 50');
    await waitFor(
      () => kept() === 50,
      () => `all on disk, not ${kept()}`,
    );
    process.kill(ada.pid, 'SIGKILL');
    await ada.end();
    returns();
    const again = await wrapped('ada');
    again.write('50 2\n');
    expect(await heard(52)).toEqual(messages(52));
    await waitFor(() => kept() === 0, 'the disk to be given back');
  });

  it('the person hears at the end what has not left, and it leaves with the next session', async () => {
    const ada = await forsaken();
    ada.write('0 3\n');
    await ada.see('said 3');
    ada.write('\x04');
    expect(await ada.end()).toBe(0);
    expect(ada.text).toMatch(/agent-wrap: 3 messages of ada have not left: no relay took them \[UNSENT\]/);
    expect(ada.text).toContain('agent-wrap --name ada');
    returns();
    await wrapped('ada');
    expect(await heard(3)).toEqual(messages(3));
  });
});
