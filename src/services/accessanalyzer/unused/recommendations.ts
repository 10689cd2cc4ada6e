/** Recommendations for findings of unused permissions. */
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { AccessanalyzerApi, RecommendedStep } from '#model/generated/accessanalyzer.ts';
import { StepsExceeded } from '#policy/steps.ts';
import type { ServiceOperations } from '../../kit/operation.ts';
import { covers } from '../external/analysis.ts';
import { zonesOf } from '../external/zones.ts';
import { AwsError, invalidField } from '../kit/errors.ts';
import { analyzerOfArn, onAnalyzerOf } from '../kit/lookup.ts';
import { pageOfList } from '../kit/pages.ts';
import type { AnalyzerRecord } from '../tables/analyzers.ts';
import { findings } from '../tables/findings.ts';
import { unusedAccessAge } from './exclusions.ts';
import { recommendedSteps, type StepsOrReason } from './recommended-steps.ts';

/**
 * Time for which a recommendation is stored.
 *
 * Source: AWS Security Hub User Guide, "Generating policy recommendations for unused access findings": cached for 90 days. Assumed: also here.
 */
const STORED_MS = 90 * DAY_MS;

/** A stored recommendation. `steps` is empty if it failed. */
interface Recommendation {
  readonly startedAt: Instant;
  readonly resourceArn: string;
  readonly steps: readonly StoredStep[];
  readonly error?: { readonly code: string; readonly message: string };
}

type StoredStep = Extract<RecommendedStep, { readonly unusedPermissionsRecommendedStep: unknown }>;

/** Operations on recommendations. */
export const recommendationOperations = {
  /**
   * Creates the recommendation for a finding of unused permissions, in place of an earlier one. It is complete when the call returns.
   *
   * @throws AccessDeniedException      the analyzer is in another account
   * @throws ResourceNotFoundException  the analyzer does not exist
   * @throws ValidationException        the analyzer has no such finding, or the finding is not of unused permissions
   * Source: accessanalyzer 2019-11-01, GenerateFindingRecommendation: the model has no error for a missing finding. Assumed: the messages. AWS
   * creates the recommendation after the call.
   */
  GenerateFindingRecommendation: {
    access: onAnalyzerOf,
    async handle(call, { analyzerArn, id }) {
      const analyzer = await analyzerOfArn(call, analyzerArn);
      const finding = id.includes('\0') ? undefined : await call.tx.of(findings).get(analyzer.analyzerId, id);
      if (finding === undefined) throw invalidField('id', 'The analyzer has no finding with this ID.');
      if (finding.findingType !== 'UnusedPermission') throw invalidField('id', 'The finding is not a finding of unused permissions.');
      const { ownerAccount, resource } = finding;
      // The finding of an account that left the organization is stored for a time. Its policies are those of a stranger.
      const isCovered = await covers(call, analyzer, await zonesOf(call.tx)(analyzer), ownerAccount);
      const outcome = isCovered
        ? await stepsOrLimit(() => recommendedSteps(call, ownerAccount, resource, { now: call.now, ageDays: unusedAccessAge(analyzer) }))
        : NOT_COVERED;
      const recommendation: Recommendation = {
        startedAt: call.now,
        resourceArn: finding.resource,
        ...('steps' in outcome ? outcome : { steps: [], error: outcome }),
      };
      const expiresAt = instant(call.now + STORED_MS);
      await call.tx.idempotency.put(placeOf(analyzer, id), { requestHash: '', answer: JSON.stringify(recommendation), expiresAt });
      return {};
    },
  },

  /**
   * Returns a recommendation, with a page of its steps.
   *
   * @throws AccessDeniedException      the analyzer is in another account
   * @throws ResourceNotFoundException  the analyzer does not exist, or has no recommendation for the finding
   * @throws ValidationException        the token is invalid
   */
  GetFindingRecommendation: {
    access: onAnalyzerOf,
    async handle(call, { analyzerArn, id, ...request }) {
      const analyzer = await analyzerOfArn(call, analyzerArn);
      const stored = id.includes('\0') ? undefined : await call.tx.idempotency.get(placeOf(analyzer, id), call.now);
      if (stored === undefined) {
        const facts = { resourceId: id, resourceType: 'FindingRecommendation' };
        throw new AwsError('ResourceNotFoundException', `No recommendation for the finding with ID: ${id}`, facts);
      }
      const { startedAt, resourceArn, steps, error } = JSON.parse(stored.answer) as Recommendation;
      const list = ['steps', analyzer.analyzerId, id, startedAt];
      const { items: recommendedSteps, rest } = pageOfList(list, request, steps);
      return omitUndefined({
        ...{ startedAt, completedAt: startedAt, resourceArn, recommendationType: 'UnusedPermissionRecommendation' as const },
        status: error === undefined ? ('SUCCEEDED' as const) : ('FAILED' as const),
        error,
        recommendedSteps,
        ...rest,
      });
    },
  },
} satisfies Partial<ServiceOperations<AccessanalyzerApi>>;

const NOT_COVERED = { code: 'RESOURCE_NOT_FOUND', message: 'The analyzer no longer covers the account of the user or role.' } as const;

function placeOf({ accountId, region, analyzerId }: AnalyzerRecord, id: string) {
  return { accountId, region, operation: 'access-analyzer:GenerateFindingRecommendation', token: `${analyzerId}/${id}` };
}

/** Runs the computation. If it needs more work than one request may take, returns the reason. */
async function stepsOrLimit(compute: () => Promise<StepsOrReason>): Promise<StepsOrReason> {
  try {
    return await compute();
  } catch (error) {
    if (error instanceof StepsExceeded) return { code: 'TOO_COMPLEX', message: 'The policies are too complex to be analyzed.' };
    throw error;
  }
}
