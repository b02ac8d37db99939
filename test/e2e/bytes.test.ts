/** The agent's bytes and the person's bytes, through the real wrapper in a real terminal. terminal.md §6. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { OuterTerminal } from '../helpers/outer-terminal.ts';

const RUNS = 20;
const folder = mkdtempSync(join(tmpdir(), 'agent-wrap-bytes-'));
afterAll(() => rmSync(folder, { recursive: true }));

let terminal: OuterTerminal | undefined;
afterEach(() => terminal?.dispose());

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
/** What a terminal in cooked mode makes of a program's output. */
const cooked = (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');

describe('§6 no byte is lost or changed', () => {
  const numbers = Buffer.from(Array.from({ length: 4000 }, (_, i) => `${i + 1}\n`).join(''));
  const large = Buffer.from(`${'\x1b[32mcoloured\x1b[0m text é 漢字 🎉 \t0123456789\n'.repeat(40_000)}`);
  const random = randomBytes(300_000);
  const files = { 'short output': numbers, '2 MB': large.subarray(0, 2_000_000), 'random bytes': random };
  for (const [name, content] of Object.entries(files)) {
    const file = join(folder, name);
    writeFileSync(file, content);
    const expected = sha256(cooked(content));
    it(`${name}: the same ${RUNS} times, the last byte included`, async () => {
      const command = content === numbers ? ['seq', '1', '4000'] : ['cat', file];
      for (let run = 0; run < RUNS; run += 1) {
        terminal = OuterTerminal.wrap(command);
        expect(await terminal.end()).toBe(0);
        expect([terminal.bytes.length, sha256(terminal.bytes)]).toEqual([cooked(content).length, expected]);
      }
    });
  }

  it('a raw agent that prints A LF B LF is seen as A LF B LF', async () => {
    terminal = OuterTerminal.wrap(['sh', '-c', 'stty raw; printf "A\\nB\\n"']);
    await terminal.end();
    expect(terminal.text).toBe('A\nB\n');
  });

  it('all byte values typed by the person reach a raw agent unchanged', async () => {
    terminal = OuterTerminal.wrap([
      'sh',
      '-c',
      'stty raw -echo; printf ready; head -c 512 | od -An -v -tx1; printf done',
    ]);
    await terminal.see('ready');
    const all = Buffer.from(Array.from({ length: 512 }, (_, i) => i % 256));
    terminal.write(all);
    await terminal.see('done');
    const seen = terminal.text.replace(/ready|done|\s/g, '');
    expect(seen).toBe(all.toString('hex'));
  });

  it('a paste of 1 MB arrives whole at an agent that starts to read late and reads slowly', async () => {
    const paste = randomBytes(500_000).toString('hex').slice(0, 1_000_000);
    const agent = `stty raw -echo; printf ready; sleep 0.3; head -c ${paste.length} | sha256sum; printf done`;
    terminal = OuterTerminal.wrap(['sh', '-c', agent]);
    await terminal.see('ready');
    terminal.write(paste);
    await terminal.see('done');
    expect(terminal.text).toContain(sha256(Buffer.from(paste)));
  });

  it('a paste of 1 MB into an agent that echoes it does not lock up, and the echo is complete', async () => {
    const paste = Buffer.from(randomBytes(500_000).toString('hex'));
    terminal = OuterTerminal.wrap([
      'sh',
      '-c',
      `stty raw -echo; printf ready; head -c ${paste.length}; printf done`,
    ]);
    await terminal.see('ready');
    terminal.write(paste);
    expect(await terminal.end()).toBe(0);
    expect(sha256(terminal.bytes.subarray(5, -4))).toBe(sha256(paste));
  });

  it('backspace in cooked mode removes a whole é (IUTF8)', async () => {
    terminal = OuterTerminal.wrap(['sh', '-c', 'printf ready; read -r line; printf "<%s>" "$line"']);
    await terminal.see('ready');
    terminal.write('aé\x7fb\r');
    await terminal.end();
    expect(terminal.text).toContain('<ab>');
  });

  it('what a background grandchild printed by then is shown, and it does not keep us', async () => {
    terminal = OuterTerminal.wrap([
      'sh',
      '-c',
      '(trap "" HUP; echo early; sleep 60) & sleep 0.2; echo "pid $!"',
    ]);
    expect(await terminal.end()).toBe(0);
    expect(terminal.text).toContain('early');
    process.kill(Number(/pid (\d+)/.exec(terminal.text)?.[1]), 'SIGKILL');
  });
});
