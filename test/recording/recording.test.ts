import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { testPostgres } from '../store/test-postgres.ts';
import { differences } from './compare.ts';
import { record, recorded } from './record.ts';

const postgres = await testPostgres();
after(postgres.stop);

for (const [engine, environment] of [
  ['SQLite', {}],
  ['PostgreSQL', { BELFRY_DATABASE: postgres.url }],
] as const) {
  test(`Recording: every response and trail record on ${engine} equals the recorded one`, async () => {
    const exchanges = await record(environment);
    assert.deepEqual(differences(recorded(), exchanges), []);
    assert.ok(exchanges.length > 2_000, `${exchanges.length} exchanges`);
  });
}
