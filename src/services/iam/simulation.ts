/**
 * Simulations: what policies would decide, asked of the engine that decides. Requirement EVAL-11.
 *
 * Source: IAM API reference, SimulatePrincipalPolicy and SimulateCustomPolicy.
 */
import { type AccountId, isAccountId, parseArn } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import { tagContextOf } from '#core/tag-keys.ts';
import type { ContextEntry, EvaluationResult as Evaluated, IamApi, PolicyIdentifier } from '#model/generated/iam.ts';
import { type SourcedPolicy, tryCompilePolicy } from '#policy/compile.ts';
import type { PolicyLayers } from '#policy/link.ts';
import { contextKeysOf, type EvaluationResult, type Simulation, simulate } from '#policy/simulate.ts';
import type { TrustCaller } from '#policy/trust.ts';
import type { Call, ServiceOperations } from '../operation.ts';
import type { IamDeps } from './deps.ts';
import { boundaryOf, type EntityPolicy, entityOfArn, type FoundEntity, policiesOf } from './entity-policies.ts';
import { AWS_MANAGED_PREFIX } from './names.ts';
import { pageOfStored } from './page.ts';
import { onAccount, onArn, tagMap } from './resources.ts';

type SimulateInput = Omit<IamApi['SimulatePrincipalPolicy']['input'], 'PolicySourceArn'>;

export function simulationOperations(deps: IamDeps) {
  return {
    SimulateCustomPolicy: {
      access: () => onAccount('iam:SimulateCustomPolicy'),
      async handle(call, input) {
        const organization = (input.OrderedOrganizationPolicyInputList ?? []).map(({ ServiceControlPolicyInputList }, level) =>
          compiledInputs(ServiceControlPolicyInputList ?? [], `OrderedOrganizationPolicyInputList.${level + 1}`),
        );
        const boundary = compiledInputs(input.PermissionsBoundaryPolicyInputList ?? [], 'PermissionsBoundaryPolicyInputList');
        const layers: PolicyLayers = {
          identity: compiledInputs(input.PolicyInputList, 'PolicyInputList'),
          ...(boundary.length === 0 ? {} : { boundary }),
          ...(organization.length === 0 ? {} : { serviceControl: organization }),
        };
        return await results(call, layers, input, contextOf(input.ContextEntries), input.CallerArn);
      },
    },

    /**
     * Simulates with the policies of a user, group or role as they are in force, those given added.
     *
     * Assumed: keys that say who the user is (`aws:username`, `aws:userid` …) have the source's values unless the request gives others.
     */
    SimulatePrincipalPolicy: {
      access: (input) => onArn('iam:SimulatePrincipalPolicy', input.PolicySourceArn),
      async handle(call, input) {
        const found = await entityOfArn(call, input.PolicySourceArn);
        const excluded = input.PolicyExclusionList ?? [];
        const policies = (await policiesOf(call, found)).filter((policy) => !excluded.some((one) => excludes(one, policy)));
        const replaced = compiledInputs(input.PermissionsBoundaryPolicyInputList ?? [], 'PermissionsBoundaryPolicyInputList');
        const attached = excluded.some((one) => one.PolicyType === 'permission-boundary') ? undefined : await boundaryOf(call, found);
        const boundary = replaced.length > 0 ? replaced : attached === undefined ? [] : [compiledPolicy(attached)];
        const exempt =
          (found.kind === 'role' && found.record.linkedService !== undefined) || excluded.some((one) => one.PolicyType === 'scp');
        const serviceControl = exempt ? undefined : deps.serviceControl?.(call.accountId);
        const layers: PolicyLayers = {
          identity: [...policies.map(compiledPolicy), ...compiledInputs(input.PolicyInputList ?? [], 'PolicyInputList')],
          ...(boundary.length === 0 ? {} : { boundary }),
          ...(serviceControl === undefined ? {} : { serviceControl }),
        };
        const context = new Map([...sourceContext(call, found), ...contextOf(input.ContextEntries)]);
        return await results(call, layers, input, context, input.CallerArn ?? (found.kind === 'user' ? found.record.arn : undefined));
      },
    },

    GetContextKeysForCustomPolicy: {
      access: () => onAccount('iam:GetContextKeysForCustomPolicy'),
      async handle(_, input) {
        return { ContextKeyNames: keysOf(compiledInputs(input.PolicyInputList, 'PolicyInputList')) };
      },
    },

    GetContextKeysForPrincipalPolicy: {
      access: (input) => onArn('iam:GetContextKeysForPrincipalPolicy', input.PolicySourceArn),
      async handle(call, input) {
        const policies = await policiesOf(call, await entityOfArn(call, input.PolicySourceArn));
        return {
          ContextKeyNames: keysOf([...policies.map(compiledPolicy), ...compiledInputs(input.PolicyInputList ?? [], 'PolicyInputList')]),
        };
      },
    },
  } satisfies Partial<ServiceOperations<IamApi>>;
}

/** @throws AwsError InvalidInput one of them is no policy. Assumed: the text. */
function compiledInputs(texts: readonly string[], list: string): SourcedPolicy[] {
  return texts.map((text, i) => {
    const compiled = tryCompilePolicy(text);
    if ('policy' in compiled) return { policyId: `${list}.${i + 1}`, policy: compiled.policy };
    const [problem] = compiled.problems;
    const place = problem === undefined ? '' : ` (line ${problem.start.line}, column ${problem.start.column}: ${problem.message})`;
    throw new AwsError('InvalidInputException', `${list}.${i + 1} is not a valid policy${place}`);
  });
}

/** A policy in force; that it can be read was made sure of when it was written. Assumed: an inline one is called as decisions call it. */
function compiledPolicy(policy: EntityPolicy): SourcedPolicy {
  const compiled = tryCompilePolicy(policy.document);
  if (!('policy' in compiled)) throw new Error(`the policy ${policy.policyName} of ${policy.holder.name} cannot be read`);
  return policy.policyArn === undefined
    ? { policyId: `${policy.holder.kind}/${policy.holder.name}:${policy.policyName}`, policy: compiled.policy }
    : { policyId: policy.policyArn, policyArn: policy.policyArn, policy: compiled.policy };
}

/** Whether a policy is left out: all of a type, one by its ARN, or one inline. */
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

function keysOf(policies: readonly SourcedPolicy[]): string[] {
  const keys = new Map<string, string>();
  for (const { policy } of policies) {
    for (const key of contextKeysOf(policy)) if (!keys.has(key.toLowerCase())) keys.set(key.toLowerCase(), key);
  }
  return [...keys.values()].sort();
}

/** @throws AwsError InvalidInput an entry has no name, or its values do not fit its type */
function contextOf(entries: readonly ContextEntry[] | undefined): ConditionContext {
  const context = new Map<string, string | readonly string[]>();
  for (const { ContextKeyName, ContextKeyValues = [], ContextKeyType } of entries ?? []) {
    if (ContextKeyName === undefined) throw new AwsError('InvalidInputException', 'A context entry must have a ContextKeyName.');
    const list = ContextKeyType?.endsWith('List') === true;
    const [first] = ContextKeyValues;
    if (list) context.set(ContextKeyName.toLowerCase(), ContextKeyValues);
    else if (ContextKeyValues.length > 1)
      throw new AwsError('InvalidInputException', `${ContextKeyName} has several values and is no list.`);
    else if (first !== undefined) context.set(ContextKeyName.toLowerCase(), first);
  }
  return context;
}

/** What requests of a user or of a role's sessions say of who makes them. */
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

/** Only what a page shows is simulated: every action on every resource may be a great many. */
async function results(call: Call, layers: PolicyLayers, input: SimulateInput, context: ConditionContext, callerArn: string | undefined) {
  for (const action of input.ActionNames) ensureAction(action);
  const resources = input.ResourceArns === undefined || input.ResourceArns.length === 0 ? ['*'] : input.ResourceArns;
  const count = input.ActionNames.length * resources.length;
  const page = await pageOfStored<EvaluationResult>(input, async (after, limit) => {
    const found = [];
    const from = after === undefined ? 0 : Number(after) + 1;
    for (let i = from; i < Math.min(count, from + limit); i++) {
      const action = input.ActionNames[Math.floor(i / resources.length)] as string;
      const resource = resources[i % resources.length] as string;
      found.push({ key: String(i).padStart(9, '0'), record: one(call, layers, input, context, callerArn, action, resource) });
    }
    return found;
  });
  return { EvaluationResults: page.records.map(toEvaluated), ...page.rest };
}

/** The real service writes a SourcePolicyType that is not in its model: `IAM Policy`. Recorded: see `policy/simulate.ts`. */
function toEvaluated(result: EvaluationResult): Evaluated {
  return result as unknown as Evaluated;
}

function one(
  call: Call,
  layers: PolicyLayers,
  input: SimulateInput,
  context: ConditionContext,
  callerArn: string | undefined,
  action: string,
  resource: string,
): EvaluationResult {
  const resourcePolicy = resourcePolicyOf(call, input, callerArn, action);
  const simulation: Simulation = {
    layers,
    actions: [action],
    resources: [resource],
    context,
    ...(resourcePolicy === undefined ? {} : { resourcePolicy }),
  };
  return simulate(simulation)[0] as EvaluationResult;
}

/** @throws AwsError InvalidInput a resource policy, and nobody to whom it could apply */
function resourcePolicyOf(call: Call, input: SimulateInput, callerArn: string | undefined, action: string): Simulation['resourcePolicy'] {
  if (input.ResourcePolicy === undefined) return undefined;
  const [source] = compiledInputs([input.ResourcePolicy], 'ResourcePolicy');
  if (callerArn === undefined) throw new AwsError('InvalidInputException', 'CallerArn must be given with a ResourcePolicy.');
  const policyType = action.toLowerCase().startsWith('sts:assume') ? 'trust' : 'resource';
  return { source: source as SourcedPolicy, caller: callerOf(call, callerArn), policyType };
}

function callerOf(call: Call, callerArn: string): TrustCaller {
  const parts = parseArn(callerArn);
  if (parts === undefined) throw new AwsError('InvalidInputException', `Invalid CallerArn: ${callerArn}`);
  const accountId: AccountId = isAccountId(parts.accountId) ? parts.accountId : call.accountId;
  return parts.resource.startsWith('role/') ? { accountId, arn: callerArn, roleArn: callerArn } : { accountId, arn: callerArn };
}

/** Source: text of the real service as quoted in public reports. */
function ensureAction(action: string): void {
  const colon = action.indexOf(':');
  if (colon <= 0 || colon === action.length - 1) throw new AwsError('InvalidInputException', `Invalid Entity Action: ${action}`);
}
