import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { eventIdOf, pairedEventId } from './event-id.ts';

test('eventIdOf: is a UUID for each request ID, another one for the copy, and different for different request IDs', () => {
  const requestIds = Array.from({ length: 1_000 }, () => randomUUID());
  const eventIds = requestIds.flatMap((id) => [eventIdOf(id), eventIdOf(id, true)]);
  assert.equal(new Set([...eventIds, ...requestIds]).size, 3_000);
  for (const id of eventIds) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('pairedEventId: the record and its copy have each other as pair', () => {
  const requestId = randomUUID();
  assert.equal(pairedEventId(eventIdOf(requestId)), eventIdOf(requestId, true));
  assert.equal(pairedEventId(eventIdOf(requestId, true)), eventIdOf(requestId));
});
