import { ensureLinkedRole, onLinkedRole } from '../iam/service-linked-roles.ts';
import type { Access, Call, Caller } from '../kit/operation.ts';
import { AwsError } from './errors.ts';

const SERVICE = 'voiceconnector.chime.amazonaws.com';

/** What the caller must be allowed where the role of Voice Connectors is still to be made. Requirement SLR-6. */
export function onVoiceConnectorRole(caller: Caller): Access {
  return onLinkedRole(caller, SERVICE);
}

/**
 * Makes the role that Voice Connectors and SIP media applications act with, where there is none. Requirements SLR-6, SLR-15.
 *
 * Source: the text's beginning, security.md SLR-6. Assumed: the code, and the rest.
 * @throws ForbiddenException people have made a role of that name
 */
export async function makeVoiceConnectorRole(call: Call): Promise<void> {
  const outcome = await ensureLinkedRole(call, SERVICE);
  if (outcome === 'taken') {
    throw new AwsError(
      'ForbiddenException',
      `Unable to create service linked role for ${SERVICE}: its name has been taken in this account.`,
    );
  }
}
