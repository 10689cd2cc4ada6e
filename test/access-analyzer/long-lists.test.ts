/** An analyzer with 10,000 findings, and as many of another one: each request reads a limited number of rows. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { findingPage, READ_MAX } from '#services/accessanalyzer/findings/finding-pages.ts';
import { statisticsOf } from '#services/accessanalyzer/findings/statistics.ts';
import type { AnalyzerRecord } from '#services/accessanalyzer/tables/analyzers.ts';
import { findings } from '#services/accessanalyzer/tables/findings.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Sql } from '#store/sql.ts';
import type { Store, Tx } from '#store/store.ts';
import { plansOnSqlite, rowsReadOnPostgres } from '../store/reads.ts';
import { testPostgres } from '../store/test-postgres.ts';

const COUNT = 10_000;
const ANALYZER = { analyzerId: 'a', type: 'ACCOUNT' } as AnalyzerRecord;
/** Rows that one statement reads: a batch of findings. */
const BATCH = 200;

/** Finding `i` has the resource `i / 4`, and the first 400 have one resource. One in 100 is active, and one is of a bucket. Half of the rows are of the analyzer `b`. */
const FILL = `
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${2 * COUNT - 1})
  INSERT INTO access_finding (analyzer_id, id, resource, access_key, resource_type, owner_account, finding_type, status, is_public, details,
    created_at_ms, analyzed_at_ms, updated_at_ms)
  SELECT CASE WHEN i < ${COUNT} THEN 'a' ELSE 'b' END, 'f' || (1000000 + i), 'arn:' || (1000000 + CASE WHEN i < 400 THEN 0 ELSE i / 4 END), 'k' || i,
    CASE WHEN i = 5000 THEN 'AWS::S3::Bucket' ELSE 'AWS::IAM::Role' END, '111122223333', 'ExternalAccess',
    CASE WHEN i % 100 = 0 THEN 'ACTIVE' ELSE 'RESOLVED' END, 0,
    '[{"findingType":"ExternalAccess","principal":{"AWS":"*"},"action":[],"condition":{},"isPublic":false}]', i, i, i FROM n`;

const sqlite = await openSqlite(':memory:');
const database = await testPostgres();
const postgres = await openPostgres(database.url);
after(async () => {
  await Promise.all([sqlite.close(), postgres.close()]);
  await database.stop();
});
for (const store of [sqlite, postgres]) await store.transaction(async ({ sql }) => void (await sql.run(FILL)));
await postgres.transaction(async ({ sql }) => void (await sql.run('ANALYZE access_finding')));

type Request = Parameters<typeof findingPage>[2];

/** Returns the page of a request, with a transaction that has only this connection. */
const page = (sql: Sql, request: Request) =>
  findingPage({ tx: { of: (repository: (of: Sql) => unknown) => repository(sql) } as Tx }, ANALYZER, request);

/** Reads all pages. Returns the numbers of the findings, in order, and the number of pages. */
async function everyPage(store: Store, request: Request) {
  const numbers: number[] = [];
  let pages = 0;
  let nextToken: string | undefined;
  do {
    const read = await store.transaction(({ sql }) => page(sql, { ...request, ...(nextToken !== undefined && { nextToken }) }));
    numbers.push(...read.page.map(({ id }) => Number(id.slice(1)) - 1_000_000));
    nextToken = read.rest.nextToken;
    pages++;
  } while (nextToken !== undefined);
  return { numbers, pages };
}

const ALL = Array.from({ length: COUNT }, (_, i) => i);
const ACTIVE = ALL.filter((i) => i % 100 === 0);

// biome-ignore format: a table
const LISTS: readonly (readonly [title: string, request: Request, expected: readonly number[], pages: number, statements: number])[] = [
  // title                        request                                                                                          findings              pages  statements of a page
  ['the default order',           {},                                                                                              ALL.toReversed(),     100,   1],
  ['the order of creation',       { sort: { attributeName: 'createdAt' } },                                                        ALL,                  100,   1],
  ['the order of resources',      { sort: { attributeName: 'resource' } },                                                         ALL,                  100,   1],
  ['the order of IDs',            { sort: { attributeName: 'id', orderBy: 'DESC' } },                                              ALL.toReversed(),     100,   1],
  ['one status',                  { filter: { status: { eq: ['ACTIVE'] } } },                                                      ACTIVE.toReversed(),  1,     1],
  ['one resource',                { filter: { resource: { eq: ['arn:1000200'] } }, sort: { attributeName: 'resource' } },          [800, 801, 802, 803], 1,     1],
  ['a rare type of resources',    { filter: { resourceType: { eq: ['AWS::S3::Bucket'] } } },                                       [5_000],              6,     READ_MAX / BATCH],
  ['a status and another key',    { filter: { status: { eq: ['ACTIVE'] }, isPublic: { eq: ['true'] } } },                          [],                   1,     1],
];

for (const [title, request, expected, pages, statements] of LISTS) {
  test(`10,000 findings: ${title}: pages have each finding once, on both engines`, async () => {
    for (const store of [sqlite, postgres]) {
      const read = await everyPage(store, request);
      const sorted = title === 'the order of resources' ? read.numbers.toSorted((a, b) => a - b) : read.numbers;
      assert.deepEqual(sorted, expected);
      assert.ok(read.pages <= pages, `${read.pages} pages`);
    }
  });

  test(`10,000 findings: ${title}: a page reads a range of an index`, async () => {
    const plans = await plansOnSqlite(sqlite, (sql) => page(sql, request));
    assert.equal(plans.length, statements, plans.join('\n'));
    for (const plan of plans) assert.match(plan, /^SEARCH access_finding USING (PRIMARY KEY|INDEX \w+) \(analyzer_id=\?/);
    const rows = await rowsReadOnPostgres(postgres, (sql) => page(sql, request));
    assert.equal(rows.length, statements);
    for (const each of rows) assert.ok(each <= BATCH, `rows of each statement: ${rows.join(' ')}`);
  });
}

test('10,000 findings: the open findings of a resource are found without its resolved ones', async () => {
  const read = async (sql: Sql) => assert.equal((await findings(sql).open('a', 'arn:1000000')).length, 4);
  const plans = await plansOnSqlite(sqlite, read);
  const OPEN = 'SEARCH access_finding USING COVERING INDEX access_finding_open (analyzer_id=? AND resource=? AND status=?)';
  assert.deepEqual(
    plans.filter((plan) => plan.startsWith('SE')),
    ['SEARCH access_finding USING PRIMARY KEY (analyzer_id=? AND id=?)', OPEN],
  );
  const rows = await rowsReadOnPostgres(postgres, read);
  assert.ok((rows[0] ?? Number.NaN) <= 8, `${rows} rows`);
});

test('10,000 analyzed resources: those of a type are found without the others', async () => {
  const plans = await plansOnSqlite(sqlite, (sql) => findings(sql).resources('a', 'AWS::S3::Bucket', '', 10));
  const OF_TYPE = 'access_analyzed_resource_of_type (analyzer_id=? AND resource_type=? AND resource>?)';
  assert.deepEqual(
    plans.filter((plan) => plan.startsWith('SE')),
    [
      'SEARCH access_analyzed_resource USING PRIMARY KEY (analyzer_id=? AND resource=?)',
      `SEARCH access_analyzed_resource USING COVERING INDEX ${OF_TYPE}`,
    ],
  );
});

test('10,000 findings: the statistics read the stored numbers, not the findings', async () => {
  const read = (sql: Sql) => statisticsOf({ tx: { of: (repository: (of: Sql) => unknown) => repository(sql) } as Tx }, ANALYZER);
  const plans = await plansOnSqlite(sqlite, read);
  for (const plan of plans) assert.doesNotMatch(plan, /access_finding(?!_total)/);
});
