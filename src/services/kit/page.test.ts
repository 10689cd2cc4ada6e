import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AwsError } from '#core/aws-error.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { concat, fromList, type Keyed, paging } from './page.ts';

interface Request {
  readonly size?: number;
  readonly token?: string;
}
const { pageOf, pageOfStored } = paging<Request, { readonly token: string | undefined }>({
  defaultSize: 2,
  sizeOf: ({ size }) => size,
  tokenOf: ({ token }) => token,
  rest: (token) => ({ token }),
  invalidToken: () => new AwsError('ValidationError', 'invalid'),
});

/** A meter that always reports zero work, so that no page ends early because of its work. */
const idle = { work: () => 0 };

const LETTERS: readonly Keyed<string>[] = [...'dbace'].map((letter) => ({ key: letter, record: letter.toUpperCase() }));

/** Reads all pages by following the tokens. Returns the records of each page as one string. */
async function pages(read: (request: Request) => Promise<{ records: readonly string[]; rest: { token: string | undefined } }>) {
  const all: string[] = [];
  for (let token: string | undefined, first = true; first || token !== undefined; first = false) {
    const page = await read(token === undefined ? {} : { token });
    all.push(page.records.join(''));
    token = page.rest.token;
  }
  return all;
}

test('pageOf: pages are in the order of keys, and the last page has no token', async () => {
  assert.deepEqual(await pages(async (request) => pageOf(request, LETTERS)), ['AB', 'CD', 'E']);
});

test('pageOfStored: reads until the page is full of accepted items', async () => {
  const keep = (letter: string): boolean => letter !== 'A' && letter !== 'C';
  assert.deepEqual(await pages((request) => pageOfStored(idle, request, fromList(LETTERS), keep)), ['BD', 'E']);
});

test('concat: a page can contain the last items of one list and the first items of the next list', async () => {
  const read = concat([
    { name: 'a/', read: fromList(LETTERS.slice(0, 3)) },
    { name: 'b/', read: fromList(LETTERS.slice(3)) },
  ]);
  assert.deepEqual(await pages((request) => pageOfStored(idle, request, read)), ['AB', 'DC', 'E']);
});

test('pageOf: a token is still valid after the last item of the previous page was deleted', () => {
  const { token } = pageOf({}, LETTERS).rest;
  const page = pageOf(
    omitUndefined({ size: 1, token }),
    LETTERS.filter(({ key }) => key !== 'b'),
  );
  assert.deepEqual(page.records, ['C']);
});

for (const token of ['', 'k1.', 'k2.YQ', 'k1.Y', 'k1.YQ==', 'a']) {
  test(`pageOf: token '${token}' is invalid`, () => {
    assert.throws(() => pageOf({ token }, LETTERS), { code: 'ValidationError' });
  });
}
