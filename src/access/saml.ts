import { hash } from 'node:crypto';
import { AwsError } from '#core/aws-error.ts';
import type { Federation } from '#core/federation.ts';
import { type Instant, instant } from '#core/instant.ts';
import { conditionKey } from '#model/authorization.ts';
import type { SamlProviderRecord } from '#store/identity/identity.ts';
import { invalid, passed } from './passed-tags.ts';
import { requireShort } from './provider-claims.ts';
import { checkResponse, hasAtMost } from './saml-response.ts';

/**
 * SAML assertions. Owns the checks of an assertion's content and times. node-saml verifies the signature and returns only the signed
 * element, so that unsigned elements around it are never read.
 */

/** Address of the sign-in, for which assertions are issued. It does not depend on the host of this server. */
const RECIPIENT = /^https:\/\/(?:[a-z0-9-]+\.)?signin\.aws\.amazon\.com\/saml$/;
const AUDIENCES: readonly string[] = ['https://signin.aws.amazon.com/saml', 'urn:amazon:webservices'];
const ATTRIBUTES = 'https://aws.amazon.com/SAML/Attributes/';
const TAG_ATTRIBUTES = `${ATTRIBUTES}PrincipalTag:`;
const SESSION_NAME = /^[\w+=,.@-]{2,64}$/;
const NAME_FORMAT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:';
const REDEEM_MS = 5 * 60_000;
const SKEW_MS = 60_000;

/** Parsed element: attributes, text, and children by local name. */
interface Element {
  readonly $?: Readonly<Record<string, string>>;
  readonly _?: string;
  readonly [child: string]: unknown;
}

/**
 * Verifies an assertion of a provider and returns its content. `assertion` is a SAML response in Base64.
 *
 * @throws InvalidIdentityTokenException  the signature, issuer, recipient, audience or a required attribute is missing or invalid
 * @throws IDPRejectedClaimException      the status of the response is not Success
 * @throws ExpiredTokenException          the assertion has expired, or was issued more than five minutes ago
 *
 * Source: IAM User Guide, "Configure SAML assertions for the authentication response"; STS API reference, AssumeRoleWithSAML.
 * Requirement FED-1. The messages are from users' reports of the real service.
 * Assumed: clocks may differ by a minute. Encrypted assertions are rejected.
 */
export async function verifySaml(assertion: string, provider: SamlProviderRecord, now: Instant): Promise<Federation> {
  const { entityId, certificates } = await metadataOf(provider);
  const signed = await signedAssertion(assertion, certificates);
  const issuer = textOf(one(signed, 'Issuer'));
  if (issuer !== entityId) throw invalid('Issuer not present in specified provider');

  const audience = recipientOf(signed, now);
  const latestEnd = timesOf(signed, now);
  const assertionId = signed.$?.['ID'];
  if (!assertionId) throw invalid('The assertion has no ID.');
  const nameId = one(one(signed, 'Subject'), 'NameID');
  const subject = textOf(nameId);
  if (!subject) throw invalid('The assertion names no subject.');
  const format = nameId?.$?.['Format'] ?? 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified';
  const subjectType = format.startsWith(NAME_FORMAT) ? format.slice(NAME_FORMAT.length) : format;

  const attributes = attributesOf(signed);
  const sessionName = attributes.get(`${ATTRIBUTES}RoleSessionName`)?.[0];
  if (sessionName === undefined) throw invalid('RoleSessionName is required in AuthnResponse');
  if (!SESSION_NAME.test(sessionName)) throw invalid('RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}');
  const tags = [...attributes].filter(([name]) => name.startsWith(TAG_ATTRIBUTES));

  const consoleSeconds = consoleSecondsOf(attributes.get(`${ATTRIBUTES}SessionDuration`)?.[0]);
  const nameQualifier = hash('sha1', `${issuer}${provider.accountId}/${provider.name}`, 'base64');
  // Source: IAM User Guide, "IAM and AWS STS condition context keys", "SAML role permissions policies": these, and no other SAML keys.
  const sessionContext = new Map([
    ['saml:sub', subject],
    ['saml:sub_type', subjectType],
    ['saml:namequalifier', nameQualifier],
  ]);
  requireShort(sessionContext);
  return {
    kind: 'saml',
    provider: provider.arn,
    issuer,
    subject,
    audience,
    sessionName,
    subjectType,
    nameQualifier,
    assertionId,
    redeemUntil: instant(timeOf(signed.$?.['IssueInstant']) + REDEEM_MS + SKEW_MS),
    roleArns: rolesOf(attributes.get(`${ATTRIBUTES}Role`) ?? [], provider.arn),
    context: new Map<string, string | readonly string[]>([
      ['saml:aud', audience],
      ['saml:iss', issuer],
      ...sessionContext,
      ['saml:doc', `${provider.accountId}/${provider.name}`],
      ...attributeKeys(attributes),
    ]),
    sessionContext,
    ...passed(
      tags.map(([name, values]) => [name.slice(TAG_ATTRIBUTES.length), values]),
      attributes.get(`${ATTRIBUTES}TransitiveTagKeys`) ?? [],
      attributes.get(`${ATTRIBUTES}SourceIdentity`)?.[0],
    ),
    ...(latestEnd !== undefined && { latestEnd }),
    ...(consoleSeconds !== undefined && { consoleSeconds }),
  };
}

/** Source: IAM User Guide, "Configure SAML assertions for the authentication response", SessionDuration: 900 to 43,200 seconds. */
function consoleSecondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^[0-9]{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds >= 900 && seconds <= 43_200)) throw invalid('SessionDuration in AuthnResponse must be from 900 to 43200');
  return seconds;
}

const PROVIDER_ARN = /arn:aws:iam::[0-9]{12}:saml-provider\/[\w.-]{1,128}/g;
const PROVIDERS_MAX = 20;

/**
 * Returns the ARNs of the first twenty providers in an assertion. They are unverified: the caller must check which of them signed it.
 */
export function namedProviders(assertion: string): readonly string[] {
  const xml = Buffer.from(assertion, 'base64').toString('utf8');
  const named = new Set<string>();
  for (const [arn] of xml.matchAll(PROVIDER_ARN)) {
    named.add(arn);
    if (named.size === PROVIDERS_MAX) break;
  }
  return [...named];
}

/**
 * Verifies the signature of a response or its assertion, and returns the signed assertion.
 *
 * Loads node-saml at the first call, because it is large and most servers never receive an assertion.
 */
async function signedAssertion(assertion: string, certificates: readonly string[]): Promise<Element> {
  const { SAML } = await import('@node-saml/node-saml');
  const xml = Buffer.from(assertion, 'base64').toString('utf8');
  if (/<!DOCTYPE|<!ENTITY/i.test(xml)) throw invalid('Invalid base64 SAMLResponse');
  await inTurn(async () => checkResponse(xml));
  for (const certificate of certificates) {
    const profile = await inTurn(async () => {
      const reader = new SAML({
        idpCert: certificate,
        issuer: 'belfry',
        callbackUrl: AUDIENCES[0] as string,
        wantAuthnResponseSigned: false,
        // One of the two must be signed; the library takes the assertion from what is.
        wantAssertionsSigned: false,
        // Audience and times are judged here, by our own clock and in AWS's words.
        audience: false,
        acceptedClockSkewMs: -1,
      });
      // The library's messages describe its own workings.
      return (await reader.validatePostResponseAsync({ SAMLResponse: assertion }).catch(() => undefined))?.profile;
    });
    const signed = (profile?.getAssertion?.() as { readonly Assertion?: Element } | undefined)?.Assertion;
    if (signed !== undefined) return signed;
  }
  throw invalid('Response signature invalid');
}

let lastTurn: Promise<unknown> = Promise.resolve();

/**
 * Runs one piece of work on SAML documents per turn of the event loop, in order. The server answers other requests between two pieces,
 * however many documents wait.
 */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = lastTurn.then(() => new Promise<void>((resolve) => setImmediate(resolve))).then(work);
  lastTurn = mine.catch(() => {});
  return mine;
}

/** The recipient of the subject confirmation that holds, which is `saml:aud`. */
function recipientOf(signed: Element, now: Instant): string {
  const confirmations = all(one(signed, 'Subject'), 'SubjectConfirmation').filter(
    ({ $ }) => $?.['Method'] === 'urn:oasis:names:tc:SAML:2.0:cm:bearer',
  );
  const known = confirmations
    .map((confirmation) => one(confirmation, 'SubjectConfirmationData')?.$)
    .filter((data) => data !== undefined && RECIPIENT.test(data['Recipient'] ?? ''));
  if (known.length === 0) throw invalid('Response does not contain the required audience');
  const valid = known.find((data) => now - SKEW_MS < timeOf(data?.['NotOnOrAfter']));
  if (valid === undefined) throw expired('Token is expired');

  const audiences = all(one(signed, 'Conditions'), 'AudienceRestriction').map((restriction) => all(restriction, 'Audience').map(textOf));
  if (
    audiences.length === 0 ||
    audiences.some((list) => !list.some((audience) => AUDIENCES.includes(audience) || RECIPIENT.test(audience)))
  ) {
    throw invalid('Response does not contain the required audience');
  }
  return valid['Recipient'] as string;
}

/** Checks the times of an assertion. Returns the end of the session at the provider, if the assertion states one. */
function timesOf(signed: Element, now: Instant): Instant | undefined {
  const issued = timeOf(signed.$?.['IssueInstant']);
  if (!(issued - SKEW_MS <= now)) throw invalid('The assertion is not yet valid.');
  if (now - SKEW_MS >= issued + REDEEM_MS) throw expired('Token must be redeemed within 5 minutes of issuance');
  const conditions = one(signed, 'Conditions')?.$;
  const notBefore = conditions?.['NotBefore'];
  const notOnOrAfter = conditions?.['NotOnOrAfter'];
  if (notBefore !== undefined && !(timeOf(notBefore) - SKEW_MS <= now)) throw invalid('The assertion is not yet valid.');
  if (notOnOrAfter !== undefined && !(now - SKEW_MS < timeOf(notOnOrAfter))) throw expired('Token is expired');

  const statements = all(signed, 'AuthnStatement');
  if (statements.length === 0) throw invalid('Response must contain an authentication statement.');
  const ends = statements.map(({ $ }) => $?.['SessionNotOnOrAfter']).filter((text) => text !== undefined);
  if (ends.length === 0) return undefined;
  const end = Math.min(...ends.map(timeOf));
  if (!(now < end)) throw expired('Token is expired');
  return instant(end);
}

/** Parses a time. Returns NaN for an invalid one, so that every comparison with it fails. */
function timeOf(text: string | undefined): number {
  return text !== undefined && /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{1,20}Z$/.test(text) ? Date.parse(text) : Number.NaN;
}

function attributesOf(signed: Element): ReadonlyMap<string, readonly string[]> {
  const attributes = new Map<string, readonly string[]>();
  for (const statement of all(signed, 'AttributeStatement')) {
    for (const attribute of all(statement, 'Attribute')) {
      const name = attribute.$?.['Name'] ?? '';
      attributes.set(name, [...(attributes.get(name) ?? []), ...all(attribute, 'AttributeValue').map(textOf)]);
    }
  }
  return attributes;
}

/** Returns the roles that the assertion offers with this provider. A value is `role ARN,provider ARN`, in either order. */
function rolesOf(values: readonly string[], providerArn: string): string[] {
  return values
    .map((value) => value.split(',').map((arn) => arn.trim()))
    .filter((pair) => pair.length === 2 && pair.includes(providerArn))
    .map((pair) => pair.find((arn) => arn !== providerArn) ?? '');
}

/**
 * Attributes that set condition keys.
 *
 * Source: IAM User Guide, "Configure SAML assertions for the authentication response", "Mapping SAML attributes to AWS trust policy context
 * keys".
 * The guide prints three X.500 numbers with a wrong or missing part. Both forms are accepted.
 * Assumed: the names with `urn:oid:` of X.500 attributes, which identity providers send; the key of primarygroupsid, which the guide maps
 * to `uid`.
 */
// biome-ignore format: a table
const ATTRIBUTE_KEYS: Readonly<Record<string, string>> = {
  // eduPerson and eduOrg
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.1':  'saml:edupersonaffiliation',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.2':  'saml:edupersonnickname',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.3':  'saml:edupersonorgdn',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.4':  'saml:edupersonorgunitdn',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.5':  'saml:edupersonprimaryaffiliation',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.6':  'saml:edupersonprincipalname',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.7':  'saml:edupersonentitlement',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.8':  'saml:edupersonprimaryorgunitdn',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.9':  'saml:edupersonscopedaffiliation',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.10': 'saml:edupersontargetedid',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.11': 'saml:edupersonassurance',
  'urn:oid:1.3.6.1.4.1.5923.1.2.1.2':  'saml:eduorghomepageuri',
  'urn:oid:1.3.6.1.4.1.5923.1.2.1.3':  'saml:eduorgidentityauthnpolicyuri',
  'urn:oid:1.3.6.1.4.1.5923.1.2.1.4':  'saml:eduorglegalname',
  'urn:oid:1.3.6.1.4.1.5923.1.2.1.5':  'saml:eduorgsuperioruri',
  'urn:oid:1.3.6.1.4.1.5923.1.2.1.6':  'saml:eduorgwhitepagesuri',
  'urn:oid:2.5.4.3':                   'saml:cn',
  // Active Directory
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name':           'saml:name',
  'http://schemas.xmlsoap.org/claims/CommonName':                         'saml:commonname',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname':      'saml:givenname',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname':        'saml:surname',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress':   'saml:mail',
  'http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid': 'saml:primarygroupsid',
  // X.500
  '2.5.4.3':                            'saml:commonname',
  '2.5.4.4':                            'saml:surname',
  '2.5.4.42':                           'saml:givenname',
  '2.4.5.42':                           'saml:givenname',
  '2.5.4.45':                           'saml:x500uniqueidentifier',
  '0.9.2342.19200300.100.1.1':          'saml:uid',
  '0.9.2342.19200300.100.1.3':          'saml:mail',
  '0.9.2342.19200300100.1.1':           'saml:uid',
  '0.9.2342.19200300100.1.3':           'saml:mail',
  '0.9.2342.19200300.100.1.45':         'saml:organizationstatus',
  'urn:oid:2.5.4.4':                    'saml:surname',
  'urn:oid:2.5.4.42':                   'saml:givenname',
  'urn:oid:2.5.4.45':                   'saml:x500uniqueidentifier',
  'urn:oid:0.9.2342.19200300.100.1.1':  'saml:uid',
  'urn:oid:0.9.2342.19200300.100.1.3':  'saml:mail',
  'urn:oid:0.9.2342.19200300.100.1.45': 'saml:organizationstatus',
};

/**
 * Returns the keys that attributes set. Values of attributes with one key are joined.
 *
 * A key that the authorization reference lists as single-valued is a single value if the assertion has one value for it, so that variables
 * and plain operators read it.
 */
function attributeKeys(attributes: ReadonlyMap<string, readonly string[]>): readonly [string, string | readonly string[]][] {
  const byKey = new Map<string, readonly string[]>();
  for (const [name, values] of attributes) {
    const key = Object.hasOwn(ATTRIBUTE_KEYS, name) ? (ATTRIBUTE_KEYS[name] as string) : undefined;
    if (key !== undefined) byKey.set(key, [...(byKey.get(key) ?? []), ...values]);
  }
  return [...byKey].map(([key, values]) => {
    const [value, ...more] = values;
    return [key, value !== undefined && more.length === 0 && conditionKey(key)?.multivalued === false ? value : values];
  });
}

interface Metadata {
  readonly entityId: string;
  readonly certificates: readonly string[];
}

/** Parsed metadata by provider record. A changed record is a new object. */
const READ = new WeakMap<SamlProviderRecord, Promise<Metadata>>();

/** Limits on the metadata of a provider. Real metadata has hundreds of tags, and one or two certificates. */
const METADATA_TAGS_MAX = 20_000;
const CERTIFICATES_MAX = 10;

/** Returns the entity ID of a provider and its signing certificates. Parses each record once. */
function metadataOf(provider: SamlProviderRecord): Promise<Metadata> {
  let read = READ.get(provider);
  if (read === undefined) READ.set(provider, (read = readMetadata(provider.metadata)));
  return read;
}

/**
 * @throws InvalidIdentityTokenException  the metadata is invalid, too large, or has no signing certificate or more than 20
 * Assumed: the limits and the messages.
 */
async function readMetadata(metadata: string): Promise<Metadata> {
  if (!hasAtMost(metadata, '<', METADATA_TAGS_MAX)) throw invalid("The provider's metadata is too large.");
  const { Parser, processors } = await import('xml2js');
  const parser = new Parser({ explicitCharkey: true, tagNameProcessors: [processors.stripPrefix] });
  const root = ((await parser.parseStringPromise(metadata).catch(() => undefined)) ?? {}) as Element;
  const entity = (root['EntityDescriptor'] ?? one(root['EntitiesDescriptor'] as Element | undefined, 'EntityDescriptor')) as
    | Element
    | undefined;
  const listed = all(one(entity, 'IDPSSODescriptor'), 'KeyDescriptor')
    .filter(({ $ }) => $?.['use'] === undefined || $['use'] === 'signing')
    .flatMap((key) => all(one(key, 'KeyInfo'), 'X509Data'))
    .flatMap((data) => all(data, 'X509Certificate'))
    .map((certificate) => textOf(certificate).replaceAll(/\s/g, ''));
  const certificates = [...new Set(listed)];
  const entityId = entity?.$?.['entityID'];
  if (entityId === undefined || certificates.length === 0) throw invalid("The provider's metadata names no signing certificate.");
  if (certificates.length > CERTIFICATES_MAX) throw invalid("The provider's metadata names too many signing certificates.");
  return { entityId, certificates };
}

function all(element: Element | undefined, child: string): readonly Element[] {
  const found = element?.[child];
  return Array.isArray(found) ? found.map((each) => (typeof each === 'string' ? { _: each } : (each as Element))) : [];
}

function one(element: Element | undefined, child: string): Element | undefined {
  return all(element, child)[0];
}

function textOf(element: Element | undefined): string {
  return element?._?.trim() ?? '';
}

function expired(message: string): AwsError {
  return new AwsError('ExpiredTokenException', message);
}
