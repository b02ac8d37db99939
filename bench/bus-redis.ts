/** Redis Streams as a bus, over its unix socket: XADD, XREADGROUP, XACK, spoken by hand. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { OpenBus } from './bus.ts';

type Reply = string | number | null | Error | Reply[];

/** RESP 2: commands out, replies in their order. */
class Redis {
  readonly #socket: Socket;
  readonly #waiting: ((reply: Reply) => void)[] = [];
  #bytes = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
      let at = 0;
      for (let next = parse(this.#bytes, 0); next !== undefined; next = parse(this.#bytes, at)) {
        at = next.end;
        this.#waiting.shift()?.(next.reply);
      }
      this.#bytes = this.#bytes.subarray(at);
    });
  }

  static async open(path: string): Promise<Redis> {
    const socket = connect(path);
    await once(socket, 'connect');
    return new Redis(socket);
  }

  call(...words: string[]): Promise<Reply> {
    this.#write(words);
    return new Promise((resolve, reject) =>
      this.#waiting.push((reply) => (reply instanceof Error ? reject(reply) : resolve(reply))),
    );
  }

  /** As `call`, for many in a row: no promise for each. */
  pipe(words: string[], replied: () => void): void {
    this.#write(words);
    this.#waiting.push(replied);
  }

  close(): void {
    this.#socket.destroy();
  }

  #write(words: string[]): void {
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork();
      process.nextTick(() => this.#socket.uncork());
    }
    this.#socket.write(
      `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`,
    );
  }
}

function parse(bytes: Buffer, at: number): { reply: Reply; end: number } | undefined {
  const line = bytes.indexOf('\r\n', at);
  if (line === -1) return undefined;
  const text = bytes.toString('latin1', at + 1, line);
  const end = line + 2;
  switch (String.fromCharCode(bytes[at] as number)) {
    case '+':
      return { reply: text, end };
    case '-':
      return { reply: new Error(text), end };
    case ':':
      return { reply: Number(text), end };
    case '$': {
      const length = Number(text);
      if (length < 0) return { reply: null, end };
      if (bytes.length < end + length + 2) return undefined;
      return { reply: bytes.toString('utf8', end, end + length), end: end + length + 2 };
    }
    default: {
      const items: Reply[] = [];
      let next = end;
      for (let left = Number(text); left > 0; left--) {
        const item = parse(bytes, next);
        if (item === undefined) return undefined;
        items.push(item.reply);
        next = item.end;
      }
      return { reply: Number(text) < 0 ? null : items, end: next };
    }
  }
}

export const openRedis: OpenBus = async ({ at }, name, events) => {
  const [out, into] = await Promise.all([Redis.open(at), Redis.open(at)]);
  await into.call('XGROUP', 'CREATE', name, 'all', '0', 'MKSTREAM').catch(() => {});
  let unended = 0;
  let open = true;
  void (async () => {
    while (open) {
      const command = [
        'XREADGROUP',
        'GROUP',
        'all',
        'me',
        'COUNT',
        '256',
        'BLOCK',
        '0',
        'STREAMS',
        name,
        '>',
      ];
      const reply = (await into.call(...command)) as [string, [string, string[]][]][] | null;
      for (const [, entries] of reply ?? []) {
        for (const [, fields] of entries) events.message(fields[1] as string);
        out.pipe(['XACK', name, 'all', ...entries.map(([id]) => id)], () => {});
      }
    }
  })();
  return {
    send(to, body) {
      unended++;
      out.pipe(['XADD', to, '*', 'b', body], () => {
        unended--;
        events.ended();
      });
    },
    get unended() {
      return unended;
    },
    async close() {
      open = false;
      out.close();
      into.close();
    },
  };
};
