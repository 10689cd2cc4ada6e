import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fairQueue } from './fair-queue.ts';

/** Creates a queue whose tasks record their names and run until the test ends them. */
function open(runningMax: number, agedMs = 3_600_000) {
  const queue = fairQueue({ runningMax, agedMs });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const results = new Map<string, Promise<string>>();
  return {
    queue,
    begun,
    add(...names: readonly string[]) {
      for (const name of names) {
        const [source = ''] = name;
        results.set(
          name,
          queue.run(source, () => {
            begun.push(name);
            return new Promise<string>((resolve) => ends.set(name, () => resolve(name)));
          }),
        );
      }
    },
    /** Ends a task, and waits until the next task has started. */
    async end(name: string) {
      ends.get(name)?.();
      await results.get(name);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test('fairQueue: sources take turns, with one task each', async () => {
  const { queue, begun, add, end } = open(1);
  add('a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1');
  for (const name of ['a1', 'a2', 'b1', 'c1', 'a3', 'b2']) {
    assert.equal(begun.at(-1), name);
    await end(name);
  }
  assert.deepEqual([begun.at(-1), queue.waiting()], ['a4', 0]);
});

test('fairQueue: at most runningMax tasks run at once', async () => {
  const { queue, begun, add, end } = open(2);
  add('a1', 'a2', 'a3', 'b1');
  assert.deepEqual([begun, queue.waiting()], [['a1', 'a2'], 2]);
  await end('a2');
  assert.deepEqual([begun, queue.waiting()], [['a1', 'a2', 'a3'], 1]);
  await end('a1');
  assert.deepEqual([begun.at(-1), queue.waiting()], ['b1', 0]);
});

test('fairQueue: when a task fails, the next one starts, and the caller gets the error', async () => {
  const { queue, begun, add } = open(1);
  const failed = queue.run('a', () => Promise.reject(new Error('no')));
  add('b1');
  await assert.rejects(failed, /no/);
  assert.deepEqual(begun, ['b1']);
});

test('fairQueue: a task that runs for too long no longer counts as running', async () => {
  const { queue, add } = open(1, 20);
  const aged = queue.run('a', () => new Promise(() => {}));
  assert.ok(aged);
  add('b1');
  const last = queue.run('b', async () => 'done');
  assert.equal(await last, 'done');
});
