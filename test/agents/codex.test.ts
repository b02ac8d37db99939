/** Codex 0.169.0, for real. real-agents.md. */
import { openaiResponses } from '../../fixtures/models/openai-responses.ts';
import { codex } from '../../src/agents/codex.ts';
import { describeAgent } from './scenarios.ts';
import { setupCodex } from './setup-codex.ts';

describeAgent({
  agent: 'codex',
  adapter: codex,
  protocol: openaiResponses,
  setup: setupCodex,
  source: 'transcript',
  streams: false,
  fresh: '/new',
  resume: ['resume', '--last'],
  briefed: 'instructions',
  views: {
    'shell mode': { open: '!', close: '\x7f' },
    'the slash menu': { open: '/', close: '\x7f' },
    'the search': { open: '\x12', close: '\x1b' },
  },
});
