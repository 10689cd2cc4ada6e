/** Configurations of analyzers. */
import { isAccountId } from '#core/arn.ts';
import type { AnalyzerConfiguration } from '#model/generated/accessanalyzer.ts';
import { AwsError, invalidField } from '../kit/errors.ts';
import { isExternalType, isOrganizationType } from '../kit/organizations.ts';
import { EXCLUDED_ACCOUNTS_MAX, EXCLUSIONS_MAX, UNUSED_ACCESS_AGE } from '../kit/quotas.ts';
import type { AnalyzerRecord } from '../tables/analyzers.ts';

/**
 * Returns the configuration of an analyzer as it is stored. An analyzer for external access has none.
 *
 * @throws ValidationException  the configuration does not fit the type; the period is not 1 to 365 days; the exclusions are invalid
 * Source: accessanalyzer 2019-11-01, UnusedAccessConfiguration and AnalysisRuleCriteria: excluded accounts are only in analyzers of
 * organizations, and do not contain the account of the analyzer. Assumed: the messages, and the limits that AWS does not document.
 */
export function storedConfiguration(
  { type, accountId }: Pick<AnalyzerRecord, 'type' | 'accountId'>,
  configuration: AnalyzerConfiguration | undefined,
): AnalyzerConfiguration | undefined {
  if (isExternalType(type)) {
    if (configuration !== undefined) throw invalid(`An analyzer of the type ${type} has no configuration.`);
    return undefined;
  }
  if (configuration?.internalAccess !== undefined)
    throw invalid(`An analyzer of the type ${type} has no configuration for internal access.`);
  const { unusedAccessAge = UNUSED_ACCESS_AGE.default, analysisRule } = configuration?.unusedAccess ?? {};
  if (unusedAccessAge < UNUSED_ACCESS_AGE.min || unusedAccessAge > UNUSED_ACCESS_AGE.max)
    throw invalid(
      `Invalid unusedAccessAge '${unusedAccessAge}'. It must be between ${UNUSED_ACCESS_AGE.min} and ${UNUSED_ACCESS_AGE.max}.`,
    );
  const exclusions = analysisRule?.exclusions ?? [];
  if (exclusions.length > EXCLUSIONS_MAX.criteria)
    throw invalid(`The analysis rule can have at most ${EXCLUSIONS_MAX.criteria} exclusions.`);
  const accountIds = exclusions.flatMap((each) => each.accountIds ?? []);
  if (accountIds.length > EXCLUDED_ACCOUNTS_MAX) throw invalid(`The exclusions can have at most ${EXCLUDED_ACCOUNTS_MAX} accounts.`);
  if (accountIds.length > 0 && !isOrganizationType(type)) throw invalid('Only an analyzer of an organization can exclude accounts.');
  for (const id of accountIds) if (!isAccountId(id)) throw invalid(`Invalid account ID '${id.slice(0, 128)}'.`);
  if (accountIds.includes(accountId)) throw invalid('The exclusions cannot contain the account of the analyzer.');
  for (const { resourceTags = [] } of exclusions) {
    if (resourceTags.length > EXCLUSIONS_MAX.tagMaps)
      throw invalid(`An exclusion can have at most ${EXCLUSIONS_MAX.tagMaps} maps of tags.`);
    for (const map of resourceTags) requireTags(map);
  }
  return { unusedAccess: { unusedAccessAge, ...(analysisRule !== undefined && { analysisRule }) } };
}

function requireTags(map: Readonly<Record<string, string>>): void {
  const tags = Object.entries(map);
  if (tags.length === 0 || tags.length > EXCLUSIONS_MAX.tags) throw invalid(`A map of tags must have 1 to ${EXCLUSIONS_MAX.tags} tags.`);
  for (const [key, value] of tags)
    if (key.length < 1 || key.length > 128 || value.length > 256)
      throw invalid('A tag key has 1 to 128 characters, and a tag value at most 256.');
}

function invalid(message: string): AwsError {
  return invalidField('configuration', message);
}

/**
 * Returns the error for analyzers of internal access.
 *
 * Assumed: the message. AWS computes the access of every principal of an organization to selected resources. This server cannot, because the
 * resources of its own services have no policies that it could compare.
 */
export function internalAccessRefused(type: string): AwsError {
  const message = `Analyzers of the type ${type} are not available: this server does not analyze the internal access to resources.`;
  return new AwsError('ValidationException', message, { reason: 'notSupported', fieldList: [{ name: 'type', message }] });
}
