import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';

/** Longest time that a test waits for a condition. */
const WITHIN_MS = 180_000;

/** Shortest and longest time between two checks of a condition. Between the limits, it is a tenth of the time waited so far. */
const BETWEEN_MS = { least: 10, most: 100 } as const;

/** Waits until a condition holds. Fails with the description after three minutes. */
export async function until(holds: () => boolean | Promise<boolean>, description: () => string): Promise<void> {
  const began = performance.now();
  while (!(await holds())) {
    const waited = performance.now() - began;
    assert.ok(waited < WITHIN_MS, description());
    // Frequent requests would take time from the tests and servers that run beside this one.
    await delay(Math.min(BETWEEN_MS.most, Math.max(BETWEEN_MS.least, waited / 10)));
  }
}
