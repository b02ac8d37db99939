/** The person: stops what is for an agent and lets it go on, and disposes of dead letters (P16, P18, P22). */
import type { MessageView } from '../../src/protocol/message-view.ts';
import { callLeader } from './sim-ground.ts';
import type { SimMachine } from './sim-machine.ts';

export class SimPerson {
  readonly #machine: SimMachine;
  /** Agents that are held, or may be. */
  readonly #held = new Set<string>();

  #tidying = 0;

  constructor(machine: SimMachine) {
    this.#machine = machine;
  }

  /** Nobody is held, and nothing is being tidied up. */
  get content(): boolean {
    return this.#held.size === 0 && this.#tidying === 0;
  }

  /** Holds all that is for an agent for a while. */
  hold(agent: string): void {
    if (this.#held.has(agent)) return;
    this.#held.add(agent);
    const { random, time } = this.#machine;
    void this.#command('relay-hold', { agent }).then(() => {
      time.after(random.next() * 5_000, () => this.#release(agent));
    });
  }

  #release(agent: string): void {
    void this.#command('relay-release', { agent }).then((done) => {
      if (done !== undefined) this.#held.delete(agent);
      else this.#machine.time.after(200, () => this.#release(agent));
    });
  }

  /** Lists the dead letters, sends some of them anew and drops others; now and then says it twice. */
  async tidy(): Promise<void> {
    this.#tidying += 1;
    await this.#tidy();
    this.#tidying -= 1;
  }

  async #tidy(): Promise<void> {
    const { random } = this.#machine;
    const list = (await this.#command('relay-dead-letters', {})) as { messages: MessageView[] } | undefined;
    const letters = (list?.messages ?? []).flatMap(({ body = '', deliveries }) =>
      deliveries.map(({ id, to }) => ({ id, body, to })),
    );
    for (const letter of letters) {
      if (random.chance(0.5)) continue;
      // For a name that nobody has it would wait for ten minutes.
      const anew = letter.to !== 'nobody' && random.chance(0.6);
      const command = anew ? 'relay-redeliver' : 'relay-drop';
      const again = random.chance(0.2) ? this.#dispose(command, letter) : undefined;
      await this.#dispose(command, letter);
      await again;
    }
  }

  async #dispose(
    command: 'relay-redeliver' | 'relay-drop',
    letter: { id: string; body: string; to: string },
  ): Promise<void> {
    const { witness } = this.#machine;
    const disposal = witness.disposes(letter, command === 'relay-redeliver');
    if ((await this.#command(command, { id: letter.id })) !== undefined) disposal.done();
  }

  /** From a process of its own; undefined when it was refused, or nobody knows whether it was done. */
  async #command(name: string, input: unknown): Promise<unknown> {
    const { trace, witness } = this.#machine;
    trace?.(`the person calls ${name} ${JSON.stringify(input)}`);
    const result = await callLeader(this.#machine, this.#machine.newProcess(), name, input, undefined).catch(
      () => undefined,
    );
    if (result?.success === false && result.error.code === 'INTERNAL') {
      witness.violated(`${name} failed: ${result.error.message}`);
    }
    return result?.success ? result.data : undefined;
  }
}
