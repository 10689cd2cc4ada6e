import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inRange, newAddress, readAddress, toBytes, toMoment, toNumber, toRange } from './values.ts';

const DAY_1 = Date.UTC(2024, 0, 1);

// biome-ignore format: a table
const MOMENTS: readonly [text: string, moment: number][] = [
  ['2024',                           DAY_1        ],
  ['2024-01',                        DAY_1        ],
  ['2024-01-01',                     DAY_1        ],
  ['2024-01-01T00:00Z',              DAY_1        ],
  ['2024-01-01T00:00:00Z',           DAY_1        ],
  ['2024-01-01T00:00:00.250Z',       DAY_1 + 250  ],
  ['2024-01-01T05:30:00+05:30',      DAY_1        ],
  ['2023-12-31T19:00:00-05:00',      DAY_1        ],
  ['1704067200',                     DAY_1        ],
  ['2024-02-29',                     Date.UTC(2024, 1, 29)],
  ['0001-01-01',                     -62_135_596_800_000],
  ['2023-02-29',                     Number.NaN   ],
  ['2024-13-01',                     Number.NaN   ],
  ['2024-01-01T00:00:00',            Number.NaN   ],
  ['2024-01-01T24:00:00Z',           Number.NaN   ],
  ['2024-01-01T00:00:60Z',           Number.NaN   ],
  ['2024-01-01 00:00:00Z',           Number.NaN   ],
  ['2024-1-1',                       Number.NaN   ],
  ['1 January 2024',                 Number.NaN   ],
  ['',                               Number.NaN   ],
];

for (const [text, moment] of MOMENTS) {
  test(`toMoment: '${text}' is ${Number.isNaN(moment) ? 'invalid' : moment}`, () => {
    assert.equal(toMoment(text), moment);
  });
}

test('toMoment: parses the result of Date.toISOString', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }), (date) => {
      assert.equal(toMoment(date.toISOString()), date.getTime());
    }),
  );
});

// biome-ignore format: a table
const NUMBERS: readonly [text: string, value: number][] = [
  ['5', 5], ['-5.50', -5.5], ['+5', 5], ['007', 7], ['', Number.NaN], ['5.', Number.NaN], ['.5', Number.NaN], ['1e3', Number.NaN], ['0x10', Number.NaN],
  [' 5', Number.NaN], ['Infinity', Number.NaN], ['9'.repeat(65), Number.NaN],
];

for (const [text, value] of NUMBERS) {
  test(`toNumber: '${text.slice(0, 12)}' is ${value}`, () => {
    assert.equal(toNumber(text), value);
  });
}

// biome-ignore format: a table
const RANGES: readonly [range: string, address: string, inside: boolean][] = [
  // range                address                          inside
  ['10.0.0.0/8',          '10.255.0.1',                    true ],
  ['10.0.0.0/8',          '11.0.0.1',                      false],
  ['0.0.0.0/0',           '255.255.255.255',               true ],
  ['10.1.2.3/32',         '10.1.2.3',                      true ],
  ['10.1.2.3/31',         '10.1.2.2',                      true ],
  ['2001:db8::/32',       '2001:db8:ffff::1',              true ],
  ['2001:db8::/33',       '2001:db8:8000::1',              false],
  ['::/0',                '::1',                           true ],
  ['::ffff:10.0.0.0/104', '::ffff:10.9.9.9',               true ],
  ['10.0.0.0/8',          '::ffff:10.9.9.9',               false],
  ['0.0.0.0/0',           '::',                            false],
];

for (const [range, address, inside] of RANGES) {
  test(`inRange: ${address} is ${inside ? '' : 'not '}in ${range}`, () => {
    const into = newAddress();
    const read = toRange(range);
    assert.ok(read !== undefined && readAddress(address, into));
    assert.equal(inRange(into, read), inside);
  });
}

const NO_ADDRESSES = [
  '',
  '1.2.3',
  '1.2.3.4.5',
  '1.2.3.256',
  '01.2.3.4',
  '1.2.3.4 ',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1::2::3',
  ':1:2:3:4:5:6:7',
  '12345::',
  'g::',
  '1.2.3.4::',
  ':::',
  '::1.2.3',
];

test('readAddress: an invalid address is rejected', () => {
  for (const text of NO_ADDRESSES) assert.equal(readAddress(text, newAddress()), false, text);
});

test('toRange: returns undefined for a prefix length that is invalid or too large for the address family', () => {
  for (const text of ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/8/8', '::/129', '10.0.0.0/-1', 'x/8'])
    assert.equal(toRange(text), undefined, text);
});

test('toBytes: ignores unused bits at the end of Base64, and returns undefined for invalid Base64', () => {
  assert.equal(toBytes('aGVsbG9='), toBytes('aGVsbG8='));
  assert.deepEqual(['aGVsbG8', 'a===', '*', 'aGVs bG8='].map(toBytes), [undefined, undefined, undefined, undefined]);
});
