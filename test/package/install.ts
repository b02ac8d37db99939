/**
 * `npm run test:package`, after `npm run build`: the tarball holds what is needed and no more, and an
 * installation of it into an empty folder works without install scripts.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { VERSION } from '../../src/base/version.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Bytes. More than we ship; a source map or a stale build would exceed it. */
const MAX_UNPACKED_BYTES = 3_000_000;

const folder = mkdtempSync(join(tmpdir(), 'agent-wrap-package-'));
const env = { ...process.env, HOME: folder, XDG_CACHE_HOME: undefined, npm_config_cache: npmCache() };

/** What npm downloaded before is used again: the test asks the registry for nothing it has. */
function npmCache(): string {
  return spawnSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8' }).stdout.trim();
}

function run(cwd: string, file: string, ...args: string[]) {
  const { status, stdout, stderr, error } = spawnSync(file, args, { cwd, env, encoding: 'utf8' });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}

function succeed(cwd: string, file: string, ...args: string[]): string {
  const { status, stdout, stderr } = run(cwd, file, ...args);
  assert.equal(status, 0, `${file} ${args.join(' ')}:\n${stderr}${stdout}`);
  return stdout;
}

function pack(): string {
  const report = succeed(ROOT, 'npm', 'pack', '--ignore-scripts', '--json', '--pack-destination', folder);
  const [packed] = JSON.parse(report) as [
    { filename: string; unpackedSize: number; files: { path: string }[] },
  ];
  const paths = packed.files.map(({ path }) => path);
  const needed = [
    'package.json',
    'README.md',
    'bin/agent-wrap.js',
    'bin/load.cjs',
    'bin/package.json',
    'dist/main.cjs',
    'dist/index.js',
  ];
  for (const path of [...needed, 'dist/types/index.d.ts', 'dist/agent-wrap.1']) {
    assert.ok(paths.includes(path), `${path} is not packed: run npm run build`);
  }
  const surplus = paths.filter(
    (path) =>
      !/^(package\.json|README\.md|CHANGELOG\.md|LICENSE|bin\/agent-wrap\.js|bin\/load\.cjs|bin\/package\.json|dist\/main\.cjs|dist\/index\.js|dist\/agent-wrap\.1)$/.test(
        path,
      ) && !/^dist\/types\/.*\.d\.ts$/.test(path),
  );
  assert.deepEqual(surplus, [], 'packed, but not needed');
  assert.ok(packed.unpackedSize < MAX_UNPACKED_BYTES, `${packed.unpackedSize} bytes unpacked`);
  process.stdout.write(`packed: ${paths.length} files, ${packed.unpackedSize} bytes unpacked\n`);
  return join(folder, packed.filename);
}

function install(tarball: string): string {
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  writeFileSync(join(empty, 'package.json'), '{"private": true, "type": "module"}');
  succeed(
    empty,
    'npm',
    'install',
    '--ignore-scripts',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    tarball,
  );
  process.stdout.write('installed into an empty folder with --ignore-scripts\n');
  return empty;
}

function tryCommands(empty: string): void {
  const bin = join(empty, 'node_modules/.bin/agent-wrap');
  assert.equal(succeed(empty, bin, '--version'), `${VERSION}\n`);
  assert.match(succeed(empty, bin, '--no-relay', 'echo', 'hello'), /^hello\r?\n$/);
  assert.equal(run(empty, bin, '--no-relay', 'sh', '-c', 'exit 3').status, 3);
  assert.match(succeed(empty, bin, 'man'), /^\.TH AGENT/);
  process.stdout.write('the command wraps a program and keeps its exit code\n');
}

/** As strict as a consumer can be: our declarations are checked too. */
function tryTypes(empty: string): void {
  writeFileSync(
    join(empty, 'consumer.ts'),
    "import { RelayError } from 'agent-wrap';\nexport const code: string = new RelayError('USAGE', 'x').code;\n" +
      "// @ts-expect-error: not a code\nexport const wrong = () => new RelayError('NO_SUCH_CODE', 'x');\n",
  );
  const compilerOptions = {
    strict: true,
    target: 'ES2023',
    module: 'nodenext',
    types: ['node'],
    typeRoots: [join(ROOT, 'node_modules/@types')],
    skipLibCheck: false,
  };
  writeFileSync(join(empty, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
  succeed(empty, process.execPath, join(ROOT, 'node_modules/typescript/bin/tsc'));
  const used = succeed(
    empty,
    process.execPath,
    '-e',
    "import('./consumer.js').then((m) => console.log(m.code))",
  );
  assert.equal(used, 'USAGE\n');
  assert.match(readFileSync(join(empty, 'consumer.js'), 'utf8'), /agent-wrap/);
  process.stdout.write('the public API has types and runs\n');
}

try {
  const empty = install(pack());
  tryCommands(empty);
  tryTypes(empty);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
