import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { IAM_RULES } from '#services/iam/rules/rules.ts';
import { evaluateRule } from '#services/kit/rule-results.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { fillUsers, LARGE_ACCOUNT } from '../../../test/compliance/large-database.ts';
import { newFolder } from '../../../test/kit/folder.ts';
import { credentialsSection } from './credentials.ts';
import { createReportFolder } from './report-folder.ts';

const NOW = Date.UTC(2026, 11, 1);
/** Users have keys that are 0, 1, 2 … days old. */
const USERS = 100;

// biome-ignore format: a table
const CASES: readonly (readonly [title: string, now: number, old: number])[] = [
  ['exactly 90 days are not old',              NOW,     9],
  ['a millisecond more than 90 days is old',   NOW + 1, 10],
];

for (const [title, now, old] of CASES) {
  test(`credentials: ${title}, in the report and in the rule access-keys-rotated`, async () => {
    const store = await openSqlite(':memory:');
    await fillUsers(store, USERS, NOW);
    const rule = IAM_RULES.find(({ name }) => name === 'access-keys-rotated') ?? assert.fail();
    const server = { tlsFloor: 'TLSv1.2', eventHistoryDays: 90, readsWithoutTrail: false, internalHosts: 0 };
    const reading = { store, accountId: LARGE_ACCOUNT, region: 'us-east-1', now: instant(now), server };
    const { results } = await evaluateRule(rule, reading);
    const folder = createReportFolder(join(newFolder('credentials'), 'report'));
    const section = await store.transaction(({ sql }) => credentialsSection(sql, [LARGE_ACCOUNT], instant(now), folder));
    assert.deepEqual(
      [section.activeKeysOlderThan90Days, results.filter(({ compliance }) => compliance === 'NON_COMPLIANT').length, section.activeKeys],
      [old, old, USERS],
    );
    await store.close();
  });
}
