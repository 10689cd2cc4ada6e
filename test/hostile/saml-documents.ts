import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { CreateSAMLProviderCommand, IAMClient } from '@aws-sdk/client-iam';
import fc from 'fast-check';
import { startTestServer } from '../kit/server.ts';
import { coreMilliseconds } from '../kit/thread-time.ts';
import { samlProvider } from '../sts/saml-provider.ts';
import { startOtherCaller, type Workload } from './workload.ts';

const ENTITY = 'https://idp.example/saml';
const CERTIFICATES = 10;
const KEY = /<md:KeyDescriptor.*<\/md:KeyDescriptor>/s;
const XMLDSIG = 'http://www.w3.org/2000/09/xmldsig#';
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const INCLUSIVE = 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315';
const SUCCESS = '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>';
/** Largest assertion that STS accepts. */
const ASSERTION_MAX = 100_000;
/**
 * Length of the first measurement, in milliseconds. It measures the calls of another caller before the attack begins.
 */
const IDLE_MS = 500;

/** Returns a generator of signatures of an element. The signatures are invalid for every key. */
const signature = (id: string) =>
  fc
    .record({
      transforms: fc.constantFrom([`${XMLDSIG}enveloped-signature`, EXCLUSIVE], [`${XMLDSIG}enveloped-signature`, INCLUSIVE], [EXCLUSIVE]),
      prefixes: fc.constantFrom(0, 1, 400, 499),
      canonical: fc.constantFrom(EXCLUSIVE, INCLUSIVE),
      more: fc.constantFrom('', '<x/>'.repeat(45), 'a'.repeat(5_000), '&#x2029;'),
    })
    .map(({ transforms, prefixes, canonical, more }) => {
      const list = `<ec:InclusiveNamespaces xmlns:ec="${EXCLUSIVE}" PrefixList="${'n '.repeat(prefixes)}"/>`;
      const steps = transforms.map((algorithm) => `<ds:Transform Algorithm="${algorithm}">${list}</ds:Transform>`).join('');
      return `<ds:Signature xmlns:ds="${XMLDSIG}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="${canonical}"/><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/><ds:Reference URI="#${id}"><ds:Transforms>${steps}</ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>${more}</ds:SignedInfo><ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature>`;
    });

/** Generator of assertion contents: many elements and attributes, deep and wide trees, characters that need escapes, and invalid markup. */
const content = fc.oneof(
  fc.constantFrom(380, 500, 540).map((count) => `<x>${'<y/>'.repeat(count - 190)}</x><x>${'<y/>'.repeat(190)}</x>`),
  fc.constantFrom(60, 140).map((count) => `<x>${`<y ${attributes(18)}/>`.repeat(count)}</x>`),
  fc.constantFrom(3, 12).map((depth) => `<x ${namespaces(19)}>`.repeat(depth) + '<y/>'.repeat(380) + '</x>'.repeat(depth)),
  fc.constantFrom(3, 12).map((depth) => `<x>${'<y/>'.repeat(30)}`.repeat(depth) + '</x>'.repeat(depth)),
  fc.constantFrom('<!---->'.repeat(380), '<?x y?>'.repeat(380), '&#13;'.repeat(12_000), '>'.repeat(60_000), '\r'.repeat(60_000)),
  fc.constantFrom(`${'a'.repeat(60_000)}\u2029`, '<x a="'.repeat(1_200), `<x ${'a '.repeat(30_000)}/>`, '<![CDATA['.repeat(1_000)),
);
function attributes(count: number): string {
  return Array.from({ length: count }, (_, i) => `a${i}="v"`).join(' ');
}
function namespaces(count: number): string {
  return Array.from({ length: count }, (_, i) => `xmlns:n${i}="u${i}"`).join(' ');
}

const documents = fc
  .record({ ofResponse: signature('r'), ofAssertion: signature('a'), content, both: fc.boolean() })
  .map(
    ({ ofResponse, ofAssertion, content, both }) =>
      `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="r">${both ? ofResponse : ''}${SUCCESS}<saml:Assertion ID="a">${ofAssertion}${content}</saml:Assertion></samlp:Response>`,
  );

/**
 * An unauthenticated client sends expensive SAML documents for a provider with the maximum number of certificates. The server refuses all
 * documents. It parses them on a separate thread, so that they take little CPU time of the core thread.
 */
export const samlDocuments: Workload = {
  name: 'saml documents',
  async run({ seconds, seed }) {
    const server = await startTestServer();
    const idps = await Promise.all(Array.from({ length: CERTIFICATES }, () => samlProvider(ENTITY)));
    const keys = idps.map(({ metadata }) => KEY.exec(metadata)?.[0]).join('');
    const iam = new IAMClient(server.client());
    const { SAMLProviderArn: provider } = await iam.send(
      new CreateSAMLProviderCommand({ Name: 'Corp', SAMLMetadataDocument: idps[0]?.metadata.replace(KEY, keys) }),
    );
    async function send(xml: string): Promise<string> {
      const form = new URLSearchParams({
        Action: 'AssumeRoleWithSAML',
        Version: '2011-06-15',
        RoleArn: `arn:aws:iam::${server.accountId}:role/any`,
        PrincipalArn: provider as string,
        SAMLAssertion: Buffer.from(xml).toString('base64'),
      });
      const answer = await fetch(server.endpoint, { method: 'POST', body: form });
      return `${answer.status} ${/<Code>(\w+)/.exec(await answer.text())?.[1]}`;
    }
    await send('<samlp:Response/>');
    const other = await startOtherCaller(server.client());
    const idleFrom = coreMilliseconds('self');
    const { calls: idleCalls } = await other.during(() => setTimeout(IDLE_MS));
    const ofCall = (coreMilliseconds('self') - idleFrom) / idleCalls;

    const inputs = fc.sample(documents, { numRuns: 500, seed }).filter((xml) => Buffer.byteLength(xml) * (4 / 3) < ASSERTION_MAX - 4);
    const outcomes = new Map<string, number>();
    let sent = 0;
    const ends = Date.now() + seconds * 1_000;
    const attackFrom = coreMilliseconds('self');
    const { longestMs, calls } = await other.during(async () => {
      do {
        const outcome = await send(inputs[sent++ % inputs.length] as string);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      } while (Date.now() < ends);
    });
    const ofDocument = (coreMilliseconds('self') - attackFrom - calls * ofCall) / sent;
    other.stop();
    assert.deepEqual([...outcomes.keys()], ['400 InvalidIdentityToken']);
    await server.stop();
    return [
      { what: 'documents refused', value: sent, unit: 'count' },
      { what: 'CPU of the core thread for one document', value: ofDocument, unit: 'ms' },
      { what: 'CPU of the core thread for one call of the other caller', value: ofCall, unit: 'ms' },
      { what: 'longest delay of another caller', value: longestMs, unit: 'ms', most: 100 },
    ];
  },
};
