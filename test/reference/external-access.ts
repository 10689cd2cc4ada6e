/**
 * Second implementation of external access: all requests of a small world of outside callers, each decided by the engine with
 * the trust policy or bucket policy. The analysis decides no request. It compares patterns and conditions.
 */
import type { ConditionContext } from '#core/condition-context.ts';
import { compilePolicy, decideTrust, type TrustCaller } from '#policy/engine.ts';
import type { ExternalAccess } from '#services/accessanalyzer/tables/found-access.ts';

export const OWN = '111111111111';
export const MEMBER = '222222222222';
export const PARTNER = '333333333333';
export const VENDOR = '444444444444';
export const OWN_ORGANIZATION = 'o-own';
export const OTHER_ORGANIZATION = 'o-other';
export const BUCKET = 'arn:aws:s3:::shared';
export const SAML = `arn:aws:iam::${OWN}:saml-provider/idp`;
export const OIDC = `arn:aws:iam::${OWN}:oidc-provider/accounts.google.com`;
export const OIDC_HOST = 'accounts.google.com';

/** Account that no policy names. */
const STRANGER = '999999999999';

export const userOf = (accountId: string) => `arn:aws:iam::${accountId}:user/ada`;
export const userIdOf = (accountId: string) => `AIDA${accountId}`;
export const roleOf = (accountId: string) => `arn:aws:iam::${accountId}:role/team/reader`;
export const sessionOf = (accountId: string) => `arn:aws:sts::${accountId}:assumed-role/reader/s`;

/** Caller with the context keys that the server sets for it. */
export interface WorldCaller {
  readonly title: string;
  readonly accountId?: string;
  readonly caller: TrustCaller;
  readonly facts: readonly (readonly [string, string | readonly string[]])[];
}

/** Callers of an account. No policy names the user `new`. */
function callersOf(accountId: string, organizationId: string | undefined): readonly WorldCaller[] {
  const facts = (arn: string, userId: string): WorldCaller['facts'] => [
    ['aws:principalaccount', accountId],
    ['aws:principalarn', arn],
    ['aws:userid', userId],
    ['aws:principalisawsservice', 'false'],
    ...(organizationId === undefined
      ? []
      : ([
          ['aws:principalorgid', organizationId],
          ['aws:principalorgpaths', [`${organizationId}/r-1/ou-1/`]],
        ] as const)),
  ];
  const root = `arn:aws:iam::${accountId}:root`;
  const [user, newUser, role, session] = [userOf(accountId), `arn:aws:iam::${accountId}:user/new`, roleOf(accountId), sessionOf(accountId)];
  const federatedUser = `arn:aws:sts::${accountId}:federated-user/f`;
  const of = (caller: object) => ({ accountId, ...caller }) as TrustCaller;
  const callers: readonly [string, TrustCaller, WorldCaller['facts']][] = [
    ['root', of({ arn: root }), facts(root, accountId)],
    ['user', of({ arn: user, uniqueId: userIdOf(accountId) }), facts(user, userIdOf(accountId))],
    ['new user', of({ arn: newUser, uniqueId: 'AIDANEW' }), facts(newUser, 'AIDANEW')],
    ['federated user', of({ arn: federatedUser, roleArn: user, uniqueId: userIdOf(accountId) }), facts(federatedUser, `${accountId}:f`)],
    ['session', of({ arn: session, roleArn: role, uniqueId: `AROA${accountId}` }), facts(role, `AROA${accountId}:s`)],
    ['other session', of({ arn: `${session}2`, roleArn: role, uniqueId: `AROA${accountId}` }), facts(role, `AROA${accountId}:s2`)],
  ];
  return callers.map(([title, caller, own]) => ({ title: `${title} of ${accountId} in ${organizationId}`, accountId, caller, facts: own }));
}

const TOKEN_FACTS: WorldCaller['facts'] = [['aws:principalisawsservice', 'false']];

/** Callers outside of both zones. The analysis does not know the organization of an account, so each account is in several. */
export const OUTSIDE: readonly WorldCaller[] = [
  ...[PARTNER, VENDOR, STRANGER].flatMap((accountId) =>
    [undefined, OTHER_ORGANIZATION].flatMap((organization) => callersOf(accountId, organization)),
  ),
  { title: 'SAML', caller: { federated: [SAML, 'https://idp'] }, facts: [...TOKEN_FACTS, ['saml:aud', 'aud-1']] },
  ...[[OIDC, OIDC_HOST], [OIDC_HOST], [OIDC]].flatMap((federated) =>
    ['aud-1', 'aud-2'].map((aud) => ({
      title: `OIDC ${aud}`,
      caller: { federated },
      facts: [...TOKEN_FACTS, ['accounts.google.com:aud', aud] as const],
    })),
  ),
];

/** Callers that only a zone of one account excludes: another member of the organization. */
export const MEMBERS: readonly WorldCaller[] = [undefined, OWN_ORGANIZATION].flatMap((organization) => callersOf(MEMBER, organization));

/** Facts about the network of a request. No policy of the world names the first address, and it is in no range of a policy. */
export const NETWORKS: readonly (readonly (readonly [string, string])[])[] = ['198.51.100.7', '203.0.113.9'].flatMap((ip) =>
  [[], [['aws:sourcevpc', 'vpc-1'] as const]].flatMap((vpc) =>
    ['true', 'false'].map((tls) => [['aws:sourceip', ip] as const, ...vpc, ['aws:securetransport', tls] as const]),
  ),
);

export interface WorldRequest {
  readonly who: WorldCaller;
  readonly action: string;
  readonly resource: string;
  readonly context: ConditionContext;
}

/** Returns all requests of some callers that a policy allows. */
export function allowedRequests(
  text: string,
  policyType: 'trust' | 'resource',
  callers: readonly WorldCaller[],
  actions: readonly string[],
  resources: readonly string[],
): readonly WorldRequest[] {
  const policy = compilePolicy(text);
  const requests = callers.flatMap((who) =>
    NETWORKS.flatMap((network) => {
      const context = new Map([...who.facts, ...network]);
      return actions.flatMap((action) => resources.map((resource): WorldRequest => ({ who, action, resource, context })));
    }),
  );
  return requests.filter(
    ({ who, action, resource, context }) =>
      decideTrust(policy, who.caller, { action, resources: [resource], context }, policyType).effect === 'Allow',
  );
}

/** Reports whether the principal and the actions of a finding include a request. */
export function includes({ principal, action }: ExternalAccess, request: WorldRequest): boolean {
  return (
    principalIncludes(principal, request.who) &&
    action.some((pattern) => wildcardMatch(pattern.toLowerCase(), request.action.toLowerCase()))
  );
}

function principalIncludes(principal: ExternalAccess['principal'], { caller, accountId }: WorldCaller): boolean {
  const { AWS, Federated } = principal;
  if (Federated !== undefined) return [caller.federated ?? []].flat().includes(Federated);
  if (AWS === '*') return accountId !== undefined;
  return AWS !== undefined && [accountId, caller.arn, caller.roleArn, caller.uniqueId].includes(AWS);
}

/** Reports whether the conditions of a finding hold for a request: each key has one of the values. */
export function conditionHolds({ condition }: ExternalAccess, { context }: WorldRequest): boolean {
  return Object.entries(condition).every(([key, values]) => {
    const actual = [context.get(key.toLowerCase()) ?? []].flat();
    return actual.some((one) =>
      values.split(',').some((value) => (key === 'aws:SourceIp' ? inRange(one, value) : wildcardMatch(value, one))),
    );
  });
}

function inRange(address: string, range: string): boolean {
  const [base = '', bits = '32'] = range.split('/');
  const number = (text: string) => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  return Math.floor(number(address) / size) === Math.floor(number(base) / size);
}

/** Reports whether every principal can send a request: its principal, account and network have no name in a policy. */
export function isOfStranger({ who, context }: WorldRequest): boolean {
  const isUnnamed = who.title === `new user of ${STRANGER} in undefined`;
  return isUnnamed && context.get('aws:sourceip') === '198.51.100.7' && !context.has('aws:sourcevpc');
}

/** Compares a text with a pattern in which `*` is any text. */
function wildcardMatch(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === text;
  if (!text.startsWith(first)) return false;
  return Array.from({ length: text.length - first.length + 1 }, (_, i) => text.slice(first.length + i)).some((tail) =>
    wildcardMatch(rest.join('*'), tail),
  );
}
