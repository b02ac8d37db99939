/** Codex 0.169.0 on a fresh machine, without its first-start dialogs. real-agents.md §1. */
import { agentFile } from './install.ts';
import type { Launch, Sandbox } from './sandbox.ts';

export function setupCodex(box: Sandbox, modelUrl: string): Launch {
  box.write(
    '.codex/config.toml',
    `model = "mock-model"
model_provider = "mock"
check_for_update_on_startup = false
[model_providers.mock]
name = "mock"
base_url = "${modelUrl}/v1"
wire_api = "responses"
env_key = "MOCK_KEY"
[projects."${box.cwd}"]
trust_level = "trusted"
`,
  );
  // Without --no-daemon it leaves a detached app-server behind, and 300 MB of itself.
  return { file: agentFile('codex'), args: ['--no-daemon'], env: { ...box.env, MOCK_KEY: 'sk-test' } };
}
