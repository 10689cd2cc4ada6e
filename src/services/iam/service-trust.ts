import { type Instant, isoSeconds } from '#core/instant.ts';
import { ambiguousTagKeys, tagContextOf } from '#core/tag-keys.ts';
import { compilePolicy } from '#policy/compile.ts';
import { decideTrust } from '#policy/trust.ts';
import type { RoleRecord } from '#store/identity/identity.ts';
import { tagValues } from '../kit/tag-rules.ts';

/**
 * Reports whether the trust policy of a role allows a service of this server to assume it. The context includes the role's tags and
 * account. `source` has further context keys in lower case, such as `aws:sourcearn`.
 *
 * Source: IAM User Guide, "AWS global condition context keys", the keys of the principal, the resource and the request.
 */
export function serviceMayAssume(
  role: RoleRecord,
  service: string,
  now: Instant,
  source: readonly (readonly [key: string, value: string])[] = [],
): boolean {
  const tags = tagValues(role.tags);
  // If two tag keys differ only in case, the value of their condition key is ambiguous. Requirement EVAL-12.
  if (ambiguousTagKeys(Object.keys(tags)).length > 0) return false;
  const context = new Map<string, string>([
    ['aws:currenttime', isoSeconds(now)],
    ['aws:epochtime', String(Math.floor(now / 1000))],
    ['aws:principaltype', 'AWSService'],
    ['aws:principalisawsservice', 'true'],
    ['aws:principalservicename', service],
    ['aws:securetransport', 'true'],
    ['aws:resourceaccount', role.accountId],
    ...tagContextOf('aws:resourcetag/', tags),
    ...tagContextOf('iam:resourcetag/', tags),
    ...source,
  ]);
  const request = { action: 'sts:AssumeRole', resources: [role.arn], context };
  return decideTrust(compilePolicy(role.trustPolicy), { service }, request).effect === 'Allow';
}
