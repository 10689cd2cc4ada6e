/** Records of roles that services assume: AssumeRole with `invokedBy`. */
import { type DecideRole, type RoleRequest, roleNameOf, serviceSessionOf } from '#access/service-role.ts';
import { newAccessKeyId } from '#core/access-key-id.ts';
import { arn } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import { lruMap } from '#core/lru-map.ts';
import type { RoleRecord } from '#store/identity/identity.ts';
import type { Tx } from '#store/store.ts';
import type { Use } from '#trail/last-use.ts';
import { trailDate } from '#trail/redact.ts';
import { serviceRoleRow } from '#trail/service-event.ts';
import { serviceForm } from '#trail/service-forms.ts';
import { issuedNames } from '#trail/sts-records.ts';
import type { Work } from '../kit/events.ts';
import { nameKey } from './names.ts';

const SESSION_SECONDS = 3600;
/** Sessions that a server remembers. A session that it has forgotten is recorded again. */
const SESSIONS_MAX = 10_000;

/** A role that a service assumes. */
interface AssumedRole {
  /** Service principal: `cloudtrail.amazonaws.com`. */
  readonly service: string;
  readonly role: Pick<RoleRecord, 'accountId' | 'roleId' | 'roleName' | 'arn'>;
  readonly region: string;
  readonly roleSessionName: string;
}

/** Role session of a service. */
interface Session {
  readonly role: AssumedRole['role'];
  readonly expiresAt: Instant;
}

/**
 * Records that a service has assumed a role, in the trail of the role's account.
 *
 * The service runs in this server, so the session needs no secret access key. The access key ID in the record only identifies the session.
 */
export async function recordAssumedRole(
  { tx, now, newId }: Pick<Work, 'tx' | 'now' | 'newId'>,
  { service, role, region, roleSessionName }: AssumedRole,
): Promise<void> {
  const { accountId, roleId, roleName } = role;
  const accessKeyId = newAccessKeyId('ASIA', accountId, () => Buffer.from(newId().slice(-10), 'hex'));
  const sessionArn = arn('sts', '', accountId, `assumed-role/${roleName}/${roleSessionName}`);
  await tx.trail.append(
    serviceRoleRow({
      accountId,
      region,
      now,
      eventId: newId(),
      requestId: newId(),
      sharedEventId: newId(),
      eventName: 'AssumeRole',
      service: 'sts',
      invokedBy: service,
      roleArn: role.arn,
      requestParameters: { roleArn: role.arn, roleSessionName, durationSeconds: SESSION_SECONDS },
      responseElements: {
        credentials: { accessKeyId, expiration: trailDate(expiryOf(now), serviceForm('sts').afterDate) },
        assumedRoleUser: { assumedRoleId: `${roleId}:${roleSessionName}`, arn: sessionArn },
      },
      issued: issuedNames({ Credentials: { AccessKeyId: accessKeyId }, AssumedRoleUser: { Arn: sessionArn } }),
    }),
  );
}

const expiryOf = (now: Instant): Instant => instant(now + SESSION_SECONDS * 1000);

/**
 * Adds records to a function that decides about roles of services: AssumeRole when the service begins a role session. A session lasts an
 * hour, for one service, role, source and session name, on each server. A decision still evaluates the role as it is now.
 *
 * Assumed: a service reuses a session until it expires, and the trust policy that refuses a service causes no record.
 * Writes: the CloudTrail event of AssumeRole, and the last uses of the role, if the role trusts the service.
 */
export function recordingSessions(
  decideRole: DecideRole,
  newId: () => string,
  noteUse: (tx: Tx, use: Use) => Promise<void> | undefined,
): DecideRole {
  const sessions = lruMap<string, Session>(SESSIONS_MAX);
  /** Sessions of transactions that are not committed yet. */
  const begunIn = new WeakMap<Tx, Map<string, Session>>();

  async function noteUses(tx: Tx, { role }: Session, request: RoleRequest): Promise<void> {
    const { actions, region, now } = request;
    const principal = serviceSessionOf(role, request);
    for (const action of actions) await noteUse(tx, { principal, action, region, now });
  }

  return async (tx, request) => {
    const decision = await decideRole(tx, request);
    if (decision === 'no-role' || decision === 'not-trusted') return decision;
    const { now, service, region, roleArn, sourceAccount, sessionName: roleSessionName } = request;
    const key = keyOf(request);
    const begun = begunIn.get(tx) ?? new Map<string, Session>();
    const known = begun.get(key) ?? sessions.get(key);
    if (known !== undefined && known.expiresAt > now) {
      await noteUses(tx, known, request);
      return decision;
    }
    const role = await tx.identity.get(sourceAccount, 'role', nameKey(roleNameOf(roleArn)));
    if (role === undefined) return decision;
    const session: Session = { role, expiresAt: expiryOf(now) };
    begunIn.set(tx, begun.set(key, session));
    await recordAssumedRole({ tx, now, newId }, { service, role, region, roleSessionName });
    await noteUses(tx, session, request);
    tx.afterCommit(() => sessions.set(key, session));
    return decision;
  };
}

function keyOf({ service, roleArn, sourceArn, sessionName }: RoleRequest): string {
  return [service, roleArn, sourceArn, sessionName].join(' ');
}
