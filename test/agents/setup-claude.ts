/** Claude Code 2.1.329 on a fresh machine, without its first-start dialogs. real-agents.md §1. */
import { agentFile } from './install.ts';
import type { Launch, Sandbox } from './sandbox.ts';

export function setupClaude(box: Sandbox, modelUrl: string): Launch {
  const projects = { [box.cwd]: { hasTrustDialogAccepted: true } };
  box.write('.claude.json', JSON.stringify({ hasCompletedOnboarding: true, projects }));
  return {
    file: agentFile('claude'),
    // Its newest versions approve tools by themselves unless told to ask.
    args: ['--permission-mode', 'default'],
    env: {
      ...box.env,
      ANTHROPIC_BASE_URL: modelUrl,
      ANTHROPIC_AUTH_TOKEN: 'sk-test',
      DISABLE_AUTOUPDATER: '1',
    },
  };
}
