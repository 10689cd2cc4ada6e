import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { checkResponse } from './saml-response.ts';

const STATUS =
  '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status><saml:Issuer>idp</saml:Issuer>';
/** Returns a SAML response with `inner` in the assertion. The response has five other elements. */
const response = (inner: string): string =>
  `<?xml version="1.0"?>\n<samlp:Response xmlns:samlp="p" xmlns:saml='a'>${STATUS}<saml:Assertion>${inner}</saml:Assertion></samlp:Response>`;
const signature = (inner: string): string => `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">${inner}</ds:Signature>`;
const nested = (depth: number): string => '<x>'.repeat(depth) + '</x>'.repeat(depth);
const rows = (count: number): string => `<x>${'<y/>'.repeat(count)}</x>`;

// biome-ignore format: a table
const RESPONSES: readonly [title: string, inner: string, accepted: boolean][] = [
  ['a comment within a text',                        'ada<!-- c -->.evil',                                                true],
  ['blanks within tags',                             '<x  a = "1"\n b=\'2\' /><y ></y >',                                  true],
  ['16 levels in total',                             nested(14),                                                          true],
  ['17 levels in total',                             nested(15),                                                          false],
  ['fewer than 600 elements in two parents',         rows(300) + rows(280),                                               true],
  ['more than 600 elements in two parents',          rows(300) + rows(300),                                               false],
  ['20 attributes of an element',                    `<x ${attributes(20)}/>`,                                            true],
  ['21 attributes of an element',                    `<x ${attributes(21)}/>`,                                            false],
  ['an attribute of 1,000 characters',               `<x a="${'a'.repeat(1_000)}"/>`,                                     true],
  ['an attribute of 1,001 characters',               `<x a="${'a'.repeat(1_001)}"/>`,                                     false],
  ['59 elements in a signature',                     signature('<y/>'.repeat(59)),                                        true],
  ['60 elements in a signature',                     signature('<y/>'.repeat(60)),                                        false],
  ['60 elements at two depths of a signature',       signature(`<x>${'<y/>'.repeat(30)}</x>${'<y/>'.repeat(30)}`),        false],
  ['a paragraph separator',                          'a\u2029',                                                           false],
  ['a paragraph separator as an entity',             'a&#x2029;',                                                         false],
  ['a paragraph separator as an entity in a value',  '<x a="&#08233;"/>',                                                 false],
  ['a paragraph separator in a comment',             '<!--\u2029-->',                                                     false],
  ['an attribute without a value',                   '<x a/>',                                                            false],
  ['an attribute without quotes',                    '<x a=1/>',                                                          false],
  ['attributes without a blank between them',        '<x a="1"b="2"/>',                                                   false],
  ['a text of several lines in a tag',               '<x a="1" b"\nbelfry: a forged line\n"/>',                           false],
  ['a tag within a tag',                             '<x a="<y/>"/>',                                                     false],
  ['an open tag',                                    '<x a="1"',                                                          false],
];
function attributes(count: number): string {
  return Array.from({ length: count }, (_, i) => `a${i}="v"`).join(' ');
}

for (const [title, inner, accepted] of RESPONSES) {
  test(`SAML response: a response with ${title} is ${accepted ? 'accepted' : 'refused'}, and nothing is logged`, (t) => {
    const written = (['warn', 'error', 'log'] as const).map((name) => t.mock.method(console, name, () => {}));
    if (accepted) checkResponse(response(inner));
    else assert.throws(() => checkResponse(response(inner)), { code: 'InvalidIdentityTokenException' });
    assert.deepEqual(
      written.map(({ mock }) => mock.callCount()),
      [0, 0, 0],
    );
  });
}

test('checkResponse: the XML parser is the same copy that node-saml uses', () => {
  const ours = createRequire(import.meta.url);
  const theirs = createRequire(ours.resolve('@node-saml/node-saml'));
  assert.equal(ours.resolve('@xmldom/xmldom'), theirs.resolve('@xmldom/xmldom'));
});

const PLAIN_STATUS = '<Status><StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></Status>';

test('checkResponse: a response with the status Success is accepted', () => {
  checkResponse(`<Response>${PLAIN_STATUS}</Response>`);
});

for (const [title, xml, code] of [
  ['an empty string', '', 'InvalidIdentityToken'],
  ['a string without elements', 'x', 'InvalidIdentityToken'],
  ['two root elements', `<Response>${PLAIN_STATUS}</Response><Response/>`, 'InvalidIdentityToken'],
  ['another root element', `<Assertion>${PLAIN_STATUS}</Assertion>`, 'InvalidIdentityToken'],
  ['an undefined entity', `<Response>&x;${PLAIN_STATUS}</Response>`, 'InvalidIdentityToken'],
  ['no status', '<Response/>', 'IDPRejectedClaimException'],
  ['two status codes', `<Response>${PLAIN_STATUS}${PLAIN_STATUS}</Response>`, 'IDPRejectedClaimException'],
] as const) {
  test(`checkResponse: ${title} is ${code}`, () => {
    assert.throws(
      () => checkResponse(xml),
      (error: { code?: string }) => error.code?.startsWith(code) === true,
    );
  });
}
