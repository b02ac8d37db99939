#!/usr/bin/env node
import module from 'node:module';
import { join } from 'node:path';

// Node ≥ 22.1 keeps compiled code, a fifth of the start with the relay. In a directory of the person's own:
// Node's default lies in /tmp, and who writes there writes what we run.
const { HOME = '', XDG_CACHE_HOME = join(HOME, '.cache') } = process.env;
if (XDG_CACHE_HOME.startsWith('/')) module.enableCompileCache?.(join(XDG_CACHE_HOME, 'agent-wrap/compiled'));
await import('../dist/main.cjs');
