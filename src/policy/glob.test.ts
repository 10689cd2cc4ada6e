// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Glob, newGlob, newMatching } from './glob.ts';
import { matchList } from './glob-list.ts';
import { globMatches, matchesText } from './glob-match.ts';
import { type Piece, readPattern } from './pattern.ts';
import { type StepBudget, StepsExceeded } from './steps.ts';

function piecesOf(pattern: string): readonly Piece[] {
  const read = readPattern(pattern, true, true);
  assert.ok('pieces' in read, pattern);
  return read.pieces;
}

// biome-ignore format: a table
const MATCHES: readonly [pattern: string, text: string, matches: boolean][] = [
  // pattern        text           matches
  ['',              '',            true ],
  ['',              'a',           false],
  ['*',             '',            true ],
  ['?',             '',            false],
  ['a*',            'a',           true ],
  ['*a',            'ba',          true ],
  ['a*b*c',         'axxbxxc',     true ],
  ['a*b*c',         'axxcxxb',     false],
  ['*ab',           'aab',         true ],
  ['*a*a*',         'a',           false],
  ['a?c*',          'abcd',        true ],
  ['**?',           'x',           true ],
  ['a${*}',         'a*',          true ],
  ['a${*}',         'ab',          false],
  ['.*+[',          '.x+[',        true ],
  ['*\u4e2d*x*',    'a\u4e2dbx',   true ],
  ['*?\ude00*x*',   '\u{1f600}x',  true ],
];

for (const [pattern, text, matches] of MATCHES) {
  test(`matchesText: '${pattern}' ${matches ? 'matches' : 'does not match'} '${text}'`, () => {
    assert.equal(matchesText(newGlob(piecesOf(pattern)), text), matches);
  });
}

test('matchesText: compares only the part of the text between the offsets', () => {
  const glob = newGlob(piecesOf('*a*b*'));
  assert.deepEqual(
    [matchesText(glob, 'xaxbx', 0, 4), matchesText(glob, 'xaxbx', 0, 3), matchesText(glob, 'xaxbx', 2, 5)],
    [true, false, false],
  );
});

/**
 * Reports whether a pattern matches a text, by the definition of patterns. After each piece of the pattern, `reached`
 * contains all positions of the text that the pattern can have reached.
 */
function matchesBySets(pieces: readonly Piece[], variables: ReadonlyMap<string, string>, text: string): boolean {
  let reached = new Set([0]);
  const consume = (unit: string | undefined): void => {
    reached = new Set([...reached].filter((at) => at < text.length && (unit === undefined || text[at] === unit)).map((at) => at + 1));
  };
  for (const piece of pieces) {
    if (piece.kind === 'many') {
      const least = Math.min(...reached);
      reached = new Set(Array.from({ length: Math.max(text.length + 1 - least, 0) }, (_, i) => least + i));
    } else if (piece.kind === 'one') {
      consume(undefined);
    } else {
      const part = piece.kind === 'text' ? piece.text : (variables.get(piece.key) as string);
      for (let i = 0; i < part.length; i++) consume(part[i]);
    }
  }
  return reached.has(text.length);
}

function dice(seed: number): (limit: number) => number {
  let state = Math.imul(seed, 0x9e3779b1) || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

const UNITS = ['a', 'a', 'a', 'b', ':', '\u00e9', '\ud83d', '\ude00', '\u4e2d'];
const SIGNS = ['a', 'a', 'a', 'b', '*', '*', '?', '${x:v}', '${x:w}', ':', '**', '\u00e9', '\u{1f600}'];
/** Lengths of generated strings. Some are at and around multiples of 32, because a word of a bitmap has 32 units. */
const LENGTHS = [0, 1, 2, 3, 5, 8, 30, 31, 32, 33, 62, 63, 64, 65, 96, 130];

function generate(seed: number) {
  const roll = dice(seed);
  const pick = (items: readonly string[]): string => items[roll(items.length)] as string;
  const lengthOf = (): number => LENGTHS[roll(roll(3) === 0 ? LENGTHS.length : 6)] as number;
  const some = (items: readonly string[], length: number): string => Array.from({ length }, () => pick(items)).join('');
  const units = roll(2) === 0 ? UNITS : UNITS.slice(0, 4);
  const signs = roll(2) === 0 ? SIGNS : SIGNS.slice(0, 7);
  const variables = new Map([
    ['x:v', some(units, roll(4))],
    ['x:w', some(units, lengthOf())],
  ]);
  const texts = Array.from({ length: 1 + roll(8) }, () => some(units, lengthOf()));
  let pattern = some(signs, lengthOf());
  // Half of the patterns are generated from a string that they match.
  if (roll(2) === 0) {
    const [text = ''] = texts;
    pattern = '';
    for (let at = 0; at < text.length; ) {
      const kind = roll(8);
      const length = kind === 0 ? roll(40) : 1;
      pattern += kind === 0 ? '*' : kind === 1 ? '?' : text[at];
      at += length;
    }
    if (roll(4) === 0) pattern += '*';
  }
  return { pieces: piecesOf(pattern), variables, texts, pattern };
}

test('globMatches: agrees with the definition of patterns, for generated patterns, texts and lists', () => {
  const matching = newMatching({ stepsLeft: Number.POSITIVE_INFINITY });
  let matched = 0;
  for (let seed = 1; seed <= 40_000; seed++) {
    const { pieces, variables, texts, pattern } = generate(seed);
    const glob = newGlob(pieces);
    const values = glob.variables.map(({ key }) => variables.get(key) as string);
    const expected = texts.map((text) => matchesBySets(pieces, variables, text));
    const found = texts.map((text) => globMatches(glob, values, matching, text, 0, text.length));
    assert.deepEqual(found, expected, `seed ${seed}: '${pattern}' with ${JSON.stringify([...variables])} and ${JSON.stringify(texts)}`);
    const padded = texts.map((text) => globMatches(glob, values, matching, `a${text}aa`, 1, text.length + 1));
    assert.deepEqual(padded, expected, `seed ${seed}: '${pattern}' within a text`);
    const marks = new Uint8Array(texts.length);
    const any = matchList(glob, values, matching, texts, marks);
    const list = `seed ${seed}: '${pattern}' with ${JSON.stringify([...variables])} and the list ${JSON.stringify(texts)}`;
    assert.deepEqual([any, [...marks]], [expected.includes(true), expected.map(Number)], list);
    matched += expected.filter(Boolean).length;
  }
  // Checks that the generator creates many matches.
  assert.ok(matched > 20_000, `${matched} matches`);
});

/** Constant of the bound in `glob-match.ts`: constant × length of the value × ceil(length of the pattern / 32). */
const STEPS_PER_UNIT_AND_WORD = 4;

// biome-ignore format: a table
const WORST: readonly [name: string, pattern: string, text: string][] = [
  ['stars between the same letter',    'a*'.repeat(3000) + 'b',             'a'.repeat(2048)      ],
  ['a long tail that nearly matches',  '*' + 'a'.repeat(1000) + 'b',        'a'.repeat(2048)      ],
  ['a long middle that nearly matches','*' + 'a'.repeat(1000) + 'b*',       'a'.repeat(2048) + 'b'],
  ['question marks after a star',      '*' + '?'.repeat(1000) + 'b*',       'a'.repeat(2047) + 'b'],
  ['question marks among letters',     '*' + 'a?'.repeat(500) + 'b*',       'a'.repeat(2047) + 'b'],
  ['two letters in turn',              '*ab'.repeat(1500) + 'c',            'ab'.repeat(1024)     ],
  ['a short middle',                   '*a?a?b*c*',                         'a'.repeat(1024) + 'cb'],
  ['a long pattern and a short text',  '*a*b*'.repeat(1000),                'ab'.repeat(10)       ],
];

for (const [name, pattern, text] of WORST) {
  test(`globMatches: the number of steps is within the bound for ${name}`, () => {
    const budget = { stepsLeft: 1e9 };
    matchesText(newGlob(piecesOf(pattern)), text, 0, text.length, budget);
    const steps = 1e9 - budget.stepsLeft;
    const bound = STEPS_PER_UNIT_AND_WORD * (text.length + 32) * Math.ceil(pattern.length / 32) + 16 * text.length;
    assert.ok(steps <= bound, `${steps} steps, at most ${bound}`);
  });
}

test('globMatches: a long value of a variable takes few additional steps', () => {
  const steps = (glob: Glob, value: string): number => {
    const matching = newMatching({ stepsLeft: 1e9 });
    const texts = glob.variables.map(() => value);
    // Compares the pattern twice, and counts only the steps of the second comparison. The second comparison finds the
    // variable's value in the cache.
    for (const text of ['a'.repeat(2000), 'a'.repeat(2000)]) {
      matching.budget = { stepsLeft: 1e9 };
      globMatches(glob, texts, matching, text, 0, text.length);
    }
    return 1e9 - matching.budget.stepsLeft;
  };
  const glob = newGlob(piecesOf('*${x:v}?*${x:v}b*'));
  assert.ok(steps(glob, 'a'.repeat(900)) <= 2 * steps(glob, 'aa') + 2000);
});

test('globMatches: a comparison that exceeds its budget throws and does not affect the next comparison', () => {
  const budget: StepBudget = { stepsLeft: 3000 };
  const long = newGlob(piecesOf(`*${'a?'.repeat(200)}b*`));
  const text = `${'a'.repeat(2000)}b`;
  assert.throws(() => matchesText(long, text, 0, text.length, budget), StepsExceeded);
  assert.equal(matchesText(newGlob(piecesOf('*b*a*')), text), false);
  assert.equal(matchesText(newGlob(piecesOf('*ab*')), text), true);
});
