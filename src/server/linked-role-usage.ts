import { type AccountId, arn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { LinkedRoleUsage, LinkedServicePrincipal } from '#services/service-linked-roles.ts';
import type { Tx } from '#store/store.ts';

/** The most resources named where a service-linked role cannot be deleted. */
const USAGE_MAX = 100;

/** Something that needs the role: where it is, and its ARN. */
interface Use {
  readonly region: string;
  readonly arn: string;
}

/** What needs the role of each service that has any. */
const USES: Partial<Record<LinkedServicePrincipal, (tx: Tx, accountId: AccountId) => Promise<readonly Use[]>>> = {
  'transcription.chime.amazonaws.com': async (tx, accountId) =>
    (await tx.meetings.transcribed(accountId, instant(Date.now()), USAGE_MAX)).map(({ region, meetingId }) => ({
      region,
      arn: arn('chime', region, accountId, `meeting/${meetingId}`),
    })),
};

/** What still needs a service-linked role, region by region: while there is any, the role stays. Requirement SLR-14. */
export async function linkedRoleUsage(tx: Tx, accountId: AccountId, service: string): Promise<readonly LinkedRoleUsage[]> {
  const uses = (await USES[service as LinkedServicePrincipal]?.(tx, accountId)) ?? [];
  return [...Map.groupBy(uses, ({ region }) => region)].map(([region, those]) => ({ region, resources: those.map((use) => use.arn) }));
}
