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
      const kind = federation.kind === 'saml' ? 'SAMLUser' : 'WebIdentityUser';
      return {
        type: kind,
        principalId: capped(principalId),
        userName: capped(federation.subject),
        identityProvider: capped(federation.provider),
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
 * Returns the caller of an unsigned request from the accepted token, which the response describes. Returns `undefined` for all other calls.
 *
 * Source: CloudTrail User Guide, "CloudTrail userIdentity element", SAML and web identity federation.
 */
export function tokenIdentity(operation: string, output: unknown): Readonly<Record<string, unknown>> | undefined {
  const response = (output ?? {}) as Readonly<Record<string, unknown>>;
  const field = (name: string): string => capped(String(response[name]));
  if (operation === 'AssumeRoleWithWebIdentity' && response['SubjectFromWebIdentityToken'] !== undefined) {
    const [provider, audience, subject] = [field('Provider'), field('Audience'), field('SubjectFromWebIdentityToken')];
    return { type: 'WebIdentityUser', principalId: `${provider}:${audience}:${subject}`, userName: subject, identityProvider: provider };
  }
  if (operation === 'AssumeRoleWithSAML' && response['Subject'] !== undefined) {
    const [provider, subject] = [field('NameQualifier'), field('Subject')];
    return { type: 'SAMLUser', principalId: `${provider}:${subject}`, userName: subject, identityProvider: provider };
  }
  return undefined;
}

/**
 * Returns the name by which LookupEvents finds a caller.
 *
 * Source: CloudTrail User Guide, "Viewing CloudTrail events", User name: the user's name, `root`, or the role session's name.
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
      return undefined;
  }
}
