import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Received } from '#core/exchange.ts';
import { instant } from '#core/instant.ts';
import { escaped, ownPath, readCookie, readParameters, setCookie } from './http.ts';

const NOW = instant(1_795_314_300_000);

function received(rawHeaders: readonly string[], tls = false): Received {
  return {
    requestId: 'r',
    receivedAt: NOW,
    method: 'GET',
    target: '/',
    rawHeaders,
    body: new Uint8Array(),
    sourceIp: '127.0.0.1',
    ...(tls && { secureTransport: true, tls: { version: 'TLSv1.3', cipherSuite: 'x' } }),
  };
}

/** Texts that paths and other hosts are made of. */
const pieces = fc.array(
  fc.constantFrom('/', '//', '\\', '.', '..', '@', ':', '?', '#', '%2f', '%5c', 'evil.example', 'https:', ' ', '\t', '\n', '\0', 'é', 'a'),
);

test('ownPath: what it passes, a browser on this server takes for a path of this server', () => {
  fc.assert(
    fc.property(pieces, (parts) => {
      const path = ownPath(parts.join(''));
      if (path === undefined) return;
      assert.equal(new URL(path, 'https://here.example/federation').origin, 'https://here.example');
      assert.match(path, /^[\x21-\x7e]+$/);
    }),
    { numRuns: 5000 },
  );
});

// biome-ignore format: a table
const PATHS: readonly (readonly [text: string | undefined, passes: boolean])[] = [
  ['/',                          true ],
  ['/console/#/meetings?a=b%20c', true ],
  [`/${'a'.repeat(2047)}`,       true ],
  [`/${'a'.repeat(2048)}`,       false],
  ['//evil.example',             false],
  ['/\\evil.example',            false],
  ['/a b',                       false],
  ['',                           false],
  [undefined,                    false],
];

for (const [text, passes] of PATHS) {
  test(`ownPath: ${JSON.stringify(text)?.slice(0, 40)} of ${text?.length ?? 0} characters ${passes ? 'passes' : 'does not pass'}`, () => {
    assert.equal(ownPath(text), passes ? text : undefined);
  });
}

test('readCookie: a cookie is read back as it was set, by its whole name, and over TLS only by the name that is bound to the host', () => {
  for (const tls of [false, true]) {
    const [, cookie = ''] = setCookie(received([], tls), 'value', instant(NOW + 1000), NOW);
    const pair = cookie.split(';')[0] as string;
    assert.equal(readCookie(received(['Cookie', `a=1; ${pair}; b=2`], tls)), 'value');
    assert.equal(readCookie(received(['Cookie', `x${pair}`], tls)), undefined);
    assert.equal(readCookie(received(['Cookie', pair], !tls)), undefined);
    assert.equal(readCookie(received([], tls)), undefined);
  }
});

test('readParameters: one there twice makes all unreadable', () => {
  assert.deepEqual(
    [...(readParameters('a=1&b=%20+x') ?? [])],
    [
      ['a', '1'],
      ['b', '  x'],
    ],
  );
  assert.equal(readParameters('a=1&a=1'), undefined);
});

test('escaped: no text ends an attribute or an element', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.doesNotMatch(escaped(text), /[<>"']/);
    }),
  );
});
