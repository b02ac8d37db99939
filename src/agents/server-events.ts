/** Server-sent events as they come over HTTP: bytes → the data of each event. WHATWG HTML §9.2.6, as far as used. */
import { StringDecoder } from 'node:string_decoder';

/** UTF-16 units of one event. opencode repeats a whole message part in one; a pasted file fits. */
export const MAX_EVENT_UNITS = 16 * 1024 * 1024;

export class ServerEvents {
  readonly #decoder = new StringDecoder('utf8');
  #line = '';
  #data: string[] = [];
  #units = 0;

  /** Returns the data of each event that became complete. Throws a RangeError for one that is too long. */
  push(chunk: Buffer): string[] {
    const events: string[] = [];
    const lines = (this.#line + this.#decoder.write(chunk)).split(/\r?\n/);
    this.#line = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        if (this.#data.length > 0) events.push(this.#data.join('\n'));
        this.#data = [];
        this.#units = 0;
      } else if (line.startsWith('data:')) {
        const data = line.slice(line[5] === ' ' ? 6 : 5);
        this.#data.push(data);
        this.#units += data.length;
      }
    }
    if (this.#units + this.#line.length > MAX_EVENT_UNITS) throw new RangeError('event too long');
    return events;
  }
}
