import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { checkResponse } from './saml-response.ts';

test('checkResponse: parses with the copy of the XML parser that node-saml uses', () => {
  const ours = createRequire(import.meta.url);
  const theirs = createRequire(ours.resolve('@node-saml/node-saml'));
  assert.equal(ours.resolve('@xmldom/xmldom'), theirs.resolve('@xmldom/xmldom'));
});

const STATUS = '<Status><StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></Status>';

test('checkResponse: accepts a response with the status Success', () => {
  checkResponse(`<Response>${STATUS}</Response>`);
});

for (const [title, xml, code] of [
  ['an empty string', '', 'InvalidIdentityToken'],
  ['a string without elements', 'x', 'InvalidIdentityToken'],
  ['two root elements', `<Response>${STATUS}</Response><Response/>`, 'InvalidIdentityToken'],
  ['another root element', `<Assertion>${STATUS}</Assertion>`, 'InvalidIdentityToken'],
  ['an undefined entity', `<Response>&x;${STATUS}</Response>`, 'InvalidIdentityToken'],
  ['51 levels of elements', `<Response>${'<a>'.repeat(51)}${'</a>'.repeat(51)}${STATUS}</Response>`, 'InvalidIdentityToken'],
  ['401 children of one element', `<Response>${'<a/>'.repeat(401)}${STATUS}</Response>`, 'InvalidIdentityToken'],
  ['no status', '<Response/>', 'IDPRejectedClaimException'],
  ['two status codes', `<Response>${STATUS}${STATUS}</Response>`, 'IDPRejectedClaimException'],
] as const) {
  test(`checkResponse: ${title} is ${code}`, () => {
    assert.throws(
      () => checkResponse(xml),
      (error: { code?: string }) => error.code?.startsWith(code) === true,
    );
  });
}
