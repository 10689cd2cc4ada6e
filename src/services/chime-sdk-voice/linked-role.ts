import { ensureLinkedRole, onLinkedRole } from '../iam/service-linked-roles.ts';
import type { Access, Call, Caller } from '../kit/operation.ts';
import { AwsError } from './errors.ts';

const SERVICE = 'voiceconnector.chime.amazonaws.com';

/** Requires the permission to create the service-linked role of Voice Connectors if it does not exist. Requirement SLR-6. */
export function onVoiceConnectorRole(caller: Caller): Access {
  return onLinkedRole(caller, SERVICE);
}

/**
 * Creates the service-linked role of Voice Connectors and SIP media applications if it does not exist. Requirements
 * SLR-6, SLR-15.
 *
 * Source: security.md SLR-6, for the beginning of the error message. Assumed: the error code, and the rest of the
 * message.
 * @throws ForbiddenException an ordinary role has the name of the service-linked role
 */
export async function createVoiceConnectorRole(call: Call): Promise<void> {
  const outcome = await ensureLinkedRole(call, SERVICE);
  if (outcome === 'taken') {
    throw new AwsError(
      'ForbiddenException',
      `Unable to create service linked role for ${SERVICE}: its name has been taken in this account.`,
    );
  }
}
