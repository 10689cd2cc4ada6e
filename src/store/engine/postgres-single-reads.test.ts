import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isPlainRead, singleReads } from './postgres-single-reads.ts';

// biome-ignore format: a table
const TEXTS: readonly (readonly [text: string, isPlain: boolean])[] = [
  ['SELECT * FROM resource WHERE kind = $1 AND id = $2',                            true],
  ['\n  SELECT COUNT(*) AS count FROM (\n SELECT 1 FROM resource LIMIT $1) AS c',   true],
  ["SELECT value FROM counter WHERE name = 'identity'",                             true],
  ["SELECT value FROM meta WHERE name = 'FOR UPDATE; it''s -- a (string)'",         true],
  ['SELECT a FROM t WHERE (a, b) > ($1, $2) AND c IN ($3, $4) ORDER BY a LIMIT $5', true],
  ['INSERT INTO meta (name) VALUES ($1)',                                           false],
  ['UPDATE counter SET value = value + 1 RETURNING value',                          false],
  ['DELETE FROM meta',                                                              false],
  ['SELECT * FROM meta FOR UPDATE',                                                 false],
  ['SELECT * FROM meta for  share',                                                 false],
  ['SELECT * INTO copy FROM meta',                                                  false],
  ['WITH gone AS (DELETE FROM meta RETURNING name) SELECT * FROM gone',             false],
  ["SELECT nextval ('numbers')",                                                    false],
  ["SELECT pg_catalog.setval('numbers', 1)",                                        false],
  ['SELECT pg_terminate_backend(pg_backend_pid())',                                 false],
  ['SELECT "nextval"($1)',                                                          false],
  ['SELECT nextval/**/($1)',                                                        false],
  ['SELECT 1; DELETE FROM meta',                                                    false],
  ['SELECT 1 -- \n; DELETE FROM meta',                                              false],
  ["SELECT E'\\'; DELETE FROM meta; SELECT ''",                                     false],
  ["SELECT $a$'$a$; DELETE FROM meta; SELECT $a$'$a$",                              false],
  ["SELECT $$'$$; DELETE FROM meta; SELECT $$'$$",                                  false],
  ['SELECTED',                                                                      false],
  ['LOCK TABLE counter',                                                            false],
];

describe('Single reads: the SQL shows a plain read, and the transaction name predicts a single read', () => {
  for (const [text, isPlain] of TEXTS) {
    test(`Single reads: ${JSON.stringify(text)} is ${isPlain ? 'a plain read' : 'not proven to be a plain read'}`, () => {
      assert.equal(isPlainRead(text), isPlain);
    });
  }

  test('Single reads: a new name needs 1 run with a single read, and 16 after a run without a single read', () => {
    const reads = singleReads();
    assert.equal(reads.expects('GetMeeting'), false);
    reads.learn('GetMeeting', true);
    assert.equal(reads.expects('GetMeeting'), true);
    reads.learn('GetMeeting', false);
    for (let run = 0; run < 16; run++) {
      assert.equal(reads.expects('GetMeeting'), false);
      reads.learn('GetMeeting', true);
    }
    assert.equal(reads.expects('GetMeeting'), true);
  });

  test('Single reads: at most 1,000 names are remembered', () => {
    const reads = singleReads();
    for (let n = 0; n <= 1_000; n++) reads.learn(`name ${n}`, true);
    assert.equal(reads.expects('name 0'), false);
    assert.equal(reads.expects('name 1'), true);
  });
});
