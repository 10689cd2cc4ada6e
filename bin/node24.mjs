#!/usr/bin/env node
// Runs a program with Node 24 from any version of Node. Forwards Node's options, arguments, signals and the exit status.
import { spawn } from 'node:child_process';
import { findNode24, isNewEnough } from './find-node24.mjs';

export function runUnderNode24(args) {
  const child = spawn(findNode24(), ['--disable-warning=ExperimentalWarning', ...process.execArgv, ...args], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    } else process.exit(code ?? 1);
  });
}

if (import.meta.url === `file://${process.argv[1]}` || process.argv[1]?.endsWith('node24.mjs')) {
  try {
    runUnderNode24(process.argv.slice(2));
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}

export { isNewEnough };
