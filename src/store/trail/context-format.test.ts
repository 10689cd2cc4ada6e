import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Instant, instant } from '#core/instant.ts';
import { NOON } from '../conformance-fixtures.ts';
import { exampleContext } from './context-examples.ts';
import { decodeContexts } from './context-reader.ts';
import { CONTEXT_BYTES_MAX, encodeContexts, withFittingParts } from './context-writer.ts';
import type { DecidingStatement, DecisionContext, PermissionContext, StoredContext } from './decision-context.ts';

/** Strings with all code units: control characters, NUL, quotes and unpaired surrogates. */
const text = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)), maxLength: 12 });
const statement: fc.Arbitrary<DecidingStatement> = fc.record(
  { policyType: text, policyId: text, statement: fc.nat(), sid: text, policyArn: text },
  { requiredKeys: ['policyType', 'policyId', 'statement'], noNullPrototype: true },
);
const optionalText = fc.option(text, { nil: undefined });
const tags = fc.dictionary(text, text, { maxKeys: 3, noNullPrototype: true });
const permission: fc.Arbitrary<PermissionContext> = fc.record(
  {
    action: text,
    resources: fc.array(text, { maxLength: 4 }),
    added: fc.option(
      fc.array(fc.tuple(text, fc.oneof(text, fc.array(text, { maxLength: 3 }))), { maxLength: 4 }).map((entries) => new Map(entries)),
      { nil: undefined },
    ),
    tags: fc.oneof(fc.constantFrom('none' as const, 'not read' as const), fc.array(fc.option(tags, { nil: undefined }), { maxLength: 3 })),
    trustPolicyOf: optionalText,
    resourceOwner: optionalText,
    resourcePolicy: optionalText,
    always: fc.boolean(),
    undecided: fc.boolean(),
    allowedBy: fc.option(statement, { nil: undefined }),
  },
  { noNullPrototype: true },
);
const outcome = fc.oneof(
  fc.constant({ effect: 'Allow' as const }),
  fc.constant({ effect: 'Deny' as const, kind: 'session-kind' as const }),
  text.map((resource) => ({ effect: 'Deny' as const, kind: 'limit' as const, resource })),
  fc.tuple(text, text).map(([missing, resource]) => ({ effect: 'Deny' as const, kind: 'implicit' as const, missing, resource })),
  fc.tuple(statement, text).map(([by, resource]) => ({ effect: 'Deny' as const, kind: 'explicit' as const, by, resource })),
);
const context: fc.Arbitrary<DecisionContext> = fc.record(
  {
    identityVersion: fc.maxSafeNat(),
    identityChanged: fc.boolean(),
    now: fc.nat().map(instant),
    profile: fc.constantFrom('classic' as const, 'sdk' as const),
    caller: fc.oneof(
      text.map((principal) => ({ principal })),
      text.map((session) => ({ session })),
    ),
    region: text,
    sourceIp: text,
    secureTransport: fc.boolean(),
    userAgent: optionalText,
    referer: optionalText,
    permissions: fc.array(permission, { maxLength: 3 }),
    outcome,
    denied: fc.option(fc.array(permission, { maxLength: 2 }), { nil: undefined }),
    omitted: fc.option(fc.record({ allowed: fc.nat(), denied: fc.nat() }, { noNullPrototype: true }), { nil: undefined }),
  },
  { noNullPrototype: true },
);
const entry = fc.record({
  at: fc.nat().map(instant),
  context: fc.option(
    fc.oneof<fc.Arbitrary<StoredContext>[]>(
      context,
      fc.record({ omittedBytes: fc.integer({ min: CONTEXT_BYTES_MAX + 1 }) }, { noNullPrototype: true }),
    ),
    {
      nil: undefined,
    },
  ),
});

function roundTrip(records: readonly { readonly at: Instant; readonly context: StoredContext | undefined }[]) {
  const encoded = encodeContexts(records.map(({ at, context: of }) => (of === undefined ? { at } : { at, context: of })));
  return encoded === null ? records.map(() => undefined) : decodeContexts(encoded, records);
}

test('decision contexts: decoding returns the contexts that were encoded', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 5 }), (records) => {
      assert.deepEqual(
        roundTrip(records),
        records.map((each) => each.context),
      );
    }),
    { numRuns: 500 },
  );
});

test('decision contexts: the text has no NUL character, which PostgreSQL cannot store', () => {
  const encoded = encodeContexts([{ at: NOON, context: exampleContext({ userAgent: 'a\0b\ud800' }) }]);
  assert.ok(encoded !== null && !encoded.includes('\0') && encoded.isWellFormed());
});

test('decision contexts: records without contexts have no text', () => {
  assert.equal(encodeContexts([{ at: NOON }, { at: NOON }]), null);
});

test('decision contexts: a context over 8 KB is replaced by its size, and its strings are not stored', () => {
  const resources = Array.from({ length: 200 }, (_, i) => `arn:aws:chime:us-east-1:111111111111:meeting/${'é'.repeat(20)}${i}`);
  const small = exampleContext();
  const large = exampleContext({ permissions: [{ ...(small.permissions[0] as PermissionContext), resources }] });
  const encoded = encodeContexts([
    { at: NOON, context: large },
    { at: NOON, context: small },
  ]) as string;
  const [marker, ...rest] = decodeContexts(encoded, [{ at: NOON }, { at: NOON }]);
  assert.ok(marker !== undefined && 'omittedBytes' in marker && marker.omittedBytes > CONTEXT_BYTES_MAX);
  assert.deepEqual(rest, [small]);
  assert.ok(Buffer.byteLength(encoded) < 1_000);
});

test('decision contexts: no context takes more than 8 KB, whatever its strings', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9_000 }), fc.constantFrom('a', '\u0001', 'é', '\ud83d\ude00'), (length, unit) => {
      const encoded = encodeContexts([{ at: NOON, context: exampleContext({ userAgent: unit.repeat(length) }) }]) as string;
      assert.ok(Buffer.byteLength(encoded) < CONTEXT_BYTES_MAX + 100);
    }),
  );
});

test('decision contexts: a newer version of the format is an error', () => {
  assert.throws(() => decodeContexts('[4,[],[0]]', [{ at: NOON }]), /format version '4'/);
});

test('decision contexts: only packs with decisions about parts of a result have the format version 3', () => {
  const encoded = (more: Partial<DecisionContext>) => encodeContexts([{ at: NOON, context: exampleContext(more) }]);
  assert.match(encoded({}) ?? '', /^\[2,/);
  assert.match(encoded({ denied: [] }) ?? '', /^\[3,/);
  assert.match(encoded({ omitted: { allowed: 1, denied: 0 } }) ?? '', /^\[3,/);
});

test('withFittingParts: required permissions stay, then those that were denied, and the others are counted by resource', () => {
  const [permission] = exampleContext().permissions as [PermissionContext];
  const named = (name: string, count: number): PermissionContext => ({
    ...permission,
    resources: Array.from({ length: count }, (_, i) => `${name}-${i}-${'é'.repeat(20)}`),
    tags: 'none',
    added: undefined,
  });
  const denied = Array.from({ length: 30 }, (_, i) => ({ ...named(`denied-${i}`, 1), allowedBy: undefined }));
  // biome-ignore format: a table
  for (const [title,                     allowed, ofDenied, storedAllowed,                 storedDenied] of [
    ['all fit',                          5,       5,        (n: number) => n === 5,        5],
    ['some of the allowed ones fit',     500,     30,       (n: number) => n > 10 && n < 200, 30],
  ] as const) {
    const context = exampleContext({ permissions: [permission, named('allowed', allowed)], denied: denied.slice(0, ofDenied) });
    const fitting = withFittingParts(context, 1);
    const [first, ...others] = fitting.permissions;
    assert.deepEqual(first, permission, title);
    const stored = others.flatMap(({ resources }) => resources);
    assert.ok(storedAllowed(stored.length), `${title}: ${stored.length}`);
    assert.deepEqual(stored, named('allowed', stored.length).resources);
    assert.deepEqual(fitting.denied, denied.slice(0, storedDenied));
    assert.deepEqual(fitting.omitted ?? { allowed: 0, denied: 0 }, { allowed: allowed - stored.length, denied: ofDenied - storedDenied });
    const [decoded] = decodeContexts(encodeContexts([{ at: instant(NOON + 99_999), context: fitting }]) ?? '', [{ at: instant(NOON + 99_999) }]);
    assert.deepEqual(decoded, fitting);
  }
});

test('decision contexts: records of format version 1 stay readable', () => {
  const stored = String.raw`[1,["[\"Root\",\"111111111111\"]","us-east-1","127.0.0.1","test","chime:GetMeeting","[\"identity\",\"user/ada:p\",0,\"Read\",0]","arn:aws:chime:us-east-1:111111111111:meeting/m-1","aws:tagkeys","Team","red"],[[7,0,1,1,2,3,4,0,0,1,5,8,0,6,1,1,7,8,1,9,1,1,9,10]]]`;
  assert.deepEqual(decodeContexts(stored, [{ at: NOON }]), [exampleContext()]);
});

test('decision contexts: a damaged text is an error', () => {
  const encoded = encodeContexts([{ at: NOON, context: exampleContext() }]) as string;
  // biome-ignore format: a table
  const damaged = [
    encoded.slice(0, -1), encoded.slice(0, -2), `${encoded}]`, encoded.replace(']]]', ',]]]'), encoded.replace(']]]', ',1]]]'),
    encoded.replace('],[[', '],[['.repeat(2)), encoded.replace('],[[', '],[[x'), encoded.replace('["', '['), '[2,[],[]]', '[2,[]]', '',
  ];
  for (const text of damaged) {
    assert.notEqual(text, encoded);
    assert.throws(() => decodeContexts(text, [{ at: NOON }]), text);
  }
});
