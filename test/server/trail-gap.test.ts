/**
 * Tests a server whose trail cannot be written: on a full disk with SQLite, and with PostgreSQL. It refuses changes, and
 * reads unless the operator allowed them. Then it recovers without help, and the trail shows the number of these requests.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { CreateUserCommand, GetUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import pg from 'pg';
import { outcomeOf } from '../kit/outcome.ts';
import { startServerProcess } from '../kit/process.ts';
import { type ClientSettings, startTestServer } from '../kit/server.ts';
import { AS_OTHER, type Breakable, noSmallDisks, startOnSmallDisk } from '../kit/small-disk.ts';
import { everyEvent, readUnproven } from '../kit/trail.ts';
import { until } from '../kit/until.ts';
import { testPostgres } from '../store/test-postgres.ts';

const status = async (endpoint: string) => (await fetch(`${endpoint}/_belfry/ready`)).status;

async function readyIs(endpoint: string, expected: number): Promise<void> {
  await until(
    async () => (await status(endpoint)) === expected,
    () => `ready is not ${expected}`,
  );
}

/** Sums a count in the records of the requests without a record. */
async function countsOf(settings: ClientSettings): Promise<{ answered: number; refused: number; names: readonly string[] }> {
  const events = await everyEvent(new CloudTrailClient(settings));
  const details = events.flatMap(({ eventName, document }) => (eventName === 'UnrecordedRequests' ? [document.serviceEventDetails] : []));
  const sum = (name: string) =>
    details.reduce((total, each) => total + ((each?.[name] as { requests: number } | undefined)?.requests ?? 0), 0);
  return { answered: sum('answeredReads'), refused: sum('refusedRequests'), names: events.map(({ eventName }) => eventName) };
}

/** Checks one gap of a server that answers reads without a record. `name` is a new user. */
async function checkAnsweredReads({ settings, fail, repair }: Breakable, name: string): Promise<void> {
  const iam = new IAMClient(settings);
  const sts = new STSClient(settings);
  await iam.send(new CreateUserCommand({ UserName: `${name}-before` }));
  const before = await countsOf(settings);
  await fail();
  let refused = 0;
  // A full disk can have room for a few more records.
  await until(
    async () => {
      const outcome = await outcomeOf(iam.send(new CreateUserCommand({ UserName: `${name}-${refused}-${Math.random()}` })));
      if (outcome !== 'allowed') refused++;
      return outcome === 'ServiceUnavailable';
    },
    () => 'changes still succeed',
  );
  const user = new GetUserCommand({ UserName: `${name}-before` });
  const attempts = await Promise.all([
    ...[1, 2, 3].map(() => outcomeOf(iam.send(user))),
    outcomeOf(sts.send(new GetCallerIdentityCommand({}))),
    outcomeOf(iam.send(new CreateUserCommand({ UserName: `${name}-gap` }))),
    outcomeOf(iam.send(new GetUserCommand({ UserName: 'unknown' }))),
    outcomeOf(sts.send(new GetSessionTokenCommand({}))),
  ]);
  assert.deepEqual(attempts, [...Array(4).fill('allowed'), ...Array(3).fill('ServiceUnavailable')]);
  refused += 3;
  // A check that meets a lost connection to the database says 503.
  await readyIs(settings.endpoint, 200);
  await repair();
  await until(
    async () => {
      const outcome = await outcomeOf(iam.send(new CreateUserCommand({ UserName: `${name}-after` })));
      if (outcome !== 'allowed') refused++;
      return outcome === 'allowed';
    },
    () => 'changes are still refused',
  );
  assert.equal(await outcomeOf(iam.send(new GetUserCommand({ UserName: `${name}-gap` }))), 'NoSuchEntity');
  const { answered, refused: counted, names } = await countsOf(settings);
  assert.deepEqual([answered - before.answered, counted - before.refused], [4, refused]);
  assert.ok(names.lastIndexOf('UnrecordedRequests') < names.lastIndexOf('CreateUser'), 'the counts precede the next record');
}

/** Checks one gap of a server that refuses everything. The gap ends without further requests. */
async function checkRefusedReads({ settings, fail, repair }: Breakable): Promise<void> {
  const iam = new IAMClient(settings);
  await iam.send(new GetUserCommand({}));
  await fail();
  let refused = 0;
  await until(
    async () => {
      const outcome = await outcomeOf(iam.send(new GetUserCommand({})));
      if (outcome !== 'allowed') refused++;
      return outcome === 'ServiceUnavailable';
    },
    () => 'reads still succeed',
  );
  await readyIs(settings.endpoint, 503);
  assert.equal(await outcomeOf(iam.send(new CreateUserCommand({ UserName: 'gap' }))), 'ServiceUnavailable');
  await repair();
  await readyIs(settings.endpoint, 200);
  const { answered, refused: counted } = await countsOf(settings);
  assert.deepEqual([answered, counted], [0, refused + 1]);
}

test('Full disk: a server answers only reads if the setting allows it, and then records their number', {
  skip: noSmallDisks([]),
}, async () => {
  const { server, breakable } = await startOnSmallDisk([], { BELFRY_READS_WITHOUT_TRAIL: 'on', BELFRY_LOOKUPS_PER_SECOND: '0' });
  const began = performance.now();
  await checkAnsweredReads(breakable, 'one');
  await checkAnsweredReads(breakable, 'two');
  const isWithinMinute = performance.now() - began < 60_000;
  const log = server
    .written()
    .split('\n')
    .flatMap((line) => / (error the trail cannot be written|info the trail can be written again)/.exec(line)?.[1] ?? []);
  // If the second gap is less than a minute after the first, the log does not show it.
  const gap = ['error the trail cannot be written', 'info the trail can be written again'];
  assert.deepEqual(isWithinMinute ? log : log.slice(0, 2), gap);
  assert.doesNotMatch(server.written(), /request .* failed/);
  assert.equal(await server.stop(), 0);
});

test('Full disk: a server of another user refuses everything by default, is not ready, and recovers without requests', {
  skip: noSmallDisks(AS_OTHER),
}, async () => {
  const { server, breakable } = await startOnSmallDisk(AS_OTHER, {});
  await checkRefusedReads(breakable);
  assert.equal(await server.stop(), 0);
});

/** Returns the functions that make the trail of a database unwritable, in two ways. */
async function breakableDatabase() {
  const { url, stop } = await testPostgres();
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  after(async () => {
    await admin.end();
    await stop();
  });
  const others = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()';
  const { rows } = await admin.query('SELECT current_database() AS name');
  const name = (rows as [{ name: string }])[0].name;
  const run =
    (...statements: readonly string[]) =>
    async () => {
      for (const text of statements) await admin.query(text);
    };
  return {
    url,
    fullDisk: {
      fail: run(
        `CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'disk full' USING ERRCODE = '53100'; END $$`,
        'CREATE TRIGGER full_disk BEFORE INSERT ON trail_pack EXECUTE FUNCTION full_disk()',
      ),
      repair: run('DROP TRIGGER full_disk ON trail_pack'),
    },
    readOnly: {
      fail: run(`ALTER DATABASE ${name} SET default_transaction_read_only = on`, others),
      repair: run('SET default_transaction_read_only = off', `ALTER DATABASE ${name} RESET default_transaction_read_only`, others),
    },
  };
}

test('PostgreSQL: a server whose trail cannot be written answers only reads if the setting allows it', async () => {
  const { url, fullDisk, readOnly } = await breakableDatabase();
  const server = await startTestServer({ BELFRY_DATABASE: url, BELFRY_READS_WITHOUT_TRAIL: 'on' });
  await checkAnsweredReads({ settings: server.client(), ...fullDisk }, 'full');
  await checkAnsweredReads({ settings: server.client(), ...readOnly }, 'read-only');
});

test('PostgreSQL: after a crash in a gap, the next start records that counts are lost', async () => {
  const { url, fullDisk } = await breakableDatabase();
  const environment = { BELFRY_DATABASE: url };
  const server = await startServerProcess(environment);
  const settings = { endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials, maxAttempts: 1 };
  await fullDisk.fail();
  assert.equal(await outcomeOf(new IAMClient(settings).send(new GetUserCommand({}))), 'ServiceUnavailable');
  process.kill(server.pid, 'SIGKILL');
  await fullDisk.repair();
  assert.equal(await server.stop(), null);
  const lost = async () =>
    (await readUnproven(server.dataFolder)).flatMap(({ eventName, serviceEventDetails }) =>
      eventName === 'UnrecordedRequests' ? [(serviceEventDetails as { readonly countsLost?: boolean }).countsLost] : [],
    );
  assert.match(readNote(server.dataFolder), /^\d{4}-/);
  const next = await startServerProcess(environment, server.dataFolder);
  assert.deepEqual(await lost(), [true]);
  assert.equal(readNote(server.dataFolder), '', 'a further start does not record it again');
  await next.stop();
});

const readNote = (dataFolder: string): string => readFileSync(join(dataFolder, 'trail-gap'), 'utf8').trim();
