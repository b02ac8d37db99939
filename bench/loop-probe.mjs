// Loaded into the wrapper by --import: how late its event loop is, sampled each 5 ms, to $PROBE_FILE.
import { renameSync, writeFileSync } from 'node:fs';

const EVERY_MS = 5;
const lags = [];
let maxRss = 0;
let last = performance.now();
setInterval(() => {
  const now = performance.now();
  lags.push(Math.max(0, now - last - EVERY_MS));
  last = now;
}, EVERY_MS).unref();
setInterval(() => {
  maxRss = Math.max(maxRss, process.memoryUsage.rss());
  const sorted = [...lags].sort((a, b) => a - b);
  const report = {
    samples: lags.length,
    p99: sorted[Math.floor(0.99 * sorted.length)],
    max: sorted.at(-1),
    maxRss,
  };
  writeFileSync(`${process.env.PROBE_FILE}.new`, JSON.stringify(report));
  renameSync(`${process.env.PROBE_FILE}.new`, process.env.PROBE_FILE);
}, 500).unref();
