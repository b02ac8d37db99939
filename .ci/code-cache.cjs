// Run by .ci/bundle.ts: wraps `true` with a relay of its own, so that V8 has compiled what every start needs,
// and keeps what it compiled beside the bundle.
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join, resolve } = require('node:path');
const { compile, run } = require('../bin/load.cjs');

const file = resolve(__dirname, '../dist/main.cjs');
const home = mkdtempSync(join(tmpdir(), 'agent-wrap-cache-'));
process.env.XDG_STATE_HOME = home;
process.argv = [process.argv[0], resolve(__dirname, '../bin/agent-wrap.js'), '--', 'true'];
const script = compile(file);
process.on('exit', () => {
  writeFileSync(`${file}.cache`, script.createCachedData());
  rmSync(home, { recursive: true, force: true });
});
run(script, file);
