/** What docs/ says of pairings is what the code does. */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parsePairing } from '../../../src/run/load-pairing.ts';
import { pairingJsonSchema } from '../../../src/run/schema.ts';

const DOCS = resolve(import.meta.dirname, '../../../docs');
const read = (name: string) => readFileSync(resolve(DOCS, name), 'utf8');

describe('docs/run.schema.json', () => {
  it('is fresh: else run `agent-wrap run --schema > docs/run.schema.json`', () => {
    expect(JSON.parse(read('run.schema.json'))).toEqual(JSON.parse(JSON.stringify(pairingJsonSchema())));
  });
});

describe('the examples', () => {
  it.each(readdirSync(resolve(DOCS, 'examples')).filter((name) => name.endsWith('.yaml')))(
    '%s is right',
    (name) => {
      expect(parsePairing(read(`examples/${name}`), name).agents.length).toBeGreaterThan(1);
    },
  );

  it('of docs/run.md is right, and shows every key', () => {
    const text = /```yaml\n([\s\S]*?)```/.exec(read('run.md'))?.[1] ?? '';
    const pairing = parsePairing(text, 'run.md');
    const { properties } = pairingJsonSchema() as { properties: Record<string, object> };
    const keys = Object.keys(properties).filter((key) => key !== '$schema');
    expect(Object.keys(pairing).sort()).toEqual(keys.sort());
    const items = (properties.agents as { items: { properties: object } }).items;
    expect(Object.keys(pairing.agents[0] ?? {}).sort()).toEqual(Object.keys(items.properties).sort());
  });
});
