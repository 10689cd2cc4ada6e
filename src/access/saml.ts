import { hash } from 'node:crypto';
import { SAML } from '@node-saml/node-saml';
import { AwsError } from '#core/aws-error.ts';
import type { Federation } from '#core/federation.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { SamlProviderRecord } from '#store/identity/identity.ts';
import { invalid, passed } from './passed-tags.ts';
import { requireShort } from './provider-claims.ts';
import { attributeKeys } from './saml-attributes.ts';
import { all, type Element, one, textOf } from './saml-element.ts';
import { readSamlMetadata } from './saml-metadata.ts';
import { checkResponse } from './saml-response.ts';

/**
 * SAML assertions. Owns the checks of an assertion's content and times. node-saml verifies the signature and returns
 * only the signed element, so this module never reads unsigned elements. It runs in a thread of its own, because one
 * document can take 300 ms.
 */

/** An assertion to verify, as plain data, because it is sent to another thread. */
export interface SamlJob {
  /** SAML response in Base64. */
  readonly assertion: string;
  readonly provider: Pick<SamlProviderRecord, 'accountId' | 'arn' | 'name' | 'metadata'>;
  readonly now: Instant;
}

/** Content of a verified assertion that a role session needs, as plain data. */
export type VerifiedAssertion = Omit<Extract<Federation, { readonly kind: 'saml' }>, 'providerMetadata'>;

/** Recipient that an assertion must name: the sign-in page of AWS. It does not depend on the host of this server. */
const RECIPIENT = /^https:\/\/(?:[a-z0-9-]+\.)?signin\.aws\.amazon\.com\/saml$/;
const AUDIENCES: readonly string[] = ['https://signin.aws.amazon.com/saml', 'urn:amazon:webservices'];
const ATTRIBUTES = 'https://aws.amazon.com/SAML/Attributes/';
const TAG_ATTRIBUTES = `${ATTRIBUTES}PrincipalTag:`;
const SESSION_NAME = /^[\w+=,.@-]{2,64}$/;
const NAME_FORMAT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:';
const REDEEM_MS = 5 * 60_000;
const SKEW_MS = 60_000;

/**
 * Verifies an assertion of a provider and returns its content.
 *
 * @throws InvalidIdentityTokenException  the signature, issuer, recipient, audience or a required attribute is missing or invalid
 * @throws IDPRejectedClaimException      the status of the response is not Success
 * @throws ExpiredTokenException          the assertion has expired, or was issued more than five minutes ago
 *
 * Source: IAM User Guide, "Configure SAML assertions for the authentication response"; STS API reference, AssumeRoleWithSAML.
 * Requirement FED-1. The error messages are from users' reports of AWS.
 * Assumed: (1) clocks may differ by a minute; (2) encrypted assertions are rejected.
 */
export async function verifySaml({ assertion, provider, now }: SamlJob): Promise<VerifiedAssertion> {
  const { entityId, certificates } = await readSamlMetadata(provider.metadata);
  const signed = await signedAssertion(assertion, certificates);
  const issuer = textOf(one(signed, 'Issuer'));
  if (issuer !== entityId) throw invalid('Issuer not present in specified provider');

  const { audience, end: confirmedUntil } = recipientOf(signed, now);
  const { validUntil, redeemUntil, latestEnd } = timesOf(signed, now);
  const assertionId = signed.$?.['ID'];
  if (!assertionId) throw invalid('The assertion does not have an ID.');
  const nameId = one(one(signed, 'Subject'), 'NameID');
  const subject = textOf(nameId);
  if (!subject) throw invalid('The assertion does not have a Subject with a NameID.');
  const format = nameId?.$?.['Format'] ?? 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified';
  const subjectType = format.startsWith(NAME_FORMAT) ? format.slice(NAME_FORMAT.length) : format;

  const attributes = attributesOf(signed);
  const sessionName = attributes.get(`${ATTRIBUTES}RoleSessionName`)?.[0];
  if (sessionName === undefined) throw invalid('RoleSessionName is required in AuthnResponse');
  if (!SESSION_NAME.test(sessionName)) throw invalid('RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}');
  const tags = [...attributes].filter(([name]) => name.startsWith(TAG_ATTRIBUTES));

  const consoleSeconds = consoleSecondsOf(attributes.get(`${ATTRIBUTES}SessionDuration`)?.[0]);
  const nameQualifier = hash('sha1', `${issuer}${provider.accountId}/${provider.name}`, 'base64');
  // Source: IAM User Guide, "IAM and AWS STS condition context keys": the section "SAML role permissions policies"
  // lists only these SAML keys.
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
    redeemUntil,
    validUntil: instant(Math.min(validUntil, confirmedUntil)),
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

/**
 * Parses the duration of a console session. Returns `undefined` for an absent attribute.
 *
 * @throws InvalidIdentityTokenException  the duration is invalid
 * Source: IAM User Guide, "Configure SAML assertions for the authentication response", SessionDuration: 900 to 43,200 seconds.
 */
function consoleSecondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^[0-9]{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds >= 900 && seconds <= 43_200)) throw invalid('SessionDuration in AuthnResponse must be from 900 to 43200');
  return seconds;
}

/** Verifies the signature of a response or its assertion, and returns the signed assertion. */
async function signedAssertion(assertion: string, certificates: readonly string[]): Promise<Element> {
  const xml = Buffer.from(assertion, 'base64').toString('utf8');
  if (/<!DOCTYPE|<!ENTITY/i.test(xml)) throw invalid('Invalid base64 SAMLResponse');
  checkResponse(xml);
  for (const certificate of certificates) {
    const reader = new SAML({
      idpCert: certificate,
      issuer: 'belfry',
      callbackUrl: AUDIENCES[0] as string,
      wantAuthnResponseSigned: false,
      // Either the response or the assertion must be signed, so neither option requires a signature. The library
      // returns the assertion only from an element whose signature is valid.
      wantAssertionsSigned: false,
      // Disables node-saml's checks of audience and times. This file checks audience and times itself, with the
      // server's clock and AWS's messages.
      audience: false,
      acceptedClockSkewMs: -1,
    });
    // The library's messages describe its internals, so the response does not contain them.
    const verified = await reader.validatePostResponseAsync({ SAMLResponse: assertion }).catch(() => undefined);
    const signed = (verified?.profile?.getAssertion?.() as { readonly Assertion?: Element } | undefined)?.Assertion;
    if (signed !== undefined) return signed;
  }
  throw invalid('Response signature invalid');
}

/**
 * Returns the recipient (`saml:aud`) from the valid subject confirmation, and the time at which the confirmation
 * expires.
 */
function recipientOf(signed: Element, now: Instant): { readonly audience: string; readonly end: number } {
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
  return { audience: valid['Recipient'] as string, end: timeOf(valid['NotOnOrAfter']) + SKEW_MS };
}

/** End of an assertion's validity, end of the time to redeem the assertion, and end of the session at the provider. */
interface Ends {
  readonly validUntil: number;
  readonly redeemUntil: Instant;
  readonly latestEnd?: Instant;
}

/** Checks the times of an assertion. Returns the end times (`Ends`). */
function timesOf(signed: Element, now: Instant): Ends {
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
  const redeemUntil = instant(issued + REDEEM_MS + SKEW_MS);
  const validUntil = Math.min(redeemUntil, notOnOrAfter === undefined ? redeemUntil : timeOf(notOnOrAfter) + SKEW_MS);
  if (ends.length === 0) return { validUntil, redeemUntil };
  const end = Math.min(...ends.map(timeOf));
  if (!(now < end)) throw expired('Token is expired');
  return { validUntil: Math.min(validUntil, end), redeemUntil, latestEnd: instant(end) };
}

/** Parses a time. Returns NaN for an invalid time, so that every comparison with the result is false. */
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

function expired(message: string): AwsError {
  return new AwsError('ExpiredTokenException', message);
}
