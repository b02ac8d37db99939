/** The native part of node-pty: the four functions we use instead of its JavaScript, which loses output. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { getAsset, isSea } from 'node:sea';
import { RelayError } from '../base/errors.ts';
import { nativeDirectories, useNativeFile } from './native-file.ts';

/** What `@lydell/node-pty` 1.2.0-beta.15 exports as `native`; its own declarations leave it out. */
export interface NativePty {
  fork(
    file: string,
    args: string[],
    env: string[],
    cwd: string,
    cols: number,
    rows: number,
    uid: number,
    gid: number,
    utf8: boolean,
    helperPath: string,
    onExit: (exitCode: number, signal: number) => void,
  ): { fd: number; pid: number; pty: string };
  resize(fd: number, cols: number, rows: number, xPixels: number, yPixels: number): void;
}

export interface LoadedNative {
  native: NativePty;
  /** The program that macOS needs between fork and exec; Linux does without. */
  helperPath: string;
}

let loaded: LoadedNative | undefined;

/** The asset's name in a single executable; .ci/package.ts puts it there. */
export const NATIVE_ASSET = 'pty.node';

/** Loads the binary at the first call: only who spawns an agent pays for it. Throws PTY_FAILED. */
export function loadNative(): LoadedNative {
  try {
    loaded ??= isSea() ? loadAsset() : loadPackage();
    return loaded;
  } catch (cause) {
    if (cause instanceof RelayError) throw cause;
    throw new RelayError('PTY_FAILED', `the PTY library cannot be loaded: ${String(cause)}`, { cause });
  }
}

function loadPackage(): LoadedNative {
  // By createRequire, so that a bundler leaves it alone and finds it beside the installed package. Not by the
  // library's entry: the JavaScript there, which we do not use, takes 5 ms of a start.
  const require = createRequire(import.meta.url);
  const platform = `${process.platform}-${process.arch}`;
  const entry = createRequire(require.resolve('@lydell/node-pty')).resolve(`@lydell/node-pty-${platform}`);
  const prebuilt = join(dirname(entry), '../prebuilds', platform);
  return {
    native: require(join(prebuilt, 'pty.node')) as NativePty,
    helperPath: process.platform === 'darwin' ? join(prebuilt, 'spawn-helper') : '',
  };
}

function loadAsset(): LoadedNative {
  const uid = process.getuid?.() ?? 0;
  const bytes = Buffer.from(getAsset(NATIVE_ASSET));
  const module = { exports: {} as NativePty };
  useNativeFile(bytes, nativeDirectories(process.env, uid), uid, (path) => process.dlopen(module, path));
  return { native: module.exports, helperPath: '' };
}
