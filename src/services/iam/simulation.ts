/**
 * Policy simulations. They use the same engine as real decisions. Requirement EVAL-11.
 *
 * Source: IAM API reference, SimulatePrincipalPolicy and SimulateCustomPolicy.
 */
import { type AccountId, isAccountId, parseArn } from '#core/arn.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { tagContextOf } from '#core/tag-keys.ts';
import type { ContextEntry, EvaluationResult as Evaluated, IamApi, PolicyIdentifier } from '#model/generated/iam.ts';
import type { Analysis, InvalidPolicy, NamedPolicy, Outcome, SimulationAnalysis } from '#policy/analysis.ts';
import type { SourcedPolicy } from '#policy/compiled-policy.ts';
import { type EvaluationResult, SIMULATED_TEXT_MAX } from '#policy/simulate.ts';
import { StepsExceeded } from '#policy/steps.ts';
import type { TrustCaller } from '#policy/trust.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import type { IamDeps } from './deps.ts';
import { boundaryOf, type EntityPolicy, entityOfArn, type FoundEntity, policiesOf } from './entity-policies.ts';
import { AwsError } from './errors.ts';
import { AWS_MANAGED_PREFIX } from './names.ts';
import { afterKey, restAfter, sizeOf } from './page.ts';
import { onArn, tagMap } from './resources.ts';

type SimulateInput = Omit<IamApi['SimulatePrincipalPolicy']['input'], 'PolicySourceArn'>;

/** Returns the simulation operations. */
export function simulationOperations(deps: IamDeps) {
  return {
    SimulateCustomPolicy: {
      async handle(call, input) {
        const organization = (input.OrderedOrganizationPolicyInputList ?? []).map(({ ServiceControlPolicyInputList }, level) =>
          inputs(ServiceControlPolicyInputList ?? [], `OrderedOrganizationPolicyInputList.${level + 1}`),
        );
        const policies: SimulatedPolicies = {
          identity: inputs(input.PolicyInputList, 'PolicyInputList'),
          boundary: inputs(input.PermissionsBoundaryPolicyInputList ?? [], 'PermissionsBoundaryPolicyInputList'),
          ...(organization.length === 0 ? {} : { serviceControl: organization }),
        };
        return await results(call, policies, input, contextOf(input.ContextEntries), input.CallerArn);
      },
    },

    /**
     * Simulates with the current policies of a user, group or role, and the policies in the request.
     *
     * Assumed: context keys about the principal (`aws:username`, `aws:userid` …) have the values of the policy source unless the request
     * sets them.
     */
    SimulatePrincipalPolicy: {
      access: (input) => onArn(input.PolicySourceArn),
      async handle(call, input) {
        const found = await entityOfArn(call, input.PolicySourceArn);
        const excluded = input.PolicyExclusionList ?? [];
        const policies = (await policiesOf(call, found)).filter((policy) => !excluded.some((one) => excludes(one, policy)));
        const replaced = inputs(input.PermissionsBoundaryPolicyInputList ?? [], 'PermissionsBoundaryPolicyInputList');
        const attached = excluded.some((one) => one.PolicyType === 'permission-boundary') ? undefined : await boundaryOf(call, found);
        const boundary = replaced.length > 0 ? replaced : attached === undefined ? [] : [inForce(attached)];
        const exempt =
          (found.kind === 'role' && found.record.linkedService !== undefined) || excluded.some((one) => one.PolicyType === 'scp');
        const serviceControl = exempt ? undefined : deps.serviceControl?.(call.accountId);
        const simulated: SimulatedPolicies = {
          identity: [...policies.map(inForce), ...inputs(input.PolicyInputList ?? [], 'PolicyInputList')],
          boundary,
          ...(serviceControl === undefined ? {} : { serviceControl: serviceControl.map((level) => level.map(compiledInForce)) }),
        };
        const context = new Map([...sourceContext(call, found), ...contextOf(input.ContextEntries)]);
        return await results(call, simulated, input, context, input.CallerArn ?? (found.kind === 'user' ? found.record.arn : undefined));
      },
    },

    GetContextKeysForCustomPolicy: {
      async handle(call, input) {
        const policies = inputs(input.PolicyInputList, 'PolicyInputList');
        return { ContextKeyNames: analyzed(call, { kind: 'context-keys', policies }).keys };
      },
    },

    GetContextKeysForPrincipalPolicy: {
      access: (input) => onArn(input.PolicySourceArn),
      async handle(call, input) {
        const attached = await policiesOf(call, await entityOfArn(call, input.PolicySourceArn));
        const policies = [...attached.map(inForce), ...inputs(input.PolicyInputList ?? [], 'PolicyInputList')];
        return { ContextKeyNames: analyzed(call, { kind: 'context-keys', policies }).keys };
      },
    },
  } satisfies Partial<ServiceOperations<IamApi>>;
}

/** Returns the policies of one list of the request, named by their positions: `PolicyInputList.1`. */
function inputs(texts: readonly string[], list: string): NamedPolicy[] {
  return texts.map((text, i) => ({ policyId: `${list}.${i + 1}`, text }));
}

/** Returns a stored policy with its name in results. Assumed: the name of an inline policy, as in decisions. */
function inForce({ policyArn, policyName, holder, document }: EntityPolicy): NamedPolicy {
  return policyArn === undefined
    ? { policyId: `${holder.kind}/${holder.name}:${policyName}`, text: document }
    : { policyId: policyArn, policyArn, text: document };
}

/** Returns a compiled policy with its name in results. */
function compiledInForce({ policyId, policyArn, policy }: SourcedPolicy): NamedPolicy {
  return { policyId, ...(policyArn === undefined ? {} : { policyArn }), text: policy.text };
}

/**
 * Runs an analysis for this service.
 *
 * @throws AwsError InvalidInput  an input policy is not valid
 * @throws AwsError PolicyEvaluation  the policies need more work than one request may take. Assumed: the message.
 */
function analyzed<Kind extends 'simulation' | 'context-keys'>(
  call: Call,
  analysis: Extract<Analysis, { readonly kind: Kind }>,
): Exclude<Outcome<Kind>, InvalidPolicy> {
  let outcome: Outcome<Kind>;
  try {
    outcome = call.analyze<Kind>(analysis);
  } catch (error) {
    if (!(error instanceof StepsExceeded)) throw error;
    throw new AwsError('PolicyEvaluationException', 'The policies are too complex to be evaluated.');
  }
  if (!('invalid' in outcome)) return outcome as Exclude<Outcome<Kind>, InvalidPolicy>;
  const { policyId, problem } = (outcome as InvalidPolicy).invalid;
  // Stored policies were validated when they were written.
  if (!INPUT_LISTS.test(policyId)) throw new Error(`the policy ${policyId} cannot be read`);
  const place = problem === undefined ? '' : ` (line ${problem.start.line}, column ${problem.start.column}: ${problem.message})`;
  throw new AwsError('InvalidInputException', `${policyId} is not a valid policy${place}`);
}

const INPUT_LISTS =
  /^(PolicyInputList|PermissionsBoundaryPolicyInputList|OrderedOrganizationPolicyInputList\.[0-9]+|ResourcePolicy)\.[0-9]+$/;

/** Reports whether an identifier excludes a policy. It names all policies of a type, an ARN, or an inline policy. */
function excludes(one: PolicyIdentifier, policy: EntityPolicy): boolean {
  if (one.PolicyType !== undefined) return one.PolicyType === typeOf(policy);
  if (one.PolicyArn !== undefined) return one.PolicyArn === policy.policyArn;
  const { PolicyName, AttachmentType, AttachmentName } = one.InlinePolicyIdentifier;
  const { holder } = policy;
  return (
    policy.policyArn === undefined && PolicyName === policy.policyName && AttachmentType === holder.kind && AttachmentName === holder.name
  );
}

function typeOf({ policyArn }: EntityPolicy): 'inline' | 'aws-managed' | 'user-managed' {
  if (policyArn === undefined) return 'inline';
  return policyArn.startsWith(AWS_MANAGED_PREFIX) ? 'aws-managed' : 'user-managed';
}

/** @throws InvalidInputException  an entry has no name, or its values do not match its type */
function contextOf(entries: readonly ContextEntry[] | undefined): ConditionContext {
  const context = new Map<string, string | readonly string[]>();
  for (const { ContextKeyName, ContextKeyValues = [], ContextKeyType } of entries ?? []) {
    if (ContextKeyName === undefined) throw new AwsError('InvalidInputException', 'A context entry must have a ContextKeyName.');
    // Assumed: the limit. The model has none.
    if (ContextKeyValues.some((value) => value.length > SIMULATED_TEXT_MAX))
      throw new AwsError('InvalidInputException', `A value of ${ContextKeyName} has more than ${SIMULATED_TEXT_MAX} characters.`);
    const list = ContextKeyType?.endsWith('List') === true;
    const [first] = ContextKeyValues;
    if (list) context.set(ContextKeyName.toLowerCase(), ContextKeyValues);
    else if (ContextKeyValues.length > 1)
      throw new AwsError('InvalidInputException', `${ContextKeyName} has several values, but its type is not a list.`);
    else if (first !== undefined) context.set(ContextKeyName.toLowerCase(), first);
  }
  return context;
}

/** Returns the context keys that describe a user, or a session of a role, as principal. */
function sourceContext(call: Call, found: FoundEntity): ReadonlyMap<string, string> {
  if (found.kind === 'group') return new Map();
  const context = new Map<string, string>([
    ['aws:principalarn', found.record.arn],
    ['aws:principalaccount', call.accountId],
    ['aws:principaltype', found.kind === 'user' ? 'User' : 'AssumedRole'],
  ]);
  if (found.kind === 'user') context.set('aws:username', found.record.userName).set('aws:userid', found.record.userId);
  for (const [key, value] of tagContextOf('aws:principaltag/', tagMap(found.record.tags))) context.set(key, value);
  return context;
}

/** The policies of a simulation. */
type SimulatedPolicies = Pick<SimulationAnalysis, 'identity' | 'boundary' | 'serviceControl'>;

/**
 * Simulates one page: only its actions and resources are simulated. A page has fewer results than `MaxItems` if more need
 * too much work.
 *
 * Source: IAM API reference, SimulateCustomPolicy, MaxItems: "IAM might return fewer than the MaxItems number of results, even when there
 * are more results available".
 */
async function results(
  call: Call,
  policies: SimulatedPolicies,
  input: SimulateInput,
  context: ConditionContext,
  callerArn: string | undefined,
): Promise<IamApi['SimulateCustomPolicy']['output']> {
  for (const action of input.ActionNames) ensureAction(action);
  const resources = input.ResourceArns === undefined || input.ResourceArns.length === 0 ? ['*'] : input.ResourceArns;
  const total = input.ActionNames.length * resources.length;
  const after = afterKey(input);
  if (after !== undefined && !/^[0-9]{9}$/.test(after)) throw new AwsError('ValidationError', 'Invalid Marker.');
  const from = after === undefined ? 0 : Number(after) + 1;
  const count = Math.max(0, Math.min(total - from, sizeOf(input)));
  const resourcePolicy = resourcePolicyOf(call, input, callerArn);
  const { results: found } = analyzed(call, {
    kind: 'simulation',
    ...policies,
    context: [...context],
    actions: input.ActionNames,
    resources,
    from,
    count,
    ...omitUndefined({ resourcePolicy }),
  });
  const next = from + found.length;
  const last = next < total ? String(next - 1).padStart(9, '0') : undefined;
  return { EvaluationResults: found.map(toEvaluated), ...restAfter(last) };
}

/** The real service returns `IAM Policy` as SourcePolicyType, which is not in its model. Recorded: see `policy/simulate.ts`. */
function toEvaluated(result: EvaluationResult): Evaluated {
  return result as unknown as Evaluated;
}

/** @throws AwsError InvalidInput  a resource policy without a caller to whom it could apply */
function resourcePolicyOf(call: Call, input: SimulateInput, callerArn: string | undefined): SimulationAnalysis['resourcePolicy'] {
  if (input.ResourcePolicy === undefined) return undefined;
  if (callerArn === undefined) throw new AwsError('InvalidInputException', 'CallerArn is required with a ResourcePolicy.');
  return { policy: { policyId: 'ResourcePolicy.1', text: input.ResourcePolicy }, caller: callerOf(call, callerArn) };
}

function callerOf(call: Call, callerArn: string): TrustCaller {
  const parts = parseArn(callerArn);
  if (parts === undefined) throw new AwsError('InvalidInputException', `Invalid CallerArn: ${callerArn}`);
  const accountId: AccountId = isAccountId(parts.accountId) ? parts.accountId : call.accountId;
  return parts.resource.startsWith('role/') ? { accountId, arn: callerArn, roleArn: callerArn } : { accountId, arn: callerArn };
}

/** Source: message of the real service as quoted in public reports. */
function ensureAction(action: string): void {
  const colon = action.indexOf(':');
  if (colon <= 0 || colon === action.length - 1) throw new AwsError('InvalidInputException', `Invalid Entity Action: ${action}`);
}
