import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { showConfig } from '../../../src/cli/config.ts';
import { configKeys, PLACE_KEYS, PROJECT_KEYS } from '../../../src/cli/config-keys.ts';
import { applyPlace, decideSettings } from '../../../src/cli/settings.ts';
import { command as wrapCommand } from '../../../src/cli/wrap.ts';

let home: string;
let project: string;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'settings-')));
  project = join(home, 'project');
  mkdirSync(join(project, '.git'), { recursive: true });
  mkdirSync(join(project, 'src/deep'), { recursive: true });
  mkdirSync(join(home, '.config/agent-wrap'), { recursive: true });
});
afterEach(() => rmSync(home, { recursive: true }));

const write = (path: string, text: string) => writeFileSync(join(home, path), text);
const inProject = (text: string) => write('project/.agent-wrap.yaml', text);
const inUser = (text: string) => write('.config/agent-wrap/config.yaml', text);

async function decide(env: Record<string, string> = {}, cwd = project) {
  const { settings } = await decideSettings(configKeys(wrapCommand()), { cwd, env: { HOME: home, ...env } });
  return Object.fromEntries(
    settings.map(({ key, value, source, from }) => [key.name, { value, source, from }]),
  );
}

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('the order of settings', () => {
  it('is environment, project, user, default', async () => {
    inProject('namespace: p\ncols: 100\n');
    inUser('namespace: u\ncols: 90\nrows: 30\n');
    const settings = await decide({ AGENT_WRAP_NAMESPACE: 'e' });
    expect(settings.namespace).toEqual({ value: 'e', source: 'environment', from: 'AGENT_WRAP_NAMESPACE' });
    expect(settings.cols).toEqual({
      value: 100,
      source: 'project',
      from: join(project, '.agent-wrap.yaml:2'),
    });
    expect(settings.rows).toMatchObject({ value: 30, source: 'user' });
    expect(settings['log-level']).toEqual({ value: 'info', source: 'default', from: undefined });
  });

  it('begins with the flags', async () => {
    const command = new Command()
      .addOption(new Option('--namespace <name>').default('default'))
      .option('--socket <path>')
      .action(() => {});
    command.hook('preAction', async (_, action) => {
      action.setOptionValueWithSource('socket', '/asked/for', 'cli');
      await applyPlace(action, async () => wrapCommand());
    });
    process.env.AGENT_WRAP_NAMESPACE = 'of-the-environment';
    process.env.AGENT_WRAP_SOCKET = '/of/the/environment';
    try {
      await command.parseAsync([], { from: 'user' });
    } finally {
      delete process.env.AGENT_WRAP_NAMESPACE;
      delete process.env.AGENT_WRAP_SOCKET;
    }
    expect(command.opts()).toEqual({ namespace: 'of-the-environment', socket: '/asked/for' });
  });

  it('takes a list from one layer only, never half of it from another', async () => {
    inUser('topic: [a, b]');
    expect((await decide()).topic).toMatchObject({ value: ['a', 'b'], source: 'user' });
    inProject('topic: c');
    expect((await decide()).topic).toMatchObject({ value: ['c'], source: 'project' });
    expect((await decide({ AGENT_WRAP_TOPIC: 'd, e' })).topic).toMatchObject({ value: ['d', 'e'] });
  });

  it('within a wrapped agent puts its relay first and leaves its name alone (P10)', async () => {
    const inside = { AGENT_RELAY_NAMESPACE: 'outer', AGENT_RELAY_NAME: 'ada' };
    const settings = await decide({ ...inside, AGENT_WRAP_NAMESPACE: 'mine', AGENT_WRAP_NAME: 'ada' });
    expect(settings.namespace).toMatchObject({ value: 'outer', from: 'AGENT_RELAY_NAMESPACE' });
    expect(settings.name).toMatchObject({ value: undefined, source: 'default' });
  });
});

describe('variables', () => {
  it.each([
    ['off', false],
    ['0', false],
    ['NO', false],
    ['true', true],
    ['1', true],
  ])('AGENT_WRAP_RELAY=%s switches', async (text, value) => {
    expect((await decide({ AGENT_WRAP_RELAY: text })).relay?.value).toBe(value);
  });

  it('that are empty say nothing', async () => {
    expect((await decide({ AGENT_WRAP_COLS: '' })).cols?.source).toBe('default');
  });

  it.each([
    ['AGENT_WRAP_RELAY', 'perhaps'],
    ['AGENT_WRAP_COLS', 'wide'],
    ['AGENT_WRAP_LOG_LEVEL', 'loud'],
    ['AGENT_WRAP_NAMESPACE', '../../etc'],
  ])('with a wrong value are refused by name: %s=%s', async (name, text) => {
    const error = await refusal(decide({ [name]: text }));
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(`${name}: `) });
  });
});

describe('finding the files', () => {
  it('takes the nearest above, up to the root of the repository', async () => {
    const deep = join(project, 'src/deep');
    write('.agent-wrap.yaml', 'namespace: above-the-repository');
    expect((await decide({}, deep)).namespace?.source).toBe('default');
    inProject('namespace: root');
    expect((await decide({}, deep)).namespace?.value).toBe('root');
    write('project/src/.agent-wrap.json', '{"namespace": "nearer"}');
    expect((await decide({}, deep)).namespace?.value).toBe('nearer');
  });

  it('outside of a repository and of the home looks into the current directory only', async () => {
    const elsewhere = { HOME: '/nowhere' };
    rmSync(join(project, '.git'), { recursive: true });
    inProject('namespace: x');
    expect((await decide(elsewhere, join(project, 'src'))).namespace?.source).toBe('default');
    expect((await decide(elsewhere)).namespace?.value).toBe('x');
  });

  it('follows XDG_CONFIG_HOME', async () => {
    mkdirSync(join(home, 'xdg/agent-wrap'), { recursive: true });
    write('xdg/agent-wrap/config.json', '{"rows": 40}');
    expect((await decide({ XDG_CONFIG_HOME: join(home, 'xdg') })).rows).toMatchObject({
      value: 40,
      source: 'user',
    });
  });

  it('refuses to choose between YAML and JSON', async () => {
    inProject('');
    write('project/.agent-wrap.json', '{}');
    expect(await refusal(decide())).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/are both there$/),
    });
  });
});

describe('a file that does not fit is refused with its line and a way out', () => {
  it.each<[string, string, number, string]>([
    ['an unknown key', '# c\nnamspace: x', 2, 'did you mean namespace?'],
    ['a far-off key', 'shell: rm', 1, 'settings: name, topic'],
    ['what its flag would refuse', 'rows: 5\n\ncols: 1', 3, 'agent-wrap config --help'],
    ['a mapping for a text', 'namespace: {a: 1}', 1, ''],
    ['a list for a single text', 'namespace: [a]', 1, ''],
    ['a wrong item in a list', 'cols: 99\ntopic: [a, {b: 1}]', 2, ''],
    ['broken YAML', 'cols: 99\ntopic: [a', 2, ''],
    ['the same key twice', 'cols: 99\ncols: 98', 2, ''],
    ['no mapping', '- a', 1, ''],
    ['a key of every object', 'constructor: x', 1, ''],
    ['a prototype', '__proto__: {relay: false}', 1, ''],
  ])('%s', async (_what, text, line, wayOut) => {
    inProject(text);
    const error = await refusal(decide());
    expect(error).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`.agent-wrap.yaml:${line}: `),
      suggestion: expect.stringContaining(wayOut),
    });
  });

  it('a multiplying alias, a huge file, a link and a directory', async () => {
    inProject(
      `a: &a [1,1]\n${'bcdefghijklmnopq'.replace(/./g, (c, i: number) => `${c}: &${c} [*${'abcdefghijklmnop'[i]},*${'abcdefghijklmnop'[i]}]\n`)}`,
    );
    expect(await refusal(decide())).toMatchObject({ code: 'CONFIG_INVALID' });
    inProject(`#${' '.repeat(70_000)}`);
    expect(await refusal(decide())).toMatchObject({ code: 'FILE_UNREADABLE' });
    rmSync(join(project, '.agent-wrap.yaml'));
    write('secret', 'namespace: x');
    symlinkSync(join(home, 'secret'), join(project, '.agent-wrap.yaml'));
    expect(await refusal(decide())).toMatchObject({ code: 'FILE_UNREADABLE' });
    rmSync(join(project, '.agent-wrap.yaml'));
    mkdirSync(join(project, '.agent-wrap.yaml'));
    expect(await refusal(decide())).toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});

describe('a project', () => {
  const keys = configKeys(wrapCommand());

  it('may set what it may', async () => {
    inProject('namespace: p\ntopic: t\ncols: 99\nrows: 33');
    const settings = await decide();
    for (const name of PROJECT_KEYS) expect(settings[name]?.source).toBe('project');
  });

  const SAMPLE: Record<string, string> = {
    relay: 'false',
    'log-level': 'debug',
    inject: 'off',
    chord: 'ctrl-g',
  };
  it.each(keys.map(({ name }) => name).filter((name) => !PROJECT_KEYS.has(name)))(
    'must not set %s',
    async (name) => {
      const key = keys.find((each) => each.name === name);
      const sample =
        SAMPLE[name] ?? (key?.valued === undefined ? 'false' : (key.valued.argChoices?.[0] ?? 'x'));
      inProject(`${name}: ${sample}`);
      expect(await refusal(decide())).toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('must not set'),
      });
      rmSync(join(project, '.agent-wrap.yaml'));
      inUser(`${name}: ${sample}`);
      expect((await decide())[name]?.source).toBe('user');
    },
  );

  it('and the place of a relay are said in options that there are', () => {
    const names = new Set(keys.map(({ name }) => name));
    for (const name of [...PROJECT_KEYS, ...PLACE_KEYS]) expect(names).toContain(name);
  });
});

describe('agent-wrap config', () => {
  it('shows each value with its source, the files, and variables that are no settings', async () => {
    inProject('namespace: p');
    const { text, json } = await showConfig({
      cwd: project,
      env: { HOME: home, AGENT_WRAP_LOGLEVEL: 'debug' },
    });
    expect(text).toMatch(/^namespace +p +project: .*\.agent-wrap\.yaml:1$/m);
    expect(text).toMatch(/^unknown +AGENT_WRAP_LOGLEVEL /m);
    expect(text).toMatch(/^user file +- +.*\.config\/agent-wrap\/config\.yaml is not there$/m);
    expect(json.settings.namespace).toEqual({
      value: 'p',
      source: 'project',
      from: join(project, '.agent-wrap.yaml:1'),
    });
    expect(json.unknownVariables).toEqual(['AGENT_WRAP_LOGLEVEL']);
  });
});
