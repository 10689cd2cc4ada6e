import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inOrder } from './capture.ts';
import { differences } from './compare.ts';
import type { Exchange } from './recorder.ts';

/** Returns the exchanges of lines `title > response > record`. The request is the title, and a record is optional. */
function exchanges(...lines: readonly string[]): readonly Exchange[] {
  return lines.map((line) => {
    const [request = '', response = '', record] = line.split(' > ');
    const [operation = '', ...input] = request.split(' ');
    return { title: operation, request: input.join(' '), response, ...(record !== undefined && { record }) };
  });
}

const version = (number: number) => `"identityVersion":${number}`;

const CREATE = 'Create a > id ‹uuid-1› > event ‹uuid-4›';
const OTHER = 'Create b > id ‹uuid-2› > event ‹uuid-5›';
const GET = 'Get ‹uuid-2› > id ‹uuid-2› name b > event ‹uuid-6›';
/** `CREATE`, `OTHER` and `GET` in a run with one new call between the first two, or before them. */
const SHIFTED = ['Create b > id ‹uuid-3› > event ‹uuid-7›', 'Get ‹uuid-3› > id ‹uuid-3› name b > event ‹uuid-8›'] as const;

// biome-ignore format: a table
const COMPARED: readonly [title: string, recording: readonly Exchange[], run: readonly Exchange[], differences: readonly RegExp[]][] = [
  ['the same exchanges are equal',                               exchanges(CREATE, OTHER, GET), exchanges(CREATE, OTHER, GET), []],
  ['exchanges with other numbers are equal',                     exchanges(CREATE, OTHER, GET), exchanges('Create a > id ‹uuid-9› > event ‹uuid-4›', ...SHIFTED), []],
  ['a new call is the only difference',                          exchanges(CREATE, OTHER, GET), exchanges(CREATE, 'New > id ‹uuid-2› > event ‹uuid-6›', ...SHIFTED), [/^1 New: not in the recording/]],
  ['a repeated call is the only difference',                     exchanges('List > 0', 'Create a > 1', 'List > 1'), exchanges('List > 0', 'List > 0', 'Create a > 1', 'List > 1'), [/^1 List: not in the recording/]],
  ['a removed call is the only difference',                      exchanges(CREATE, 'Old > id ‹uuid-2› > event ‹uuid-6›', ...SHIFTED), exchanges(CREATE, OTHER, GET), [/^Old: only in the recording/]],
  ['a changed response is the only difference',                  exchanges(CREATE, OTHER, GET), exchanges(CREATE, OTHER, GET.replace('name b', 'name c')), [/^2 Get: response\n- id ‹uuid-2› name b\n\+ id ‹uuid-2› name c$/]],
  ['a changed record is the only difference',                    exchanges(CREATE, OTHER, GET), exchanges(CREATE, OTHER.replace('event', 'error'), GET), [/^1 Create: record\n- event ‹uuid-5›\n\+ error ‹uuid-5›$/]],
  ['a missing record is a difference',                           exchanges(CREATE, GET), exchanges(CREATE, 'Get ‹uuid-2› > id ‹uuid-2› name b'), [/^1 Get: record\n- event ‹uuid-6›\n\+ undefined$/]],
  ['an additional record is a difference',                       exchanges('Get a > b'), exchanges('Get a > b > event ‹uuid-1›'), [/^0 Get: record\n- undefined\n\+ event ‹new uuid-1›$/]],
  ['an ID instead of a value is a difference',                   exchanges('Get a > b'), exchanges('Get a > ‹uuid-1›'), [/^0 Get: response/]],
  ['the ID of another resource is a difference',                 exchanges(CREATE, OTHER, GET), exchanges(CREATE, OTHER, GET.replace('id ‹uuid-2›', 'id ‹uuid-1›')), [/^2 Get: response\n- id ‹uuid-2› name b\n\+ id ‹uuid-1› name b$/]],
  ['a request for another resource is a difference',             exchanges(CREATE, OTHER, GET), exchanges(CREATE, OTHER, GET.replace('‹uuid-2›', '‹uuid-1›')), [/^2 Get: request\n- ‹uuid-2›\n\+ ‹uuid-1›$/]],
  ['a new ID instead of a known one is a difference',            exchanges(CREATE, OTHER, GET), exchanges(CREATE, OTHER, GET.replace('id ‹uuid-2›', 'id ‹uuid-7›')), [/^2 Get: response\n- .*\n\+ id ‹new uuid-7› name b$/]],
  ['a known ID instead of a new one is a difference',            exchanges(CREATE, OTHER), exchanges(CREATE, 'Create b > id ‹uuid-1› > event ‹uuid-5›'), [/^1 Create: response\n- id ‹uuid-2›\n\+ id ‹uuid-1›$/]],
  ['an ID of another kind is a difference',                      exchanges('Get a > ‹uuid-1›'), exchanges('Get a > ‹hash-1›'), [/^0 Get: response/]],
  ['swapped responses of equal calls are a difference',          exchanges('List > 0', 'List > 1'), exchanges('List > 1', 'List > 0'), [/^1 List: at another place in the recording/]],
  ['after a new call, identity versions are equal',              exchanges(`A > 1 > ${version(4)}`, `B > 1 > ${version(4)}`, `C > 1 > ${version(4)}`), exchanges(`A > 1 > ${version(4)}`, `New > 1 > ${version(4)}`, `B > 1 > ${version(6)}`, `C > 1 > ${version(6)}`), [/^1 New: not/]],
  ['a call that no longer changes the identity is a difference', exchanges(`A > 1 > ${version(4)}`, `B > 1 > ${version(5)}`, `C > 1 > ${version(5)}`), exchanges(`A > 1 > ${version(4)}`, `B > 1 > ${version(4)}`, `C > 1 > ${version(4)}`), [/^0 A: record\n- "identityVersion":\+1\n\+ "identityVersion":\+0$/]],
  ['a call that also changes the identity is a difference',      exchanges(`A > 1 > ${version(4)}`, `B > 1 > ${version(4)}`), exchanges(`A > 1 > ${version(4)}`, `B > 1 > ${version(5)}`), [/^0 A: record/]],
];

for (const [title, recording, run, expected] of COMPARED) {
  test(`differences: ${title}`, () => {
    const found = differences(recording, run);
    assert.equal(found.length, expected.length, found.join('\n'));
    for (const [at, pattern] of expected.entries()) assert.match(found[at] as string, pattern);
  });
}

test('inOrder: the numbers of placeholders do not change the order of a list', () => {
  const list = (...ids: readonly number[]) => `200\n\n${JSON.stringify({ Items: ids.map((id) => ({ Id: `‹uuid-${id}›` })) })}`;
  assert.equal(inOrder(list(12, 9)), list(9, 12));
  assert.equal(inOrder(list(112, 109)), list(109, 112));
});
