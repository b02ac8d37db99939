/** NATS JetStream as a bus, over loopback: published with an acknowledgment, consumed with one; spoken by hand. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { OpenBus } from './bus.ts';

/** The text protocol of NATS: PUB, SUB, MSG. */
class Nats {
  readonly #socket: Socket;
  readonly #subscriptions: ((payload: string, reply: string | undefined) => void)[] = [];
  #bytes = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
      this.#read();
    });
    this.write('CONNECT {"verbose":false,"pedantic":false}\r\n');
  }

  static async open(port: number): Promise<Nats> {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    await once(socket, 'connect');
    return new Nats(socket);
  }

  publish(subject: string, payload: string, reply = ''): void {
    this.write(`PUB ${subject} ${reply} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`);
  }

  subscribe(subject: string, handler: (payload: string, reply: string | undefined) => void): void {
    this.write(`SUB ${subject} ${this.#subscriptions.push(handler) - 1}\r\n`);
  }

  close(): void {
    this.#socket.destroy();
  }

  write(text: string): void {
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork();
      process.nextTick(() => this.#socket.uncork());
    }
    this.#socket.write(text);
  }

  #read(): void {
    let at = 0;
    for (;;) {
      const line = this.#bytes.indexOf('\r\n', at);
      if (line === -1) break;
      const words = this.#bytes.toString('latin1', at, line).split(' ');
      if (words[0] === 'MSG') {
        const length = Number(words.at(-1));
        const end = line + 2 + length + 2;
        if (this.#bytes.length < end) break;
        const payload = this.#bytes.toString('utf8', line + 2, line + 2 + length);
        this.#subscriptions[Number(words[2])]?.(payload, words.length === 5 ? words[3] : undefined);
        at = end;
      } else {
        if (words[0] === 'PING') this.write('PONG\r\n');
        if (words[0] === '-ERR') throw new Error(words.join(' '));
        at = line + 2;
      }
    }
    this.#bytes = this.#bytes.subarray(at);
  }
}

export const openNats: OpenBus = async ({ at }, name, events) => {
  const nats = await Nats.open(Number(at));
  const inbox = `_INBOX.${name}`;
  let unended = 0;
  const request = (subject: string, body: object) =>
    new Promise<void>((resolve, reject) => {
      const reply = `${inbox}.api.${subject.replaceAll('.', '-')}`;
      nats.subscribe(reply, (payload) => {
        const { error } = JSON.parse(payload) as { error?: { description: string } };
        if (error === undefined) resolve();
        else reject(new Error(error.description));
      });
      nats.publish(subject, JSON.stringify(body), reply);
    });
  nats.subscribe(`${inbox}.ack`, () => {
    unended--;
    events.ended();
  });
  nats.subscribe(`deliver.${name}`, (payload, reply) => {
    events.message(payload);
    if (reply !== undefined) nats.publish(reply, '+ACK');
  });
  await request(`$JS.API.STREAM.CREATE.${name}`, {
    name,
    subjects: [`to.${name}`],
    storage: 'file',
    retention: 'workqueue',
    num_replicas: 1,
  });
  await request(`$JS.API.CONSUMER.DURABLE.CREATE.${name}.all`, {
    stream_name: name,
    config: {
      durable_name: 'all',
      deliver_subject: `deliver.${name}`,
      ack_policy: 'explicit',
      max_ack_pending: 1_024,
    },
  });
  return {
    send(to, body) {
      unended++;
      nats.publish(`to.${to}`, body, `${inbox}.ack`);
    },
    get unended() {
      return unended;
    },
    close: async () => nats.close(),
  };
};
