import { isoSeconds } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Principal, SessionFacts } from '#core/principal.ts';
import { capped } from './fields.ts';

/** Returns `userIdentity` of a trail event: the caller. Source: CloudTrail User Guide, "CloudTrail userIdentity element". LOG-3. */
export function userIdentity(principal: Principal, accessKeyId: string | undefined): Readonly<Record<string, unknown>> {
  const { type, principalId, arn, accountId } = principal;
  const key = accessKeyId === undefined ? {} : { accessKeyId };
  const caller = { type, principalId, arn, accountId, ...key };
  switch (principal.type) {
    case 'Root':
      return principal.session ? { ...caller, sessionContext: sessionContext(principal.session) } : caller;
    case 'IAMUser': {
      const user = { ...caller, userName: principal.userName };
      return principal.session ? { ...user, sessionContext: sessionContext(principal.session) } : user;
    }
    case 'AssumedRole': {
      const sessionIssuer = {
        type: 'Role',
        principalId: principal.roleId,
        arn: principal.roleArn,
        accountId,
        userName: principal.roleName,
      };
      return { ...caller, sessionContext: sessionContext(principal.session, sessionIssuer) };
    }
    case 'FederatedUser': {
      const issuerName = principal.issuerArn.slice(principal.issuerArn.lastIndexOf('/') + 1);
      const sessionIssuer = principal.issuerArn.endsWith(':root')
        ? { type: 'Root', principalId: principal.issuerId, arn: principal.issuerArn, accountId }
        : { type: 'IAMUser', principalId: principal.issuerId, arn: principal.issuerArn, accountId, userName: issuerName };
      return { ...caller, sessionContext: sessionContext(principal.session, sessionIssuer) };
    }
    case 'AWSService':
      return { type, invokedBy: principal.service };
    case 'Unknown': {
      const { federation } = principal;
      if (federation === undefined) return { type, principalId, accountId };
      const saml = federation.kind === 'saml';
      return {
        type: saml ? 'SAMLUser' : 'WebIdentityUser',
        principalId: capped(principalId),
        userName: capped(federation.subject),
        identityProvider: capped(saml ? federation.nameQualifier : federation.provider),
      };
    }
  }
}

/** Returns `sessionContext`. `mfaAuthenticated` is a string, as in CloudTrail. Only web identities have federation data. */
function sessionContext(session: SessionFacts, sessionIssuer?: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const web = session.federatedProvider !== undefined && !session.federatedProvider.includes(':saml-provider/');
  return {
    ...(sessionIssuer && { sessionIssuer }),
    ...(web && { webIdFederationData: { federatedProvider: session.federatedProvider, attributes: {} } }),
    attributes: { creationDate: isoSeconds(session.issuedAt), mfaAuthenticated: String(session.mfaAuthenticated) },
    ...omitUndefined({ sourceIdentity: session.sourceIdentity }),
  };
}

/**
 * Returns `userIdentity` of a record in another account's event history. It contains the caller's principal ID and
 * account, but not the caller's ARN and user name.
 *
 * Source: IAM User Guide, "Logging IAM and AWS STS API calls with AWS CloudTrail", cross-account AWS STS API events.
 */
export function otherAccountIdentity({ principalId, accountId }: Principal): Readonly<Record<string, unknown>> {
  return { type: 'AWSAccount', principalId, accountId };
}

/**
 * Returns the name by which LookupEvents finds a caller.
 *
 * Source: CloudTrail User Guide, "Viewing CloudTrail events", User name: the user's name, `root`, or the role session's name.
 * Assumed: the name of a SAML or web identity is `userName` of `userIdentity`.
 */
export function lookupUserName(principal: Principal): string | undefined {
  switch (principal.type) {
    case 'Root':
      return 'root';
    case 'IAMUser':
    case 'FederatedUser':
      return principal.userName;
    case 'AssumedRole':
      return principal.sessionName;
    case 'AWSService':
      return principal.service;
    case 'Unknown':
      return principal.federation && capped(principal.federation.subject);
  }
}
