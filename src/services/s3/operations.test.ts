import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { DAY_MS } from '#core/duration.ts';
import type { StoredBody, StoredRange } from '#core/exchange.ts';
import { instant } from '#core/instant.ts';
import type { S3Api } from '#model/generated/s3.ts';
import { newChecksum } from '#wire/checksums.ts';
import { ACCOUNT, type As, OTHER_ACCOUNT, openOperations, START, workFor } from '../kit/fixture.ts';
import { nextLimit, ROWS_AT_ONCE } from './key-order.ts';
import { s3Operations } from './operations.ts';
import { lifecycleSweep } from './sweep.ts';
import { garbage } from './tables/garbage.ts';

let bodies = 0;

/** Returns a stored content, as the main thread would describe it. */
function stored(text: string, algorithm: 'CRC32' | 'CRC64NVME' = 'CRC64NVME', sent = false): StoredBody {
  const checksum = newChecksum(algorithm);
  checksum.update(Buffer.from(text));
  const crc64 = newChecksum('CRC64NVME');
  crc64.update(Buffer.from(text));
  const id = (++bodies).toString(16).padStart(32, '0');
  return {
    id,
    length: text.length,
    md5: createHash('md5').update(text).digest('hex'),
    checksum: { algorithm, value: checksum.digest(), sent },
    crc64nvme: crc64.digest(),
  };
}

/** Opens a store with the bucket `logs` and its operations. */
async function openBucket() {
  const { store, run } = await openOperations<S3Api>(s3Operations({ storesBodies: true, publicUrl: () => 'http://h' }));
  await run('CreateBucket', { Bucket: 'logs' });
  return {
    store,
    run,
    put: (Key: string, text = 'abc', more: Partial<Parameters<typeof run<'PutObject'>>[1]> = {}, as: As = {}) =>
      run('PutObject', { Bucket: 'logs', Key, ...more }, { ...as, stored: as.stored ?? stored(text) }),
    /** Returns the pieces that GetObject sends. */
    async get(Key: string, more: Partial<Parameters<typeof run<'GetObject'>>[1]> = {}) {
      let file: StoredRange | undefined;
      const sendFile = (range: StoredRange) => {
        file = range;
      };
      const output = await run('GetObject', { Bucket: 'logs', Key, ...more }, { sendFile });
      return { ...output, pieces: file?.pieces };
    },
    garbage: () => store.transaction((tx) => tx.of(garbage).due(instant(START + 999 * DAY_MS), 99)),
  };
}

const code = (expected: string) => ({ code: expected });
const MIB = 2 ** 20;

// biome-ignore format: a table
const NAMES: readonly [name: string, isValid: boolean][] = [
  ['abc', true], ['my-logs.2026', true], ['1a1', true], ['a'.repeat(63), true],
  ['ab', false], ['a'.repeat(64), false], ['Upper', false], ['a_b', false], ['-ab', false], ['ab-', false], ['a..b', false], ['a.-b', false],
  ['192.168.5.4', false], ['xn--abc', false], ['sthree-abc', false], ['abc-s3alias', false], ['abc--ol-s3', false],
];

for (const [name, isValid] of NAMES) {
  test(`CreateBucket: the name '${name.slice(0, 20)}' of ${name.length} characters is ${isValid ? 'valid' : 'InvalidBucketName'}`, async () => {
    const { run } = await openBucket();
    const created = run('CreateBucket', { Bucket: name });
    if (isValid) assert.deepEqual((await created).Location, `/${name}`);
    else await assert.rejects(created, code('InvalidBucketName'));
  });
}

test('CreateBucket: a second one succeeds in us-east-1, and conflicts elsewhere and in another account', async () => {
  const { run } = await openBucket();
  const CreateBucketConfiguration = { LocationConstraint: 'eu-west-1' } as const;
  assert.deepEqual((await run('CreateBucket', { Bucket: 'logs' })).Location, '/logs');
  await run('CreateBucket', { Bucket: 'europe', CreateBucketConfiguration }, { region: 'eu-west-1' });
  await assert.rejects(
    run('CreateBucket', { Bucket: 'europe', CreateBucketConfiguration }, { region: 'eu-west-1' }),
    code('BucketAlreadyOwnedByYou'),
  );
  await assert.rejects(run('CreateBucket', { Bucket: 'logs' }, { accountId: OTHER_ACCOUNT }), code('BucketAlreadyExists'));
  await assert.rejects(run('CreateBucket', { Bucket: 'other', CreateBucketConfiguration }), code('IllegalLocationConstraintException'));
  await assert.rejects(run('CreateBucket', { Bucket: 'other' }, { region: 'eu-west-1' }), code('IllegalLocationConstraintException'));
});

test('CreateBucket: a server without a place for contents refuses it', async () => {
  const { run } = await openOperations<S3Api>(s3Operations({ storesBodies: false, publicUrl: () => 'http://h' }));
  await assert.rejects(run('CreateBucket', { Bucket: 'logs' }), code('NotImplemented'));
});

// biome-ignore format: a table
const RANGES: readonly [range: string | undefined, expected: string | undefined][] = [
  // header        Content-Range, undefined for the whole object, or an error code
  [undefined,      undefined],
  ['bytes=0-8',    'bytes 0-8/10'],
  ['bytes=-2',     'bytes 8-9/10'],
  ['bytes=-20',    'bytes 0-9/10'],
  ['bytes=1-',     'bytes 1-9/10'],
  ['bytes=9-99',   'bytes 9-9/10'],
  ['bytes=1-0',    undefined],
  ['bytes=-1-',    undefined],
  ['bytes=0-1,3-4', undefined],
  ['bytes=-',      undefined],
  ['lines=0-1',    undefined],
  ['bytes=10-',    'InvalidRange'],
  ['bytes=-0',     'InvalidRange'],
];

for (const [range, expected] of RANGES) {
  test(`GetObject: the range '${range}' of 10 bytes is ${expected ?? 'ignored'}`, async () => {
    const { put, get } = await openBucket();
    await put('k', '0123456789');
    const got = get('k', { ...(range !== undefined && { Range: range }), ChecksumMode: 'ENABLED' });
    if (expected === 'InvalidRange') {
      await assert.rejects(got, code('InvalidRange'));
      return;
    }
    const { ContentRange, ContentLength, pieces, ChecksumCRC64NVME } = await got;
    assert.equal(ContentRange, expected);
    assert.equal(pieces?.[0]?.length, ContentLength);
    // Recorded: a range has no checksum.
    assert.equal(ChecksumCRC64NVME === undefined, expected !== undefined);
  });
}

test('PutObject: the conditions If-None-Match and If-Match decide about the existing object', async () => {
  const { put } = await openBucket();
  await assert.rejects(put('k', 'a', { IfMatch: '"x"' }), code('NoSuchKey'));
  const { ETag } = await put('k', 'a', { IfNoneMatch: '*' });
  await assert.rejects(put('k', 'b', { IfNoneMatch: '*' }), code('PreconditionFailed'));
  await assert.rejects(put('k', 'b', { IfNoneMatch: '"x"' }), code('NotImplemented'));
  await assert.rejects(put('k', 'b', { IfMatch: '"x"' }), code('PreconditionFailed'));
  await put('k', 'b', { IfMatch: ETag as string });
});

test('GetObject: the conditions compare the ETag with and without quotes, and the time in seconds', async () => {
  const { put, get } = await openBucket();
  const ETag = (await put('k', 'a')).ETag as string;
  const since = (IfModifiedSince: number) => ({ IfModifiedSince: instant(IfModifiedSince) });
  await get('k', { IfMatch: ETag.replaceAll('"', '') });
  await assert.rejects(get('k', { IfMatch: '"x"' }), code('PreconditionFailed'));
  await assert.rejects(get('k', { IfNoneMatch: ETag.replaceAll('"', '') }), code('NotModified'));
  await assert.rejects(get('k', { IfNoneMatch: `"x", ${ETag}` }), code('NotModified'));
  await assert.rejects(get('k', since(START)), code('NotModified'));
  await get('k', since(START - 1000));
  await assert.rejects(get('k', { IfUnmodifiedSince: instant(START - 1000) }), code('PreconditionFailed'));
  await get('k', { IfUnmodifiedSince: instant(START - 1000), IfMatch: ETag });
});

test('GetObject: a missing key is NoSuchKey, or AccessDenied for a caller who may not list the bucket', async () => {
  const { run } = await openBucket();
  await assert.rejects(run('GetObject', { Bucket: 'logs', Key: 'k' }), code('NoSuchKey'));
  await assert.rejects(run('GetObject', { Bucket: 'logs', Key: 'k' }, { allows: () => Promise.resolve(false) }), code('AccessDenied'));
  await assert.rejects(run('GetObject', { Bucket: 'none', Key: 'k' }), code('NoSuchBucket'));
});

test('PutObject: a replaced and a deleted object leave their files to the garbage', async () => {
  const { put, run, get, garbage: files } = await openBucket();
  const bodyOf = async () => (await get('k')).pieces?.[0]?.id;
  await put('k', 'first');
  const first = await bodyOf();
  await put('k', 'second');
  const second = await bodyOf();
  assert.deepEqual(await files(), [first]);
  await run('DeleteObject', { Bucket: 'logs', Key: 'k' });
  await run('DeleteObject', { Bucket: 'logs', Key: 'k' });
  assert.deepEqual([...(await files())].sort(), [first, second].sort());
});

// biome-ignore format: a table
const LISTS: readonly [title: string, input: Partial<S3Api['ListObjectsV2']['input']>, keys: string, prefixes: string, next: boolean][] = [
  // title                         input                                           keys                    common prefixes  truncated
  ['everything',                   {},                                             'a b/1 b/2 b0 c/d/1 é', '',              false],
  ['a prefix',                     { Prefix: 'b' },                                'b/1 b/2 b0',           '',              false],
  ['a delimiter',                  { Delimiter: '/' },                             'a b0 é',               'b/ c/',         false],
  ['a prefix and a delimiter',     { Prefix: 'c/', Delimiter: '/' },               '',                     'c/d/',          false],
  ['the exact number of items',    { Delimiter: '/', MaxKeys: 5 },                 'a b0 é',               'b/ c/',         false],
  ['a page that ends in a prefix', { Delimiter: '/', MaxKeys: 2 },                 'a',                    'b/',            true ],
  ['a start after a key',          { StartAfter: 'b/1' },                          'b/2 b0 c/d/1 é',       '',              false],
  ['a start after a prefix',       { StartAfter: 'b/', Delimiter: '/' },           'b0 é',                 'c/',            false],
  ['a start before the prefix',    { StartAfter: 'a', Prefix: 'b/' },              'b/1 b/2',              '',              false],
  ['no keys',                      { MaxKeys: 0 },                                 '',                     '',              false],
  ['one key',                      { MaxKeys: 1 },                                 'a',                    '',              true ],
];

for (const [title, input, keys, prefixes, next] of LISTS) {
  test(`ListObjectsV2: ${title}`, async () => {
    const { put, run } = await openBucket();
    for (const key of ['é', 'c/d/1', 'b0', 'b/2', 'b/1', 'a']) await put(key);
    const page = await run('ListObjectsV2', { Bucket: 'logs', ...input });
    assert.equal(page.Contents?.map(({ Key }) => Key).join(' '), keys);
    assert.equal(page.CommonPrefixes?.map(({ Prefix }) => Prefix).join(' '), prefixes);
    assert.equal(page.IsTruncated, next);
    assert.equal(page.NextContinuationToken !== undefined, next);
    assert.equal(page.KeyCount, (page.Contents?.length ?? 0) + (page.CommonPrefixes?.length ?? 0));
  });
}

for (const Delimiter of [undefined, '/']) {
  test(`ListObjectsV2: pages with ${Delimiter ?? 'no delimiter'} are consecutive, with more keys below a prefix than one read`, async () => {
    const { put, run } = await openBucket();
    const names = Array.from({ length: 230 }, (_, i) => (i < 205 ? `d/${String(i).padStart(3, '0')}` : `e${String(i).padStart(3, '0')}`));
    for (const name of names) await put(name);
    const seen: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const more = { ...(Delimiter !== undefined && { Delimiter }), ...(ContinuationToken !== undefined && { ContinuationToken }) };
      const page = await run('ListObjectsV2', { Bucket: 'logs', MaxKeys: 7, ...more });
      seen.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix), ...(page.Contents ?? []).map(({ Key }) => Key));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    assert.deepEqual(seen, Delimiter === undefined ? names : ['d/', ...names.slice(205)]);
  });
}

test('nextLimit: lists read few rows of a prefix with many keys, and many rows of other keys', () => {
  const limits = (skipped: (limit: number) => number) => {
    const found = [ROWS_AT_ONCE];
    for (let i = 0; i < 5; i++) found.push(nextLimit(found[i] as number, skipped(found[i] as number)));
    return found;
  };
  // All rows but the first of each read have the prefix that the first one has.
  assert.deepEqual(
    limits((limit) => limit - 1),
    [100, 25, 6, 2, 4, 2],
  );
  assert.deepEqual(
    limits(() => 0),
    [100, 100, 100, 100, 100, 100],
  );
  assert.equal(nextLimit(2, 0), 4);
});

test('ListObjectsV2, ListMultipartUploads: a delimiter groups the keys of many prefixes with many keys', async () => {
  const { put, run } = await openBucket();
  const prefixes = Array.from({ length: 12 }, (_, i) => `p${String(i).padStart(2, '0')}/`);
  for (const [i, prefix] of prefixes.entries()) {
    for (let key = 0; key < 1 + 11 * (i % 4); key++) {
      await put(`${prefix}${String(key).padStart(3, '0')}`);
      await run('CreateMultipartUpload', { Bucket: 'logs', Key: `${prefix}${key}` });
    }
  }
  for (const max of [1, 5, 1_000]) {
    const [objects, uploads]: string[][] = [[], []];
    let ContinuationToken: string | undefined;
    do {
      const more = ContinuationToken === undefined ? {} : { ContinuationToken };
      const page = await run('ListObjectsV2', { Bucket: 'logs', Delimiter: '/', MaxKeys: max, ...more });
      objects?.push(...(page.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    for (let KeyMarker: string | undefined, isMore: boolean | undefined = true; isMore; ) {
      const more = KeyMarker === undefined ? {} : { KeyMarker };
      const page = await run('ListMultipartUploads', { Bucket: 'logs', Delimiter: '/', MaxUploads: max, ...more });
      uploads?.push(...(page.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix));
      [KeyMarker, isMore] = [page.NextKeyMarker, page.IsTruncated];
    }
    assert.deepEqual([objects, uploads], [prefixes, prefixes]);
  }
});

test('ListObjects: NextMarker is present only with a delimiter', async () => {
  const { put, run } = await openBucket();
  for (const key of ['a', 'b/1', 'b/2', 'c']) await put(key);
  assert.equal((await run('ListObjects', { Bucket: 'logs', MaxKeys: 2 })).NextMarker, undefined);
  const first = await run('ListObjects', { Bucket: 'logs', MaxKeys: 2, Delimiter: '/' });
  assert.equal(first.NextMarker, 'b/');
  const rest = await run('ListObjects', { Bucket: 'logs', Delimiter: '/', Marker: 'b/' });
  assert.deepEqual(
    rest.Contents?.map(({ Key }) => Key),
    ['c'],
  );
});

/** Uploads parts of these sizes, and returns the list for CompleteMultipartUpload. */
async function uploadParts({ run }: Awaited<ReturnType<typeof openBucket>>, texts: readonly string[], algorithm?: 'CRC32') {
  const { UploadId = '' } = await run('CreateMultipartUpload', {
    Bucket: 'logs',
    Key: 'k',
    ...(algorithm && { ChecksumAlgorithm: algorithm }),
  });
  const Parts = [];
  for (const [i, text] of texts.entries()) {
    const body = stored(text, algorithm ?? 'CRC64NVME', algorithm !== undefined);
    const { ETag = '' } = await run('UploadPart', { Bucket: 'logs', Key: 'k', UploadId, PartNumber: i + 1 }, { stored: body });
    Parts.push({ ETag, PartNumber: i + 1 });
  }
  return { UploadId, Parts };
}

const BIG = 'x'.repeat(5 * MIB);

test('CompleteMultipartUpload: the parts are the object, with the ETag and the checksum of S3', async () => {
  const bucket = await openBucket();
  const { UploadId, Parts } = await uploadParts(bucket, [BIG, BIG, 'tail']);
  const complete = () => bucket.run('CompleteMultipartUpload', { Bucket: 'logs', Key: 'k', UploadId, MultipartUpload: { Parts } });
  const done = await complete();
  const md5s = [BIG, BIG, 'tail'].map((text) => createHash('md5').update(text).digest());
  assert.equal(done.ETag, `"${createHash('md5').update(Buffer.concat(md5s)).digest('hex')}-3"`);
  const crc = newChecksum('CRC64NVME');
  crc.update(Buffer.from(`${BIG}${BIG}tail`));
  assert.deepEqual([done.ChecksumCRC64NVME, done.ChecksumType], [crc.digest(), 'FULL_OBJECT']);
  assert.deepEqual(await complete(), done, 'a repeated request has the same response');
  const { pieces } = await bucket.get('k', { Range: `bytes=${5 * MIB - 1}-${10 * MIB + 1}` });
  assert.deepEqual(
    pieces?.map(({ start, length }) => [start, length]),
    [
      [5 * MIB - 1, 1],
      [0, 5 * MIB],
      [0, 2],
    ],
  );
});

test('CompleteMultipartUpload: CRC32 is composite; unlisted parts are garbage, and deletion discards the rest', async () => {
  const bucket = await openBucket();
  const { UploadId, Parts } = await uploadParts(bucket, [BIG, BIG, 'tail'], 'CRC32');
  const MultipartUpload = { Parts: Parts.toSpliced(1, 1) };
  const done = await bucket.run('CompleteMultipartUpload', { Bucket: 'logs', Key: 'k', UploadId, MultipartUpload });
  const sums = [BIG, 'tail'].map((text) => Buffer.from(stored(text, 'CRC32').checksum.value, 'base64'));
  const composite = newChecksum('CRC32');
  composite.update(Buffer.concat(sums));
  assert.deepEqual([done.ChecksumCRC32, done.ChecksumType], [`${composite.digest()}-2`, 'COMPOSITE']);
  assert.equal((await bucket.garbage()).length, 1);
  await bucket.run('DeleteObject', { Bucket: 'logs', Key: 'k' });
  assert.equal((await bucket.garbage()).length, 3);
});

test('CompleteMultipartUpload: errors in the order of the checks', async () => {
  const bucket = await openBucket();
  const { UploadId, Parts } = await uploadParts(bucket, ['small', 'tail']);
  const complete = (parts: readonly object[], more: object = {}) =>
    bucket.run('CompleteMultipartUpload', { Bucket: 'logs', Key: 'k', UploadId, MultipartUpload: { Parts: parts }, ...more });
  await assert.rejects(complete(Parts, { UploadId: 'none' }), code('NoSuchUpload'));
  await assert.rejects(complete(Parts, { Key: 'other' }), code('NoSuchUpload'));
  await assert.rejects(complete([]), code('InvalidRequest'));
  await assert.rejects(complete(Parts.toReversed()), code('InvalidPartOrder'));
  await assert.rejects(complete([{ PartNumber: 1, ETag: 'x' }]), code('InvalidPart'));
  await assert.rejects(complete([{ PartNumber: 9, ETag: 'x' }]), code('InvalidPart'));
  await assert.rejects(complete(Parts), code('EntityTooSmall'));
  await assert.rejects(complete(Parts.slice(0, 1), { ChecksumCRC64NVME: 'AAAAAAAAAAA=' }), code('BadDigest'));
  await complete(Parts.slice(0, 1));
  await assert.rejects(bucket.run('ListParts', { Bucket: 'logs', Key: 'k', UploadId }), code('NoSuchUpload'));
});

test('UploadPart: the number, the upload and the checksum algorithm are checked; a replaced part is garbage', async () => {
  const bucket = await openBucket();
  const { UploadId = '' } = await bucket.run('CreateMultipartUpload', { Bucket: 'logs', Key: 'k', ChecksumAlgorithm: 'CRC32' });
  const upload = (PartNumber: number, body: StoredBody, id = UploadId) =>
    bucket.run('UploadPart', { Bucket: 'logs', Key: 'k', UploadId: id, PartNumber }, { stored: body });
  const crc32 = () => stored('a', 'CRC32', true);
  await assert.rejects(upload(0, crc32()), code('InvalidArgument'));
  await assert.rejects(upload(10_001, crc32()), code('InvalidArgument'));
  await assert.rejects(upload(1, crc32(), 'none'), code('NoSuchUpload'));
  await assert.rejects(upload(1, stored('a')), code('InvalidRequest'));
  await upload(1, crc32());
  await upload(1, crc32());
  assert.equal((await bucket.garbage()).length, 1);
  await bucket.run('AbortMultipartUpload', { Bucket: 'logs', Key: 'k', UploadId });
  assert.equal((await bucket.garbage()).length, 2);
  await assert.rejects(bucket.run('AbortMultipartUpload', { Bucket: 'logs', Key: 'k', UploadId }), code('NoSuchUpload'));
});

test('DeleteObjects: each key has its own decision, and a missing key counts as deleted', async () => {
  const { put, run } = await openBucket();
  for (const key of ['a', 'b']) await put(key);
  const allows: As['allows'] = ({ resources }) => Promise.resolve(!resources.includes('arn:aws:s3:::logs/b'));
  const Objects = ['a', 'b', 'missing'].map((Key) => ({ Key }));
  const { Deleted, Errors } = await run('DeleteObjects', { Bucket: 'logs', Delete: { Objects } }, { allows });
  assert.deepEqual(Deleted, [{ Key: 'a' }, { Key: 'missing' }]);
  assert.deepEqual(Errors, [{ Key: 'b', Code: 'AccessDenied', Message: 'Access Denied' }]);
  assert.deepEqual(
    (await run('ListObjectsV2', { Bucket: 'logs' })).Contents?.map(({ Key }) => Key),
    ['b'],
  );
});

test('DeleteObjects: a caller without permission does not learn which account owns the bucket', async () => {
  const { put, run } = await openBucket();
  await put('a');
  const Delete = { Objects: [{ Key: 'a' }] };
  const allows: As['allows'] = () => Promise.resolve(false);
  const as = (ExpectedBucketOwner: string) => run('DeleteObjects', { Bucket: 'logs', Delete, ExpectedBucketOwner }, { allows });
  assert.deepEqual(await as(OTHER_ACCOUNT), await as(ACCOUNT));
  await assert.rejects(run('DeleteObjects', { Bucket: 'logs', Delete, ExpectedBucketOwner: OTHER_ACCOUNT }), code('AccessDenied'));
});

test('ListObjectsV2, ListBuckets: a continuation token with U+0000 is invalid, because PostgreSQL cannot store it', async () => {
  const { run } = await openBucket();
  for (const text of ['\0', 'a\0b']) {
    const ContinuationToken = Buffer.from(text).toString('base64url');
    await assert.rejects(run('ListObjectsV2', { Bucket: 'logs', ContinuationToken }), code('InvalidArgument'));
    await assert.rejects(run('ListBuckets', { ContinuationToken }), code('InvalidArgument'));
  }
});

// biome-ignore format: a table
const RULES: readonly [title: string, rule: object, code: string][] = [
  ['Prefix and Filter',      { Prefix: '', Filter: {}, Expiration: { Days: 1 } },                        'MalformedXML'],
  ['neither of them',        { Expiration: { Days: 1 } },                                                'MalformedXML'],
  ['Days and Date',          { Prefix: '', Expiration: { Days: 1, Date: START } },                       'MalformedXML'],
  ['zero days',              { Prefix: '', Expiration: { Days: 0 } },                                    'InvalidArgument'],
  ['a date in the day',      { Prefix: '', Expiration: { Date: START + 1 } },                            'InvalidArgument'],
  ['no action',              { Prefix: '' },                                                             'InvalidRequest'],
  ['a tag',                  { Filter: { Tag: { Key: 'a', Value: 'b' } }, Expiration: { Days: 1 } },     'NotImplemented'],
  ['a transition',           { Prefix: '', Transitions: [{ Days: 1, StorageClass: 'GLACIER' }] },        'NotImplemented'],
];

for (const [title, rule, expected] of RULES) {
  test(`PutBucketLifecycleConfiguration: a rule with ${title} is ${expected}`, async () => {
    const { run } = await openBucket();
    const LifecycleConfiguration = { Rules: [{ Status: 'Enabled', ...rule }] } as never;
    await assert.rejects(run('PutBucketLifecycleConfiguration', { Bucket: 'logs', LifecycleConfiguration }), code(expected));
    await assert.rejects(run('GetBucketLifecycleConfiguration', { Bucket: 'logs' }), code('NoSuchLifecycleConfiguration'));
  });
}

test('Lifecycle: an object has its expiration, and the sweep deletes it and abandoned uploads at that midnight', async () => {
  const bucket = await openBucket();
  const { run, put, store } = bucket;
  const rule = { ID: 'old logs', Status: 'Enabled', Filter: { Prefix: 'AWSLogs/' }, Expiration: { Days: 2 } } as const;
  const uploads = { ID: 'u', Status: 'Enabled', Filter: {}, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } } as const;
  await run('PutBucketLifecycleConfiguration', { Bucket: 'logs', LifecycleConfiguration: { Rules: [rule, uploads] } });
  assert.deepEqual((await run('GetBucketLifecycleConfiguration', { Bucket: 'logs' })).Rules, [rule, uploads]);
  const { Expiration } = await put('AWSLogs/1', 'a', {}, { now: instant(START + 1) });
  // START is a midnight, and the object is a millisecond younger.
  assert.equal(Expiration, `expiry-date="${new Date(START + 3 * DAY_MS).toUTCString()}", rule-id="old%20logs"`);
  await put('other');
  await uploadParts(bucket, ['abandoned']);
  const sweep = lifecycleSweep();
  const sweepAt = async (at: number) => {
    while ((await store.transaction((tx) => sweep(workFor(tx, instant(at))))) === 'more');
    return (await run('ListObjectsV2', { Bucket: 'logs' })).Contents?.map(({ Key }) => Key);
  };
  assert.deepEqual(await sweepAt(START + 3 * DAY_MS - 2 * 3_600_000), ['AWSLogs/1', 'other']);
  assert.deepEqual((await run('ListMultipartUploads', { Bucket: 'logs' })).Uploads, []);
  assert.deepEqual(await sweepAt(START + 3 * DAY_MS), ['other']);
});

// biome-ignore format: a table
const KEYS: readonly [title: string, key: string, code: string | undefined][] = [
  ['1,024 bytes',            'é'.repeat(512),       undefined],
  ['1,025 bytes',            `${'é'.repeat(512)}a`, 'KeyTooLongError'],
  ['two dots in the middle', 'a/../b',              undefined],
  ['two dots at the start',  '../b',                'InvalidURI'],
  ['dots that climb out',    'a/../../b',           'InvalidURI'],
  ['a NUL character',        'a\0b',                'InvalidArgument'],
  ['empty segments',         '/a//b/',              undefined],
];

for (const [title, Key, expected] of KEYS) {
  test(`PutObject: a key with ${title} is ${expected ?? 'valid'}`, () => {
    const { access } = s3Operations({ storesBodies: true, publicUrl: () => 'http://h' }).PutObject;
    const required = () => access({ Bucket: 'logs', Key }, {} as never);
    if (expected !== undefined) assert.throws(required, code(expected));
    else assert.partialDeepStrictEqual(required(), { action: 's3:PutObject', resources: [`arn:aws:s3:::logs/${Key}`] });
  });
}
