import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineLimit } from './line-limit.ts';

test('lineLimit: a key has one line a minute, which counts the items without a line', () => {
  let now = 0;
  const limit = lineLimit(() => now);
  const at = (time: number, key: string, count?: number) => {
    now = time;
    return limit.admit(key, count);
  };
  // biome-ignore format: a table
  for (const [time, key, count, expected] of [
    [0,       'a', 1,         0        ],
    [1,       'a', 4,         undefined],
    [1,       'b', undefined, 0        ],
    [59_999,  'a', undefined, undefined],
    [60_000,  'a', 9,         5        ],
    [119_999, 'a', 1,         undefined],
    [180_000, 'a', 1,         1        ],
    [180_000, 'b', 1,         0        ],
  ] as const)
    assert.equal(at(time, key, count), expected, `${time} ${key}`);
});

test('lineLimit: at most 1,000 keys are remembered', () => {
  const limit = lineLimit(() => 0);
  for (let i = 0; i < 1_001; i++) assert.equal(limit.admit(`key ${i}`), 0);
  assert.deepEqual([limit.admit('key 1000'), limit.admit('key 0')], [undefined, 0]);
});
