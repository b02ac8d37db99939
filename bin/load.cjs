// Runs the bundled CLI with the code that V8 compiled when it was built (dist/main.cjs.cache): parsing and
// compiling are half of what a start costs beyond Node's own. docs/benchmarks.md
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { dirname, join } = require('node:path');
const { Script } = require('node:vm');

/** The bundle as a script; `cachedDataRejected` is false if the compiled code was there and fits this Node. */
exports.compile = (file) => {
  let cachedData;
  try {
    cachedData = readFileSync(`${file}.cache`);
  } catch {
    // Not built here: an installed package has none, because it would fit one version of Node only.
  }
  // The bundle is ASCII: read so, it is one byte a character in V8 as well.
  const source = Module.wrap(readFileSync(file, 'latin1'));
  return new Script(source, { filename: file, ...(cachedData === undefined ? {} : { cachedData }) });
};

/** Runs the script as the module `file`. */
exports.run = (script, file) => {
  const main = { exports: {} };
  script.runInThisContext()(main.exports, Module.createRequire(file), main, file, dirname(file));
};

/** Runs `file` the fastest way there is. */
exports.start = (file) => {
  const script = exports.compile(file);
  if (script.cachedDataRejected === false) return exports.run(script, file);
  // Node ≥ 22.1 keeps compiled code itself. In a directory of the person's own: Node's default lies in /tmp,
  // and who writes there writes what we run.
  const { HOME = '', XDG_CACHE_HOME = join(HOME, '.cache') } = process.env;
  if (XDG_CACHE_HOME.startsWith('/'))
    Module.enableCompileCache?.(join(XDG_CACHE_HOME, 'agent-wrap/compiled'));
  require(file);
};
