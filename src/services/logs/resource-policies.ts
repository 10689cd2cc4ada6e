/** Resource policies, with which accounts let services write to their log groups. */

import type { LogsApi, ResourcePolicy } from '#model/generated/logs.ts';
import { tryCompilePolicy } from '#policy/engine.ts';
import { notYetImplemented } from '../kit/not-yet.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { AwsError, invalidParameter, limitExceeded } from './errors.ts';
import { pageOf } from './page.ts';
import { POLICIES_MAX, type ResourcePolicyRecord, resourcePolicies } from './tables/resource-policies.ts';

/** Maximum length of a policy of an account. Source: CloudWatch Logs API reference, PutResourcePolicy. */
const DOCUMENT_MAX = 5_120;
/** Assumed: the number. The model has no limit. */
const NAME_MAX = 512;

/**
 * Operations on the resource policies of an account in a region. They decide about services only (`service-writer.ts`). Policies of one log
 * group, with `resourceArn`, are not implemented.
 */
export const resourcePolicyOperations = {
  /**
   * @throws NotYetImplementedException  a policy of a resource
   * @throws InvalidParameterException   the name is absent · the document is not a policy with principals. Assumed: the messages
   * @throws LimitExceededException      there are 10 policies. Source: CloudWatch Logs API reference, PutResourcePolicy
   */
  PutResourcePolicy: {
    async handle(call, { policyName, policyDocument, resourceArn, expectedRevisionId }) {
      if (resourceArn !== undefined || expectedRevisionId !== undefined) throw notYetImplemented('PutResourcePolicy for one resource');
      if (policyName === undefined || policyName === '' || policyName.length > NAME_MAX) {
        throw invalidParameter(`policyName must have 1 to ${NAME_MAX} characters.`);
      }
      if (policyDocument === undefined) throw invalidParameter('policyDocument must be specified.');
      requireDocument(policyDocument);
      const { accountId, region, tx, now } = call;
      const present = await tx.of(resourcePolicies).of(accountId, region);
      if (present.length >= POLICIES_MAX && !present.some(({ name }) => name === policyName)) throw limitExceeded();
      const policy = { accountId, region, name: policyName, document: policyDocument, updatedAt: now };
      await tx.of(resourcePolicies).put(policy);
      return { resourcePolicy: shownPolicy(policy) };
    },
  },

  DescribeResourcePolicies: {
    async handle(call, input) {
      if (input.resourceArn !== undefined || input.policyScope === 'RESOURCE') return { resourcePolicies: [] };
      const present = await call.tx.of(resourcePolicies).of(call.accountId, call.region);
      const { records, rest } = pageOf(
        input,
        present.map((record) => ({ key: record.name, record })),
      );
      return { resourcePolicies: records.map(shownPolicy), ...rest };
    },
  },

  /** @throws ResourceNotFoundException  Source: moto, the message */
  DeleteResourcePolicy: {
    async handle(call, { policyName = '', resourceArn, expectedRevisionId }) {
      if (resourceArn !== undefined || expectedRevisionId !== undefined) throw notYetImplemented('DeleteResourcePolicy for one resource');
      if ((await call.tx.of(resourcePolicies).remove(call.accountId, call.region, policyName)) === 'absent') {
        throw new AwsError('ResourceNotFoundException', `Policy with name [${policyName}] does not exist`);
      }
      return {};
    },
  },
} satisfies Partial<ServiceOperations<LogsApi>>;

function requireDocument(document: string): void {
  if (document.length > DOCUMENT_MAX) throw invalidParameter(`policyDocument has more than ${DOCUMENT_MAX} characters.`);
  const compiled = tryCompilePolicy(document);
  if ('problems' in compiled) throw invalidParameter(`Invalid policy document: ${compiled.problems[0]?.message ?? 'it is not a policy'}`);
}

const shownPolicy = ({ name, document, updatedAt }: ResourcePolicyRecord): ResourcePolicy => ({
  ...{ policyName: name, policyDocument: document, lastUpdatedTime: updatedAt },
  policyScope: 'ACCOUNT',
});
