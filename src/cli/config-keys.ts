/**
 * What can be configured: the options of `agent-wrap` itself, under their own names and judged by their own
 * parsers, so that a flag, a variable and a file can never differ.
 */
import type { Command, Option } from 'commander';
import { RelayError } from '../base/errors.ts';

export interface ConfigKey {
  /** As in a file: the flag without its dashes. */
  name: string;
  /** As in commander's options. */
  attribute: string;
  variable: string;
  /** The option that takes a value, if there is one. */
  valued: Option | undefined;
  /** It can be switched on or off. */
  boolean: boolean;
  /** The option may be given more than once. */
  list: boolean;
  fallback: unknown;
}

/**
 * Keys a project's file may set. It comes with a clone and is not to be trusted: it must not run anything,
 * nor lead a socket or a log elsewhere, nor switch on what the person has switched off. All others are
 * refused there, a new option too until it is listed here.
 */
export const PROJECT_KEYS: ReadonlySet<string> = new Set(['namespace', 'topic', 'cols', 'rows']);

/** Keys that a command which looks for a relay, or hosts it, shares with `agent-wrap` itself. */
export const PLACE_KEYS: ReadonlySet<string> = new Set(['namespace', 'socket', 'durability']);

/** The keys of a command, in the order of its options. */
export function configKeys(command: Command): ConfigKey[] {
  const keys = new Map<string, ConfigKey>();
  for (const option of command.options) {
    if (option.long === '--version') continue;
    const attribute = option.attributeName();
    const name = option.negate ? option.name().replace(/^no-/, '') : option.name();
    const valued = option.required || option.optional ? option : undefined;
    const known = keys.get(attribute);
    keys.set(attribute, {
      name,
      attribute,
      variable: `AGENT_WRAP_${name.replaceAll('-', '_').toUpperCase()}`,
      valued: valued ?? known?.valued,
      boolean: known?.boolean === true || valued === undefined || option.optional,
      list: known?.list === true || Array.isArray(option.defaultValue),
      fallback: command.getOptionValue(attribute),
    });
  }
  return [...keys.values()];
}

const SWITCH: ReadonlyMap<string, boolean> = new Map([
  ['1', true],
  ['true', true],
  ['yes', true],
  ['on', true],
  ['0', false],
  ['false', false],
  ['no', false],
  ['off', false],
]);

/** A variable's text as the option's value; of a list the items are separated by commas. Throws USAGE. */
export function parseVariable(key: ConfigKey, text: string): unknown {
  const asSwitch = key.boolean ? SWITCH.get(text.toLowerCase()) : undefined;
  if (asSwitch !== undefined) return asSwitch;
  if (key.valued === undefined) {
    throw new RelayError('USAGE', `${key.name} takes one of ${[...SWITCH.keys()].join(', ')}, not '${text}'`);
  }
  return parseValues(key, key.list ? text.split(',').map((item) => item.trim()) : [text]);
}

/** What stands in a file, as the option's value. Throws USAGE. */
export function parseFileValue(key: ConfigKey, raw: unknown): unknown {
  if (key.boolean && typeof raw === 'boolean') return raw;
  const items: readonly unknown[] = key.list && Array.isArray(raw) ? raw : [raw];
  const texts = items.flatMap((item) =>
    typeof item === 'string' || typeof item === 'number' ? [String(item)] : [],
  );
  if (key.valued !== undefined && texts.length === items.length) return parseValues(key, texts);
  const expected = [
    ...(key.boolean ? ['true or false'] : []),
    ...(key.valued === undefined ? [] : [key.list ? 'a text or a list of texts' : 'a text or a number']),
  ];
  throw new RelayError('USAGE', `${key.name} takes ${expected.join(', or ')}`);
}

/** Texts as the option would take them from the command line. Throws as its parser does. */
function parseValues({ valued, list }: ConfigKey, texts: readonly string[]): unknown {
  const parse = valued?.parseArg;
  if (parse === undefined) return list ? texts : texts[0];
  return texts.reduce<unknown>((before, text) => parse(text, before), list ? [] : undefined);
}
