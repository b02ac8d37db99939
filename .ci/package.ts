/**
 * `npm run package`: one executable for this platform, made of the Node that runs this script, our bundle
 * and the native part of the PTY library. docs/package.md; the order of the steps: terminal.md §5.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { NATIVE_ASSET } from '../src/terminal/native.ts';

const ROOT = resolve(import.meta.dirname, '..');
const OUT = join(ROOT, 'build');
const BINARY = join(OUT, 'agent-wrap');

/** Node's own mark in its binary, replaced when a blob is there. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

const require = createRequire(import.meta.url);
const megabytes = (file: string) => `${(statSync(file).size / 1e6).toFixed(1)} MB`;
const say = (text: string) => process.stderr.write(`${text}\n`);

/** Runs to its end; what it prints is shown only if it fails (postject warns about sections strip took). */
function run(file: string, ...args: string[]): void {
  const { status, error, stdout, stderr } = spawnSync(file, args, { cwd: ROOT, encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${file} ${args[0]} failed:\n${stdout}${stderr}`);
}

async function bundle(outfile: string): Promise<void> {
  await build({
    entryPoints: [join(ROOT, 'src/cli/main.ts')],
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    minify: true,
    // A script inside an executable cannot import(), not even what Node itself brings.
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': '__filename' },
    external: ['@lydell/node-pty'],
    outfile,
    logLevel: 'warning',
  });
}

function nativeLibrary(): string {
  const platform = `${process.platform}-${process.arch}`;
  const main = createRequire(require.resolve('@lydell/node-pty')).resolve(`@lydell/node-pty-${platform}`);
  return resolve(dirname(main), `../prebuilds/${platform}/pty.node`);
}

/** Debug symbols are 12 MB of Node. To be done before the injection: a binary stripped after it crashes. */
function strip(binary: string): void {
  try {
    run('strip', binary);
  } catch {
    say('strip does not work here: the executable keeps its symbols');
  }
}

async function main(): Promise<void> {
  if (process.platform !== 'linux') {
    throw new Error(`npm run package knows Linux only, not ${process.platform}: see docs/package.md`);
  }
  mkdirSync(OUT, { recursive: true });
  const script = join(OUT, 'main.cjs');
  const blob = join(OUT, 'sea.blob');
  const config = join(OUT, 'sea-config.json');
  await bundle(script);
  writeFileSync(
    config,
    JSON.stringify({
      main: script,
      output: blob,
      disableExperimentalSEAWarning: true,
      useCodeCache: true,
      useSnapshot: false,
      assets: { [NATIVE_ASSET]: nativeLibrary() },
    }),
  );
  run(process.execPath, '--experimental-sea-config', config);
  // Under another name until it is whole: somebody may be running the last one.
  const unfinished = `${BINARY}.new`;
  rmSync(unfinished, { force: true });
  copyFileSync(process.execPath, unfinished);
  chmodSync(unfinished, 0o755);
  strip(unfinished);
  run(
    process.execPath,
    require.resolve('postject/dist/cli.js'),
    unfinished,
    'NODE_SEA_BLOB',
    blob,
    '--sentinel-fuse',
    FUSE,
  );
  renameSync(unfinished, BINARY);
  say(`${BINARY}: Node ${process.version}, ${megabytes(BINARY)} (our bundle ${megabytes(script)})`);
}

await main();
