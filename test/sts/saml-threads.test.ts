/**
 * Tests changes that happen after a thread has verified a SAML assertion, and before a transaction authorizes the
 * request. Decision 0016.
 */
import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import type { VerifiedAssertion } from '#access/saml.ts';
import type { Answer } from '#core/exchange.ts';
import { instant } from '#core/instant.ts';
import { newSamlThreads, SAML_LIMITS } from '#server/core/saml-threads.ts';
import { startTestCore } from '../kit/core.ts';
import { samlProvider } from './saml-provider.ts';

const ENTITY = 'https://idp.example/saml';
const idp = await samlProvider(ENTITY);
const successor = await samlProvider(ENTITY);

/** Hook that a test can replace. Runs after a thread has verified an assertion and before the request is authorized. */
let afterVerification: (verified: VerifiedAssertion) => Promise<VerifiedAssertion>;
beforeEach(() => {
  afterVerification = async (verified) => verified;
});
/** Sources (client addresses) that were passed with the verified assertions. */
const sources: string[] = [];
const threads = newSamlThreads(SAML_LIMITS, assert.fail);
const full = newSamlThreads({ ...SAML_LIMITS, waitingOfKey: 0 }, assert.fail);
let isFull = false;
after(full.close);
const core = await startTestCore({
  samlThreads: {
    close: threads.close,
    async run(source, job) {
      sources.push(source);
      return await afterVerification(await (isFull ? full : threads).run(source, job));
    },
  },
  report() {},
});

const provider = `arn:aws:iam::${core.accountId}:saml-provider/Corp`;
const desk = `arn:aws:iam::${core.accountId}:role/desk`;
await core.iam({ Action: 'CreateSAMLProvider', Name: 'Corp', SAMLMetadataDocument: idp.metadata });
const trust = { Effect: 'Allow', Principal: { Federated: provider }, Action: 'sts:AssumeRoleWithSAML' };
const document = JSON.stringify({ Version: '2012-10-17', Statement: [trust] });
await core.iam({ Action: 'CreateRole', RoleName: 'desk', AssumeRolePolicyDocument: document });

const assertion = () => idp.assertion({ attributes: { Role: [`${desk},${provider}`], RoleSessionName: ['ada'] } });
const assume = (sourceIp?: string) =>
  core.unsigned({ Action: 'AssumeRoleWithSAML', RoleArn: desk, PrincipalArn: provider, SAMLAssertion: assertion() }, sourceIp);
const signIn = (sourceIp?: string) => core.post('/saml', { SAMLResponse: assertion() }, sourceIp);

/** Returns the status of a response. Appends the error code, or the title if the response is a page. */
const outcomeOf = ({ status, body }: Answer): string => {
  const [, code, title] = /<Code>(\w+)<|<title>([^<]*)</.exec(String(body)) ?? [];
  return [status, code ?? title].filter(Boolean).join(' ');
};

const setMetadata = (metadata: string) =>
  core.iam({ Action: 'UpdateSAMLProvider', SAMLProviderArn: provider, SAMLMetadataDocument: metadata });
const changeMetadata: typeof afterVerification = async (verified) => {
  await setMetadata(successor.metadata);
  return verified;
};
const DOORS = [
  ['AssumeRoleWithSAML', assume],
  ['Sign-in with SAML', signIn],
] as const;

// biome-ignore format: a table
const CHANGES: readonly [title: string, between: typeof afterVerification, ofOperation: string, ofPage: string][] = [
  // title                         between verification and decision                                           AssumeRoleWithSAML           sign-in page
  ['nothing happens',              async (verified) => verified,                                               '200',                       '303'],
  ['another provider is verified', async (verified) => ({ ...verified, provider: `${provider}2` as never }),   '500 InternalFailure',       '503'],
  ['the assertion expires',        async (verified) => ({ ...verified, validUntil: instant(Date.now() - 1) }), '400 ExpiredTokenException', '400 Sign-in failed'],
  ['the metadata changes',         changeMetadata,                                                             '503 ServiceUnavailable',    '503 Sign-in failed'],
];
for (const [title, between, ofOperation, ofPage] of CHANGES) {
  for (const [i, [name, open]] of DOORS.entries()) {
    test(`${name}: ${i === 0 ? ofOperation : ofPage} if ${title} between verification and decision`, async () => {
      await setMetadata(idp.metadata);
      afterVerification = between;
      assert.equal(outcomeOf(await open()), i === 0 ? ofOperation : ofPage);
    });
  }
}

for (const [name, open] of DOORS) {
  test(`${name}: the source of a request is an IPv4 address or an IPv6 network of 64 bits`, async () => {
    sources.length = 0;
    for (const address of ['192.0.2.7', '2001:db8:1:2:3::4', '2001:db8:1:2:5::6']) await open(address);
    assert.deepEqual(sources, ['192.0.2.7', '2001:db8:1:2::/64', '2001:db8:1:2::/64']);
  });
  test(`${name}: an assertion is refused while too many assertions of the same source are waiting`, async () => {
    isFull = true;
    assert.equal(outcomeOf(await open()), name === 'AssumeRoleWithSAML' ? '400 Throttling' : '503 Sign-in failed');
    isFull = false;
  });
}
