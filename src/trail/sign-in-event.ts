import type { AccountId } from '#core/arn.ts';
import { header, type Received } from '#core/exchange.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import type { TrailRow } from '#store/trail.ts';
import { capped } from './fields.ts';
import { lookupUserName, userIdentity } from './user-identity.ts';

/** Something that happened on the way into the console. */
export interface SignInEvent {
  readonly received: Received;
  readonly eventName: 'ConsoleLogin' | 'CheckMfa' | 'GetSigninToken';
  readonly outcome: 'Success' | 'Failure';
  readonly region: string;
  readonly now: Instant;
  /** A UUID. */
  readonly eventId: string;
  /** Account whose event history has the record; `NO_ACCOUNT` if the sign-in names no account of this server. */
  readonly accountId: AccountId;
  /** Absent if the sign-in names no user of this server. */
  readonly principal?: Principal;
  /** A name was typed that is nobody's: it may be a password, and is never recorded. */
  readonly typedName?: boolean;
  readonly errorMessage?: string;
  readonly mfaUsed: boolean;
  /** Where the browser was sent. */
  readonly loginTo?: string;
  /** Of GetSigninToken: of the credentials that the console will sign with. */
  readonly madeAccessKeyId?: string;
}

const UNKNOWN_NAME = 'HIDDEN_DUE_TO_SECURITY_REASONS';

/**
 * The record of a sign-in event. Requirement LOG-2.
 *
 * Source: CloudTrail User Guide, "AWS Management Console sign-in events": the samples.
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
    ...(userName !== undefined && { userName }),
    resources: [],
    document: JSON.stringify({
      eventVersion: '1.08',
      userIdentity:
        principal !== undefined
          ? userIdentity(principal, undefined)
          : event.typedName
            ? { type: 'IAMUser', accountId, accessKeyId: '', userName: UNKNOWN_NAME }
            : { type: 'Unknown' },
      eventTime: isoSeconds(now),
      eventSource: 'signin.amazonaws.com',
      eventName,
      awsRegion: region,
      sourceIPAddress: capped(received.sourceIp),
      userAgent: field('user-agent'),
      ...(errorMessage !== undefined && { errorMessage: capped(errorMessage) }),
      requestParameters: null,
      responseElements: {
        ...(madeAccessKeyId !== undefined && { credentials: { accessKeyId: madeAccessKeyId } }),
        [eventName]: outcome,
      },
      additionalEventData: {
        ...(loginTo !== undefined && { LoginTo: capped(loginTo) }),
        MobileVersion: 'No',
        MFAUsed: mfaUsed ? 'Yes' : 'No',
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
