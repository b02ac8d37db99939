/** `npm run test:peer`: installs the published 1.x client and drives it against our daemon. Needs `npm run build`. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { installPublished, PUBLISHED } from './published-client.ts';

const reason = installPublished();
if (reason !== undefined) {
  console.log(`skipped: ${reason}`);
} else {
  console.log(PUBLISHED.package);
  const config = fileURLToPath(new URL('vitest.config.ts', import.meta.url));
  const run = spawnSync('npx', ['vitest', 'run', '--config', config, ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  process.exitCode = run.status ?? 1;
}
