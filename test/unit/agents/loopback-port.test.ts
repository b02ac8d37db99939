import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freePort, portOwner } from '../../../src/agents/loopback-port.ts';

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:5BA0 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1
   1: 0100007F:5BA1 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 2 1
   2: 0100007F:5BA2 0100007F:1234 01 00000000:00000000 00:00000000 00000000  1000        0 3 1
   3: 00000000:5BA0 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4 1
`;

describe('the owner of a port', () => {
  it('is told by the table of the system', () => {
    expect(portOwner(0x5ba0, 1000, TABLE)).toBe('ours');
    expect(portOwner(0x5ba1, 1000, TABLE)).toBe('foreign');
    expect(portOwner(0x5ba0, 1001, TABLE)).toBe('foreign');
  });

  it('is nobody while nobody listens', () => {
    expect(portOwner(0x5ba2, 1000, TABLE)).toBe('nobody');
    expect(portOwner(1, 1000, TABLE)).toBe('nobody');
  });

  it.runIf(process.platform === 'linux')('is ours where this process listens', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    expect(portOwner(port, process.getuid?.() ?? -1)).toBe('ours');
    await new Promise((resolve) => server.close(resolve));
    expect(portOwner(port, process.getuid?.() ?? -1)).toBe('nobody');
  });
});

describe('a free port', () => {
  it('is another one when the first is taken', async () => {
    const first = await freePort(Math.random);
    expect(first).toBeGreaterThanOrEqual(20_000);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(first, '127.0.0.1', resolve));
    const numbers = [((first ?? 0) - 20_000 + 0.5) / 12_000];
    expect(await freePort(() => numbers.shift() ?? Math.random())).not.toBe(first);
    await new Promise((resolve) => server.close(resolve));
  });
});
