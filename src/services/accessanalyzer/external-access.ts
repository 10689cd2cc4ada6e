/** External access that a trust policy or a bucket policy allows. */
import { isAccountId, parseArn } from '#core/arn.ts';
import type { AnalyzedType } from '../kit/analyzed-resources.ts';
import type { ExternalAccess } from './found-access.ts';

/** Principals that an analyzer trusts. */
export interface ZoneOfTrust {
  readonly accounts: (accountId: string) => boolean;
  readonly organizationId?: string;
}

interface Statement {
  readonly Effect?: string;
  readonly Principal?: '*' | Readonly<Record<string, string | readonly string[]>>;
  readonly Action?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Returns the access of principals outside of the zone of trust that a policy allows. */
export function externalAccess({
  policy,
  zone,
}: {
  readonly resourceType: AnalyzedType;
  readonly arn: string;
  readonly policy?: string;
  readonly zone: ZoneOfTrust;
}): readonly ExternalAccess[] {
  if (policy === undefined) return [];
  const { Statement: statements = [] } = JSON.parse(policy) as { readonly Statement?: Statement | readonly Statement[] };
  return [statements].flat().flatMap((statement) => externalIn(statement as Statement, zone));
}

function externalIn({ Effect, Principal = {}, Action = [], Condition = {} }: Statement, zone: ZoneOfTrust): readonly ExternalAccess[] {
  if (Effect !== 'Allow') return [];
  const map = Principal === '*' ? { AWS: '*' } : Principal;
  const condition = Object.fromEntries(
    Object.values(Condition).flatMap((keys) => Object.entries(keys).map(([key, value]) => [key, [value].flat().join(',')])),
  );
  return Object.entries(map).flatMap(([type, values]) =>
    [values].flat().flatMap((value): readonly ExternalAccess[] => {
      const account = isAccountId(value as string) ? value : parseArn(value as string)?.accountId;
      if (type === 'Service' || (type === 'AWS' && account !== undefined && zone.accounts(account as string))) return [];
      const isPublic = value === '*' && Object.keys(Condition).length === 0;
      return [
        { findingType: 'ExternalAccess', principal: { [type]: value as string }, action: [Action].flat() as string[], condition, isPublic },
      ];
    }),
  );
}
