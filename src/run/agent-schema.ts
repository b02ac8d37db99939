/** One agent of a pairing file: its name, what it runs and where, and what it is given. docs/run.md. */
import * as z from 'zod';
import { PROFILES } from '../agents/adapter.ts';
import { isAgentName } from '../protocol/address.ts';
import { MAX_TOPIC_LENGTH } from '../protocol/limits.ts';
import { COMMAND_WAY_OUT, splitCommand } from './command-line.ts';

/** Columns and rows; as the wrapper's own --cols and --rows. */
const MAX_CELLS = 1000;
/** Stands for every agent of the file, so no agent may be called so. */
export const ALL = 'all';
/** What the run itself sets, or could not work with if an agent's were another. */
const OUR_VARIABLES = /^(AGENT_RELAY_|AGENT_WRAP_)|^XDG_STATE_HOME$/;

const cells = (least: number) => z.number().int().min(least).max(MAX_CELLS);
/** What agents hear and messages are about. */
export const topic = z.string().min(1).max(MAX_TOPIC_LENGTH);

export const agentSchema = z.strictObject({
  name: z
    .string()
    .refine(
      isAgentName,
      'a name is 1–64 of A-Z a-z 0-9 _ . -, and none of user, human, system, daemon, relay',
    )
    .refine((name) => name !== ALL, 'no agent may be called `all`: it stands for every agent')
    .describe('Its name on the relay'),
  command: z
    .union([z.array(z.string()).min(1), z.string().min(1)], 'a list of words, or one line')
    .superRefine((value, context) => {
      const words = Array.isArray(value) ? value : splitCommand(value);
      if (words === undefined) context.addIssue({ code: 'custom', message: COMMAND_WAY_OUT });
      else if (words[0] === undefined || words[0] === '')
        context.addIssue({ code: 'custom', message: 'it names no program' });
      else if (words.some((word) => word.includes('\0')))
        context.addIssue({ code: 'custom', message: 'a word holds a NUL' });
    })
    .describe('Program and arguments; a line is split as a shell does, without expansion'),
  cwd: z
    .string()
    .min(1)
    .optional()
    .describe('Where it runs, relative to this file (default: where this file is)'),
  env: z
    .record(
      z.string().regex(/^[^=\0]+$/, 'a variable has no = in its name'),
      z.union([z.string(), z.number(), z.boolean(), z.null()]),
    )
    .superRefine((env, context) => {
      for (const name of Object.keys(env)) {
        if (OUR_VARIABLES.test(name))
          context.addIssue({ code: 'custom', path: [name], message: 'the run sets it itself' });
      }
    })
    .optional()
    .describe('Added to the environment; null takes a variable away'),
  size: z
    .strictObject({ cols: cells(20), rows: cells(2) })
    .optional()
    .describe('Its terminal (default: 120×40)'),
  prompt: z.string().min(1).optional().describe('A first message from `user`, typed once the agent is ready'),
  topics: z.array(topic).optional().describe('Topics it hears from the start'),
  profile: z.enum(PROFILES).optional().describe('What kind of agent it is (default: by its program)'),
  restart: z
    .union(
      [
        z.enum(['never', 'on-failure']),
        z.strictObject({ policy: z.literal('on-failure'), max: z.number().int().min(1).max(100) }),
      ],
      'never, on-failure, or {policy: on-failure, max}',
    )
    .optional()
    .describe('What happens when it fails (default: never); on-failure alone: 3 times at most'),
});

export type PairingAgent = z.output<typeof agentSchema>;
