import { arn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { SessionFacts } from '#core/principal.ts';
import type { AssumedRoleUser, Credentials } from '#model/generated/sts.ts';
import type { RoleRecord } from '#store/identity/identity.ts';
import type { Call } from '../kit/operation.ts';
import { expiresAfter, issue } from './credentials.ts';
import type { StsDeps } from './deps.ts';
import { AwsError } from './errors.ts';

/** Requested properties of a role session, from the caller or from a token. */
export interface RoleSessionRequest extends Omit<SessionFacts, 'issuedAt' | 'expiresAt'> {
  readonly sessionName: string;
  readonly durationSeconds: number | undefined;
}

/** Response members that AssumeRole, AssumeRoleWithSAML and AssumeRoleWithWebIdentity have in common. */
export interface RoleSessionAnswer {
  readonly Credentials: Credentials;
  readonly AssumedRoleUser: AssumedRoleUser;
  readonly PackedPolicySize?: number;
  readonly SourceIdentity?: string;
}

const DEFAULT_SECONDS = 3600;
const CHAINED_MAX_SECONDS = 3600;

/**
 * Creates a session of a role. Does not check permissions, because the request is already authorized. The default
 * duration is one hour.
 *
 * @throws AwsError ValidationError  the duration exceeds the role's maximum; or the session is chained (created from
 *   another role session), and the duration exceeds one hour. Requirement STS-2.
 * @throws AwsError PackedPolicyTooLarge  the policies and tags do not fit into a token
 *
 * Assumed: if both limits are exceeded, the message names the limit for role chaining.
 */
export function roleSession(deps: StsDeps, call: Call, role: RoleRecord, request: RoleSessionRequest): RoleSessionAnswer {
  const { sessionName, durationSeconds = DEFAULT_SECONDS, ...facts } = request;
  const { latestEnd } = facts;
  if (facts.chained && durationSeconds > CHAINED_MAX_SECONDS) {
    throw new AwsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    );
  }
  if (durationSeconds > role.maxSessionSeconds) {
    throw new AwsError('ValidationError', 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  }
  const end = expiresAfter(call.now, durationSeconds);
  const session: SessionFacts = {
    ...facts,
    issuedAt: call.now,
    // A SAML assertion may end the session before its requested duration. Requirement FED-1.
    expiresAt: latestEnd === undefined ? end : instant(Math.min(end, Math.floor(latestEnd / 1000) * 1000)),
  };
  const { accountId, roleId, roleName } = role;
  return {
    ...issue(deps, call, { kind: 'role', accountId, session, roleId, roleName, sessionName }),
    AssumedRoleUser: {
      AssumedRoleId: `${roleId}:${sessionName}`,
      Arn: arn('sts', '', accountId, `assumed-role/${roleName}/${sessionName}`),
    },
    ...(facts.sourceIdentity !== undefined && { SourceIdentity: facts.sourceIdentity }),
  };
}
