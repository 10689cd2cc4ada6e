import type { AccountId } from '#core/arn.ts';
import { header, type Received } from '#core/exchange.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Principal } from '#core/principal.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import { capped } from './fields.ts';
import { lookupUserName, userIdentity } from './user-identity.ts';

/** An event during a console sign-in. */
export interface SignInEvent {
  readonly received: Received;
  readonly eventName: 'ConsoleLogin' | 'CheckMfa' | 'GetSigninToken';
  readonly outcome: 'Success' | 'Failure';
  readonly region: string;
  readonly now: Instant;
  /** A UUID. */
  readonly eventId: string;
  /** Account whose event history has the record, or `NO_ACCOUNT` if the sign-in does not name an account of this server. */
  readonly accountId: AccountId;
  /** Absent if the sign-in does not name a user of this server. */
  readonly principal?: Principal;
  /** True if the typed user name does not exist. The typed string may be a password, so it is never recorded. */
  readonly typedName?: boolean;
  readonly errorMessage?: string;
  readonly mfaUsed: boolean;
  /** ARN of the MFA device whose code was right. */
  readonly mfaIdentifier?: string;
  /** ARN of the SAML provider that signed the assertion of a sign-in. */
  readonly samlProviderArn?: string;
  /** For GetSigninToken: the access key ID of the caller's credentials, which were valid. */
  readonly accessKeyId?: string;
  /** URL that the browser was redirected to. */
  readonly loginTo?: string;
  /** For GetSigninToken: the access key ID of the new console credentials. */
  readonly madeAccessKeyId?: string;
}

const UNKNOWN_NAME = 'HIDDEN_DUE_TO_SECURITY_REASONS';

/**
 * Returns the record of a sign-in event. Requirement LOG-2.
 *
 * Source: CloudTrail User Guide, "AWS Management Console sign-in events": the samples. MicrosoftDocs/azure-docs, issue 35206, a record
 * of AWS of 2019: `SamlProviderArn`. SigmaHQ/sigma, pull request 4734, a record of 2024: GetSigninToken.
 * Assumed: `MfaType` of a virtual device. The samples have `U2F MFA`.
 */
export function signInEventRow(event: SignInEvent): TrailRow {
  const { received, eventName, outcome, region, now, eventId, accountId, principal, errorMessage, mfaUsed, loginTo, madeAccessKeyId } =
    event;
  const userName = principal && lookupUserName(principal);
  const field = (name: string): string => capped(header(received, name) ?? '');
  return {
    eventId,
    accountId,
    region,
    at: now,
    eventName,
    eventSource: 'signin.amazonaws.com',
    readOnly: false,
    ...omitUndefined({ userName, accessKeyId: event.accessKeyId }),
    resources: madeAccessKeyId === undefined ? [] : [{ type: 'AWS::IAM::AccessKey', name: madeAccessKeyId }],
    document: JSON.stringify({
      eventVersion: '1.08',
      userIdentity: identityOf(event),
      eventTime: isoSeconds(now),
      eventSource: 'signin.amazonaws.com',
      eventName,
      awsRegion: region,
      sourceIPAddress: capped(received.sourceIp),
      userAgent: field('user-agent'),
      ...omitUndefined({ errorMessage: errorMessage === undefined ? undefined : capped(errorMessage) }),
      requestParameters: null,
      responseElements: {
        ...(madeAccessKeyId !== undefined && { credentials: { accessKeyId: madeAccessKeyId } }),
        [eventName]: outcome,
      },
      additionalEventData:
        eventName === 'CheckMfa'
          ? { MfaType: 'Virtual MFA' }
          : {
              ...omitUndefined({ LoginTo: loginTo === undefined ? undefined : capped(loginTo) }),
              MobileVersion: 'No',
              ...omitUndefined({ MFAIdentifier: event.mfaIdentifier }),
              MFAUsed: mfaUsed ? 'Yes' : 'No',
              ...omitUndefined({ SamlProviderArn: event.samlProviderArn }),
            },
      eventID: eventId,
      readOnly: false,
      eventType: 'AwsConsoleSignIn',
      managementEvent: true,
      recipientAccountId: accountId,
      eventCategory: 'Management',
      ...(received.tls !== undefined && {
        tlsDetails: {
          tlsVersion: received.tls.version,
          cipherSuite: received.tls.cipherSuite,
          clientProvidedHostHeader: field('host'),
        },
      }),
    }),
  };
}

/**
 * Returns `userIdentity` of a sign-in event. A user who has not completed the sign-in has an empty access key ID and no ARN, as in the
 * samples of the guide.
 */
function identityOf({ principal, eventName, outcome, accountId, typedName, accessKeyId }: SignInEvent): Readonly<Record<string, unknown>> {
  if (principal === undefined)
    return typedName ? { type: 'IAMUser', accountId, accessKeyId: '', userName: UNKNOWN_NAME } : { type: 'Unknown' };
  const incomplete = eventName === 'CheckMfa' || (eventName === 'ConsoleLogin' && outcome === 'Failure');
  if (!incomplete || principal.type !== 'IAMUser') return userIdentity(principal, accessKeyId);
  const { type, principalId, userName } = principal;
  return { type, principalId, accountId, accessKeyId: '', userName };
}
