/** Stored media insights pipeline configurations, which Chime SDK Media Pipelines owns and Chime SDK Voice refers to. */
import { arn } from '#core/arn.ts';
import type { MediaInsightsPipelineConfigurationElement, RealTimeAlertConfiguration } from '#model/generated/chime-sdk-media-pipelines.ts';
import type { ResourceKey, ResourceKind, ResourceRecord, StoredDocument } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import { renamedMembers } from '../kit/renamed-members.ts';
import { placeIn, type Where } from '../kit/resource-kind.ts';

export interface ConfigurationDocument {
  /** Distinguishes configurations that had the same name at different times. */
  readonly MediaInsightsPipelineConfigurationId: string;
  readonly ResourceAccessRoleArn: string;
  readonly RealTimeAlertConfiguration?: RealTimeAlertConfiguration;
  readonly Elements: readonly MediaInsightsPipelineConfigurationElement[];
}

const withNewNames = renamedMembers({
  configurationId: 'MediaInsightsPipelineConfigurationId',
  resourceAccessRoleArn: 'ResourceAccessRoleArn',
  realTimeAlertConfiguration: 'RealTimeAlertConfiguration',
  elements: 'Elements',
});

/** Media insights pipeline configurations. The ID is the name of the configuration. */
export const STORED_CONFIGURATION: ResourceKind<ConfigurationDocument> = {
  name: 'media-insights-pipeline-configuration',
  upgrade: (stored: StoredDocument) => withNewNames(stored) as unknown as ConfigurationDocument,
};

/** Returns `arn:aws:chime:us-east-1:111122223333:media-insights-pipeline-configuration/<name>`. */
export function configurationArn({ region, accountId }: Where, name: string): string {
  return arn('chime', region, accountId, `${STORED_CONFIGURATION.name}/${name}`);
}

/**
 * Returns the key of the configuration that a name or an ARN identifies. An ARN of another account or region is treated
 * as a name, and no configuration has such a name.
 */
export function configurationKey(where: Where, identifier: string): ResourceKey {
  const prefix = configurationArn(where, '');
  return { ...placeIn(where), id: identifier.startsWith(prefix) ? identifier.slice(prefix.length) : identifier };
}

/**
 * Returns the configuration that a name or an ARN identifies in an account and region. Returns undefined if no such
 * configuration exists.
 */
export function findConfiguration(tx: Tx, where: Where, identifier: string): Promise<ResourceRecord<ConfigurationDocument> | undefined> {
  return tx.resources.get(STORED_CONFIGURATION, configurationKey(where, identifier));
}
