import { type AccountId, arn } from '#core/arn.ts';
import type { Principal } from '#core/principal.ts';
import type { UserRecord } from '#store/identity/identity.ts';
import type { SessionClaims } from './session-token.ts';
import type { Snapshot } from './snapshot.ts';

/** Principals in the current identity snapshot. The functions return `undefined` if the principal does not exist any more. */
export interface Principals {
  root(accountId: AccountId): (Principal & { type: 'Root' }) | undefined;
  user(accountId: AccountId, userName: string): (Principal & { type: 'IAMUser' }) | undefined;
  /**
   * Returns the principal of a session if its role or user still exists with the same unique ID. Also finds renamed users.
   * Does not check whether the session has expired.
   */
  session(claims: SessionClaims): Principal | undefined;
}

/** Creates the functions over a snapshot. */
export function principalsOf(snapshot: Snapshot): Principals {
  /** Principals by user record. All requests of a user get the same object, so that caches can use it as a key. */
  const users = new WeakMap<object, Principal & { type: 'IAMUser' }>();

  function root(accountId: AccountId): (Principal & { type: 'Root' }) | undefined {
    if (snapshot.account(accountId) === undefined) return undefined;
    return { type: 'Root', accountId, arn: arn('iam', '', accountId, 'root'), principalId: accountId };
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
    const { accountId } = claims;
    switch (claims.kind) {
      case 'role': {
        const role = snapshot.role(accountId, claims.roleName);
        if (role === undefined || role.roleId !== claims.roleId) return undefined;
        return {
          type: 'AssumedRole',
          accountId,
          arn: arn('sts', '', accountId, `assumed-role/${role.roleName}/${claims.sessionName}`),
          principalId: `${role.roleId}:${claims.sessionName}`,
          roleArn: role.arn,
          roleId: role.roleId,
          roleName: role.roleName,
          sessionName: claims.sessionName,
          session: claims.session,
        };
      }
      case 'user': {
        const found = userOf(snapshot.userById(claims.userId));
        return found && { ...found, session: claims.session };
      }
      case 'root': {
        const found = root(accountId);
        return found && { ...found, session: claims.session };
      }
      case 'federated': {
        const issuer = claims.issuerId === accountId ? root(accountId) : userOf(snapshot.userById(claims.issuerId));
        if (issuer === undefined) return undefined;
        return {
          type: 'FederatedUser',
          accountId,
          arn: arn('sts', '', accountId, `federated-user/${claims.federatedName}`),
          principalId: `${accountId}:${claims.federatedName}`,
          userName: claims.federatedName,
          issuerArn: issuer.arn,
          issuerId: issuer.principalId,
          session: claims.session,
        };
      }
    }
  }

  return { root, user, session };
}
