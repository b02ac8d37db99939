/** Gemini CLI 0.61.0 on a fresh machine, without its first-start dialogs. real-agents.md §1. */
import { agentFile } from './install.ts';
import type { Launch, Sandbox } from './sandbox.ts';

export function setupGemini(box: Sandbox, modelUrl: string): Launch {
  // A named model: `auto` asks a model which model to ask.
  const settings = {
    security: { auth: { selectedType: 'gemini-api-key' } },
    model: { name: 'gemini-2.5-pro' },
    general: { enableAutoUpdate: false },
  };
  box.write('.gemini/settings.json', JSON.stringify(settings));
  return {
    file: agentFile('node'),
    args: [agentFile('gemini')],
    env: {
      ...box.env,
      GEMINI_API_KEY: 'test',
      GOOGLE_GEMINI_BASE_URL: modelUrl,
      GEMINI_CLI_TRUST_WORKSPACE: 'true',
    },
  };
}
