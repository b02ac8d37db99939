/** One key of the person as a terminal sends it: a byte, xterm's modifyOtherKeys, or Kitty's keyboard protocol. */

export interface KeyCode {
  /** The code point of the key without modifiers, lower case; on other layouts that of the US key. */
  code: number;
  /** Bits: 1 shift, 2 alt, 4 ctrl, 8 and above others. Locks are left out. */
  modifiers: number;
  event: 'press' | 'repeat' | 'release';
}

/** Caps lock and num lock: they say nothing of what the person means. */
const LOCKS = 64 | 128;
const EVENTS = { 1: 'press', 2: 'repeat', 3: 'release' } as const;
export const CTRL = 4;

// CSI code:shifted:base ; modifiers:event ; text u
const KITTY = /^\x1b\[(\d+)(?::(\d*))?(?::(\d+))?(?:;(\d*)(?::([123]))?)?(?:;[\d:]*)?u$/;
const XTERM = /^\x1b\[27;(\d+);(\d+)~$/;
/** The longest of these; what is longer is none. */
const MAX_BYTES = 40;

/** The key that a whole sequence stands for, if it is one of these forms. */
export function parseKeyCode(bytes: Uint8Array): KeyCode | undefined {
  const [byte] = bytes;
  if (byte === undefined || bytes.length > MAX_BYTES) return undefined;
  if (bytes.length === 1) {
    if (byte < 0x20) return { code: lower(byte | 0x40), modifiers: CTRL, event: 'press' };
    return byte < 0x7f ? { code: lower(byte), modifiers: 0, event: 'press' } : undefined;
  }
  const text = Buffer.from(bytes).toString('latin1');
  const xterm = XTERM.exec(text);
  if (xterm !== null) {
    return { code: lower(Number(xterm[2])), modifiers: modifiersOf(xterm[1]), event: 'press' };
  }
  const kitty = KITTY.exec(text);
  if (kitty === null) return undefined;
  const [, code, , base, modifiers, event = '1'] = kitty;
  return {
    code: lower(Number(base ?? code)),
    modifiers: modifiersOf(modifiers),
    event: EVENTS[event as unknown as keyof typeof EVENTS],
  };
}

/** Shift, Ctrl, Alt and their like as keys of their own: Kitty reports them if asked to. */
export const isModifierKey = ({ code }: KeyCode): boolean => code >= 57441 && code <= 57454;

const modifiersOf = (text: string | undefined): number =>
  text === undefined || text === '' ? 0 : (Number(text) - 1) & ~LOCKS;

const lower = (code: number): number => (code >= 0x41 && code <= 0x5a ? code | 0x20 : code);
