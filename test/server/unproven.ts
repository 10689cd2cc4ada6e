import assert from 'node:assert/strict';
import { askControl } from '#server/operator/control.ts';

/** Returns the records that name no account, the newest first, as `belfry trail unproven` prints them. */
export async function unprovenOf(dataFolder: string): Promise<readonly Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  let before: string | undefined;
  do {
    const reply = await askControl(dataFolder, { command: 'trail unproven', limit: 100, ...(before !== undefined && { before }) });
    assert.ok(reply.ok, 'the server answers belfry trail unproven');
    found.push(...(reply.records ?? []).map((text) => JSON.parse(text) as Record<string, unknown>));
    before = reply.next;
  } while (before !== undefined);
  return found;
}
