import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTestServer } from '../kit/server.ts';
import { contend } from './contention.ts';
import { testPostgres } from './test-postgres.ts';

const postgres = await testPostgres();
after(() => postgres.stop());
const server = await startTestServer({ BELFRY_DATABASE: postgres.url });

test('PostgreSQL: under contention and lost connections, responses, rows and records agree', async (t) => {
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
  // Checks that all outcomes occurred.
  for (const [name, count] of Object.entries(counts)) assert.ok(count > 0, `${name}: ${count}`);
});
