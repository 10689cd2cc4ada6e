import { NO_ACCOUNT } from '#core/arn.ts';
import { header, type Received } from '#core/exchange.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Tx } from '#store/store.ts';
import { capped } from '#trail/fields.ts';
import { serviceEventRow } from '#trail/service-event.ts';
import type { ChimeUserRecord } from '../../core/services.ts';
import type { SignInParts } from '../parts.ts';

/** Names of the trail events of people. */
export type PersonEventName = 'RegisterUser' | 'RequestConfirmation' | 'SetPassword' | 'SignInUser' | 'SignOutUser';

/**
 * Event of a person. `user` is absent for a person without an account, and for an unknown person. It has no ID if only the account of the person is
 * known.
 */
export interface PersonEvent {
  readonly received: Received;
  readonly eventName: PersonEventName;
  readonly outcome: 'Success' | 'Failure';
  readonly user?: (Pick<ChimeUserRecord, 'accountId' | 'chimeAccountId'> & Partial<Pick<ChimeUserRecord, 'userId'>>) | undefined;
  readonly errorMessage?: string;
}

/**
 * Records an event of a person in the event history of the AWS account of the user. The record has no address and no name, because a person
 * may type a password there. The number of records of failures is limited, as for the sign-in to the console (Decision 0015).
 *
 * Specific to Belfry: AWS documents no records of people of Amazon Chime.
 */
export async function recordPerson(parts: SignInParts, tx: Tx, event: PersonEvent): Promise<void> {
  const { received, eventName, outcome, user, errorMessage } = event;
  parts.recorded.add(received);
  if (!parts.recording) return;
  const now = parts.now();
  const accountId = user?.accountId ?? NO_ACCOUNT;
  if (outcome === 'Failure' && !parts.unproven.admit(received, accountId, now)) return;
  await tx.trail.append(
    serviceEventRow({
      accountId,
      region: parts.region,
      now,
      eventId: parts.newId(),
      eventName,
      eventSource: 'chime.amazonaws.com',
      invokedBy: 'chime.amazonaws.com',
      details: omitUndefined({
        outcome,
        chimeAccountId: user?.chimeAccountId,
        userId: user?.userId,
        errorMessage,
        sourceIPAddress: capped(received.sourceIp),
        userAgent: capped(header(received, 'user-agent') ?? ''),
      }),
    }),
  );
}
