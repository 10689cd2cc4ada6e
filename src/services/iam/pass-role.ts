/**
 * Roles that a caller passes to a service: which input members contain them, and which service receives them. The
 * caller needs iam:PassRole for each passed role.
 *
 * Requirements ROLE-15, TS-3, EVAL-9. Source: IAM User Guide, "Grant a user permissions to pass a role to an AWS service".
 */
import { AwsError } from '#core/aws-error.ts';
import { arnForm } from '#model/arn-inputs.ts';
import type { ServiceName } from '#model/services.ts';
import type { Access, Caller, Operation } from '../kit/operation.ts';
import { iamArn, nameKey } from './names.ts';

export interface PassedRole {
  readonly service: ServiceName;
  readonly operation: string;
  /**
   * Input member that contains the role, with the names of the members around it. For example, `Targets[].RoleArn` is
   * the member `RoleArn` of each item in `Targets`.
   */
  readonly member: string;
  /** Service principal that receives the role: the value of the condition key `iam:PassedToService`. */
  readonly passedTo: string;
  /** Error code for a string that is not the ARN of a role. Absent if the member contains the name of a role of the account. */
  readonly malformed?: string;
}

const MEDIA_PIPELINES = 'mediapipelines.chime.amazonaws.com';
const POST_CALL_ROLE = 'Elements[].AmazonTranscribeCallAnalyticsProcessorConfiguration.PostCallAnalyticsSettings.DataAccessRoleArn';

/**
 * Input members, in the models of all services, that pass a role to a service.
 *
 * Source: Chime SDK Developer Guide, "Using the call analytics resource access role", which passes the role for post-call analytics to
 * Transcribe; CloudWatch User Guide, "Trust between CloudWatch and Firehose"; the managed policies CloudWatchFullAccessV2,
 * AmazonEventBridgeFullAccess and AWSCloudTrail_FullAccess; IAM API reference, AddRoleToInstanceProfile.
 * Assumed: (1) EnableFederation passes its role to Lake Formation; (2) StartPolicyGeneration passes its role to Access
 * Analyzer; (3) the service of UpdateAccountResource, which is an operation of Belfry; (4) the error codes in `malformed`, except those of CloudTrail.
 */
// biome-ignore format: a table
export const PASSED_ROLES: readonly PassedRole[] = [
  { service: 'chime',                     operation: 'UpdateAccountResource',                    member: 'RoleArn',                                           passedTo: 'chime.amazonaws.com',                       malformed: 'BadRequestException' },
  { service: 'chime-sdk-media-pipelines', operation: 'CreateMediaCapturePipeline',               member: 'SinkIamRoleArn',                                    passedTo: MEDIA_PIPELINES,                             malformed: 'BadRequestException' },
  { service: 'chime-sdk-media-pipelines', operation: 'CreateMediaInsightsPipelineConfiguration', member: 'ResourceAccessRoleArn',                             passedTo: MEDIA_PIPELINES,                             malformed: 'BadRequestException' },
  { service: 'chime-sdk-media-pipelines', operation: 'CreateMediaInsightsPipelineConfiguration', member: POST_CALL_ROLE,                                      passedTo: 'transcribe.streaming.amazonaws.com',        malformed: 'BadRequestException' },
  { service: 'chime-sdk-media-pipelines', operation: 'UpdateMediaInsightsPipelineConfiguration', member: 'ResourceAccessRoleArn',                             passedTo: MEDIA_PIPELINES,                             malformed: 'BadRequestException' },
  { service: 'chime-sdk-media-pipelines', operation: 'UpdateMediaInsightsPipelineConfiguration', member: POST_CALL_ROLE,                                      passedTo: 'transcribe.streaming.amazonaws.com',        malformed: 'BadRequestException' },
  { service: 'events',                    operation: 'PutRule',                                  member: 'RoleArn',                                           passedTo: 'events.amazonaws.com',                      malformed: 'ValidationError' },
  { service: 'events',                    operation: 'PutTargets',                               member: 'Targets[].RoleArn',                                 passedTo: 'events.amazonaws.com',                      malformed: 'ValidationError' },
  { service: 'events',                    operation: 'CreateEndpoint',                           member: 'RoleArn',                                           passedTo: 'events.amazonaws.com',                      malformed: 'ValidationError' },
  { service: 'events',                    operation: 'UpdateEndpoint',                           member: 'RoleArn',                                           passedTo: 'events.amazonaws.com',                      malformed: 'ValidationError' },
  { service: 'cloudtrail',                operation: 'CreateTrail',                              member: 'CloudWatchLogsRoleArn',                             passedTo: 'cloudtrail.amazonaws.com',                  malformed: 'InvalidCloudWatchLogsRoleArnException' },
  { service: 'cloudtrail',                operation: 'UpdateTrail',                              member: 'CloudWatchLogsRoleArn',                             passedTo: 'cloudtrail.amazonaws.com',                  malformed: 'InvalidCloudWatchLogsRoleArnException' },
  { service: 'cloudtrail',                operation: 'StartImport',                              member: 'ImportSource.S3.S3BucketAccessRoleArn',             passedTo: 'cloudtrail.amazonaws.com',                  malformed: 'InvalidImportSourceException' },
  { service: 'cloudtrail',                operation: 'EnableFederation',                         member: 'FederationRoleArn',                                 passedTo: 'lakeformation.amazonaws.com',               malformed: 'InvalidParameterException' },
  { service: 'cloudwatch',                operation: 'PutMetricStream',                          member: 'RoleArn',                                           passedTo: 'streams.metrics.cloudwatch.amazonaws.com',  malformed: 'InvalidParameterValueException' },
  { service: 'cloudwatch',                operation: 'PutLogAlarm',                              member: 'ScheduledQueryConfiguration.ScheduledQueryRoleARN', passedTo: 'logs.amazonaws.com',                        malformed: 'ValidationError' },
  { service: 'cloudwatch',                operation: 'PutLogAlarm',                              member: 'ActionLogLineRoleArn',                              passedTo: 'cloudwatch.amazonaws.com',                  malformed: 'ValidationError' },
  { service: 'logs',                      operation: 'CreateImportTask',                         member: 'importRoleArn',                                             passedTo: 'logs.amazonaws.com',                       malformed: 'InvalidParameterException' },
  { service: 'logs',                      operation: 'CreateScheduledQuery',                     member: 'destinationConfiguration.s3Configuration.roleArn',          passedTo: 'logs.amazonaws.com',                       malformed: 'InvalidParameterException' },
  { service: 'logs',                      operation: 'CreateScheduledQuery',                     member: 'destinationConfiguration.lookupTableConfiguration.roleArn', passedTo: 'logs.amazonaws.com',                       malformed: 'InvalidParameterException' },
  { service: 'logs',                      operation: 'CreateScheduledQuery',                     member: 'executionRoleArn',                                          passedTo: 'logs.amazonaws.com',                       malformed: 'InvalidParameterException' },
  { service: 'logs',                      operation: 'PutDeliveryDestination',                   member: 'roleArn',                                                   passedTo: 'logs.amazonaws.com',                       malformed: 'InvalidParameterException' },
  { service: 'logs',                      operation: 'PutDestination',                           member: 'roleArn',                                                   passedTo: 'logs.amazonaws.com',                       malformed: 'InvalidParameterException' },
  { service: 'logs',                      operation: 'PutIntegration',                           member: 'resourceConfig.openSearchResourceConfig.dataSourceRoleArn', passedTo: 'logs.amazonaws.com',                       malformed: 'InvalidParameterException' },
  { service: 'logs',                      operation: 'PutSubscriptionFilter',                    member: 'roleArn',                                                   passedTo: 'logs.amazonaws.com',                       malformed: 'InvalidParameterException' },
  { service: 'logs',                      operation: 'UpdateScheduledQuery',                     member: 'destinationConfiguration.s3Configuration.roleArn',          passedTo: 'logs.amazonaws.com',                       malformed: 'InvalidParameterException' },
  { service: 'logs',                      operation: 'UpdateScheduledQuery',                     member: 'destinationConfiguration.lookupTableConfiguration.roleArn', passedTo: 'logs.amazonaws.com',                       malformed: 'InvalidParameterException' },
  { service: 'logs',                      operation: 'UpdateScheduledQuery',                     member: 'executionRoleArn',                                          passedTo: 'logs.amazonaws.com',                       malformed: 'InvalidParameterException' },
  { service: 'accessanalyzer',            operation: 'StartPolicyGeneration',                    member: 'cloudTrailDetails.accessRole',                      passedTo: 'access-analyzer.amazonaws.com',             malformed: 'ValidationException' },
  { service: 'iam',                       operation: 'AddRoleToInstanceProfile',                 member: 'RoleName',                                          passedTo: 'ec2.amazonaws.com' },
];

/**
 * Returns an operation table whose operations also require iam:PassRole for each role in their input. The server
 * applies this function to the table of every service. The table contains unimplemented operations, so these also
 * require iam:PassRole.
 *
 * The operation's own permission comes first, so that only an allowed caller learns that a string is not a role's ARN.
 *
 * Assumed: an empty string passes no role, as in UpdateTrail, where it removes the role.
 * @throws BadRequestException  before authorization, if the input contains a role and the request uses the classic
 *   profile (the rules of the older Amazon Chime API), which has no service roles
 */
export function withPassedRoles<Table extends object>(service: ServiceName, table: Table): Table {
  const operations = table as Readonly<Record<string, Operation<unknown, unknown>>>;
  const changed: Record<string, Operation<unknown, unknown>> = Object.assign(Object.create(null), operations);
  for (const name of new Set(PASSED_ROLES.filter((each) => each.service === service).map(({ operation }) => operation))) {
    changed[name] = withPassedRole(service, name, operations[name] as Operation<unknown, unknown>);
  }
  return changed as Table;
}

function withPassedRole<Input, Output>(service: ServiceName, name: string, operation: Operation<Input, Output>): Operation<Input, Output> {
  const places = PASSED_ROLES.filter((each) => each.service === service && each.operation === name);
  return {
    ...operation,
    access(input, caller) {
      const passed = places.flatMap((place) => rolesAt(place, input).map((role) => ({ place, role })));
      const [first] = passed;
      // UpdateAccountResource is an operation of Belfry. No service assumes its role (ROLE-16).
      if (first !== undefined && caller.profile === 'classic' && service !== 'chime') {
        throw new AwsError('BadRequestException', `${first.place.member} is not accepted: Amazon Chime does not support service roles.`);
      }
      return [operation.access(input, caller), passed.map(({ place, role }) => onPlace(place, role, caller))].flat();
    },
  };
}

function onPlace(place: PassedRole, role: string, caller: Caller): Access {
  const { member, passedTo, malformed } = place;
  if (malformed === undefined) return onPassRoleByName(caller, role, passedTo);
  if (isRoleArn(role)) return onPassRole(role, passedTo);
  const refuse = async () => {
    throw new AwsError(malformed, `${member} is not the ARN of a role.`);
  };
  return { ...onPassRole(role, passedTo), resolve: refuse };
}

/**
 * Returns the permission to pass a role to a service. A role of another account cannot be passed.
 *
 * The context does not contain the tags of the role, because they do not control iam:PassRole. Source: IAM User Guide,
 * "Grant a user permissions to pass a role to an AWS service".
 */
export function onPassRole(roleArn: string, service: string): Access {
  return { action: 'iam:PassRole', resources: [roleArn], context: new Map([['iam:passedtoservice', service]]) };
}

/**
 * Returns the permission to pass the role with this name in the caller's account. Reads the role's ARN from the store,
 * because the ARN contains the path and the name does not.
 */
function onPassRoleByName({ accountId }: Caller, roleName: string, service: string): Access {
  const unknown = iamArn(accountId, 'role', '/', roleName);
  return {
    ...onPassRole(unknown, service),
    resolve: async (tx) => [(await tx.identity.get(accountId, 'role', nameKey(roleName)))?.arn ?? unknown],
  };
}

function isRoleArn(text: string): boolean {
  return arnForm(['iam:role']).test(text);
}

/** Returns the roles in one member of an input, without duplicates. */
function rolesAt({ member }: PassedRole, input: unknown): readonly string[] {
  return [...new Set(textsAt(input, member.replaceAll('[]', '.[]').split('.')))];
}

function textsAt(value: unknown, [step, ...further]: readonly string[]): readonly string[] {
  if (step === undefined) return typeof value === 'string' && value !== '' ? [value] : [];
  if (step === '[]') return Array.isArray(value) ? value.flatMap((each) => textsAt(each, further)) : [];
  return typeof value === 'object' && value !== null ? textsAt((value as Readonly<Record<string, unknown>>)[step], further) : [];
}
