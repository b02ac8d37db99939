import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nativeDirectories, placeNative, useNativeFile } from '../../../src/terminal/native-file.ts';

const BYTES = Buffer.from('\x7fELF the library');
const UID = process.getuid?.() ?? 0;

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'native-file-')));
});
afterEach(() => rmSync(root, { recursive: true }));

describe('the PTY library of a single executable', () => {
  it('is written into a directory made for us alone, and nothing else is left there', () => {
    const directory = join(root, 'cache', 'agent-wrap');
    const path = placeNative(BYTES, directory, UID);
    expect(readFileSync(path)).toEqual(BYTES);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(readdirSync(directory)).toHaveLength(1);
  });

  it('is written once', () => {
    const path = placeNative(BYTES, join(root, 'c'), UID);
    utimesSync(path, 1, 1);
    expect(placeNative(BYTES, join(root, 'c'), UID)).toBe(path);
    expect(statSync(path).mtimeMs).toBe(1000);
  });

  it('of another version lies beside it', () => {
    const one = placeNative(BYTES, join(root, 'c'), UID);
    const other = placeNative(Buffer.from('newer'), join(root, 'c'), UID);
    expect(other).not.toBe(one);
    expect(readFileSync(one)).toEqual(BYTES);
  });

  it.each<[string, (path: string) => void]>([
    ['was cut short', (path) => writeFileSync(path, BYTES.subarray(0, 4))],
    ['was changed, with the same length', (path) => writeFileSync(path, Buffer.alloc(BYTES.length, 0x20))],
    ['can be written by others', (path) => chmodSync(path, 0o666)],
    [
      'is a link to somewhere else',
      (path) => {
        writeFileSync(join(root, 'evil'), BYTES);
        rmSync(path);
        symlinkSync(join(root, 'evil'), path);
      },
    ],
  ])('is written again when the file %s', (_what, damage) => {
    damage(placeNative(BYTES, join(root, 'c'), UID));
    const path = placeNative(BYTES, join(root, 'c'), UID);
    expect(realpathSync(path)).toBe(path);
    expect(readFileSync(path)).toEqual(BYTES);
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  it.each<[string, (directory: string) => void, number]>([
    ['others may write to', (directory) => mkdirSync(directory, { mode: 0o755 }), UID],
    ['is a link', (directory) => symlinkSync(root, directory), UID],
    ['belongs to somebody else', (directory) => mkdirSync(directory, { mode: 0o700 }), UID + 1],
  ])('is never put into a directory that %s', (_what, make, uid) => {
    make(join(root, 'c'));
    const before = readdirSync(join(root, 'c'));
    expect(() => placeNative(BYTES, join(root, 'c'), uid)).toThrow(/ours alone/);
    expect(readdirSync(join(root, 'c'))).toEqual(before);
  });

  it('is used from the first directory where it can be loaded', () => {
    mkdirSync(join(root, 'open'), { mode: 0o755 });
    const used = useNativeFile(
      BYTES,
      [join(root, 'open'), join(root, 'noexec'), join(root, 'good')],
      UID,
      (path) => {
        if (path.includes('noexec')) throw new Error('failed to map segment');
        return path;
      },
    );
    expect(used).toContain(join(root, 'good'));
  });

  it('that can be loaded nowhere is an error that gives every reason', () => {
    writeFileSync(join(root, 'file'), '');
    const use = () =>
      useNativeFile(BYTES, [join(root, 'file', 'x'), join(root, 'file')], UID, (path) => path);
    expect(use).toThrow(
      expect.objectContaining({ code: 'PTY_FAILED', message: expect.stringMatching(/x: .*; .*ours alone/) }),
    );
  });

  it('has its place in the cache, else under the system temporary directory', () => {
    const last = join(tmpdir(), 'agent-wrap-7');
    expect(nativeDirectories({ HOME: '/home/a' }, 7)).toEqual(['/home/a/.cache/agent-wrap/native', last]);
    expect(nativeDirectories({ HOME: '/home/a', XDG_CACHE_HOME: '/c' }, 7)).toEqual([
      '/c/agent-wrap/native',
      last,
    ]);
    expect(nativeDirectories({ XDG_CACHE_HOME: 'relative' }, 7)).toEqual([last]);
  });
});
