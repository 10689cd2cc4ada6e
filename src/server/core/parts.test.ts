import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Part } from '#core/part.ts';
import { runParts } from './parts.ts';

/** Returns three parts of a server that log the calls of their functions. `failing` lists calls that fail, such as `start b`. */
function loggingParts(failing: readonly string[] = []) {
  const log: string[] = [];
  const call = (what: string) => async (): Promise<void> => {
    await null;
    log.push(what);
    if (failing.includes(what)) throw new Error(`${what} failed`);
  };
  const parts: Part[] = ['a', 'b', 'c'].map((name) => ({
    name,
    start: call(`start ${name}`),
    stop: call(`stop ${name}`),
    ...(name !== 'b' && { drain: call(`drain ${name}`) }),
  }));
  return { log, running: runParts(parts) };
}

test('runParts: parts start in order, drain at the same time, and stop in reverse order', async () => {
  const { log, running } = loggingParts();
  await running.start();
  await running.drain();
  await running.stop();
  assert.deepEqual(log, ['start a', 'start b', 'start c', 'drain a', 'drain c', 'stop c', 'stop b', 'stop a']);
});

test('runParts: if a part fails to start, the started parts are stopped and no later part starts', async () => {
  const { log, running } = loggingParts(['start b']);
  await assert.rejects(running.start(), { message: 'start b failed' });
  assert.deepEqual(log, ['start a', 'start b', 'stop a']);
});

test('runParts: if a part fails to stop, the other parts still stop', async () => {
  const { log, running } = loggingParts(['stop b']);
  await running.start();
  await assert.rejects(running.stop(), { name: 'AggregateError', message: 'could not stop b: stop b failed' });
  assert.deepEqual(log.slice(3), ['stop c', 'stop b', 'stop a']);
});

test('runParts: two calls of stop() stop each part once', async () => {
  const { log, running } = loggingParts();
  await running.start();
  await Promise.all([running.stop(), running.stop()]);
  assert.deepEqual(log.slice(3), ['stop c', 'stop b', 'stop a']);
});

test('runParts: stop() during start() stops the starting part and starts no other part', async () => {
  const log: string[] = [];
  const running = runParts([
    { name: 'a', start: async () => void (await running.stop()), stop: () => void log.push('stop a') },
    { name: 'b', start: () => void log.push('start b') },
  ]);
  await running.start();
  assert.deepEqual(log, ['stop a']);
});
