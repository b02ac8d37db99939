/** opencode 1.18.33 on a fresh machine, without its first-start dialogs. real-agents.md §1. */
import { agentFile } from './install.ts';
import type { Launch, Sandbox } from './sandbox.ts';

export function setupOpencode(box: Sandbox, modelUrl: string): Launch {
  const mock = {
    npm: '@ai-sdk/openai-compatible',
    options: { baseURL: `${modelUrl}/v1`, apiKey: 'sk-test' },
    models: { 'mock-model': { name: 'mock-model' } },
  };
  const model = 'mock/mock-model';
  const config = { model, small_model: model, permission: { bash: 'ask' }, provider: { mock } };
  box.write('.config/opencode/opencode.json', JSON.stringify(config));
  return {
    file: agentFile('opencode'),
    args: [],
    env: { ...box.env, OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1' },
  };
}
