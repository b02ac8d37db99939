import { describe, expect, it } from 'vitest';
import type { SpeechSink, SpeechSource } from '../../../src/agents/adapter.ts';
import { lineLog } from '../../../src/base/log.ts';
import { Hearing } from '../../../src/wrap/hearing.ts';

/** A source that does what the test says. */
class Source implements SpeechSource {
  readonly kind: SpeechSource['kind'];
  sink: SpeechSink | undefined;
  closed = false;

  constructor(kind: SpeechSource['kind']) {
    this.kind = kind;
  }

  start(sink: SpeechSink): void {
    this.sink = sink;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

function open(readScreen: boolean) {
  const [hook, transcript] = [new Source('hook'), new Source('transcript')];
  const said: string[] = [];
  const logged: string[] = [];
  let changes = 0;
  const hearing = new Hearing(
    [hook, transcript],
    { readScreen, log: lineLog((line) => logged.push(line), 'debug') },
    {
      said: ({ directive }) => said.push(directive.body),
      prompted: () => {},
      sourceChanged: () => changes++,
    },
  );
  hearing.start();
  return { hearing, hook, transcript, said, logged, changes: () => changes };
}

describe('the sources of speech', () => {
  it('take over in their order, each failure is logged and told, and nothing is said twice', () => {
    const { hearing, hook, transcript, said, logged, changes } = open(true);
    expect([hearing.kind, changes()]).toEqual(['hook', 0]);
    hook.sink?.text('m', 0, '>>relay:bob one\n>>relay:bob t');
    hook.sink?.failed('not as we know it');
    expect([hearing.kind, changes(), hook.closed]).toEqual(['transcript', 1, true]);
    transcript.sink?.text('m', 0, '>>relay:bob one\n>>relay:bob two\n');
    transcript.sink?.end('m');
    expect(said).toEqual(['one', 'two']);
    transcript.sink?.failed('gone');
    expect([hearing.kind, changes()]).toEqual(['screen', 2]);
    expect(logged.filter((line) => line.includes('speech.failed'))).toHaveLength(2);
    hearing.screen('>>relay:bob three\n');
    expect(said).toEqual(['one', 'two', 'three']);
  });

  it('end with none where the screen would mislead us, and that is an error in the log', () => {
    const { hearing, hook, transcript, said, logged } = open(false);
    hook.sink?.failed('a');
    transcript.sink?.failed('b');
    expect(hearing.kind).toBe('none');
    hearing.screen('>>relay:evil an example\n');
    expect(said).toEqual([]);
    expect(logged.at(-1)).toMatch(/"error".*speech\.deaf/);
  });
});
