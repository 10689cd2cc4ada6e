/** `belfry explain REQUEST_ID`: explains the decision about a request, with the policies as they were then. */

import { counted } from '#core/counted.ts';
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { type Flag, FlagError } from '#server/flags.ts';
import { runSingleCommand, type Subcommand } from './command.ts';
import { callerOf, callOwn, ENDPOINT, PROFILE } from './own-call.ts';
import { printable } from './printable.ts';

const USAGE = `belfry explain REQUEST_ID [--endpoint URL] [--profile NAME]

Explains the decision about one request of the caller's account: every layer, statement and condition of the policies as they were then, and the
fewest statements that would allow a denied request. The permission is access-analyzer:ExplainDecision.

  REQUEST_ID       the ID that the response has, and that clients print with errors
  --event-id ID    instead of REQUEST_ID: the ID of the event in the trail
  --region REGION  the region of the request (default: all regions are searched)
  --json           print the whole response
  --endpoint URL   the server (default: AWS_ENDPOINT_URL_ACCESSANALYZER, AWS_ENDPOINT_URL, or endpoint_url in the profile)
  --profile NAME   the profile of the AWS CLI with the credentials (default: as the AWS CLI finds them)
`;

const EVENT_ID: Flag = { flag: '--event-id', valid: 'the ID of an event' };
const REGION: Flag = { flag: '--region', valid: 'the name of a region' };
const JSON_FLAG: Flag = { flag: '--json' };

type Output = AccessanalyzerApi['ExplainDecision']['output'];
type Resource = NonNullable<Output['permissions']>[number]['resources'][number];
type Statement = NonNullable<Resource['layers']>[number]['policies'][number]['statements'][number];

/** Runs `belfry explain …`. Resolves to the exit status: 0 also if the request was denied. */
export function explainCommand(args: readonly string[]): Promise<number> {
  return runSingleCommand('explain', USAGE, EXPLAIN, args);
}

const EXPLAIN: Subcommand = {
  flags: [EVENT_ID, REGION, JSON_FLAG, ENDPOINT, PROFILE],
  operand: 'REQUEST_ID',
  async run(parsed) {
    const { values, positionals } = parsed;
    const [requestId, ...others] = positionals;
    const eventId = values.get(EVENT_ID.flag);
    if (others.length > 0 || (requestId === undefined) === (eventId === undefined))
      throw new FlagError('the argument must be one REQUEST_ID, or --event-id ID');
    const region = values.get(REGION.flag);
    const operation = loadModel('accessanalyzer').operations['ExplainDecision'] as OperationModel;
    const input = { requestId, eventId, region };
    const { code, body } = await callOwn(await callerOf(parsed, 'AWS_ENDPOINT_URL_ACCESSANALYZER'), 'accessanalyzer', operation, input);
    if (code !== undefined) throw new Error(`${code}: ${body['message'] ?? body['Message'] ?? ''}`);
    console.log(
      values.has(JSON_FLAG.flag)
        ? JSON.stringify(body, null, 2)
        : linesOf(body as unknown as Printed)
            .map(printable)
            .join('\n'),
    );
    return 0;
  },
};

/** Response as JSON, in which times are strings. */
type Printed = Omit<Output, 'record'> & { readonly record: Omit<Output['record'], 'eventTime'> & { readonly eventTime: string } };

function linesOf({ record, decision, summary, reproduced, permissions = [], documents = [], change }: Printed): readonly string[] {
  const from = record.sourceIpAddress === undefined ? '' : ` from ${record.sourceIpAddress}`;
  return [
    `${decision}  ${record.eventName} (${record.eventSource}) at ${record.eventTime}${from}`,
    ...(record.errorCode === undefined ? [] : [`${record.errorCode}: ${record.errorMessage ?? ''}`]),
    '',
    summary,
    ...(reproduced === false
      ? ['Repeated today, the same facts have another result: the server or its managed policies of AWS changed.']
      : []),
    ...permissions.flatMap(({ action, state, resources, otherResources }) => [
      '',
      ...(resources.length === 0 ? [withoutResources(action, state, otherResources)] : []),
      ...resources.flatMap((resource) => resourceLines(action, resource)),
      ...(otherResources > 0 && resources.length > 0 ? [`and ${otherResources} more resources`] : []),
    ]),
    ...documents.flatMap(({ policyId, deletedPrincipals = [] }) =>
      deletedPrincipals.length === 0 ? [] : ['', `Deleted principals in the trust policy of ${policyId}: ${deletedPrincipals.join(', ')}`],
    ),
    ...(change === undefined
      ? []
      : ['', ...changeLines(change, decision === 'ALLOWED' ? 'the denied part of the request' : 'the request')]),
  ];
}

/** Returns the line of a permission without resources: it was not decided or not needed, or its resources are not stored. */
function withoutResources(action: string, state: string, otherResources: number): string {
  const isStored = state === 'NOT_DECIDED' || state === 'NOT_NEEDED';
  return isStored
    ? `${action}: ${words(state)}`
    : `${action} on ${counted(otherResources, 'more resource')} that are not stored: ${words(state)}`;
}

function resourceLines(action: string, { resource, allowed, layers = [] }: Resource): readonly string[] {
  return [
    `${action} on ${resource}: ${allowed ? 'allowed' : 'denied'}`,
    ...layers.flatMap(({ policyType, level, result, policies }) => [
      `  ${words(policyType)}${level === undefined ? '' : ` at level ${level}${level === 0 ? ' (root)' : ''}`}: ${words(result ?? '')}`,
      ...policies.flatMap(({ policyId, statements, otherStatements }) => [
        `    ${policyId}${otherStatements === 0 ? '' : ` (${counted(otherStatements, 'statement')} for other actions)`}`,
        ...statements.flatMap(statementLines),
      ]),
    ]),
  ];
}

function statementLines({ index, sid, effect, applies, principal, action, resource, conditions = [] }: Statement): readonly string[] {
  const elements = [action, resource].flatMap((element) => element ?? []);
  return [
    `      statement ${index + 1}${sid === undefined ? '' : ` (${sid})`}, ${effect}: ${applies ? 'applies' : 'does not apply'}`,
    ...(principal === false ? ['        - Principal: does not name the caller'] : []),
    ...elements.map(
      ({ element, holds, values }) =>
        `        ${sign(holds)} ${element} ${values.map(({ value, resolved }) => (resolved === undefined ? value : `${value} = ${resolved}`)).join(', ')}`,
    ),
    ...conditions.map(({ operator, key, holds, values, requestValues, reason }) => {
      const wanted = values.map(({ value, resolved }) => (resolved === undefined ? value : `${value} = ${resolved}`)).join(', ');
      const given = requestValues === undefined ? 'the request has no value' : `the request has ${requestValues.join(', ')}`;
      return `        ${sign(holds)} ${operator} ${key}: ${wanted}; ${given}${reason === undefined || requestValues === undefined ? '' : ` (${reason})`}`;
    }),
  ];
}

/** Returns the lines about a change. `what` is the request, or its denied part. */
function changeLines(
  { allowsRequest, grants, blockedBy, blockedReason, example }: NonNullable<Output['change']>,
  what: string,
): readonly string[] {
  const blocked =
    blockedBy === undefined ? blockedReason : `Statement ${blockedBy.sid ?? blockedBy.index + 1} of ${blockedBy.policyId} denies it.`;
  return [
    ...(allowsRequest ? [`To allow ${what}, add:`] : [`No added statement would allow ${what}: ${blocked ?? 'unknown reason'}`]),
    ...(!allowsRequest && grants.length > 0 ? ['It also lacks:'] : []),
    ...grants.flatMap(({ policyType, target, statement, alsoAllows }) => [
      `  ${words(policyType)} of ${target}:`,
      `    ${statement}`,
      `    ${alsoAllows}`,
    ]),
    ...(example === undefined
      ? []
      : [
          `For example, ${example.principalArn} could then also perform ${example.action} on ${example.resource} from ${example.sourceIpAddress}.`,
        ]),
  ];
}

const sign = (holds: boolean): string => (holds ? '+' : '-');
const words = (name: string): string => name.toLowerCase().replaceAll('_', ' ');
