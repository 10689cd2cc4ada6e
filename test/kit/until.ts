import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';

/** Longest time that a test waits for a condition. */
const WITHIN_MS = 20_000;

/** Waits until a condition holds. Fails with the description after 20 seconds. */
export async function until(holds: () => boolean | Promise<boolean>, description: () => string): Promise<void> {
  const latest = performance.now() + WITHIN_MS;
  while (!(await holds())) {
    assert.ok(performance.now() < latest, description());
    await delay(10);
  }
}
