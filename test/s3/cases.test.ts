/** The table of S3 cases (`test/cases/s3/`), as raw requests to a running server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { put } from '../cases/s3/case.ts';
import { LAST_ROW, S3_CASES } from '../cases/s3/table.ts';
import { otherAccount, startAccount } from '../kit/account.ts';
import { errorCodeOf, errorTextOf } from '../kit/raw.ts';
import { element, type S3Request, s3Caller } from '../kit/s3.ts';

const account = await startAccount();
const { server } = account;
const callers = {
  owner: s3Caller(server.endpoint, account.keys),
  ada: s3Caller(server.endpoint, await account.user('ada')),
  other: s3Caller(server.endpoint, (await otherAccount(server, 'other')).keys),
};
assert.equal((await callers.owner(put('/logs'))).status, 200);
assert.equal((await callers.owner(put('/logs/k', 'abcdef'))).status, 200);

let upload = '';
const withUpload = (request: S3Request): S3Request => ({ ...request, target: request.target.replace('{upload}', upload) });

for (const { row, title, source, by = 'owner', request, status, code, ...expected } of S3_CASES) {
  test(`S3 case ${row === undefined ? '' : `${row}: `}${title} (${source}): ${status}${code === undefined ? '' : ` ${code}`}`, async () => {
    const reply = await callers[by](withUpload(request));
    const text = reply.body.toString();
    if (expected.keepsUpload) upload = element(reply, 'UploadId') ?? '';
    assert.equal(reply.status, status, text);
    if (code !== undefined) assert.equal(errorCodeOf(reply), code, text);
    if (expected.message !== undefined) assert.equal(errorTextOf(reply), expected.message);
    for (const [name, value] of Object.entries(expected.elements ?? {})) assert.equal(element(reply, name), value, text);
    for (const [name, value] of Object.entries(expected.headers ?? {})) assert.equal(reply.headers[name], value, name);
    if (expected.body !== undefined) assert.equal(text, expected.body);
    if (expected.contains !== undefined) assert.ok(text.includes(expected.contains), text);
  });
}

test('S3 cases: each row has a case', () => {
  const rows = new Set(S3_CASES.map(({ row }) => row));
  const missing = Array.from({ length: LAST_ROW }, (_, i) => i + 1).filter((row) => !rows.has(row));
  assert.deepEqual(missing, []);
});
