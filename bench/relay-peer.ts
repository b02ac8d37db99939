/** A client process of bench/relay.ts: told by its parent what to do, answers with figures. */
import { type Bus, type BusPlace, openBus } from './bus.ts';
import { nowUs } from './table.ts';

export type Order =
  | { do: 'open'; place: BusPlace; names: string[] }
  /** Round trips, one after the other. */
  | { do: 'ping'; to: string; count: number; bytes: number }
  | { do: 'send'; to: string; count: number; bytes: number; window: number }
  /** Count what arrives; say so when it is so much. */
  | { do: 'expect'; count: number }
  /** So many a second for so long; what finds no room in the outbox is left out. */
  | { do: 'pace'; to: string; perSecond: number; ms: number; bytes: number }
  /** How long each has taken that arrived since `expect`. */
  | { do: 'times' }
  | { do: 'close' };

/** An outbox holds 10,000. */
const MAX_UNENDED = 8_000;

const buses: Bus[] = [];
let expected = 0;
let arrived = 0;
let times: number[] = [];
let lastBody = '';
let pong: (() => void) | undefined;
/** Who waits until less is under way. */
let room: (() => void) | undefined;

const say = (answer: object) => process.send?.(answer);

function received(body: string): void {
  const [kind, from] = body.split(' ', 2);
  if (kind === 'ping') buses[0]?.send(from as string, body.replace('ping', 'pong'));
  else if (kind === 'pong') pong?.();
  else {
    lastBody = body;
    times.push(nowUs() - Number(from));
    if (++arrived === expected) say({ arrived, us: nowUs(), sentUs: Number(lastBody.split(' ')[1]) });
  }
}

function ended(): void {
  const waiting = room;
  room = undefined;
  waiting?.();
}

async function ping({ to, count, bytes }: Extract<Order, { do: 'ping' }>, me: string): Promise<void> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const began = nowUs();
    const back = new Promise<void>((resolve) => {
      pong = resolve;
    });
    buses[0]?.send(to, `ping ${me} `.padEnd(bytes, 'x'));
    await back;
    times.push(nowUs() - began);
  }
  say({ times });
}

async function send({ to, count, bytes, window }: Extract<Order, { do: 'send' }>): Promise<void> {
  const bus = buses[0] as Bus;
  say({ beganUs: nowUs() });
  for (let i = 0; i < count; i++) {
    bus.send(to, `one ${nowUs()} `.padEnd(bytes, 'x'));
    // Woken when there is room: a sender that looks again and again takes the CPU of what it measures.
    if (bus.unended >= window) await new Promise<void>((resolve) => (room = resolve));
  }
}

async function pace({ to, perSecond, ms, bytes }: Extract<Order, { do: 'pace' }>): Promise<void> {
  const bus = buses[0] as Bus;
  const began = nowUs();
  let due = 0;
  let sent = 0;
  for (let us = 0; us < ms * 1000; us = nowUs() - began) {
    for (; due < (us * perSecond) / 1e6; due++) {
      if (bus.unended >= MAX_UNENDED) continue;
      bus.send(to, `one ${nowUs()} `.padEnd(bytes, 'x'));
      sent++;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  while (bus.unended > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  say({ paced: sent });
}

let me = '';
process.on('message', async (order: Order) => {
  switch (order.do) {
    case 'open':
      me = order.names[0] as string;
      for (const name of order.names) {
        const ready = () => say({ readyUs: nowUs(), name });
        buses.push(await openBus(order.place, name, { message: received, ended, ready }));
      }
      return void say({ opened: order.names.length });
    case 'ping':
      return ping(order, me);
    case 'send':
      return send(order);
    case 'expect':
      expected = order.count;
      arrived = 0;
      times = [];
      return void say({ expecting: true });
    case 'pace':
      return pace(order);
    case 'times':
      return void say({ times });
    case 'close':
      await Promise.all(buses.map((bus) => bus.close()));
      return process.exit(0);
  }
});
