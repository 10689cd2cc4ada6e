import { type AccountId, arn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { appInstanceArn } from '#services/chime/app-instances.ts';
import { meetings } from '#services/chime-sdk-meetings/tables/meetings.ts';
import { STREAMING } from '#services/chime-sdk-messaging/streaming.ts';
import { listOfAccount } from '#services/chime-sdk-voice/access.ts';
import { VOICE_CONNECTOR } from '#services/chime-sdk-voice/kinds.ts';
import type { LinkedRoleUsage, LinkedServicePrincipal } from '#services/iam/service-linked-roles.ts';
import { arnOf } from '#services/kit/resource-access.ts';
import type { Tx } from '#store/store.ts';

/** The most resources named where a service-linked role cannot be deleted. */
const USAGE_MAX = 100;

/** Something that needs the role: where it is, and its ARN. */
interface Use {
  readonly region: string;
  readonly arn: string;
}

/**
 * What needs the role of each service that has any.
 *
 * Source: security.md §9.1, "must be removed first": of Voice Connectors their streaming configurations, and not SIP media
 * applications; of messaging those of app instances.
 */
const USES: Partial<Record<LinkedServicePrincipal, (tx: Tx, accountId: AccountId) => Promise<readonly Use[]>>> = {
  'transcription.chime.amazonaws.com': async (tx, accountId) =>
    (await tx.of(meetings).transcribed(accountId, instant(Date.now()), USAGE_MAX)).map(({ region, meetingId }) => ({
      region,
      arn: arn('chime', region, accountId, `meeting/${meetingId}`),
    })),
  'voiceconnector.chime.amazonaws.com': async (tx, accountId) =>
    (await listOfAccount(tx, { accountId }, VOICE_CONNECTOR))
      .filter(({ document }) => document.StreamingConfiguration !== undefined)
      .slice(0, USAGE_MAX)
      .map((connector) => ({ region: connector.region, arn: arnOf(VOICE_CONNECTOR, connector) })),
  'messaging.chime.amazonaws.com': async (tx, accountId) =>
    (await tx.resources.listOfAccount(STREAMING, accountId, USAGE_MAX)).map((streaming) => ({
      region: streaming.region,
      arn: appInstanceArn(streaming, streaming.id),
    })),
};

/** What still needs a service-linked role, region by region: while there is any, the role stays. Requirement SLR-14. */
export async function linkedRoleUsage(tx: Tx, accountId: AccountId, service: string): Promise<readonly LinkedRoleUsage[]> {
  const uses = (await USES[service as LinkedServicePrincipal]?.(tx, accountId)) ?? [];
  return [...Map.groupBy(uses, ({ region }) => region)].map(([region, those]) => ({ region, resources: those.map((use) => use.arn) }));
}
