/**
 * Reads one configuration file: YAML, and JSON as the part of YAML it is, so both know their lines. Loaded
 * only when there is a file, because zod and yaml cost more than the rest of the start together.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import * as z from 'zod';
import { nearNames } from '../afd/near-name.ts';
import { RelayError } from '../base/errors.ts';
import { type ConfigKey, parseFileValue } from './config-keys.ts';

/** Bytes. A configuration is some lines; whatever is larger is something else. */
const MAX_CONFIG_BYTES = 64 * 1024;

export interface ReadSetting {
  name: string;
  value: unknown;
  line: number;
}

/** The settings in `file` by attribute. Throws FILE_UNREADABLE or CONFIG_INVALID with file and line. */
export function readConfig(file: string, keys: readonly ConfigKey[]): Map<string, ReadSetting> {
  return parseConfig(file, readText(file), keys);
}

/** The same of its text. */
export function parseConfig(
  file: string,
  text: string,
  keys: readonly ConfigKey[],
): Map<string, ReadSetting> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const invalid = (line: number, message: string, suggestion = 'see: agent-wrap config --help') =>
    new RelayError('CONFIG_INVALID', `${file}:${line}: ${message}`, { suggestion });

  const [broken] = document.errors;
  if (broken !== undefined) {
    throw invalid(
      lines.linePos(broken.pos[0]).line,
      broken.message.split('\n', 1)[0]?.replace(/ at line.*/, '') ?? '',
    );
  }
  const values = (): unknown => {
    try {
      return document.toJS();
    } catch (cause) {
      // An alias that leads nowhere, or to more than a file of this size can mean.
      throw invalid(1, RelayError.from(cause).message);
    }
  };
  const lineOf = (name: PropertyKey | undefined): number => {
    const pairs = isMap(document.contents) ? document.contents.items : [];
    const key = pairs.map((pair) => pair.key).find((node) => isScalar(node) && node.value === name);
    return isScalar(key) && key.range ? lines.linePos(key.range[0]).line : 1;
  };

  const parsed = schemaOf(keys).safeParse(values() ?? {});
  if (!parsed.success) {
    const issue = parsed.error.issues[0] as z.core.$ZodIssue;
    if (issue.code !== 'unrecognized_keys') throw invalid(lineOf(issue.path[0]), issue.message);
    const unknown = issue.keys[0] as string;
    const near = nearNames(
      unknown,
      keys.map(({ name }) => name),
      1,
    );
    throw invalid(
      lineOf(unknown),
      `there is no setting '${unknown}'`,
      near.length > 0 ? `did you mean ${near[0]}?` : `settings: ${keys.map(({ name }) => name).join(', ')}`,
    );
  }
  return new Map(
    keys
      .filter(({ name }) => parsed.data[name] !== undefined)
      .map(({ name, attribute }) => [attribute, { name, value: parsed.data[name], line: lineOf(name) }]),
  );
}

function schemaOf(keys: readonly ConfigKey[]) {
  return z.strictObject(Object.fromEntries(keys.map((key) => [key.name, valueSchema(key).optional()])), {
    error: (issue) =>
      issue.code === 'invalid_type' ? 'it must be a mapping, such as namespace: team-a' : undefined,
  });
}

function valueSchema(key: ConfigKey): z.ZodType<unknown> {
  return z.unknown().transform((raw, context) => {
    try {
      return parseFileValue(key, raw);
    } catch (error) {
      context.addIssue({ code: 'custom', message: RelayError.from(error).message });
      return z.NEVER;
    }
  });
}

/** Neither through a link, which may lead anywhere on this machine, nor from a device or a pipe. */
function readText(file: string): string {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw new RelayError('FILE_UNREADABLE', `cannot read ${file}`, {
      suggestion: 'it must be a regular file that you may read, not a link',
      cause,
    });
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > MAX_CONFIG_BYTES) {
      throw new RelayError(
        'FILE_UNREADABLE',
        `${file} is not a regular file of at most ${MAX_CONFIG_BYTES} bytes`,
      );
    }
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}
