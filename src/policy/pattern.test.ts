// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPattern } from './pattern.ts';

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
  test(`readPattern: reports a problem for an invalid variable: ${name}`, () => {
    assert.ok('problem' in readPattern(text, true, true));
  });
}

test('readPattern: the default of a variable can contain a brace and is not parsed again', () => {
  assert.deepEqual(readPattern("x${aws:UserName, 'a}*${b'}y", true, true), {
    pieces: [
      { kind: 'text', text: 'x' },
      { kind: 'variable', key: 'aws:username', fallback: 'a}*${b' },
      { kind: 'text', text: 'y' },
    ],
  });
});
