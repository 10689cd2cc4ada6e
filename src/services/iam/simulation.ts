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

/** Message for a user, group or role that does not exist. Recorded: SimulatePrincipalPolicy of a missing role. */
const MISSING_ENTITY = 'Unable to retrieve specified IAM entity.';

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
        return await results(
          call,
          { policies, context: contextOf(input.ContextEntries), callerArn: input.CallerArn, sourceIds: NO_IDS },
          input,
        );
      },
    },

    /**
     * Simulates with the current policies of a user, group or role, and the policies in the request.
     *
     * Assumed: context keys about the principal (`aws:username`, `aws:userid` …) have the values of the user or role in
     * PolicySourceArn, unless the request sets them.
     */
    SimulatePrincipalPolicy: {
      access: (input) => onArn(input.PolicySourceArn),
      async handle(call, input) {
        const found = await entityOfArn(call, input.PolicySourceArn, MISSING_ENTITY);
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
        const callerArn = input.CallerArn ?? (found.kind === 'user' ? found.record.arn : undefined);
        const inUse = attached === undefined ? policies : [...policies, attached];
        const sourceIds = new Map(inUse.map((policy) => [inForce(policy).policyId, sourceIdOf(policy)]));
        return await results(call, { policies: simulated, context, callerArn, sourceIds }, input);
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
        const attached = await policiesOf(call, await entityOfArn(call, input.PolicySourceArn, MISSING_ENTITY));
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

/**
 * Converts a stored policy to an input of the simulation. `policyId` identifies the policy. Assumed: the form of
 * `policyId` for an inline policy, which is the same as in explanations of real decisions.
 */
function inForce({ policyArn, policyName, holder, document }: EntityPolicy): NamedPolicy {
  return policyArn === undefined
    ? { policyId: `${holder.kind}/${holder.name}:${policyName}`, text: document }
    : { policyId: policyArn, policyArn, text: document };
}

/**
 * Returns the `SourcePolicyId` by which a matched statement refers to a policy.
 *
 * Source: outputs of the AWS CLI in public reports: `AdministratorAccess`, and `role_ecs-task-execution-role_ecs_execution_secrets` for an
 * inline policy of a role. Assumed: the same form for users and groups.
 */
function sourceIdOf({ policyArn, policyName, holder }: EntityPolicy): string {
  return policyArn === undefined ? `${holder.kind}_${holder.name}_${policyName}` : policyName;
}

/** Empty map, for a simulation without stored policies. */
const NO_IDS: ReadonlyMap<string, string> = new Map();

/** Converts a compiled policy to an input of the simulation. */
function compiledInForce({ policyId, policyArn, policy }: SourcedPolicy): NamedPolicy {
  return { policyId, ...(policyArn === undefined ? {} : { policyArn }), text: policy.text };
}

/**
 * Runs an analysis, and converts its failures to errors of IAM.
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
  // Only the policies in the request can be invalid, because stored policies were validated when they were written.
  if (!INPUT_LISTS.test(policyId)) throw new Error(`the policy '${policyId}' cannot be read`);
  const place = problem === undefined ? '' : ` (line ${problem.start.line}, column ${problem.start.column}: ${problem.message})`;
  throw new AwsError('InvalidInputException', `${policyId} is not a valid policy${place}`);
}

const INPUT_LISTS =
  /^(PolicyInputList|PermissionsBoundaryPolicyInputList|OrderedOrganizationPolicyInputList\.[0-9]+|ResourcePolicy)\.[0-9]+$/;

/**
 * Reports whether an entry of PolicyExclusionList excludes a policy. An entry is a policy type, an ARN, or the name of
 * an inline policy.
 */
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

/**
 * Converts context entries of a request to a condition context.
 *
 * @throws InvalidInputException  an entry has no name, or its values do not match its type
 */
function contextOf(entries: readonly ContextEntry[] | undefined): ConditionContext {
  const context = new Map<string, string | readonly string[]>();
  for (const { ContextKeyName, ContextKeyValues = [], ContextKeyType } of entries ?? []) {
    if (ContextKeyName === undefined) throw new AwsError('InvalidInputException', 'A context entry must have a ContextKeyName.');
    // Assumed: the limit. The model has none.
    if (ContextKeyValues.some((value) => value.length > SIMULATED_TEXT_MAX))
      throw new AwsError('InvalidInputException', `A value of '${ContextKeyName}' has more than ${SIMULATED_TEXT_MAX} characters.`);
    const list = ContextKeyType?.endsWith('List') === true;
    const [first] = ContextKeyValues;
    if (list) context.set(ContextKeyName.toLowerCase(), ContextKeyValues);
    else if (ContextKeyValues.length > 1)
      throw new AwsError(
        'InvalidInputException',
        `'${ContextKeyName}' has several values. Its ContextKeyType must be a list type, such as stringList.`,
      );
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

/** Policies of a simulation. */
type SimulatedPolicies = Pick<SimulationAnalysis, 'identity' | 'boundary' | 'serviceControl'>;

/** Inputs of a simulation that SimulateCustomPolicy and SimulatePrincipalPolicy obtain in different ways. */
interface Simulated {
  readonly policies: SimulatedPolicies;
  readonly context: ConditionContext;
  readonly callerArn: string | undefined;
  /** Maps the `policyId` of a stored policy to the `SourcePolicyId` that `MatchedStatements` shows for the policy. */
  readonly sourceIds: ReadonlyMap<string, string>;
}

/**
 * Simulates only the actions and resources whose results are on the requested page. A page has fewer results than
 * `MaxItems` if more results would need too much work.
 *
 * Source: IAM API reference, SimulateCustomPolicy, MaxItems: "IAM might return fewer than the MaxItems number of results, even when there
 * are more results available".
 */
async function results(
  call: Call,
  { policies, context, callerArn, sourceIds }: Simulated,
  input: SimulateInput,
): Promise<IamApi['SimulateCustomPolicy']['output']> {
  for (const action of input.ActionNames) ensureAction(action);
  const resources = input.ResourceArns === undefined || input.ResourceArns.length === 0 ? ['*'] : input.ResourceArns;
  const total = input.ActionNames.length * resources.length;
  const after = afterKey(input);
  if (after !== undefined && !/^[0-9]{9}$/.test(after)) throw new AwsError('ValidationError', 'Invalid Marker.');
  const from = after === undefined ? 0 : Number(after) + 1;
  const count = Math.max(0, Math.min(total - from, sizeOf(input)));
  const resourcePolicy = resourcePolicyOf(input, callerArn);
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
  return { EvaluationResults: found.map((result) => toEvaluated(result, sourceIds)), ...restAfter(last) };
}

/**
 * Converts a result to the type of the API. The cast is necessary because the real service returns `IAM Policy` as
 * SourcePolicyType, a value that is not in the model.
 * Recorded: outputs of the AWS CLI in public reports, as in `policy/simulate.ts`.
 */
function toEvaluated(result: EvaluationResult, sourceIds: ReadonlyMap<string, string>): Evaluated {
  const named = <Result extends Pick<EvaluationResult, 'MatchedStatements'>>(one: Result): Result => ({
    ...one,
    MatchedStatements: one.MatchedStatements.map((statement) => ({
      ...statement,
      SourcePolicyId: sourceIds.get(statement.SourcePolicyId) ?? statement.SourcePolicyId,
    })),
  });
  const { ResourceSpecificResults } = result;
  return omitUndefined({ ...named(result), ResourceSpecificResults: ResourceSpecificResults?.map(named) }) as unknown as Evaluated;
}

/**
 * Returns the resource policy of a simulation.
 *
 * @throws AwsError InvalidInput  the request has a resource policy but no CallerArn, CallerArn is not the ARN of a
 *   user, or ResourceOwner is invalid
 * Assumed: the messages.
 */
function resourcePolicyOf(input: SimulateInput, callerArn: string | undefined): SimulationAnalysis['resourcePolicy'] {
  const caller = callerArn === undefined ? undefined : callerOf(callerArn);
  const ownerId = input.ResourceOwner === undefined ? undefined : ownerOf(input.ResourceOwner);
  if (input.ResourcePolicy === undefined) return undefined;
  if (caller === undefined) throw new AwsError('InvalidInputException', 'CallerArn is required with a ResourcePolicy.');
  return { policy: { policyId: 'ResourcePolicy.1', text: input.ResourcePolicy }, caller, ...omitUndefined({ ownerId }) };
}

/**
 * Returns the caller of a simulation with a resource policy.
 *
 * Source: IAM API reference, SimulateCustomPolicy, CallerArn: only the ARN of an IAM user.
 */
function callerOf(callerArn: string): TrustCaller {
  const parts = parseArn(callerArn);
  if (parts?.service !== 'iam' || !parts.resource.startsWith('user/') || !isAccountId(parts.accountId)) {
    throw new AwsError('InvalidInputException', `Invalid CallerArn '${callerArn}'. It must be the ARN of an IAM user.`);
  }
  return { accountId: parts.accountId, arn: callerArn };
}

/**
 * Returns the account that owns a simulated resource.
 *
 * Source: IAM API reference, SimulateCustomPolicy, ResourceOwner: an ARN with the account ID.
 * Assumed: the account ID alone is valid too.
 */
function ownerOf(resourceOwner: string): AccountId {
  const accountId = parseArn(resourceOwner)?.accountId ?? resourceOwner;
  if (!isAccountId(accountId))
    throw new AwsError(
      'InvalidInputException',
      `Invalid ResourceOwner '${resourceOwner}'. It must be an account ID or an ARN with an account ID.`,
    );
  return accountId;
}

/** Checks that an action has the form `service:name`. Source: message of the real service as quoted in public reports. */
function ensureAction(action: string): void {
  const colon = action.indexOf(':');
  if (colon <= 0 || colon === action.length - 1) throw new AwsError('InvalidInputException', `Invalid Entity Action: ${action}`);
}
