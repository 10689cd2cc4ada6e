import { arn } from '#core/arn.ts';
import type { ResourceKind, ResourceRecord } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import { tagValues } from '../chime/tags.ts';
import type { Access, Caller } from '../kit/operation.ts';
import type { ConfigurationDocument } from './configurations.ts';

/** Media insights pipeline configurations, by name. */
export const CONFIGURATION: ResourceKind<ConfigurationDocument> = { name: 'media-insights-pipeline-configuration' };

/** Whose configurations are meant: an account's, in one region. */
export type Where = Pick<Caller, 'accountId' | 'region'>;

/** `arn:aws:chime:us-east-1:111122223333:media-insights-pipeline-configuration/<name>`. */
export function configurationArn({ region, accountId }: Where, name: string): string {
  return arn('chime', region, accountId, `${CONFIGURATION.name}/${name}`);
}

/**
 * Asks for an action on one configuration, which requests call by its name or its ARN. An ARN is asked for as it is given. Requirement
 * CHM-3; in the classic profile on `*`, without tags (CHM-1, TAG-2).
 */
export function onConfiguration(caller: Caller, action: Access['action'], identifier: string): Access {
  if (caller.profile === 'classic') return { action, resources: ['*'] };
  return {
    action,
    resources: [identifier.startsWith('arn:') ? identifier : configurationArn(caller, identifier)],
    resourceTags: async (tx) => [tagValues((await findConfiguration(tx, caller, identifier))?.tags)],
  };
}

/** The configuration of a name or an ARN, in an account and region; undefined where there is none. */
export async function findConfiguration(
  tx: Tx,
  { accountId, region }: Where,
  identifier: string,
): Promise<ResourceRecord<ConfigurationDocument> | undefined> {
  const prefix = configurationArn({ accountId, region }, '');
  const name = identifier.startsWith(prefix) ? identifier.slice(prefix.length) : identifier;
  return await tx.resources.get(CONFIGURATION, { accountId, region, parent: '', id: name });
}
