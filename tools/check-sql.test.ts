import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsIn, literalsOf } from './check-sql.ts';

// biome-ignore format: a table
const CASES: readonly (readonly [literal: string, found: RegExp | undefined])[] = [
  ['SELECT a FROM t WHERE a = $1 ORDER BY a LIMIT $2',                   undefined],
  ['INSERT INTO t (a) VALUES ($1) ON CONFLICT DO NOTHING RETURNING a',   undefined],
  ['WITH x AS (SELECT 1 FROM t) SELECT * FROM x',                        undefined],
  ["UPDATE counter SET value = value + 1 WHERE name = 'identity'",       undefined],
  ["SELECT a FROM t WHERE a LIKE $1 ESCAPE '!'",                         undefined],
  ['CREATE TABLE t (a {int} NOT NULL PRIMARY KEY) {clustered}',          undefined],
  ['Select a meeting from the list',                                     undefined],
  ['SELECT a FROM t WHERE a = ANY($1)',                                  /ANY/],
  ['SELECT a FROM t WHERE a = $1 FOR UPDATE',                            /FOR UPDATE/],
  ["SELECT document ->> 'a' FROM t",                                     /JSON/],
  ['SELECT a::text FROM t',                                              /casts/],
  ['SELECT a FROM t WHERE deleted = FALSE',                              /booleans/],
  ['SELECT a FROM t WHERE at < NOW()',                                   /clocks/],
  ['CREATE TABLE t (a BIGSERIAL)',                                       /engine-generated numbers/],
  ['CREATE TABLE t (a INTEGER)',                                         /tokens/],
  ['SELECT rowid FROM t',                                                /one engine/],
  ['SELECT a FROM t WHERE a ILIKE $1',                                   /patterns/],
  ['SELECT IFNULL(a, 1) FROM t',                                         /functions of one engine/],
  ['INSERT OR IGNORE INTO t (a) VALUES ($1)',                            /ON CONFLICT/],
  ['WITH x AS (DELETE FROM t RETURNING a) SELECT * FROM x',              /changes data/],
  ['SELECT a FROM t WHERE a = ?',                                        /as \$1/],
  ["SELECT a FROM t WHERE a = '$1'",                                     /inside a string/],
  ['SELECT a FROM t WHERE a LIKE $1',                                    /ESCAPE/],
  ['SELECT a FROM t WHERE a = $1 AND b = $3',                            /up to \$3/],
];

for (const [literal, found] of CASES) {
  test(`check-sql: ${literal} is ${found === undefined ? 'accepted' : 'rejected'}`, () => {
    const findings = findingsIn(literal);
    if (found === undefined) assert.deepEqual(findings, []);
    else assert.match(findings.join('\n'), found);
  });
}

test('check-sql: finds literals next to comments, in interpolations and after regular expressions', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the string is source code
  const source = "// it's\nconst a = 'one'; /* `no` */ const b = `x ${f('two', `three ${4}`)} y`;\nconst c = /['`]/.test(\"f\\\"our\");";
  assert.deepEqual(literalsOf(source), ['one', 'two', 'three …', 'x … y', 'f\\"our']);
});
