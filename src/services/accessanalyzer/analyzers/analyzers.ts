/** Operations on analyzers. */
import type { AccessanalyzerApi, AnalyzerSummary, Type } from '#model/generated/accessanalyzer.ts';
import { ensureLinkedRole, onLinkedRole } from '../../iam/service-linked-roles.ts';
import type { Call, ServiceOperations } from '../../kit/operation.ts';
import { tagValues } from '../../kit/tag-rules.ts';
import { zonesOf } from '../external/zones.ts';
import { resourceError } from '../kit/errors.ts';
import { analyzerArn, namedAnalyzer, onAnalyzer, placeOf } from '../kit/lookup.ts';
import { isOrganizationType, requireManagedOrganization, SERVICE_PRINCIPAL } from '../kit/organizations.ts';
import { pageOfNames } from '../kit/pages.ts';
import { ANALYZERS_MAX } from '../kit/quotas.ts';
import { onceForToken } from '../kit/tokens.ts';
import { type AnalyzerRecord, type AnalyzerType, analyzers } from '../tables/analyzers.ts';
import { findings } from '../tables/findings.ts';
import { newRules } from './archive-rules.ts';
import { internalAccessRefused, storedConfiguration } from './configuration.ts';
import { storedTags, tagKeys } from './tags.ts';

type Operations = ServiceOperations<AccessanalyzerApi>;

export const analyzerOperations = {
  /**
   * Creates an analyzer with its archive rules. A background task starts the first scan within seconds. Creates the service-linked role
   * AWSServiceRoleForAccessAnalyzer if the account has none.
   *
   * @throws ValidationException            internal access; an invalid configuration, rule or tag; the account may not have an analyzer for an
   *   organization
   * @throws ConflictException              the account has an analyzer with this name in the region, or the token was used for another request
   * @throws ServiceQuotaExceededException  the account has too many analyzers of this type in the region
   * Source: accessanalyzer 2019-11-01, CreateAnalyzer. Assumed: the order and messages of the errors; tags also require
   * `access-analyzer:TagResource`. AWS creates the role also in the other accounts of an organization, which this server does not need.
   */
  CreateAnalyzer: {
    access(input, caller) {
      const context = tagKeys(input.tags);
      const create = onAnalyzer(input, caller, context);
      const tag = context.length === 0 ? [] : [{ ...create, action: 'access-analyzer:TagResource' as const }];
      return [create, ...tag, onLinkedRole(caller, SERVICE_PRINCIPAL)];
    },
    async handle(call, input) {
      const { tx, accountId, now } = call;
      if (isInternal(input.type)) throw internalAccessRefused(input.type);
      const { type, analyzerName: name } = input;
      const configuration = storedConfiguration({ type, accountId }, input.configuration);
      const tags = storedTags([], input.tags);
      const key = { ...placeOf(call), name };
      const arn = analyzerArn(key);
      const create = async () => {
        if (isOrganizationType(type)) await requireManagedOrganization(tx, accountId);
        const repository = tx.of(analyzers);
        if ((await repository.get(key)) !== undefined)
          throw resourceError('ConflictException', 'Analyzer', arn, `An analyzer with the name ${name} already exists.`);
        const most = ANALYZERS_MAX[type];
        if ((await repository.count(key, type)) >= most)
          throw resourceError(
            'ServiceQuotaExceededException',
            'Analyzer',
            arn,
            `You have reached the limit of ${most} analyzers of the type ${type}.`,
          );
        const analyzerId = call.newId();
        const rules = newRules(analyzerId, now, input.archiveRules ?? []);
        await repository.add({
          ...{ ...key, analyzerId, type, tags, createdAt: now, scanAt: now },
          ...(configuration !== undefined && { configuration }),
        });
        for (const rule of rules) await repository.addRule(rule);
        await ensureLinkedRole(call, SERVICE_PRINCIPAL);
      };
      await onceForToken(call, 'CreateAnalyzer', arn, input, create, async () => (await tx.of(analyzers).get(key)) !== undefined);
      return { arn };
    },
  },

  GetAnalyzer: {
    access: (input, caller) => onAnalyzer(input, caller),
    /** @throws ResourceNotFoundException */
    async handle(call, { analyzerName }) {
      return { analyzer: await toSummary(call, await namedAnalyzer(call, analyzerName)) };
    },
  },

  ListAnalyzers: {
    async handle(call, { type, ...request }) {
      const readZone = zonesOf(call.tx);
      const place = placeOf(call);
      const list = ['analyzers', place, type];
      // An account has at most 12 analyzers in a region, so a page reads all of them.
      const all = async (after: string, limit: number) =>
        (await call.tx.of(analyzers).list(place, after, ANALYZERS_IN_REGION))
          .filter((each) => type === undefined || each.type === type)
          .slice(0, limit);
      const { items, rest } = await pageOfNames(list, request, all, ({ name }) => name);
      const summaries: AnalyzerSummary[] = [];
      for (const analyzer of items) summaries.push(await toSummary(call, analyzer, readZone));
      return { analyzers: summaries, ...rest };
    },
  },

  /**
   * Changes the configuration of an analyzer for unused access, and starts its scan again.
   *
   * @throws ResourceNotFoundException
   * @throws ValidationException  the configuration is invalid, or the analyzer has none
   */
  UpdateAnalyzer: {
    access: (input, caller) => onAnalyzer(input, caller),
    async handle(call, { analyzerName, configuration: requested }) {
      const { scan: _, ...analyzer } = await namedAnalyzer(call, analyzerName);
      if (requested === undefined) return configurationOf(analyzer);
      const configuration = storedConfiguration(analyzer, requested);
      const changed = { ...analyzer, ...(configuration !== undefined && { configuration }), scanAt: call.now };
      await call.tx.of(analyzers).setConfiguration(changed);
      return configurationOf(changed);
    },
  },

  /**
   * Deletes an analyzer with its archive rules and findings. A sweep deletes the findings, whose ID no request can name any more.
   *
   * @throws ResourceNotFoundException
   */
  DeleteAnalyzer: {
    access: (input, caller) => onAnalyzer(input, caller),
    async handle(call, input) {
      const arn = analyzerArn({ ...placeOf(call), name: input.analyzerName });
      await onceForToken(call, 'DeleteAnalyzer', arn, input, async () =>
        call.tx.of(analyzers).remove(await namedAnalyzer(call, input.analyzerName)),
      );
      return {};
    },
  },
} satisfies Partial<Operations>;

const ANALYZERS_IN_REGION = Object.values(ANALYZERS_MAX).reduce((sum, most) => sum + most, 0);

function isInternal(type: Type): type is Exclude<Type, AnalyzerType> {
  return type === 'ACCOUNT_INTERNAL_ACCESS' || type === 'ORGANIZATION_INTERNAL_ACCESS';
}

function configurationOf({ configuration }: Pick<AnalyzerRecord, 'configuration'>) {
  return configuration === undefined ? {} : { configuration };
}

/** Converts an analyzer to its form in responses. Its status follows from the organization as it is now. */
async function toSummary({ tx }: Call, analyzer: AnalyzerRecord, readZone = zonesOf(tx)): Promise<AnalyzerSummary> {
  const { name, type, createdAt, tags, analyzerId } = analyzer;
  const zone = await readZone(analyzer);
  const last = await tx.of(findings).lastAnalyzed(analyzerId);
  return {
    ...{ arn: analyzerArn(analyzer), name, type, createdAt, tags: tagValues(tags) },
    ...(zone.kind === 'disabled' ? { status: 'DISABLED', statusReason: zone.reason } : { status: 'ACTIVE' }),
    ...(last !== undefined && { lastResourceAnalyzed: last.resource, lastResourceAnalyzedAt: last.analyzedAt }),
    ...configurationOf(analyzer),
  };
}
