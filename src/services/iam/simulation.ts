/**
 * Policy simulations. They use the same engine as real decisions. Requirement EVAL-11.
 *
 * Source: IAM API reference, SimulatePrincipalPolicy and SimulateCustomPolicy.
 */
import { type AccountId, isAccountId, parseArn } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
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

/** Returns the simulation operations. */
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
     * Simulates with the current policies of a user, group or role, and the policies in the request.
     *
     * Assumed: context keys about the principal (`aws:username`, `aws:userid` …) have the values of the policy source unless the request
     * sets them.
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
          ...omitUndefined({ serviceControl }),
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

/** @throws InvalidInputException  one of the documents is not a valid policy. Assumed: the message */
function compiledInputs(texts: readonly string[], list: string): SourcedPolicy[] {
  return texts.map((text, i) => {
    const compiled = tryCompilePolicy(text);
    if ('policy' in compiled) return { policyId: `${list}.${i + 1}`, policy: compiled.policy };
    const [problem] = compiled.problems;
    const place = problem === undefined ? '' : ` (line ${problem.start.line}, column ${problem.start.column}: ${problem.message})`;
    throw new AwsError('InvalidInputException', `${list}.${i + 1} is not a valid policy${place}`);
  });
}

/** Compiles a stored policy, which was validated when it was written. Assumed: an inline policy has the same ID as in real decisions. */
function compiledPolicy(policy: EntityPolicy): SourcedPolicy {
  const compiled = tryCompilePolicy(policy.document);
  if (!('policy' in compiled)) throw new Error(`cannot compile policy '${policy.policyName}' of '${policy.holder.name}'`);
  return policy.policyArn === undefined
    ? { policyId: `${policy.holder.kind}/${policy.holder.name}:${policy.policyName}`, policy: compiled.policy }
    : { policyId: policy.policyArn, policyArn: policy.policyArn, policy: compiled.policy };
}

/** Reports whether the request excludes a policy: by type, by ARN, or by name and holder. */
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

/** @throws InvalidInputException  an entry has no name, or its values do not match its type */
function contextOf(entries: readonly ContextEntry[] | undefined): ConditionContext {
  const context = new Map<string, string | readonly string[]>();
  for (const { ContextKeyName, ContextKeyValues = [], ContextKeyType } of entries ?? []) {
    if (ContextKeyName === undefined) throw new AwsError('InvalidInputException', 'A context entry must have a ContextKeyName.');
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

/** Returns one page of results. Simulates only this page, because the request may combine many actions and resources. */
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

/** The real service returns `IAM Policy` as SourcePolicyType, which is not in its model. Recorded: see `policy/simulate.ts`. */
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
    ...omitUndefined({ resourcePolicy }),
  };
  return simulate(simulation)[0] as EvaluationResult;
}

/** @throws InvalidInputException  the request contains a resource policy but no caller that it could apply to */
function resourcePolicyOf(call: Call, input: SimulateInput, callerArn: string | undefined, action: string): Simulation['resourcePolicy'] {
  if (input.ResourcePolicy === undefined) return undefined;
  const [source] = compiledInputs([input.ResourcePolicy], 'ResourcePolicy');
  if (callerArn === undefined) throw new AwsError('InvalidInputException', 'CallerArn must be specified with a ResourcePolicy.');
  const policyType = action.toLowerCase().startsWith('sts:assume') ? 'trust' : 'resource';
  return { source: source as SourcedPolicy, caller: callerOf(call, callerArn), policyType };
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
