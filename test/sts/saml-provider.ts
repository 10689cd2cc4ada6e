/**
 * A local SAML identity provider: its key, its metadata, and assertions. It does not sign assertions with the
 * library that the server uses to verify them.
 */
import 'reflect-metadata';
import { randomUUID, webcrypto } from 'node:crypto';
import { createRequire } from 'node:module';
import { signXml } from '@node-saml/node-saml/lib/xml.js';
import * as x509 from '@peculiar/x509';

// Loads `samlify` without types, because its types include the types of browsers, which conflict with Node's types.
const { SamlLib } = createRequire(import.meta.url)('samlify') as {
  readonly SamlLib: { constructSAMLSignature(options: Readonly<Record<string, unknown>>): string };
};

const ATTRIBUTES = 'https://aws.amazon.com/SAML/Attributes/';
const SIGN_IN = 'https://signin.aws.amazon.com/saml';

/** Contents of an assertion. The defaults are valid. */
export interface AssertionContent {
  readonly issuer?: string;
  readonly recipient?: string;
  /** Audience of the assertion. With `none`, the assertion has no audience restriction. */
  readonly audience?: string;
  /** Values of nested status codes, the outer code first. If the list is empty, the response has no status. */
  readonly status?: readonly string[];
  readonly nameId?: string;
  /** Times in seconds from now. */
  readonly issued?: number;
  readonly notOnOrAfter?: number;
  readonly sessionNotOnOrAfter?: number;
  /** Values by attribute name. A name is either complete, or the part after AWS's prefix. */
  readonly attributes?: Readonly<Record<string, readonly string[]>>;
}

export interface SamlProvider {
  readonly metadata: string;
  /** Returns a response in base64. `signed` selects the signed elements. `algorithms` are SHA-256 by default. */
  assertion(content: AssertionContent, signed?: 'assertion' | 'response' | 'nothing', algorithms?: Algorithms): string;
}

type Hash = 'sha1' | 'sha256' | 'sha512';

/** Hash functions of a signature on an assertion. */
export interface Algorithms {
  readonly signature: Hash;
  readonly digest: Hash;
}

export async function samlProvider(entityId: string): Promise<SamlProvider> {
  x509.cryptoProvider.set(webcrypto as never);
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=idp',
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 86_400_000),
    signingAlgorithm: algorithm,
    keys,
  });
  const privateKey = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  const certificateText = Buffer.from(certificate.rawData).toString('base64');
  const metadata = `<?xml version="1.0"?><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${entityId}"><md:IDPSSODescriptor WantAuthnRequestsSigned="false" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>${certificateText}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>`;

  return {
    metadata,
    assertion(content, signed = 'assertion', algorithms) {
      const xml = responseXml(entityId, content);
      if (signed === 'nothing') return Buffer.from(xml).toString('base64');
      if (algorithms !== undefined) {
        const assertion = "/*[local-name(.)='Response']/*[local-name(.)='Assertion']";
        const location = { reference: `${assertion}/*[local-name(.)='Issuer']`, action: 'after' } as const;
        const { signature: signatureAlgorithm, digest: digestAlgorithm } = algorithms;
        return Buffer.from(signXml(xml, assertion, location, { privateKey, signatureAlgorithm, digestAlgorithm })).toString('base64');
      }
      return SamlLib.constructSAMLSignature({
        rawSamlMessage: xml,
        privateKey,
        signingCert: certificateText,
        signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
        isBase64Output: true,
        ...(signed === 'response'
          ? {
              isMessageSigned: true,
              signatureConfig: {
                prefix: 'ds',
                location: { reference: "/*[local-name(.)='Response']/*[local-name(.)='Issuer']", action: 'after' },
              },
            }
          : {
              referenceTagXPath: "/*[local-name(.)='Response']/*[local-name(.)='Assertion']",
              signatureConfig: {
                prefix: 'ds',
                location: {
                  reference: "/*[local-name(.)='Response']/*[local-name(.)='Assertion']/*[local-name(.)='Issuer']",
                  action: 'after',
                },
              },
            }),
      });
    },
  };
}

const at = (seconds: number) => `${new Date(Date.now() + seconds * 1000).toISOString().slice(0, 19)}Z`;
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

function responseXml(entityId: string, content: AssertionContent): string {
  const {
    issuer = entityId,
    recipient = SIGN_IN,
    audience = SIGN_IN,
    nameId = 'ada',
    issued = 0,
    notOnOrAfter = 300,
    sessionNotOnOrAfter,
    status = ['urn:oasis:names:tc:SAML:2.0:status:Success'],
  } = content;
  const codes = status.reduceRight((inner, value) => `<samlp:StatusCode Value="${value}">${inner}</samlp:StatusCode>`, '');
  const restriction =
    audience === 'none' ? '' : `<saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction>`;
  const attributes = Object.entries(content.attributes ?? {}).map(([name, values]) => {
    const whole = /^\d|:/.test(name) && !name.startsWith('PrincipalTag:') ? name : `${ATTRIBUTES}${name}`;
    const written = values.map((value) => `<saml:AttributeValue>${escaped(value)}</saml:AttributeValue>`).join('');
    return `<saml:Attribute Name="${whole}">${written}</saml:Attribute>`;
  });
  const sessionEnd = sessionNotOnOrAfter === undefined ? '' : ` SessionNotOnOrAfter="${at(sessionNotOnOrAfter)}"`;
  return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r1" Version="2.0" IssueInstant="${at(issued)}" Destination="${recipient}"><saml:Issuer>${issuer}</saml:Issuer>${codes === '' ? '' : `<samlp:Status>${codes}</samlp:Status>`}<saml:Assertion ID="_a${randomUUID()}" Version="2.0" IssueInstant="${at(issued)}"><saml:Issuer>${issuer}</saml:Issuer><saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">${escaped(nameId)}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="${at(notOnOrAfter)}" Recipient="${recipient}"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="${at(issued - 60)}" NotOnOrAfter="${at(notOnOrAfter)}">${restriction}</saml:Conditions><saml:AuthnStatement AuthnInstant="${at(issued)}"${sessionEnd}><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement>${attributes.join('')}</saml:AttributeStatement></saml:Assertion></samlp:Response>`;
}
