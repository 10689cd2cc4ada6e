/**
 * Checks that each numbered requirement of the security model has a test or is listed here as out of scope, with the
 * reason.
 *
 * The requirements are in chapters 2 to 9, chapter 15, and the part of chapter 11 about evidence from IAM. A
 * requirement has a test if its number is in a string of a test file, or in the `source` member of a case in
 * `test/cases/`. Numbers in comments do not count.
 */

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

/** Prefix and numbers of the requirements of each chapter. */
// biome-ignore format: a table
const REQUIREMENTS: readonly [chapter: string, prefix: string, numbers: readonly number[]][] = [
  ['2.1 principals',                'IAM',   upTo(8)],
  ['2.2 request authentication',    'AUTHN', upTo(6)],
  ['2.5 error catalogue of IAM',    'ERR',   upTo(6)],
  ['2.6 STS',                       'STS',   upTo(13)],
  ['2.7 federated sign-in',         'FED',   upTo(3)],
  ['3.1 evaluation',                'EVAL',  upTo(12)],
  ['3.2 matching of statements',    'MATCH', upTo(5)],
  ['3.3 condition operators',       'COND',  upTo(6)],
  ['3.4 condition keys',            'CTX',   upTo(3)],
  ['3.5 actions of Chime',          'CHM',   upTo(8)],
  ['4 resource-based policies',     'RBP',   upTo(6)],
  ['5 tags',                        'TAG',   upTo(6)],
  ['6 roles',                       'ROLE',  [1, 2, 3, 4, 5, 10, 13, 14, 15, 16]],
  ['7 policies',                    'EX',    upTo(7)],
  ['8 troubleshooting',             'TS',    upTo(9)],
  ['9 service-linked roles',        'SLR',   upTo(18)],
  ['11 compliance',                 'COMP',  [1, 2, 4]],
  ['15 confused deputy',            'CD',    upTo(3)],
];

/** Requirements that are out of scope, with the reason. Remove an entry when you add its test. */
// biome-ignore format: a table
const OUT_OF_SCOPE: ReadonlyMap<string, string> = new Map([
  // Chapter 15 is optional. It is from 2022 and not in the guide of 2021 (security.md §0.2).
  ['CD-2',  'No meeting notifications are sent to queues or topics.'],
]);

function upTo(last: number): readonly number[] {
  return Array.from({ length: last }, (_, i) => i + 1);
}

const ALL: readonly string[] = REQUIREMENTS.flatMap(([, prefix, numbers]) => numbers.map((number) => `${prefix}-${number}`));

/**
 * Returns all requirement numbers in strings of test files and in the `source` members of the cases in `test/cases/`.
 */
function tested(): ReadonlySet<string> {
  const found = new Set<string>();
  const files = [...globSync('src/**/*.test.ts'), ...globSync('test/**/*.test.ts'), ...globSync('src/**/*conformance*.ts')];
  for (const file of files) {
    if (file.endsWith('coverage.test.ts')) continue;
    const texts = readFileSync(file, 'utf8')
      .replace(/\/\*[\s\S]*?\*\//g, '')
      .replace(/^\s*\/\/.*$/gm, '');
    for (const [id] of texts.matchAll(/\b[A-Z]{2,5}-[0-9]{1,2}\b/g)) found.add(id);
  }
  for (const file of globSync('test/cases/**/*.json')) {
    const { source = '' } = JSON.parse(readFileSync(file, 'utf8')) as { readonly source?: string };
    for (const [id] of source.matchAll(/\b[A-Z]{2,5}-[0-9]{1,2}\b/g)) found.add(id);
  }
  return found;
}

test('Requirements: each requirement has a test with its number, or is listed as out of scope', () => {
  const ids = tested();
  assert.deepEqual(
    ALL.filter((id) => !ids.has(id) && !OUT_OF_SCOPE.has(id)),
    [],
  );
});

test('Requirements: each requirement that is out of scope exists and has no test', () => {
  const ids = tested();
  assert.deepEqual(
    [...OUT_OF_SCOPE.keys()].filter((id) => ids.has(id) || !ALL.includes(id)),
    [],
  );
});
