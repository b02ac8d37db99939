import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import { renderMan, roff } from '../../../src/cli/man.ts';
import { loadProgram, optionsOf, type Program } from '../../../src/cli/program.ts';
import { SUBCOMMANDS } from '../../../src/cli/subcommands.ts';

const hasGroff = spawnSync('groff', ['--version']).status === 0;

let program: Program;
let page: string;
beforeAll(async () => {
  program = await loadProgram(SUBCOMMANDS);
  page = renderMan(program);
});

/** The part of the page between the heading of this command and the next heading. */
const sectionOf = (heading: string): string => page.split(`${heading}\n`)[1]?.split(/^\.S[HS] /m)[0] ?? '';

describe('the man page', () => {
  it('has every option of agent-wrap', () => {
    const text = sectionOf('.SH DESCRIPTION');
    for (const { flags } of optionsOf(program.wrap)) expect(text).toContain(`.B ${roff(flags)}\n`);
  });

  it('has every command with every option', () => {
    expect(program.subcommands.length).toBeGreaterThan(5);
    for (const { name, command } of program.subcommands) {
      const text = sectionOf(`.SS ${roff(`agent-wrap ${name}`)}`);
      for (const { flags } of optionsOf(command)) expect(text).toContain(`.B ${roff(flags)}\n`);
    }
  });

  it('leaves out what is not for people', () => {
    expect(page).not.toContain(roff('demo-agent'));
  });

  it('says what text says: no escape and no request comes from it', () => {
    expect(roff('a\\n -b')).toBe('a\\en \\-b');
    expect(roff(".x\n'y")).toBe("\\&.x\n\\&'y");
  });

  it.runIf(hasGroff)('is a page groff has nothing to say against', () => {
    const { stderr, stdout, status } = spawnSync('groff', ['-k', '-man', '-Tutf8', '-ww'], {
      input: page,
      encoding: 'utf8',
    });
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(stdout).toContain('AGENT-WRAP(1)');
  });
});
