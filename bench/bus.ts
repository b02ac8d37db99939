/** What the benchmark sees of a message system: durable sends, messages that are acknowledged when taken. */
export interface Bus {
  /** Sends, and counts it as unended until the system says what `until` asks. */
  send(to: string, body: string): void;
  readonly unended: number;
  close(): Promise<void>;
}

export interface BusPlace {
  system: 'relay' | 'redis' | 'nats' | 'bare';
  /** relay: the state directory; redis, bare: the socket; nats: the port on 127.0.0.1. */
  at: string;
  durability?: 'sync' | 'process';
  /** relay: may host the daemon. */
  mayLead?: boolean;
  /** relay: when a SEND has ended; the others know `stored` only. */
  until?: 'stored' | 'delivered';
}

export interface BusEvents {
  message(body: string): void;
  /** `unended` went down. */
  ended(): void;
  /** It is connected: at first, and again after it had lost its leader. */
  ready?(): void;
}

/** Opens a client under a name. */
export type OpenBus = (place: BusPlace, name: string, events: BusEvents) => Promise<Bus>;

export async function openBus(...[place, name, events]: Parameters<OpenBus>): Promise<Bus> {
  switch (place.system) {
    case 'relay':
      return (await import('./bus-relay.ts')).openRelay(place, name, events);
    case 'redis':
      return (await import('./bus-redis.ts')).openRedis(place, name, events);
    case 'nats':
      return (await import('./bus-nats.ts')).openNats(place, name, events);
    case 'bare':
      return (await import('./bus-bare.ts')).openBare(place, name, events);
  }
}
