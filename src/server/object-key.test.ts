import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readObjectKey } from './object-key.ts';

const folder = mkdtempSync(join(tmpdir(), 'belfry-key-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'key');
const SECRET = 'a+b/c=d==';
const ID_LINE = 'aws_access_key_id = AKIAEXAMPLE\n';
const SECRET_LINE = `aws_secret_access_key=${SECRET}\n`;

function write(text: string, mode = 0o600): void {
  writeFileSync(file, text);
  chmodSync(file, mode);
}

test('readObjectKey: reads the lines of a credentials file', () => {
  for (const text of [ID_LINE + SECRET_LINE, `[default]\r\n${SECRET_LINE}region = x\n  ${ID_LINE}`]) {
    write(text);
    assert.deepEqual(readObjectKey(file), { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: SECRET });
  }
});

// biome-ignore format: a table
const REFUSED: readonly [what: string, text: string, mode: number, message: RegExp][] = [
  ['a file that others can read',  ID_LINE + SECRET_LINE,               0o644, /accessible by other users; run chmod 600/],
  ['a file without a secret',      ID_LINE,                             0o600, /one line 'aws_secret_access_key = …'/],
  ['a file with two secrets',      ID_LINE + SECRET_LINE + SECRET_LINE, 0o600, /one line 'aws_secret_access_key = …'/],
  ['an empty ID',                  `aws_access_key_id =\n${SECRET_LINE}`, 0o600, /one line 'aws_access_key_id = …'/],
];
for (const [what, text, mode, message] of REFUSED) {
  test(`readObjectKey: ${what} is an error that does not contain the secret`, () => {
    write(text, mode);
    assert.throws(
      () => readObjectKey(file),
      (error: Error) => message.test(error.message) && !error.message.includes(SECRET),
    );
  });
}
