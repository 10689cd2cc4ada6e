// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codesMatch, readPattern, toCodes } from './pattern.ts';

function codesOf(pattern: string): Int32Array {
  const read = readPattern(pattern, true, true);
  assert.ok('pieces' in read);
  return toCodes(read.pieces);
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
];

for (const [pattern, text, matches] of MATCHES) {
  test(`codesMatch: '${pattern}' ${matches ? 'matches' : 'does not match'} '${text}'`, () => {
    const codes = codesOf(pattern);
    assert.equal(codesMatch(codes, 0, codes.length, text, 0, text.length), matches);
  });
}

// biome-ignore format: a table
const WORST: readonly [name: string, pattern: string, text: string][] = [
  ['stars between the same letter',    'a*'.repeat(3000) + 'b',       'a'.repeat(2048)      ],
  ['a long tail that nearly matches',  '*' + 'a'.repeat(1000) + 'b',  'a'.repeat(2048)      ],
  ['question marks after a star',      '*' + '?'.repeat(1000) + 'b',  'a'.repeat(2048)      ],
  ['two letters in turn',              '*ab'.repeat(1500) + 'c',      'ab'.repeat(1024)     ],
];

for (const [name, pattern, text] of WORST) {
  test(`codesMatch: ${name} takes at most pattern times text steps`, () => {
    let looks = 0;
    const charCodeAt = (at: number): number => {
      looks++;
      return text.charCodeAt(at);
    };
    const counted = { charCodeAt } as unknown as string;
    const codes = codesOf(pattern);
    assert.equal(codesMatch(codes, 0, codes.length, counted, 0, text.length), false);
    assert.ok(looks <= codes.length * text.length, `${looks} looks`);
  });
}

test('codesMatch: a comparison that would take too long is given up, and decides nothing', () => {
  const codes = codesOf('*' + 'a'.repeat(60_000) + 'b*');
  const text = 'a'.repeat(120_000);
  assert.throws(() => codesMatch(codes, 0, codes.length, text, 0, text.length));
});

// biome-ignore format: a table
const REFUSED: readonly [name: string, text: string][] = [
  ['one that is not closed',          'a${aws:username'        ],
  ['an empty one',                    '${}'                    ],
  ['one with blanks',                 '${ aws:username }'      ],
  ['one without a service',           '${username}'            ],
  ['one inside another',              '${aws:${aws:username}}' ],
  ['a default without quotes',        '${aws:username, bob}'   ],
  ['a default with one quote',        "${aws:username, 'bob}"  ],
  ['a default with three quotes',     "${aws:username, 'a'b'}" ],
];

for (const [name, text] of REFUSED) {
  test(`readPattern: a variable is refused: ${name}`, () => {
    assert.ok('problem' in readPattern(text, true, true));
  });
}

test('readPattern: a default may hold a brace, and is never read again', () => {
  assert.deepEqual(readPattern("x${aws:UserName, 'a}*${b'}y", true, true), {
    pieces: [
      { kind: 'text', text: 'x' },
      { kind: 'variable', key: 'aws:username', fallback: 'a}*${b' },
      { kind: 'text', text: 'y' },
    ],
  });
});
