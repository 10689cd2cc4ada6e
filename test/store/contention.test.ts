import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTestServer } from '../kit/server.ts';
import { contend } from './contention.ts';
import { testPostgres } from './test-postgres.ts';

const postgres = await testPostgres();
after(() => postgres.stop());
const server = await startTestServer({ BELFRY_DATABASE: postgres.url });

test('PostgreSQL: under contention and lost connections, responses agree with rows and trail records', async (t) => {
  const { violations, ...counts } = await contend({
    ...server,
    databaseUrl: postgres.url,
    callers: 64,
    seconds: 4,
    kinds: ['attendee', 'user', 'message'],
    terminateEveryMilliseconds: 20,
  });
  t.diagnostic(JSON.stringify(counts));
  assert.deepEqual(violations, []);
  // Checks that every outcome occurred at least once.
  for (const [name, count] of Object.entries(counts)) assert.ok(count > 0, `${name}: ${count}`);
});
