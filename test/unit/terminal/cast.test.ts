import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type CastEvent, type CastHeader, CastWriter, readCast } from '../../../src/terminal/cast.ts';

const HEADER: CastHeader = { version: 2, width: 80, height: 24 };

async function read(text: string): Promise<{ header: CastHeader; events: CastEvent[] }> {
  const bytes = Buffer.from(text);
  const chunks = Array.from({ length: Math.ceil(bytes.length / 3) }, (_, at) =>
    bytes.subarray(3 * at, 3 * at + 3),
  );
  const { header, events } = await readCast(Readable.from(chunks));
  const all: CastEvent[] = [];
  for await (const event of events) all.push(event);
  return { header, events: all };
}

describe('asciicast v2', () => {
  it('is read as it was written, characters split over chunks made whole', async () => {
    let text = '';
    const writer = new CastWriter(HEADER, (line) => {
      text += line;
    });
    const emoji = Buffer.from('🎉\u2028');
    writer.bytes(0.5, 'o', emoji.subarray(0, 2));
    writer.bytes(0.75, 'i', Buffer.from('k'));
    writer.bytes(1, 'o', emoji.subarray(2));
    writer.resize(2, 120, 40);
    writer.bytes(3, 'o', Buffer.of(0xe6));
    writer.end(4);
    expect(await read(text)).toEqual({
      header: HEADER,
      events: [
        { time: 0.75, kind: 'i', text: 'k' },
        { time: 1, kind: 'o', text: '🎉\u2028' },
        { time: 2, kind: 'r', cols: 120, rows: 40 },
        { time: 4, kind: 'o', text: '\ufffd' },
      ],
    });
  });

  it('may hold events that mean nothing to us', async () => {
    expect((await read(`${JSON.stringify(HEADER)}\n\n[1,"m","mark"]\n[2,"o","x"]`)).events).toHaveLength(1);
  });

  it.each([
    ['', 'line 1'],
    ['{"version":3}', 'line 1'],
    ['{"version":2,"width":80}', 'line 1'],
    ['{"version":2,"width":1e9,"height":24}', 'line 1'],
    [`${JSON.stringify(HEADER)}\n[1,"o"`, 'line 2'],
    [`${JSON.stringify(HEADER)}\n[1,"o","x"]\n{"a":1}`, 'line 3'],
    [`${JSON.stringify(HEADER)}\n["1","o","x"]`, 'line 2'],
    [`${JSON.stringify(HEADER)}\n[1,"r","80"]`, 'line 2'],
  ])('says which line is broken: %j', async (text, line) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringContaining(line),
    });
  });
});
