/** Parts of the server that the generation of policies uses. */
import type { run } from '#access/past/recorded-use.ts';
import type { DecideRole } from '#access/service-role.ts';
import { arn } from '#core/arn.ts';
import type { PolicyGenerationParts } from '#services/kit/policy-generation-parts.ts';
import { loadTrailSource } from './services.ts';
import type { WorkThreads } from './work-threads.ts';

const SERVICE = 'access-analyzer.amazonaws.com';
const SESSION_NAME = 'AccessAnalyzer';
/** Module that searches records for use. */
const USE = new URL('../../access/past/recorded-use.ts', import.meta.url);

/**
 * Creates the parts.
 *
 * Source: IAM User Guide, "IAM Access Analyzer policy generation": the service principal.
 * Assumed: the name of the role session, and the source of the request, which is the service in the region.
 */
export function policyGenerationParts(threads: Pick<WorkThreads, 'computeFor'>, decideRole: DecideRole): PolicyGenerationParts {
  let trail: PolicyGenerationParts['trail'] | undefined;
  return {
    findUse: async (accountId, job) => (await threads.computeFor(accountId)<typeof run>(USE, job)) as never,
    async trail(tx, accountId, trailArn) {
      trail ??= await loadTrailSource();
      return await trail(tx, accountId, trailArn);
    },
    decideRole: (tx, { roleArn, accountId, region, now, actions, resource, owner }) =>
      decideRole(tx, {
        ...{ service: SERVICE, sessionName: SESSION_NAME, roleArn, region, now, actions, resources: [resource] },
        sourceArn: arn('access-analyzer', region, accountId, 'policy-generation'),
        sourceAccount: accountId,
        ...(owner !== undefined && { resourceOwner: owner.accountId, resourcePolicy: { text: owner.policy } }),
      }),
  };
}
