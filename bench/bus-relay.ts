/** Our relay as a bus: the client that wrappers use. */
import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { RelayClient } from '../src/client/relay-client.ts';
import { attach } from '../src/wrap/attach.ts';
import type { OpenBus } from './bus.ts';

export const openRelay: OpenBus = ({ at, durability, mayLead, until = 'delivered' }, name, events) =>
  new Promise((resolve) => {
    let unended = 0;
    const client = new RelayClient(
      {
        attach: () =>
          attach({
            namespace: 'bench',
            env: { ...process.env, XDG_STATE_HOME: at },
            mayLead: mayLead === true,
            ...(durability === undefined ? {} : { durability }),
            clock: systemClock,
            log: silentLog,
          }),
        identity: { agent: name },
        capabilities: { ack: true, resume: true, max_inflight: 1_024 },
        clock: systemClock,
        log: silentLog,
        random: Math.random,
      },
      {
        delivery: (envelope) => {
          events.message(envelope.payload.body ?? '');
          client.ack(envelope);
        },
        fate: ({ outcome }) => {
          if (outcome !== until && outcome !== 'failed') return;
          unended--;
          events.ended();
        },
        stateChanged: (state) => {
          if (state !== 'ready') return;
          events.ready?.();
          resolve({
            send(to, body) {
              unended++;
              client.send({ to, payload: { kind: 'message', body } });
            },
            get unended() {
              return unended;
            },
            close: () => client.close(),
          });
        },
      },
    );
    client.start();
  });
