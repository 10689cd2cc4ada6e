/** Checks of the targets of PutTargets. */
import { isAccountId, parseArn } from '#core/arn.ts';
import type { DeadLetterConfig, Target } from '#model/generated/events.ts';
import { invalid, invalidArn } from './errors.ts';
import { templateProblem } from './input-template.ts';
import { parseJsonPath } from './json-path.ts';

/** Services to which Belfry delivers events, with the beginning of the resource in their ARNs. */
const DELIVERABLE: Readonly<Record<string, readonly string[]>> = {
  sqs: [''],
  sns: [''],
  lambda: ['function:'],
  kinesis: ['stream/'],
  logs: ['log-group:'],
  events: ['event-bus/', 'api-destination/'],
};

/**
 * Services with targets on AWS to which Belfry cannot deliver. The value is the beginning of the resource.
 *
 * Source: EventBridge User Guide, "Event bus targets". Assumed: the beginnings of the resources.
 */
const OTHER: Readonly<Record<string, string>> = {
  appsync: 'endpoints/',
  batch: 'job-queue/',
  codebuild: 'project/',
  codepipeline: '',
  ecs: 'cluster/',
  'execute-api': '',
  firehose: 'deliverystream/',
  glue: 'workflow/',
  inspector: 'target/',
  redshift: 'cluster:',
  'redshift-serverless': 'workgroup/',
  sagemaker: 'pipeline/',
  ssm: '',
  'ssm-incidents': 'response-plan/',
  states: 'stateMachine:',
};

/**
 * Parameters that only some services accept. SqsParameters are valid for every target.
 * Source: cdk-preflight, targets of rules, measured on AWS in September 2026.
 */
const PARAMETERS = {
  EcsParameters: ['ecs'],
  KinesisParameters: ['kinesis'],
  BatchParameters: ['batch'],
  HttpParameters: ['events', 'execute-api'],
  RedshiftDataParameters: ['redshift', 'redshift-serverless'],
  RunCommandParameters: ['ssm'],
  SageMakerPipelineParameters: ['sagemaker'],
  AppSyncParameters: ['appsync'],
} as const satisfies Partial<Record<keyof Target, readonly string[]>>;

/** ASCII without white space and quotes. PostgreSQL indexes these ARNs. */
const ARN_TEXT = /^[\x21\x23-\x26\x28-\x7e]+$/;

/** Rule for which a target is checked. */
export interface TargetPlace {
  readonly accountId: string;
  readonly region: string;
}

/**
 * Checks a target. Returns the reason if AWS delivers to such a target and Belfry does not.
 *
 * @throws ValidationException  the ARN, the input, the parameters, the dead-letter queue or the role is invalid
 * Source: moto's tests; LocalStack, snapshots of its tests on AWS; cdk-preflight, measured on AWS in September 2026; issues on GitHub:
 * `RoleArn is required for target`. Assumed: the order, the message for a template that is not JSON, and that a stream, an API destination, and
 * a bus or topic of another account or region require a role.
 */
export function checkTarget(target: Target, place: TargetPlace): { readonly undeliverable: string } | undefined {
  const { Id, Arn } = target;
  const parts = ARN_TEXT.test(Arn) ? parseArn(Arn) : undefined;
  if (parts === undefined) throw invalidArn(Arn);
  const { service, resource } = parts;
  const isDeliverable = (DELIVERABLE[service] ?? []).some((start) => resource.startsWith(start));
  const isOther =
    (OTHER[service] !== undefined && resource.startsWith(OTHER[service])) || (service === 'events' && resource.startsWith('target/'));
  if ((!isDeliverable && !isOther) || !isAccountId(parts.accountId)) {
    if (service !== 'events' || !isOther) throw invalidArn(Arn);
  }
  if (service === 'sqs' && resource.endsWith('.fifo') && target.SqsParameters === undefined) {
    throw invalid(`Parameter(s) SqsParameters must be specified for target: ${Id}.`);
  }
  for (const [name, services] of Object.entries(PARAMETERS) as [keyof typeof PARAMETERS, readonly string[]][]) {
    if (target[name] !== undefined && !services.includes(service)) {
      throw invalid(`Parameter(s) ${name} not supported for target: ${Id}.`);
    }
  }
  checkInput(target);
  requireDeadLetter(target.DeadLetterConfig, place.region);
  if (isOther) {
    return { undeliverable: `Belfry does not deliver to '${service}'. It delivers to ${Object.keys(DELIVERABLE).join(', ')}.` };
  }
  if (target.RoleArn === undefined && needsRole(service, resource, parts, place)) throw invalid(`RoleArn is required for target ${Arn}.`);
  return undefined;
}

function needsRole(service: string, resource: string, arn: TargetPlace, place: TargetPlace): boolean {
  if (service === 'kinesis' || resource.startsWith('api-destination/')) return true;
  if (service !== 'events' && service !== 'sns') return false;
  return arn.accountId !== place.accountId || (service === 'events' && arn.region !== place.region);
}

function checkInput({ Id, Input, InputPath, InputTransformer, KinesisParameters }: Target): void {
  if ([Input, InputPath, InputTransformer].filter((each) => each !== undefined).length > 1) {
    throw invalid(`Only one of Input, InputPath, or InputTransformer must be provided for target ${Id}.`);
  }
  if (Input !== undefined && !isJson(Input)) throw invalid(`JSON syntax error in input for target ${Id}.`);
  const paths = [InputPath, ...Object.values(InputTransformer?.InputPathsMap ?? {})];
  if (paths.some((path) => path !== undefined && parseJsonPath(path) === undefined))
    throw invalid(`InputPath for target ${Id} is invalid.`);
  if (KinesisParameters !== undefined && parseJsonPath(KinesisParameters.PartitionKeyPath) === undefined) {
    throw invalid(`PartitionKeyPath for target ${Id} is invalid.`);
  }
  if (InputTransformer === undefined) return;
  const problem = templateProblem(InputTransformer.InputTemplate, new Set(Object.keys(InputTransformer.InputPathsMap ?? {})));
  if (problem === undefined) return;
  if (problem === 'syntax') throw invalid(`InputTemplate for target ${Id} is not valid JSON, and not a list of quoted strings.`);
  if (problem === 'json-only') {
    throw invalid(`InputTemplate for target ${Id} contains placeholder aws.events.event.json valid only for JSON template.`);
  }
  throw invalid(`InputTemplate for target ${Id} contains invalid placeholder ${problem.placeholder}.`);
}

/**
 * Checks a dead-letter queue. It must be a standard queue of the region.
 *
 * @throws ValidationException
 * Source: cdk-preflight, targets of rules, measured on AWS in September 2026. Assumed: the message for another region.
 */
export function requireDeadLetter(config: DeadLetterConfig | undefined, region: string): void {
  if (config?.Arn === undefined) return;
  const parts = ARN_TEXT.test(config.Arn) ? parseArn(config.Arn) : undefined;
  if (parts === undefined) throw invalidArn(config.Arn);
  if (parts.service !== 'sqs') throw invalid(`${parts.service} is not supported as a dead letter resource.`);
  if (parts.resource.endsWith('.fifo')) throw invalid('SQS FIFO is not supported by Dead Letter Queues.');
  if (parts.region !== region || !isAccountId(parts.accountId)) throw invalidArn(config.Arn);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
