/** Verification of delivered files in a folder, with the database or only with public keys. */
import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { AccountId } from '#core/arn.ts';
import { HOUR_MS } from '#core/duration.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { type DeliveredRecord, deliveredRecord } from './delivered-record.ts';
import { deliveryFixture, INTERVAL_MS, START, testClock } from './delivery-fixture.ts';

import { unpackMember } from './gzip-member.ts';
import { folderTarget, METADATA_SUFFIX } from './targets/folder.ts';
import { verifyFiles } from './verify-files.ts';

const ANN = '111111111111' as AccountId;

/** Files that a trail delivered to a folder in four hours, and one log file after the last digest. */
async function delivered() {
  const folder = newFolder();
  const clock = testClock(START);
  const store = await openSqlite(':memory:', { now: () => clock.wall() });
  try {
    const own = deliveryFixture(store, clock);
    await own.trail(ANN, { LogFileValidationEnabled: true });
    const target = folderTarget(folder);
    const server = own.server({
      target: {
        async put(object) {
          await own.memory.put(object);
          await target.put(object);
        },
      },
    });
    await own.deliver(server);
    for (let i = 0; i < 4; i++) {
      await own.record(ANN, [`r${i}`]);
      await own.deliver(server);
      clock.set(clock.wall() + HOUR_MS - INTERVAL_MS);
      await server.run();
    }
    await own.record(ANN, ['waiting']);
    await own.deliver(server);
    const record = await store.transaction(({ sql }) => deliveredRecord(sql));
    return { folder, record, logs: own.files.map(({ key }) => key), digests: own.digests.map(({ key }) => key) };
  } finally {
    await store.close();
  }
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-verify-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const { folder: ORIGINAL, record: RECORD, logs: LOGS, digests: DIGESTS } = await delivered();
const KEYS_ONLY: DeliveredRecord = { publicKeys: RECORD.publicKeys };

interface Copy {
  readonly path: (key: string | undefined) => string;
  /** Replaces the content of a file. */
  readonly edit: (key: string | undefined, change: (text: string) => string) => void;
}

function copy(): Copy & { readonly folder: string } {
  const folder = newFolder();
  const path = (key = 'missing'): string => join(folder, key);
  for (const key of [...LOGS, ...DIGESTS, ...DIGESTS.map((each) => `${each}${METADATA_SUFFIX}`)]) {
    mkdirSync(dirname(path(key)), { recursive: true });
    copyFileSync(join(ORIGINAL, key), path(key));
  }
  return {
    folder,
    path,
    edit(key, change) {
      writeFileSync(path(key), gzipSync(change(gunzipSync(readFileSync(path(key))).toString('utf8'))));
    },
  };
}

test('verify-files: delivered files are intact, also if they were compressed again', async () => {
  assert.deepEqual([LOGS.length, DIGESTS.length], [5, 4]);
  const { folder, edit } = copy();
  edit(LOGS[0], (text) => text);
  const { problems, digests, logs } = await verifyFiles(folder, RECORD);
  assert.deepEqual([problems, digests, logs], [[], 4, 5]);
  assert.deepEqual((await verifyFiles(folder, KEYS_ONLY)).problems, []);
});

type Tampering = readonly [title: string, change: (copy: Copy) => void, key: string | undefined, problem: RegExp];
const [FIRST, SECOND, , NEWEST] = DIGESTS;

// biome-ignore format: a table
const TAMPERINGS: readonly Tampering[] = [
  ['an altered log file',            ({ edit }) => edit(LOGS[0], (text) => text.replace('r0', 'rX')),             LOGS[0],  /hash value doesn't match/],
  ['a deleted log file',             ({ path }) => rmSync(path(LOGS[1])),                                         LOGS[1],  /^not found/],
  ['a log file with a second member', ({ path }) => appendFileSync(path(LOGS[1]), gzipSync('x')),                 LOGS[1],  /bytes after the end/],
  ['a log file with junk',           ({ path }) => appendFileSync(path(LOGS[1]), 'x'),                            LOGS[1],  /has 1 bytes after the end/],
  ['a digest with a second member',  ({ path }) => appendFileSync(path(SECOND), gzipSync('x')),                   SECOND,   /bytes after the end/],
  ['an altered digest',              ({ edit }) => edit(SECOND, (text) => `${text} `),                            SECOND,   /signature verification failed/],
  ['an altered newest digest',       ({ edit }) => edit(NEWEST, (text) => `${text} `),                            NEWEST,   /signature verification failed/],
  ['a deleted digest',               ({ path }) => rmSync(path(SECOND)),                                          SECOND,   /^not found/],
  ['a moved digest',                 ({ path }) => renameSync(path(FIRST), path(SECOND)),                         SECOND,   /has been moved/],
  ['a digest that is not gzip',      ({ path }) => writeFileSync(path(FIRST), 'x'),                               FIRST,    /invalid format/],
  ['a digest without its members',   ({ edit }) => edit(FIRST, () => '{}'),                                       FIRST,    /invalid format/],
  ['another stored signature',       ({ path }) => writeFileSync(path(`${NEWEST}${METADATA_SUFFIX}`), '{"signature":"00"}'), NEWEST, /signature verification failed/],
];
for (const [title, change, key, problem] of TAMPERINGS) {
  for (const [source, record] of [
    ['the database', RECORD],
    ['public keys', KEYS_ONLY],
  ] as const) {
    test(`verify-files with ${source}: ${title} is a problem of this file`, async () => {
      const own = copy();
      change(own);
      const { problems } = await verifyFiles(own.folder, record);
      assert.match(problems.find((each) => each.key === key)?.problem ?? 'intact', problem);
    });
  }
}

// biome-ignore format: a table
const ONLY_DATABASE: readonly Tampering[] = [
  ['a deleted newest digest',         ({ path }) => rmSync(path(NEWEST)),                                         NEWEST,      /not found: it is the newest digest of its chain/],
  ['a deleted log file without digest', ({ path }) => rmSync(path(LOGS.at(-1))),                                  LOGS.at(-1), /^not found/],
];
for (const [title, change, key, problem] of ONLY_DATABASE) {
  test(`verify-files with the database: ${title} is a problem, and public keys alone do not show it`, async () => {
    const own = copy();
    change(own);
    const { problems } = await verifyFiles(own.folder, RECORD);
    assert.match(problems.find((each) => each.key === key)?.problem ?? 'intact', problem);
    const blind = await verifyFiles(own.folder, KEYS_ONLY);
    assert.deepEqual(blind.problems, []);
    assert.ok(blind.notes.some((note) => note.startsWith('without the database')));
  });
}

test('verify-files: the first problem is that of the earliest file', async () => {
  const { folder, path } = copy();
  for (const key of [LOGS[3], LOGS[1], LOGS[2]]) rmSync(path(key));
  assert.equal((await verifyFiles(folder, RECORD)).problems[0]?.key, LOGS[1]);
});

test('verify-files: without the public key, no digest is valid', async () => {
  const { problems } = await verifyFiles(copy().folder, { ...RECORD, publicKeys: new Map() });
  assert.deepEqual(
    problems.map(({ key }) => key),
    DIGESTS,
  );
});

// biome-ignore format: a table
const MEMBERS: readonly [title: string, file: Buffer, result: RegExp][] = [
  ['one member',               gzipSync('a'.repeat(100_000)),                                      /^content 100000$/],
  ['an empty content',         gzipSync(''),                                                       /^content 0$/],
  ['a second member',          Buffer.concat([gzipSync('a'.repeat(100_000)), gzipSync('b')]),      /after the end/],
  ['zeros after the end',      Buffer.concat([gzipSync('a'), Buffer.alloc(3)]),                    /^has 3 bytes after/],
  ['a truncated file',         gzipSync('abc').subarray(0, -1),                                    /invalid format/],
  ['only a header',            gzipSync('abc').subarray(0, 10),                                    /invalid format/],
  ['no header',                Buffer.from('a'),                                                   /invalid format/],
  ['a wrong checksum',         Buffer.from(gzipSync('abc').map((byte, i, all) => (i === all.length - 5 ? byte ^ 1 : byte))), /invalid format/],
  ['a content over the limit', gzipSync('a'.repeat(100_001)),                                      /invalid format/],
];
for (const [title, file, result] of MEMBERS) {
  test(`gzip: a file with ${title}`, async () => {
    const unpacked = await unpackMember(file, 100_000);
    assert.match('problem' in unpacked ? unpacked.problem : `content ${unpacked.content.length}`, result);
  });
}
