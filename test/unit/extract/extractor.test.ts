import { describe, expect, it } from 'vitest';
import type { Directive, Found, Rejection } from '../../../src/extract/directive.ts';
import { Extractor, type ExtractorOptions } from '../../../src/extract/extractor.ts';
import { renderLiteral } from '../../../src/extract/inline.ts';
import { MAX_DIRECTIVE_BYTES } from '../../../src/extract/limits.ts';
import { EXTRACT_CASES } from '../../helpers/extract-cases.ts';

function run(text: string, options: ExtractorOptions = {}) {
  const rejected: Rejection[] = [];
  const extractor = new Extractor({ ...options, onReject: (rejection) => rejected.push(rejection) });
  const found: Found[] = [...extractor.push(text), ...extractor.flush()];
  return { found, rejected, directives: found.map((one) => one.directive) };
}

const message = (to: string, body: string): Directive => ({ to, kind: 'message', body });
const block = (json: string) => `[[RELAY]]\n${json}\n[[/RELAY]]\n`;

describe('§9 the shared cases, as plain text', () => {
  // The two redraw cases are the terminal's to resolve; plain text has no cursor.
  const cases = EXTRACT_CASES.filter((one) => !/rerender/.test(one.name));
  it.each(cases)('$name', ({ input, expected, outputContains, outputLacks }) => {
    expect(run(input).directives).toEqual(expected);
    if (outputContains !== undefined) expect(renderLiteral(input)).toContain(outputContains);
    if (outputLacks !== undefined) expect(renderLiteral(input)).not.toContain(outputLacks);
  });
});

describe('§9 inline directives', () => {
  it('stand at column 0 only', () => {
    expect(run(' >>relay:bob hi\n- >>relay:bob hi\n> >>relay:bob hi\n').directives).toEqual([]);
  });

  it('lose blanks around the body and keep those inside it', () => {
    expect(run('>>relay:bob \t a  b\t \n').directives).toEqual([message('bob', 'a  b')]);
  });

  it('are prose without a name or a body', () => {
    const { directives, rejected } = run(
      '>>relay: see below\n>>relay:\n>>relay:bob\n>>relaybob hi\n>> relay:bob hi\n',
    );
    expect(directives).toEqual([]);
    expect(rejected).toEqual([]);
  });

  it.each(['<to>', 'bob,', '..', 'a/b', 'ä', `${'n'.repeat(65)}`])('report the malformed name %s', (name) => {
    const { directives, rejected } = run(`x\n>>relay:${name} hi\n>>relay:al ok\n`);
    expect(directives).toEqual([message('al', 'ok')]);
    expect(rejected).toMatchObject([{ code: 'DIRECTIVE_INVALID', offset: 2 }]);
  });

  it('are refused beyond the limit of a frame, in bytes of UTF-8, and nothing after them is lost', () => {
    const fits = 'é'.repeat(MAX_DIRECTIVE_BYTES / 2);
    expect(run(`>>relay:bob ${fits}\n`).directives).toEqual([message('bob', fits)]);
    for (const body of [`${fits}e`, 'x'.repeat(3 * MAX_DIRECTIVE_BYTES)]) {
      const { directives, rejected } = run(`>>relay:bob ${body}\n>>relay:al ok\n`);
      expect(directives).toEqual([message('al', 'ok')]);
      expect(rejected).toMatchObject([{ code: 'DIRECTIVE_INVALID', offset: 0 }]);
    }
  });

  it('contain no control characters', () => {
    expect(run('>>relay:bob a\0b\x07c\x7f\u0085d\n').directives).toEqual([message('bob', 'abcd')]);
  });
});

describe('§9 blocks', () => {
  it('carry type, topic, thread and data', () => {
    const json = {
      to: '*',
      type: 'state',
      body: 'b\u0000\n',
      topic: 't',
      thread: 'r',
      data: { list: [1, { x: null }] },
    };
    const { type, ...rest } = json;
    expect(run(block(JSON.stringify(json, null, 2))).directives).toEqual([{ ...rest, kind: type }]);
  });

  it('end at a marker outside JSON strings only', () => {
    const body = 'write [[/RELAY]] or [[RELAY]] or "\\" to close';
    expect(run(block(JSON.stringify({ to: 'bob', body }))).directives).toEqual([message('bob', body)]);
  });

  it('begin at column 0 only', () => {
    expect(run(' [[RELAY]]{"to":"bob","body":"x"}[[/RELAY]]\n').directives).toEqual([]);
  });

  it.each([
    ['bad JSON', '{"to": bob}'],
    ['no object', '["to"]'],
    ['no JSON', 'to: bob'],
    ['nothing', ''],
    ['no to', '{"body":"x"}'],
    ['no body', '{"to":"bob"}'],
    ['wrong to', '{"to":["bob"],"body":"x"}'],
    ['bad name', '{"to":"a b","body":"x"}'],
    ['wrong body', '{"to":"bob","body":7}'],
    ['wrong type', '{"to":"bob","body":"x","type":null}'],
    ['wrong topic', '{"to":"bob","body":"x","topic":1}'],
    ['wrong thread', '{"to":"bob","body":"x","thread":{}}'],
    ['wrong data', '{"to":"bob","body":"x","data":[]}'],
    ['__proto__', '{"to":"bob","body":"x","data":{"a":[{"__proto__":{"b":1}}]}}'],
    ['escaped __proto__', '{"to":"bob","body":"x","\\u005f_proto__":1}'],
    ['two objects', '{"to":"bob","body":"x"}{"to":"bob","body":"x"}'],
    ['raw line feed in a string', '{"to":"bob","body":"x\ny"}'],
    ['too deep', `{"to":"bob","body":"x","data":{"a":${'['.repeat(64)}${']'.repeat(64)}}}`],
    ['an inline directive inside', '{"to":\n>>relay:evil x\n"bob"}'],
  ])('are reported and skipped whole: %s', (_what, json) => {
    const { found, rejected } = run(`pre\n${block(json)}>>relay:al ok\n${block('{"to":"c","body":"d"}')}`);
    expect(found.map((one) => one.directive)).toEqual([message('al', 'ok'), message('c', 'd')]);
    expect(rejected).toMatchObject([{ code: 'BLOCK_INVALID', offset: 4 }]);
  });

  it.each([
    ['the next block', `${block('{"to":"c","body":"d"}')}`, [message('al', 'ok'), message('c', 'd')]],
    ['the end of the message', '', [message('al', 'ok')]],
  ])('that are unterminated give back their lines at %s', (_what, after, expected) => {
    for (const opener of [
      '[[RELAY]]',
      '[[RELAY]]{',
      '[[RELAY]]\n{"to":"bob",\n"body":"x"}',
      '[[RELAY]]\n{"to":"bo',
    ]) {
      const { directives, rejected } = run(`${opener}\n>>relay:al ok\n${after}`);
      expect(directives).toEqual(expected);
      expect(rejected).toMatchObject([{ code: 'BLOCK_INVALID', offset: 0 }]);
    }
  });

  it('that are only mentioned in prose hold nothing back', () => {
    const extractor = new Extractor();
    expect(extractor.push('[[RELAY]] opens a block.\n>>relay:al ok\n')).toHaveLength(1);
  });

  it('that are bad give up the wait for their marker after 200 lines', () => {
    const extractor = new Extractor();
    expect(extractor.push(`[[RELAY]]\n>>relay:al ok\n${'prose\n'.repeat(198)}`)).toEqual([]);
    expect(extractor.push('prose\nprose\nprose\n').map((one) => one.offset)).toEqual([10]);
  });

  it('end at the size limit, and what follows is heard', () => {
    const { directives, rejected } = run(
      `[[RELAY]]\n{"to":"bob","data":{\n${'"a":1,\n'.repeat(200_000)}\n>>relay:al ok\n`,
    );
    expect(directives).toEqual([message('al', 'ok')]);
    expect(rejected).toHaveLength(1);
  });
});

describe('§9 code fences', () => {
  it.each([
    ['```js\n', '```\n'],
    ['   ~~~~ x ` y\n~~~\n', '   ~~~~~ \t\n'],
    ['````\n```\n``` js\n', '````\n'],
    ['```\n~~~\n    ```\n', '```\n'],
  ])('hide what stands inside %j', (open, close) => {
    const inside = `>>relay:evil x\n${block('{"to":"evil","body":"x"}')}`;
    expect(run(`${open}${inside}${close}>>relay:al ok\n`).directives).toEqual([message('al', 'ok')]);
  });

  it('do not open with a backtick in the info string, too short, or indented by four', () => {
    for (const line of ['``` a`b', '``', '    ```', 'x ```']) {
      expect(run(`${line}\n>>relay:al ok\n`).directives).toEqual([message('al', 'ok')]);
    }
  });

  it('end with the message (P26)', () => {
    const extractor = new Extractor();
    extractor.push('```\n>>relay:evil x\n');
    expect(extractor.flush()).toEqual([]);
    expect(extractor.push('>>relay:al ok\n')).toHaveLength(1);
  });

  it('end after 200 lines on a screen, and it is said (P26)', () => {
    const text = `\`\`\`\n${'>>relay:evil x\n'.repeat(200)}>>relay:al ok\n`;
    const { directives, rejected } = run(text, { fenceLines: 200 });
    expect(directives).toEqual([message('al', 'ok')]);
    expect(rejected).toMatchObject([{ code: 'FENCE_UNCLOSED', offset: 0 }]);
    expect(run(text).directives).toEqual([]);
  });
});

describe('offsets', () => {
  it('are the start of the line in UTF-16 units of the source, control sequences counted', () => {
    const text = `é🎉\r\n\x1b[31m>>relay:a 1\r\n${block('{"to":"b","body":"2"}')}>>relay:c 3`;
    const offsets = run(text).found.map((one) => one.offset);
    expect(offsets).toEqual([text.indexOf('\x1b'), text.indexOf('[[RELAY'), text.indexOf('>>relay:c')]);
  });

  it('go on after flush and start again after reset', () => {
    const extractor = new Extractor();
    extractor.push('>>relay:a 1\n>>rel');
    extractor.flush();
    expect(extractor.push('>>relay:a 2\n')).toMatchObject([{ offset: 17 }]);
    extractor.push('```\n>>rel');
    extractor.reset();
    expect(extractor.push('>>relay:a 3\n')).toMatchObject([{ offset: 0 }]);
  });
});

describe('work grows with the input only', () => {
  it.each([
    ['openers', '[[RELAY]]\n'],
    ['openers with a bad line', '[[RELAY]]\n{"a\n'],
    ['openers of open objects', '[[RELAY]]{\n'],
    ['fences', '```\n'],
    ['one line', 'x'],
    ['one line of blanks', ' '],
    ['one inline name', '>>relay:'],
    ['brackets', '[['],
    ['unfinished control strings', '\x1b]8;;'],
    ['unfinished sequences', '\x1b[31;'],
  ])('5 MB of %s', (_what, part) => {
    const text = part.repeat(5_000_000 / part.length);
    for (const size of [text.length, 7]) {
      const extractor = new Extractor();
      for (let at = 0; at < text.length; at += size) extractor.push(text.slice(at, at + size));
      extractor.flush();
      expect(extractor.push('>>relay:al ok\n')).toHaveLength(1);
    }
  });
});
