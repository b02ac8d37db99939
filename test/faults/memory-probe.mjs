// Loaded into a daemon by --import: its memory, a line each half second, to $PROBE_FILE.
import { appendFileSync } from 'node:fs';

setInterval(() => {
  const { rss, heapUsed, external } = process.memoryUsage();
  appendFileSync(process.env.PROBE_FILE, `${JSON.stringify({ rss, heapUsed, external })}\n`);
}, 500).unref();
