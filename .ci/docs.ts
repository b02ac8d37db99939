/**
 * Writes the pages of docs/ that are made from the code: `npm run docs`. A test fails when one
 * of them is stale.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { renderReference } from '../src/afd/reference.ts';
import { declaredCommands } from '../src/daemon/commands/relay-commands.ts';
import { CHECKLIST } from './checklist.ts';

const ROOT = resolve(import.meta.dirname, '..');

/** Every generated page: file → text. */
export const pages = (): Record<string, string> => ({
  'docs/commands.md': commandsPage(),
  'docs/afd-conformance.md': conformancePage(),
});

const NOTE = '<!-- Made by `npm run docs`: do not edit. -->';

function commandsPage(): string {
  return `${NOTE}

# Commands

The same commands by four ways: \`agent-wrap call\`, \`POST /rpc\` on the relay's socket, MCP tools
(\`agent-wrap mcp\`, those with the name's hyphen as an underscore), and in the wrapper itself. Every answer is a
CommandResult: \`{"success": true, "data": …, "reasoning": …, "metadata": …}\` or
\`{"success": false, "error": {"code", "message", "suggestion", "retryable"}, "metadata": …}\`.

Who calls: without a token the person (\`user\`), with a token the agent it belongs to. Inside a wrapped agent
\`AGENT_RELAY_NAME\` and \`AGENT_RELAY_TOKEN\` are set; that token is good for \`relay-send\`, \`relay-poll\`,
\`relay-agents\`, \`relay-status\` and \`relay-help\`. Errors of every command: \`VALIDATION_ERROR\`, \`TOKEN_UNKNOWN\`,
\`TOKEN_USED\`, \`TOKEN_EXPIRED\`, \`FORBIDDEN\`, \`COMMAND_CANCELLED\`, \`COMMAND_EXECUTION_ERROR\`, \`SHUTTING_DOWN\`.

${renderReference(declaredCommands(), 'agent-wrap call')}`;
}

function conformancePage(): string {
  const found = checklistTests();
  const rows = CHECKLIST.map(([what, remark], index) => {
    const tests = found.get(index + 1) ?? [];
    const files = [...new Set(tests)].map((file) => `\`${file}\``).join('<br>');
    return `| ${index + 1} | ${what} | ${remark} | ${files} | ${tests.length} |`;
  });
  return `${NOTE}

# AFD handoff: conformance

The 30 points of the handoff's checklist, and the test titles that name them. All of them pass: \`npm test\` fails
otherwise. To see only them: \`npx vitest run -t checklist\`.

| point | what | our reading, where there was a choice | tests | titles |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}

/** Number of a point → the file of each title that names it. */
export function checklistTests(): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const file of testFiles(join(ROOT, 'test'))) {
    for (const [, list = ''] of readFileSync(file, 'utf8').matchAll(/['"`]checklist (\d[\d, –]*):/g)) {
      for (const point of pointsOf(list)) {
        found.set(point, [...(found.get(point) ?? []), relative(ROOT, file)]);
      }
    }
  }
  return found;
}

/** `3`, `20, 24` and `6–8` → numbers. */
function pointsOf(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('–').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

function testFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => join(folder, name));
}

if (process.argv[1] === import.meta.filename) {
  for (const [file, text] of Object.entries(pages())) writeFileSync(join(ROOT, file), text);
}
