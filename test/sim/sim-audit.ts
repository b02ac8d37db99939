/** What stands in the log at the end of a history, beside what was promised and told. */
import type { Message } from '../../src/daemon/message.ts';
import { decodeRecord, messageKey } from '../../src/daemon/record.ts';
import { RelayState } from '../../src/daemon/state.ts';
import { SegmentLog } from '../../src/daemon/store/segment-log.ts';
import { textOf } from '../../src/protocol/utf8.ts';
import type { SimMachine } from './sim-machine.ts';

/** Who took part. */
interface Cast {
  /** They never come back: what is for them waits. */
  gone: ReadonlySet<string>;
  /** Which life of an agent is there at the end. */
  lifeOf(name: string): number | undefined;
}

/** Reads the log once more and compares it with what was promised and told. */
export async function audit(machine: SimMachine, { gone, lifeOf }: Cast): Promise<void> {
  const { disk, directory, durability, time, witness } = machine;
  const process = machine.newProcess();
  const store = new SegmentLog({
    files: disk.files(process),
    epoch: directory.highest + 1,
    fence: { check: () => {} },
    clock: process.clock,
    log: machine.log('audit'),
    durability,
    soon: (fn) => process.soon(0, fn),
  });
  const state = new RelayState();
  let failed: unknown;
  let done = false;
  const read = async () => {
    for await (const record of store.recover()) state.recover(decodeRecord(record));
  };
  void read()
    .catch((error) => {
      failed = error;
    })
    .finally(() => {
      done = true;
    });
  while (!done && (await time.step()));
  if (failed !== undefined) return witness.violated(`the log cannot be read at the end: ${failed}`);
  auditLetters(machine, state, gone);
  if (store.damage.length > 0) witness.violated(`damage on a sound disk: ${JSON.stringify(store.damage)}`);
  for (const sent of witness.messages.values()) {
    const known = [...sent.ids].map((id) => state.messages.get(messageKey(sent.from, '', id)));
    if (sent.kept && sent.promised === undefined && !sent.refused && !gone.has(sent.from)) {
      witness.violated(`${sent.body} was kept on disk and is lost`);
    }
    for (const to of sent.promised ?? []) {
      const delivery = known
        .flatMap((message) => message?.deliveries ?? [])
        .find(({ recipient }) => recipient === to);
      if (delivery !== undefined && !delivery.ended && gone.has(to)) continue;
      if (delivery === undefined) witness.violated(`${sent.body} to ${to} was promised and is lost`);
      else if (delivery.state === 'delivered' && !sent.taken.has(to)) {
        witness.violated(`${sent.body} ended as delivered to ${to}, who never took it`);
      } else if (!delivery.ended) witness.violated(`${sent.body} to ${to} is left ${delivery.state}`);
      else if (delivery.state === 'dead' && lifeOf(sent.from) === sent.life) {
        if (!sent.failed.has(to)) witness.violated(`nobody was told that ${sent.body} never reached ${to}`);
      }
    }
  }
}

/** A dead letter is there until somebody disposes of it, and not afterwards; what was sent anew is there, too. */
function auditLetters(machine: SimMachine, state: RelayState, gone: ReadonlySet<string>): void {
  const { witness } = machine;
  const letters = [...state.messages.deadLetters()];
  const ids = new Set(letters.map(({ id }) => id));
  for (const { id, body, to } of witness.disposed) {
    if (ids.has(id)) witness.violated(`${body} to ${to} is a dead letter again`);
  }
  for (const message of state.messages.all()) {
    for (const delivery of message.deliveries) {
      const { id, recipient, ended } = delivery;
      if (delivery.state === 'dead' && !ids.has(id) && !witness.mayBeDisposed(id)) {
        witness.violated(`${bodyOf(message)} to ${recipient} is dead and no dead letter`);
      }
      if (message.command && !ended && !gone.has(recipient)) {
        witness.violated(`${bodyOf(message)}, sent anew to ${recipient}, is left ${delivery.state}`);
      }
    }
  }
  for (const [letter, count] of witness.redelivered) {
    const copies = [...state.messages.all()].filter(({ command, raw, deliveries: [delivery] }) => {
      return command && (raw === undefined || letter === `${bodyOf({ raw })} ${delivery?.recipient}`);
    });
    if (copies.length < count)
      witness.violated(`${letter} was sent anew ${count} times and is there ${copies.length}`);
  }
}

/** What the witness knows it by; undefined once its text is forgotten. */
const bodyOf = ({ raw }: Pick<Message, 'raw'>): string | undefined =>
  raw && JSON.parse(textOf(raw.payload)).body;
