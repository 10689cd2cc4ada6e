/** Operations on the policies of buses. The server stores unique IDs in place of users and roles. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { EventsApi, PutPermissionRequest } from '#model/generated/events.ts';
import { tryCompilePolicy } from '#policy/compile.ts';
import type { StatementNode } from '#policy/document.ts';
import { readPolicy } from '#policy/read.ts';
import { POLICY_QUOTAS, policySize } from '#policy/validate/policy-size.ts';
import type { Tx } from '#store/store.ts';
import { storedDocument } from '../iam/documents.ts';
import { showPrincipals, storePrincipals } from '../iam/stored-principals.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { busToChange } from './bus-access.ts';
import { busArn, busKey } from './bus-names.ts';
import { AwsError, invalid, invalidParameter } from './errors.ts';
import { type BusRecord, eventBuses, type StoredBusPolicy } from './tables/event-buses.ts';

/** The only condition that the short form of PutPermission accepts. Source: events 2015-10-07, Condition. */
const CONDITION = { type: 'StringEquals', key: 'aws:PrincipalOrgID' } as const;

/** A statement of a policy. */
interface Statement {
  readonly Sid?: string;
}

interface Policy {
  readonly Version: string;
  readonly Statement: readonly Statement[];
}

export const policyOperations = {
  /**
   * Replaces the policy of a bus, or adds a statement that permits an account or everyone to put events. A statement with an ID of the policy
   * replaces the present one.
   *
   * @throws ResourceNotFoundException       the bus does not exist
   * @throws ValidationException             the parameters or the policy are invalid
   * @throws PolicyLengthExceededException   the policy has more than 10,240 characters
   * Source: events 2015-10-07, PutPermission; LocalStack, snapshots of its tests on AWS; moto's tests: the message about the action.
   * Assumed: the other messages.
   */
  PutPermission: {
    async handle(call, input) {
      const bus = await busToChange(call, busKey(input.EventBusName, call));
      const text = input.Policy ?? (await withStatement(call.tx, bus, input));
      if (input.Policy !== undefined && (input.StatementId ?? input.Principal ?? input.Action ?? input.Condition) !== undefined) {
        throw invalid('Parameter Policy must not be specified together with StatementId, Principal, Action or Condition.');
      }
      const policy = await readBusPolicy(call.tx, text);
      await call.tx.of(eventBuses).putBus({ ...bus, policy, modifiedAt: call.now });
      return {};
    },
  },

  /**
   * Removes a statement from the policy of a bus, or the whole policy. A policy without statements is removed.
   *
   * @throws ResourceNotFoundException  the bus, its policy or the statement does not exist
   * @throws ValidationException        the request has neither StatementId nor RemoveAllPermissions
   * Source: events 2015-10-07, RemovePermission; moto's tests; LocalStack, snapshots of its tests on AWS.
   */
  RemovePermission: {
    async handle(call, { EventBusName, StatementId, RemoveAllPermissions }) {
      const { policy, ...bus } = await busToChange(call, busKey(EventBusName, call));
      const { putBus } = call.tx.of(eventBuses);
      if (RemoveAllPermissions) {
        await putBus({ ...bus, modifiedAt: call.now });
        return {};
      }
      if (StatementId === undefined) throw invalid('Parameter StatementId is required.');
      if (policy === undefined) throw new AwsError('ResourceNotFoundException', 'EventBus does not have a policy.');
      const document = parsed(policy.policy);
      const Statement = document.Statement.filter(({ Sid }) => Sid !== StatementId);
      if (Statement.length === document.Statement.length) {
        throw new AwsError('ResourceNotFoundException', 'Statement with the provided id does not exist.');
      }
      const left = Statement.length === 0 ? {} : { policy: { ...policy, policy: JSON.stringify({ ...document, Statement }) } };
      await putBus({ ...bus, ...left, modifiedAt: call.now });
      return {};
    },
  },
} satisfies Partial<ServiceOperations<EventsApi>>;

/** Returns the policy of a bus with a statement that permits PutEvents. */
async function withStatement(tx: Tx, bus: BusRecord, request: PutPermissionRequest): Promise<string> {
  const { Action, Principal, StatementId, Condition } = request;
  for (const name of ['Action', 'Principal', 'StatementId'] as const) {
    if (request[name] === undefined) throw invalid(`Parameter ${name} must be specified.`);
  }
  if (Action !== 'events:PutEvents') throw invalid("Provided value in parameter 'action' is not supported.");
  if (Condition !== undefined && (Condition.Type !== CONDITION.type || Condition.Key !== CONDITION.key || Principal !== '*')) {
    const reason = `It must be ${CONDITION.type} of ${CONDITION.key}, with the principal '*'.`;
    throw invalidParameter('Condition', reason);
  }
  const added = omitUndefined({
    Sid: StatementId,
    Effect: 'Allow',
    Principal: Principal === '*' ? '*' : { AWS: `arn:aws:iam::${Principal}:root` },
    Action,
    Resource: busArn(bus),
    Condition: Condition && { [Condition.Type]: { [Condition.Key]: Condition.Value } },
  });
  const { policy } = bus;
  const before = policy && parsed(await showPrincipals(tx, policy.policy, policy.principals));
  const others = before?.Statement.filter(({ Sid }) => Sid !== StatementId) ?? [];
  return JSON.stringify({ Version: before?.Version ?? '2012-10-17', Statement: [...others, added] });
}

function parsed(text: string): Policy {
  const document = JSON.parse(text) as Policy;
  return { ...document, Statement: [document.Statement].flat() };
}

/**
 * Validates the policy of a bus and converts it to its stored form.
 *
 * @throws PolicyLengthExceededException  the policy has more than 10,240 characters. White space outside strings does not count
 * @throws ValidationException            the policy is invalid, or contains a user or role that does not exist
 * Source: EventBridge User Guide, "Quotas". Assumed: the checks and their messages.
 */
async function readBusPolicy(tx: Tx, text: string): Promise<StoredBusPolicy> {
  const most = POLICY_QUOTAS.resource.characters;
  if (policySize(text) > most) {
    throw new AwsError('PolicyLengthExceededException', `The policy exceeds the maximum length of ${most} characters.`);
  }
  const malformed = (reason: string) => invalidParameter('Policy', reason);
  const { document, problems } = readPolicy(text);
  if (document === undefined || problems.length > 0) throw malformed('It must be a policy document in JSON.');
  if (document.statements.length === 0) throw malformed('It must have a statement.');
  for (const statement of document.statements) {
    const problem = statementProblem(statement);
    if (problem !== undefined) throw malformed(problem);
  }
  const compiled = tryCompilePolicy(text);
  if ('problems' in compiled) throw malformed('Invalid policy syntax.');
  const unknown = (principal: string) => malformed(`Invalid principal '${principal}'.`);
  const { text: policy, ids: principals } = await storePrincipals(tx, storedDocument(text), unknown);
  return { policy, principals };
}

/** Returns the problem of a statement, or `undefined` if it is valid. */
function statementProblem(statement: StatementNode): string | undefined {
  const { effect, principal, notPrincipal, action, notAction, resource, notResource } = statement;
  if (effect?.value !== 'Allow' && effect?.value !== 'Deny') return "Effect must be 'Allow' or 'Deny'.";
  if (notPrincipal !== undefined && (effect.value === 'Allow' || principal !== undefined)) return 'NotPrincipal is valid only with Deny.';
  if (principal === undefined && notPrincipal === undefined) return 'A statement must have a Principal.';
  const actions = action ?? notAction;
  if (actions === undefined || actions.values.length === 0) return 'A statement must have an Action.';
  if (!actions.values.every(({ value }) => value === '*' || value.toLowerCase().startsWith('events:'))) {
    return "Each Action must begin with 'events:'.";
  }
  const resources = resource ?? notResource;
  return resources === undefined || resources.values.length === 0 ? 'A statement must have a Resource.' : undefined;
}
