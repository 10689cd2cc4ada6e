import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { accountIdOf, parseArn } from './arn.ts';

// biome-ignore format: a table
const ACCOUNTS: readonly (readonly [text: string, accountId: string | undefined])[] = [
  ['arn:aws:iam::111122223333:user/ada',      '111122223333'],
  ['arn:aws:iam::aws:policy/ReadOnlyAccess',  'aws'         ],
  ['arn:aws:s3:::bucket',                     ''            ],
  ['arn:aws:iam::111122223333:',              undefined     ],
  ['arn::iam::111122223333:user/ada',         undefined     ],
  ['arn:aws:::111122223333:user/ada',         undefined     ],
  ['arn:aws:iam::111122223333',               undefined     ],
  ['iam:aws:iam::111122223333:user/ada',      undefined     ],
  ['*',                                       undefined     ],
];
for (const [text, accountId] of ACCOUNTS) {
  test(`accountIdOf: the account of '${text}' is ${accountId === undefined ? 'undefined' : `'${accountId}'`}`, () => {
    assert.equal(accountIdOf(text), accountId);
  });
}

test('accountIdOf: the result equals the account ID that parseArn returns', () => {
  const texts = fc.array(fc.constantFrom('arn', ':', ':', 'aws', 'iam', '1', '/', '*', ''), { maxLength: 12 });
  fc.assert(
    fc.property(texts, (parts) => {
      const text = parts.join('');
      assert.equal(accountIdOf(text), parseArn(text)?.accountId);
      assert.equal(accountIdOf(`arn:${text}`), parseArn(`arn:${text}`)?.accountId);
    }),
    { numRuns: 5000 },
  );
});
