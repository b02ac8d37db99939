/**
 * The pairing file of `agent-wrap run`: which agents, what starts them talking, when the run is over and
 * what must have happened. One schema for YAML and JSON, and for editors as JSON Schema. docs/run.md.
 */
import * as z from 'zod';
import { isName } from '../protocol/address.ts';
import { MAX_ID_LENGTH } from '../protocol/limits.ts';
import { ALL, agentSchema, topic } from './agent-schema.ts';
import { parsePath } from './json-path.ts';
import { compilePattern } from './pattern.ts';

/** Agents of one run: each is two processes and a terminal. */
const MAX_AGENTS = 64;
/** Seconds: a day. What runs longer is not a pairing for CI. */
const MAX_SECONDS = 86_400;

const seconds = z.number().positive().max(MAX_SECONDS);
const kind = z.string().min(1).max(64);
const oneOrMore = z.union([z.string(), z.array(z.string()).min(1)], 'a name or a list of names');

const pattern = z
  .union(
    [
      z.string(),
      z.strictObject({
        pattern: z.string(),
        flags: z
          .string()
          .regex(/^[imsu]*$/, 'flags are of i, m, s, u')
          .optional(),
      }),
    ],
    'a regular expression, or {pattern, flags}',
  )
  .superRefine((value, context) => {
    try {
      compilePattern(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
    }
  });

const dataTest = z
  .strictObject({
    path: z
      .string()
      .refine((path) => parsePath(path) !== undefined, 'a path is like $.move or $.items[0].name')
      .describe('Where in `data`, such as $.items[0].name'),
    equals: z.unknown().optional().describe('The value there, exactly'),
    matches: pattern.optional().describe('A regular expression for a string there'),
  })
  .describe('One look at `data`; with `path` alone: something stands there');

const matcher = z
  .strictObject({
    from: oneOrMore.optional().describe('Who sent it; `user` is the file itself'),
    to: oneOrMore.optional().describe('Whom it was addressed to or reached; * only for broadcasts'),
    topic: topic.optional(),
    kind: kind.optional(),
    body: pattern.optional().describe('A regular expression somewhere in the body'),
    data: z.array(dataTest).min(1).optional(),
    fate: z
      .enum(['delivered', 'waiting', 'dead'])
      .optional()
      .describe('Where it stands with every recipient'),
  })
  .refine(
    (value) => Object.keys(value).length > 0,
    'a matcher needs at least one of from, to, topic, kind, body, data, fate',
  )
  .describe('Messages of which all that is named here is true');

const message = z
  .strictObject({
    to: z
      .string()
      .refine((to) => to === '*' || isName(to), 'a name, or * for everybody')
      .optional(),
    topic: topic.optional(),
    kind: kind.optional(),
    body: z.string(),
    thread: z.string().max(MAX_ID_LENGTH).optional(),
    data: z.unknown().optional(),
  })
  .refine(({ to, topic: on }) => to !== undefined || on !== undefined, 'a message needs `to` or `topic`')
  .describe('Sent as `user` once every agent has joined');

const exactlyOne = (names: readonly string[]) => ({
  test: (value: object) => names.filter((name) => name in value).length === 1,
  message: `exactly one of ${names.join(', ')}`,
});

const CONDITIONS = ['exited', 'message', 'idle', 'messages'] as const;
const oneCondition = exactlyOne(CONDITIONS);
const condition = z
  .strictObject({
    exited: oneOrMore.optional().describe('These agents have ended; `all` for every one'),
    message: matcher.optional(),
    count: z
      .number()
      .int()
      .positive()
      .optional()
      .describe('How many such messages (with `message`; default: 1)'),
    idle: z
      .strictObject({ agents: oneOrMore, seconds })
      .optional()
      .describe('These agents printed nothing for so long, said nothing, and nothing waits for them'),
    messages: z.number().int().positive().optional().describe('So many messages of agents in all'),
  })
  .refine(oneCondition.test, oneCondition.message)
  .refine((value) => value.count === undefined || value.message !== undefined, '`count` goes with `message`');

const EXPECTATIONS = ['message', 'never', 'order', 'exit'] as const;
const oneExpectation = exactlyOne(EXPECTATIONS);
const expectation = z
  .strictObject({
    message: matcher.optional().describe('Such a message must have been sent'),
    times: z
      .union(
        [
          z.number().int().nonnegative(),
          z.strictObject({
            min: z.number().int().nonnegative().optional(),
            max: z.number().int().nonnegative().optional(),
          }),
        ],
        'a number, or {min, max}',
      )
      .optional()
      .describe('How often (with `message`; default: at least once)'),
    never: matcher.optional().describe('No such message may have been sent'),
    order: z.array(matcher).min(2).optional().describe('Such messages must have been sent, in this order'),
    exit: z
      .record(z.string(), z.union([z.number().int(), z.array(z.number().int()).min(1)]))
      .optional()
      .describe('Agents must have ended by themselves with this exit code (or one of them)'),
  })
  .refine(oneExpectation.test, oneExpectation.message)
  .refine((value) => value.times === undefined || value.message !== undefined, '`times` goes with `message`');

export const pairingSchema = z
  .strictObject({
    $schema: z.string().optional().describe('For editors'),
    name: z.string().min(1).optional().describe('What reports call it (default: the file’s name)'),
    timeout: seconds.default(300).describe('Seconds after which the run has failed (exit code 3)'),
    brake: z
      .boolean()
      .default(true)
      .describe('Hold runaway conversations (docs/protocol.md P18); false for scripts that talk fast'),
    agents: z.array(agentSchema).min(1).max(MAX_AGENTS),
    messages: z.array(message).default([]),
    until: z
      .array(condition)
      .min(1)
      .default([{ exited: ALL }])
      .describe('The run is over as soon as one of these holds'),
    expect: z
      .array(expectation)
      .default([])
      .describe('What decides the exit code, looked at when the run is over'),
  })
  .superRefine((pairing, context) => {
    const names = new Set<string>();
    for (const [index, { name }] of pairing.agents.entries()) {
      if (names.has(name))
        context.addIssue({
          code: 'custom',
          path: ['agents', index, 'name'],
          message: `there are two agents called ${name}`,
        });
      names.add(name);
    }
    const known = (used: string | readonly string[], path: (string | number)[]) => {
      for (const name of [used].flat()) {
        if (name !== ALL && !names.has(name))
          context.addIssue({ code: 'custom', path, message: `no agent here is called ${name}` });
      }
    };
    for (const [index, { exited, idle }] of pairing.until.entries()) {
      if (exited !== undefined) known(exited, ['until', index, 'exited']);
      if (idle !== undefined) known(idle.agents, ['until', index, 'idle', 'agents']);
    }
    for (const [index, { exit }] of pairing.expect.entries()) {
      for (const name of Object.keys(exit ?? {})) {
        if (!names.has(name))
          context.addIssue({
            code: 'custom',
            path: ['expect', index, 'exit', name],
            message: `no agent here is called ${name}`,
          });
      }
    }
  });

export type Pairing = z.output<typeof pairingSchema>;
export type PairingMessage = z.output<typeof message>;
export type Matcher = z.output<typeof matcher>;
export type Condition = z.output<typeof condition>;
export type Expectation = z.output<typeof expectation>;

/** The JSON Schema of a pairing file, for editors. */
export function pairingJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(pairingSchema, { io: 'input' });
  return { ...schema, title: 'A pairing of agent-wrap run' };
}
