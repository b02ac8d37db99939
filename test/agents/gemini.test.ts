/** Gemini CLI 0.61.0, for real. real-agents.md. */
import { gemini as protocol } from '../../fixtures/models/gemini.ts';
import { gemini } from '../../src/agents/gemini.ts';
import { pickAdapter } from '../../src/agents/pick.ts';
import { agentFile } from './install.ts';
import { describeAgent } from './scenarios.ts';
import { setupGemini } from './setup-gemini.ts';

describeAgent({
  agent: 'gemini',
  adapter: await pickAdapter([agentFile('node'), agentFile('gemini')], undefined, {
    gemini: async () => gemini,
  }),
  protocol,
  setup: setupGemini,
  source: 'transcript',
  streams: false,
  fresh: '/clear',
  resume: ['--resume', 'latest'],
  briefed: 'message',
  views: {
    'shell mode': { open: '!', close: '\x1b' },
    'the slash menu': { open: '/', close: '\x7f' },
    'the search': { open: '\x12', close: '\x1b' },
  },
});
