import { type AccountId, arn } from '#core/arn.ts';
import type { Principal } from '#core/principal.ts';
import type { AccountRecord, RoleRecord, UserRecord } from '#store/identity/identity.ts';
import type { SessionClaims } from './session-token.ts';
import type { Snapshot } from './snapshot.ts';

/** Principals in the current identity snapshot. The functions return `undefined` if the principal does not exist. */
export interface Principals {
  root(accountId: AccountId): (Principal & { type: 'Root' }) | undefined;
  user(accountId: AccountId, userName: string): (Principal & { type: 'IAMUser' }) | undefined;
  /**
   * Returns the principal of a session if its role or user still exists with the same unique ID. Also finds renamed users. A session of a
   * person of Amazon Chime ends with their sign-in.
   * Does not check whether the session has expired.
   */
  session(claims: SessionClaims): Principal | undefined;
}

/** Creates the functions that find principals in a snapshot. */
export function principalsOf(snapshot: Snapshot): Principals {
  /** Principals by record. All requests of a principal get the same object, so that caches can use it as a key. */
  const users = new WeakMap<UserRecord, Principal & { type: 'IAMUser' }>();
  const roots = new WeakMap<AccountRecord, Principal & { type: 'Root' }>();
  /** Principals of sessions. Each is stored with the record of the user, role or account that has the session. */
  const sessions = new WeakMap<SessionClaims, { readonly holder: object; readonly principal: Principal }>();

  function root(accountId: AccountId): (Principal & { type: 'Root' }) | undefined {
    const record = snapshot.account(accountId);
    if (record === undefined) return undefined;
    let principal = roots.get(record);
    if (principal === undefined) {
      principal = { type: 'Root', accountId, arn: arn('iam', '', accountId, 'root'), principalId: accountId };
      roots.set(record, principal);
    }
    return principal;
  }

  function user(accountId: AccountId, userName: string): (Principal & { type: 'IAMUser' }) | undefined {
    return userOf(snapshot.user(accountId, userName));
  }

  function userOf(record: UserRecord | undefined): (Principal & { type: 'IAMUser' }) | undefined {
    if (record === undefined) return undefined;
    const { accountId, arn, userId, userName } = record;
    let principal = users.get(record);
    if (principal === undefined) users.set(record, (principal = { type: 'IAMUser', accountId, arn, principalId: userId, userName }));
    return principal;
  }

  function session(claims: SessionClaims): Principal | undefined {
    const holder = holderOf(claims);
    if (holder === undefined) return undefined;
    const known = sessions.get(claims);
    if (known?.holder === holder) return known.principal;
    const principal = ofSession(claims, holder);
    sessions.set(claims, { holder, principal });
    return principal;
  }

  /**
   * Returns the holder of a session. For a role session, the holder is the record of the role. For any other session,
   * it is the principal of the user or root. The object is the same until the record changes.
   */
  function holderOf(claims: SessionClaims): Holder | undefined {
    const { accountId } = claims;
    if (hasEnded(claims.session)) return undefined;
    switch (claims.kind) {
      case 'role': {
        const role = snapshot.role(accountId, claims.roleName);
        return role?.roleId === claims.roleId ? role : undefined;
      }
      case 'user':
        return userOf(snapshot.userById(accountId, claims.userId));
      case 'root':
        return root(accountId);
      case 'federated':
        return claims.issuerId === accountId ? root(accountId) : userOf(snapshot.userById(accountId, claims.issuerId));
    }
  }

  /** Reports whether the sign-in of the person that has a session has ended. */
  function hasEnded({ personSignIn }: SessionClaims['session']): boolean {
    if (personSignIn === undefined) return false;
    const [accountId, id = ''] = personSignIn.split('/');
    return snapshot.record(accountId as AccountId, 'person-sign-in', id) === undefined;
  }

  return { root, user, session };
}

/**
 * Role, user or root that a session belongs to. The session of a federated user belongs to the caller of
 * GetFederationToken.
 */
type Holder = RoleRecord | (Principal & { type: 'IAMUser' | 'Root' });

function ofSession(claims: SessionClaims, holder: Holder): Principal {
  const { accountId, session } = claims;
  if ('roleId' in holder) {
    if (claims.kind !== 'role') throw new Error('a session that is not a role session belongs to a role');
    const { sessionName } = claims;
    return {
      type: 'AssumedRole',
      accountId,
      arn: arn('sts', '', accountId, `assumed-role/${holder.roleName}/${sessionName}`),
      principalId: `${holder.roleId}:${sessionName}`,
      roleArn: holder.arn,
      roleId: holder.roleId,
      roleName: holder.roleName,
      sessionName,
      session,
    };
  }
  if (claims.kind !== 'federated') return { ...holder, session };
  return {
    type: 'FederatedUser',
    accountId,
    arn: arn('sts', '', accountId, `federated-user/${claims.federatedName}`),
    principalId: `${accountId}:${claims.federatedName}`,
    userName: claims.federatedName,
    issuerArn: holder.arn,
    issuerId: holder.principalId,
    session,
  };
}
