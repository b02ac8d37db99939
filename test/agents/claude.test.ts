/** Claude Code 2.1.329, for real. real-agents.md. */
import { anthropic } from '../../fixtures/models/anthropic.ts';
import { claude } from '../../src/agents/claude.ts';
import { describeAgent } from './scenarios.ts';
import { setupClaude } from './setup-claude.ts';

describeAgent({
  agent: 'claude',
  adapter: claude,
  protocol: anthropic,
  setup: setupClaude,
  source: 'hook',
  streams: true,
  fresh: '/clear',
  resume: ['--continue'],
  briefed: 'instructions',
  views: {
    'shell mode': { open: '!', close: '\x7f' },
    'the slash menu': { open: '/', close: '\x7f' },
    'the search': { open: '\x12', close: '\x1b' },
    'the transcript': { open: '\x0f', close: '\x0f' },
  },
});
