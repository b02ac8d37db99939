import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/base/log.ts';
import { type AgentReport, Reporter } from '../../../src/wrap/reporter.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

function reporting() {
  const clock = new FakeClock();
  const told: unknown[] = [];
  const client = {
    state: 'ready' as 'ready' | 'backoff',
    sessionId: 's-1',
    call: async (_command: string, input: unknown) => void told.push(input),
  };
  const agent: AgentReport = { status: 'starting', waitsFor: undefined, speech: 'hook' };
  const reporter = new Reporter(client, clock, silentLog);
  reporter.start(() => ({ ...agent }));
  return { clock, told, client, agent, reporter };
}

describe('reporting the agent to the relay', () => {
  it('tells what it sees at the start, and then only changes', async () => {
    const { clock, told, agent, reporter } = reporting();
    await clock.advanceAsync(0);
    expect(told).toEqual([{ sessionId: 's-1', status: 'starting', speech: 'hook' }]);
    reporter.changed();
    await clock.advanceAsync(5_000);
    expect(told).toHaveLength(1);
    Object.assign(agent, { status: 'dialog', waitsFor: 'dialog' });
    reporter.changed();
    await clock.advanceAsync(0);
    expect(told.at(-1)).toMatchObject({ status: 'dialog', waitsFor: 'dialog' });
  });

  it('tells at most one a second, and then the latest', async () => {
    const { clock, told, agent, reporter } = reporting();
    await clock.advanceAsync(0);
    for (const status of ['ready', 'busy', 'ready', 'dialog']) {
      agent.status = status;
      reporter.changed();
      await clock.advanceAsync(100);
    }
    expect(told).toHaveLength(1);
    await clock.advanceAsync(1_000);
    expect(told).toHaveLength(2);
    expect(told.at(-1)).toMatchObject({ status: 'dialog' });
  });

  it('tells it all again to a relay that knows nothing, and nothing while there is none', async () => {
    const { clock, told, client, agent, reporter } = reporting();
    await clock.advanceAsync(0);
    client.state = 'backoff';
    agent.status = 'busy';
    reporter.changed();
    await clock.advanceAsync(5_000);
    expect(told).toHaveLength(1);
    client.state = 'ready';
    reporter.renew();
    await clock.advanceAsync(5_000);
    expect(told).toHaveLength(2);
    reporter.renew();
    await clock.advanceAsync(5_000);
    expect(told.at(-1)).toEqual(told.at(-2));
  });

  it('a relay that refuses or fails harms nobody; after close nothing is left', async () => {
    const { clock, client, agent, reporter } = reporting();
    client.call = async () => {
      throw new Error('gone');
    };
    await clock.advanceAsync(1_000);
    agent.status = 'ready';
    reporter.changed();
    reporter.close();
    reporter.changed();
    expect(clock.timers).toBe(0);
  });
});
