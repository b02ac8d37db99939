/** `doctor`, the machine: platform, Node, pseudo-terminals, the person's terminal. */
import { systemClock } from '../base/clock.ts';
import { RelayError } from '../base/errors.ts';
import { Pty } from '../terminal/pty.ts';
import { decideSize, requireUsable } from '../terminal/resolve.ts';
import type { Found, Patient } from './doctor-finding.ts';

/** Milliseconds a program gets to do what takes it a moment. */
const PATIENCE_MS = 10_000;

export function checkPlatform({ platform, arch }: Patient): Found[] {
  const text = `${platform} ${arch}`;
  if (platform === 'linux') return [{ state: 'ok', text }];
  if (platform === 'darwin') {
    return [
      {
        state: 'note',
        text: `${text}: should work, and is not tested`,
        advice: 'please report what does not',
      },
    ];
  }
  return [{ state: 'problem', text: `${text} is not supported`, advice: 'use Linux, on Windows inside WSL' }];
}

const atLeast = (version: string, least: readonly number[]): boolean => {
  const parts = version.split('.').map((part) => Number.parseInt(part, 10));
  const differs = least.findIndex((number, i) => number !== parts[i]);
  return differs === -1 || (parts[differs] ?? 0) > (least[differs] as number);
};

export function checkNode({ versions: { node, uv } }: Patient): Found[] {
  if (!atLeast(node, [20, 19])) {
    return [
      { state: 'problem', text: `Node ${node} is too old`, advice: 'install Node 20.19 or newer, best 24' },
    ];
  }
  if (atLeast(uv, [1, 52, 1])) return [{ state: 'ok', text: `Node ${node}, libuv ${uv}` }];
  return [
    {
      state: 'note',
      text: `Node ${node}, libuv ${uv}: loses the end of a terminal's output (libuv #4992); agent-wrap reads it itself`,
      advice: 'nothing to do; Node 24.21 or newer has it fixed and starts faster',
    },
  ];
}

/** A real program in a real PTY, to its end. */
export async function checkPty({ cwd, env }: Patient): Promise<Found[]> {
  const chunks: Buffer[] = [];
  const exitCode = await new Promise<number>((resolve, reject) => {
    const pty = new Pty(
      { file: '/bin/sh', args: ['-c', 'test -t 0 && echo works; exit 7'], env, cwd, cols: 80, rows: 24 },
      {
        onOutput: (chunk) => chunks.push(chunk),
        onDrain: () => {},
        onExit: (exit) => {
          timer.cancel();
          resolve(exit.exitCode);
        },
      },
      systemClock,
    );
    const timer = systemClock.after(PATIENCE_MS, () => {
      pty.close();
      reject(new RelayError('PTY_FAILED', `a shell in a pseudo-terminal did not end in ${PATIENCE_MS} ms`));
    });
  });
  const output = Buffer.concat(chunks).toString();
  if (output.trim() === 'works' && exitCode === 7)
    return [{ state: 'ok', text: 'a shell ran in a pseudo-terminal' }];
  throw new RelayError(
    'PTY_FAILED',
    `a shell in a pseudo-terminal printed ${JSON.stringify(output)}, exit ${exitCode}`,
    {
      suggestion: 'check that /dev/ptmx and /dev/pts are there (in a container: mount devpts)',
    },
  );
}

export function checkTerminal({ terminal, env }: Patient): Found[] {
  const size = decideSize({}, terminal, env);
  requireUsable(size);
  const text = `${size.cols} columns, ${size.rows} rows`;
  if (terminal.cols > 0) return [{ state: 'ok', text }];
  return [
    {
      state: 'note',
      text: `no terminal here: agents get ${text}`,
      advice: 'pass --cols and --rows if that matters',
    },
  ];
}
