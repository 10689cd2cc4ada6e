import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { POLICY_TEXT_MAX, type ReadProblem, readPolicy } from './read.ts';

// biome-ignore format: a table
const PROBLEMS: readonly [name: string, text: string, kinds: readonly ReadProblem['kind'][], line: number, column: number][] = [
  // problem                                     text                                                          problems                 line column
  ['an empty string',                            '',                                                           ['syntax'],              1, 0 ],
  ['text after the policy',                      '{"Statement":[]} x',                                         ['syntax'],              1, 17],
  ['a comma before the end',                     '{"Statement":[],}',                                          ['syntax'],              1, 16],
  ['a single quote',                             "{'Statement':[]}",                                           ['syntax'],              1, 1 ],
  ['an unclosed string',                         '{"Statement',                                                ['syntax'],              1, 1 ],
  ['a line break inside a string',               '{"Statement\n":[]}',                                         ['syntax'],              1, 11],
  ['a number with a leading zero',               '{"Statement":[],"Id":01}',                                   ['syntax'],              1, 22],
  ['an error in the second line',                '{\r\n "Statement":[] ]',                                     ['syntax'],              2, 16],
  ['a list in place of the policy',              '[]',                                                         ['wrong-type'],          1, 0 ],
  ['a repeated name',                            '{"Statement":[],"Statement":[]}',                            ['repeated-name'],       1, 16],
  ['a repeated name, once escaped',              '{"Statement":[],"\\u0053tatement":[]}',                      ['repeated-name'],       1, 16],
  ['no statement',                               '{}',                                                         ['missing-statement'],   1, 0 ],
  ['an unknown element',                         '{"Statement":[{"Efect":"Deny"}]}',                           ['unknown-element'],     1, 15],
  ['an element in another case',                 '{"Statement":[{"effect":"Deny"}]}',                          ['unknown-element'],     1, 15],
  ['a number as an action',                      '{"Statement":{"Action":5}}',                                 ['wrong-type'],          1, 23],
  ['null as a condition value',                  '{"Statement":{"Condition":{"Bool":{"a:b":null}}}}',          ['wrong-type'],          1, 41],
  ['a list as a condition',                      '{"Statement":{"Condition":[]}}',                             ['wrong-type'],          1, 26],
  ['a character above U+00FF',                   '{"Statement":[],"Id":"\u4e2d"}',                             ['character'],           1, 22],
  ['a byte order mark',                          '\ufeff{"Statement":[]}',                                     ['character', 'syntax'], 1, 0 ],
  ['brackets without end',                       '['.repeat(100_000),                                          ['depth'],               1, 24],
  ['a string that is too long',                  ' '.repeat(POLICY_TEXT_MAX + 1),                              ['size'],                1, 0 ],
];

for (const [name, text, kinds, line, column] of PROBLEMS) {
  test(`readPolicy: ${name} is reported as a problem, with a position`, () => {
    const { problems } = readPolicy(text);
    assert.deepEqual([problems.map(({ kind }) => kind), problems[0]?.start.line, problems[0]?.start.column], [kinds, line, column]);
  });
}

test('readPolicy: numbers and booleans in a condition are converted to strings', () => {
  const { document, problems } = readPolicy('{"Statement":{"Condition":{"Bool":{"a:b":[true,1.50,"x"]}}}}');
  assert.deepEqual(problems, []);
  const values = document?.statements[0]?.condition?.blocks[0]?.tests[0]?.values.map(({ value }) => value);
  assert.deepEqual(values, ['true', '1.50', 'x']);
});

test('readPolicy: every node has its position', () => {
  const text = '{"Statement":[{"Effect":"Allow","Action":["a:b"]}]}';
  const statement = readPolicy(text).document?.statements[0];
  assert.equal(text.slice(statement?.node.start, statement?.node.end), '{"Effect":"Allow","Action":["a:b"]}');
  assert.equal(text.slice(statement?.action?.values[0]?.node.start, statement?.action?.values[0]?.node.end), '"a:b"');
});

test('readPolicy: accepts the same JSON as JSON.parse', () => {
  const texts = fc.oneof(
    fc.json({ maxDepth: 4 }),
    fc.string({
      unit: fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\\', 'u', '0', '1', '-', '.', 'e', ' ', 'true', 'null', '"a"'),
      maxLength: 24,
    }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      let parses = true;
      try {
        JSON.parse(text);
      } catch {
        parses = false;
      }
      assert.equal(!readPolicy(text).problems.some(({ kind }) => kind === 'syntax'), parses);
    }),
    { numRuns: 5000 },
  );
});

test('readPolicy: returns a document, or problems with positions inside the text, for any text', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1')),
      ),
      (text) => {
        const { document, problems } = readPolicy(text);
        assert.ok(document !== undefined || problems.length > 0);
        for (const { start, end } of problems) assert.ok(start.offset >= 0 && start.offset <= end.offset && end.offset <= text.length);
      },
    ),
    { numRuns: 5000 },
  );
});
