import { type Instant, isoSeconds } from '#core/instant.ts';
import { ambiguousTagKeys, tagContextOf } from '#core/tag-keys.ts';
import { compilePolicy } from '#policy/compile.ts';
import { decideTrust } from '#policy/trust.ts';
import type { RoleRecord } from '#store/identity/identity.ts';
import { tagValues } from '../kit/tag-rules.ts';

/**
 * Checks whether the trust policy of a role allows a service of ours to assume it, with the role's tags and account in the context.
 * `source` holds further keys of the call: `aws:SourceArn`, lower-cased.
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
  // Tags whose keys differ in case only could mean either value. Requirement EVAL-12.
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
