import { describe, expect, it } from 'vitest';
import type { AdapterContext } from '../../../src/agents/adapter.ts';
import { NO_POSITIONS } from '../../../src/agents/positions.ts';
import { silentLog } from '../../../src/base/log.ts';
import { prepareLaunch } from '../../../src/wrap/launch.ts';
import { RunDirectory } from '../../../src/wrap/run-directory.ts';
import type { WrapperOptions } from '../../../src/wrap/wrapper-options.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

/** Launches an agent whose adapter adds an option and a variable; what that was told is kept in `context`. */
async function launch(more: Partial<WrapperOptions> = {}) {
  let context: AdapterContext | undefined;
  const options = {
    adapter: {
      profile: 'generic',
      sources: [],
      async prepare(given: AdapterContext) {
        context = given;
        return { args: ['--ours', ...given.args], env: { ADDED: 'by the adapter' } };
      },
    },
    agent: { typed: 'sh', file: '/usr/bin/sh', args: ['-c', 'true'] },
    env: { PATH: '/bin', AGENT_RELAY_NAME: 'of an outer wrapper', UNSET: undefined },
    cwd: '/work',
    namespace: 'default',
    speech: 'auto',
    clock: new FakeClock(),
    log: silentLog,
    ...more,
  } as unknown as WrapperOptions;
  const introduced = { name: 'ada', scopedToken: 'as_secret', scopedTokenHash: 'hash' };
  const given = { runDirectory: new RunDirectory(), positions: NO_POSITIONS };
  return { ...(await prepareLaunch(options, introduced, given)), context };
}

describe('the launch of an agent', () => {
  it('has the name as it was typed, and the arguments that its adapter makes of the person’s', async () => {
    const { program, context } = await launch();
    expect(program).toMatchObject({ file: 'sh', args: ['--ours', '-c', 'true'], cwd: '/work' });
    expect(context).toMatchObject({ file: '/usr/bin/sh', args: ['-c', 'true'] });
  });

  it('says who the agent is on the relay, whatever wrapper is around us, and what the adapter adds', async () => {
    const { program, context } = await launch();
    const ours = {
      AGENT_RELAY_NAME: 'ada',
      AGENT_RELAY_NAMESPACE: 'default',
      AGENT_RELAY_TOKEN: 'as_secret',
    };
    expect(program.env).toMatchObject({ PATH: '/bin', ...ours, ADDED: 'by the adapter' });
    expect(context?.env).toEqual({ PATH: '/bin', ...ours });
  });

  it('has a briefing with the name that was settled, if there is to be one', async () => {
    const { briefing, context } = await launch({ briefing: (name) => `You are ${name}.` });
    expect([briefing, context?.briefing]).toEqual(['You are ada.', 'You are ada.']);
    expect((await launch()).briefing).toBeUndefined();
  });
});
