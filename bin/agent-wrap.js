#!/usr/bin/env node
require('./load.cjs').start(require('node:path').resolve(__dirname, '../dist/main.cjs'));
