/** Operations on the resources that analyzers analyze. */
import { type AccountId, isAccountId, parseArn } from '#core/arn.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { AccessanalyzerApi, AnalyzedResource as AnalyzedResourceView, FindingStatus } from '#model/generated/accessanalyzer.ts';
import type { GrantedActions } from '#policy/analyse/granted-actions.ts';
import { StepsExceeded } from '#policy/steps.ts';
import { type AnalyzedKind, isInRegion } from '../../kit/analyzed-resources.ts';
import type { Call, ServiceOperations } from '../../kit/operation.ts';
import { covers, externalAccessFor } from '../external/analysis.ts';
import { zonesOf } from '../external/zones.ts';
import { forgetResource } from '../findings/findings.ts';
import { invalidField, notFound } from '../kit/errors.ts';
import { analyzerOfArn, onAnalyzerOf } from '../kit/lookup.ts';
import { type AnalyzerZone, isExternalType } from '../kit/organizations.ts';
import { pageOfNames } from '../kit/pages.ts';
import type { AnalyzerRecord } from '../tables/analyzers.ts';
import { type AnalyzedResourceRecord, type FindingRecord, findings } from '../tables/findings.ts';
import { principalOf } from '../unused/unused-access.ts';
import { analyzeUnused } from '../unused/unused-analysis.ts';

/** Returns the operations on analyzed resources. `kinds` has the resources with policies. */
export function resourceOperations(kinds: readonly AnalyzedKind[]) {
  return {
    /**
     * Analyzes a resource before the call returns.
     *
     * @throws AccessDeniedException      the analyzer is in another account
     * @throws ResourceNotFoundException  the analyzer does not exist, or the resource does not exist in its zone
     * @throws ValidationException        the account is invalid, or analyzers of this type do not analyze such a resource
     * Source: accessanalyzer 2019-11-01, StartResourceScan. Assumed: the errors; without an account in the request or the ARN, a bucket belongs to the
     * account of its last analysis, or else to that of the analyzer. AWS analyzes after the call.
     */
    StartResourceScan: {
      access: onAnalyzerOf,
      async handle(call, { analyzerArn, resourceArn, resourceOwnerAccount }) {
        const analyzer = await analyzerOfArn(call, analyzerArn);
        const owner = ownerOf(resourceArn, resourceOwnerAccount) ?? (await knownOwner(call, analyzer, resourceArn)) ?? analyzer.accountId;
        const zone = await zonesOf(call.tx)(analyzer);
        if (zone.kind === 'disabled') throw invalidField('analyzerArn', 'The analyzer is disabled.');
        const isCovered = await covers(call, analyzer, zone, owner);
        const scan = isExternalType(analyzer.type) ? scanExternal(kinds) : scanUnused;
        if (!isCovered || (await scan(call, analyzer, owner, resourceArn, zone)) === 'absent') throw notFound('Resource', resourceArn);
        return {};
      },
    },

    /** @throws AccessDeniedException, ResourceNotFoundException · ValidationException  the analyzer does not find external access */
    GetAnalyzedResource: {
      access: onAnalyzerOf,
      async handle(call, { analyzerArn, resourceArn }) {
        const { analyzerId } = await externalAnalyzer(call, analyzerArn);
        const found = await call.tx.of(findings).resource(analyzerId, resourceArn);
        if (found === undefined) throw notFound('Resource', resourceArn);
        return { resource: toView(found, await call.tx.of(findings).open(analyzerId, resourceArn)) };
      },
    },

    /** @throws AccessDeniedException, ResourceNotFoundException, ValidationException  as GetAnalyzedResource; the token is invalid */
    ListAnalyzedResources: {
      access: onAnalyzerOf,
      async handle(call, { analyzerArn, resourceType, ...request }) {
        const { analyzerId } = await externalAnalyzer(call, analyzerArn);
        const read = (after: string, limit: number) => call.tx.of(findings).resources(analyzerId, resourceType, after, limit);
        const { items, rest } = await pageOfNames(['resources', analyzerId, resourceType], request, read, ({ resource }) => resource);
        return { analyzedResources: items.map(toSummary), ...rest };
      },
    },
  } satisfies Partial<ServiceOperations<AccessanalyzerApi>>;
}

/** Source: accessanalyzer 2019-11-01, GetAnalyzedResource and ListAnalyzedResources: external analyzers. Assumed: the message. */
async function externalAnalyzer(call: Call, analyzerArn: string): Promise<AnalyzerRecord> {
  const analyzer = await analyzerOfArn(call, analyzerArn);
  if (!isExternalType(analyzer.type)) throw invalidField('analyzerArn', 'This action is supported only for external access analyzers.');
  return analyzer;
}

/** Returns the account of a resource: the account in its ARN, or the one in the request. @throws ValidationException  they differ, or are invalid */
function ownerOf(resourceArn: string, requested: string | undefined): AccountId | undefined {
  if (requested !== undefined && !isAccountId(requested))
    throw invalidField('resourceOwnerAccount', `Invalid account ID '${requested.slice(0, 128)}'.`);
  const inArn = parseArn(resourceArn)?.accountId ?? '';
  if (!isAccountId(inArn)) return requested;
  if (requested !== undefined && requested !== inArn)
    throw invalidField('resourceOwnerAccount', 'The resource belongs to another account.');
  return inArn;
}

/** Returns the account that had a resource when it was last analyzed. */
async function knownOwner({ tx }: Call, { analyzerId }: AnalyzerRecord, arn: string): Promise<AccountId | undefined> {
  return arn.includes('\0') ? undefined : (await tx.of(findings).resource(analyzerId, arn))?.ownerAccount;
}

type Scan = (call: Call, analyzer: AnalyzerRecord, owner: AccountId, arn: string, zone: AnalyzerZone) => Promise<'analyzed' | 'absent'>;

function scanExternal(kinds: readonly AnalyzedKind[]): Scan {
  return async (call, analyzer, owner, arn) => {
    const kind = kinds.find(({ type }) => type === typeOf(arn));
    if (kind === undefined) throw invalidField('resourceArn', 'Analyzers for external access analyze roles and buckets.');
    const resource = await kind.find(call, owner, arn);
    if (resource === undefined) return await absent(call, analyzer, owner, arn);
    if (!isInRegion(resource, analyzer)) return 'absent';
    await externalAccessFor(call, kind, resource)(analyzer, owner);
    return 'analyzed';
  };
}

const scanUnused: Scan = async (call, analyzer, owner, arn) => {
  const type = typeOf(arn);
  if (type !== 'AWS::IAM::Role' && type !== 'AWS::IAM::User')
    throw invalidField('resourceArn', 'Analyzers for unused access analyze users and roles.');
  const principal = await principalOf(call.tx, owner, arn);
  if (principal === undefined) return await absent(call, analyzer, owner, arn);
  const analyzed = await analyzeUnused(call, analyzer, owner, principal, () => undefined);
  if (typeof analyzed === 'number') return 'analyzed';
  const analyses = grantedByEach(call, analyzed.unknown);
  await analyzeUnused(call, analyzer, owner, principal, (document) => analyses.get(document));
  return 'analyzed';
};

/**
 * Returns what each policy allows.
 *
 * @throws ValidationException  the policies need more work than one request may take. Assumed: the error and its message.
 */
function grantedByEach(call: Call, documents: readonly string[]): ReadonlyMap<string, GrantedActions> {
  try {
    const { granted } = call.analyze<'granted-actions'>({ kind: 'granted-actions', documents });
    return new Map(documents.map((document, i) => [document, granted[i] as GrantedActions]));
  } catch (error) {
    if (!(error instanceof StepsExceeded)) throw error;
    throw invalidField('resourceArn', 'The policies of the principal are too complex to be analyzed.');
  }
}

/** Resolves the findings of a resource that no longer exists. It is known only if it had been analyzed as a resource of the account. */
async function absent(call: Call, analyzer: AnalyzerRecord, owner: AccountId, arn: string): Promise<'analyzed' | 'absent'> {
  if ((await knownOwner(call, analyzer, arn)) !== owner) return 'absent';
  await forgetResource(call, analyzer, arn);
  return 'analyzed';
}

/** Returns the type of the resource with an ARN; undefined for other ARNs. */
function typeOf(arn: string): 'AWS::IAM::Role' | 'AWS::IAM::User' | 'AWS::S3::Bucket' | undefined {
  const parts = parseArn(arn);
  if (arn.includes('\0')) return undefined;
  if (parts?.service === 's3' && !parts.resource.includes('/')) return 'AWS::S3::Bucket';
  if (parts?.service !== 'iam') return undefined;
  if (parts.resource.startsWith('role/')) return 'AWS::IAM::Role';
  return parts.resource.startsWith('user/') ? 'AWS::IAM::User' : undefined;
}

function toSummary({ resource: resourceArn, ownerAccount: resourceOwnerAccount, resourceType }: AnalyzedResourceRecord) {
  return { resourceArn, resourceOwnerAccount, resourceType };
}

/** Converts a resource to its form in GetAnalyzedResource. `open` has its findings that are not resolved. */
function toView(record: AnalyzedResourceRecord, open: readonly FindingRecord[]): AnalyzedResourceView {
  const { createdAt, analyzedAt, updatedAt } = record;
  const actions = new Set(
    open.flatMap(({ details }) => details.flatMap((each) => (each.findingType === 'ExternalAccess' ? each.action : []))),
  );
  return {
    ...{ ...toSummary(record), createdAt, analyzedAt, updatedAt, isPublic: open.some(({ isPublic }) => isPublic) },
    ...omitUndefined({
      actions: actions.size === 0 ? undefined : [...actions].sort(),
      sharedVia: record.resourceType === 'AWS::S3::Bucket' && open.length > 0 ? ['POLICY'] : undefined,
      status: statusOf(open),
    }),
  };
}

/** Assumed: the status of a resource is ACTIVE if one of its findings is, and absent without open findings. */
function statusOf(open: readonly FindingRecord[]): FindingStatus | undefined {
  return open.find(({ status }) => status === 'ACTIVE')?.status ?? open[0]?.status;
}
