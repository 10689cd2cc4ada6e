/**
 * Service-linked roles: the list of roles, and functions for the services that use them.
 * The operations on these roles are in `linked-role-operations.ts`.
 *
 * Source: Amazon Chime Administration Guide, "Using service-linked roles for Amazon Chime", and the corresponding
 * section of the Chime SDK Administration Guide.
 */
import { type AccountId, type Arn, arn } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import { uniqueId } from '#core/base32.ts';
import type { RoleRecord } from '#store/identity/identity.ts';
import type { Tx } from '#store/store.ts';
import { forwardedCallRow } from '#trail/service-event.ts';
import type { Access, Call, Caller } from '../kit/operation.ts';
import { emitRoleChanged } from './analyzed-roles.ts';
import { ID_PREFIXES, nameKey } from './names.ts';

export type LinkedServicePrincipal =
  | 'access-analyzer.amazonaws.com'
  | `${'' | 'voiceconnector.' | 'transcription.' | 'mediapipelines.' | 'messaging.' | 'events.'}chime.amazonaws.com`;

export interface LinkedService {
  /** Service principal, which requests contain as `AWSServiceName`. Case-sensitive. Requirement SLR-4. */
  readonly service: LinkedServicePrincipal;
  readonly roleName: string;
  /** Name of the role's managed policy, under `arn:aws:iam::aws:policy/aws-service-role/`. */
  readonly policyName?: string;
  readonly description: string;
}

/**
 * Service-linked roles of Chime and of IAM Access Analyzer.
 *
 * Requirement: §9.1. Source: IAM User Guide, "Using service-linked roles for IAM Access Analyzer".
 * Assumed: (1) the role of events.chime.amazonaws.com has the name that the guide prints; (2) this role has no policy,
 * because AWS publishes no policy for it (§19.4); (3) the descriptions; (4) the role of
 * IAM Access Analyzer has no policy here, because the server reads policies without it.
 */
// biome-ignore format: a table
export const LINKED_SERVICES: readonly LinkedService[] = [
  { service: 'chime.amazonaws.com',                roleName: 'AWSServiceRoleForAmazonChime',                  policyName: 'AmazonChimeServiceRolePolicy',                        description: 'Lets Amazon Chime manage its resources for you.' },
  { service: 'voiceconnector.chime.amazonaws.com', roleName: 'AWSServiceRoleForAmazonChimeVoiceConnector',    policyName: 'AmazonChimeVoiceConnectorServiceLinkedRolePolicy',    description: 'Lets Amazon Chime Voice Connectors stream to other services for you.' },
  { service: 'transcription.chime.amazonaws.com',  roleName: 'AWSServiceRoleForAmazonChimeTranscription',     policyName: 'AmazonChimeTranscriptionServiceLinkedRolePolicy',     description: 'Lets Amazon Chime SDK meetings transcribe for you.' },
  { service: 'mediapipelines.chime.amazonaws.com', roleName: 'AWSServiceRoleForAmazonChimeSDKMediaPipelines', policyName: 'AmazonChimeSDKMediaPipelinesServiceLinkedRolePolicy', description: 'Lets Amazon Chime SDK media pipelines join meetings for you.' },
  { service: 'messaging.chime.amazonaws.com',      roleName: 'AWSServiceRoleForChimeSDKMessaging',            policyName: 'AmazonChimeSDKMessagingServiceRolePolicy',            description: 'Lets Amazon Chime SDK messaging stream to other services for you.' },
  { service: 'events.chime.amazonaws.com',         roleName: 'AmazonChimeSDKEvents',                                                                                             description: 'Lets Amazon Chime SDK deliver events to other services for you.' },
  { service: 'access-analyzer.amazonaws.com',      roleName: 'AWSServiceRoleForAccessAnalyzer',                                                                                  description: 'Lets IAM Access Analyzer read the policies of your resources for you.' },
];

/** Resources in one region that use a service-linked role. The role cannot be deleted while such resources exist. Requirement SLR-14. */
export interface LinkedRoleUsage {
  readonly region: string;
  /** ARNs of the resources. */
  readonly resources: readonly string[];
}

export function linkedService(service: string): LinkedService | undefined {
  return LINKED_SERVICES.find((one) => one.service === service);
}

export function linkedRoleArn(accountId: AccountId, { service, roleName }: LinkedService): Arn {
  return arn('iam', '', accountId, `role/aws-service-role/${service}/${roleName}`);
}

/**
 * Returns the permission for an operation that creates a service-linked role. Requires nothing if the role exists.
 * The caller needs the permission, and the service does not. Requirements SLR-6, EVAL-9.
 */
export function onLinkedRole(caller: Caller, service: LinkedServicePrincipal): Access {
  const linked = knownService(service);
  const roleArn = linkedRoleArn(caller.accountId, linked);
  return {
    action: 'iam:CreateServiceLinkedRole',
    resources: [roleArn],
    resolve: async (tx) => ((await linkedRole(tx, caller.accountId, service)) === undefined ? [roleArn] : []),
    context: new Map([['iam:awsservicename', service]]),
  };
}

/** Returns the role that a service assumes in an account, or `undefined`. */
export async function linkedRole(tx: Tx, accountId: AccountId, service: LinkedServicePrincipal): Promise<RoleRecord | undefined> {
  const role = await tx.identity.get(accountId, 'role', nameKey(knownService(service).roleName));
  return role?.linkedService === service ? role : undefined;
}

/**
 * Checks that a service-linked role exists, for a feature that does not create it. Requirement SLR-18.
 *
 * A role with the same name that is not linked to the service is not sufficient (SLR-17).
 * Assumed: the error code and the message.
 * @throws ForbiddenException the account has no such role
 */
export async function requireLinkedRole({ tx, accountId }: Call, service: LinkedServicePrincipal): Promise<void> {
  if ((await linkedRole(tx, accountId, service)) !== undefined) return;
  throw new AwsError('ForbiddenException', `The service-linked role '${knownService(service).roleName}' does not exist in this account.`);
}

/**
 * Creates the service-linked role of a service unless it exists. The `access` of an operation that calls this function
 * must include `onLinkedRole`. The result 'taken' means that users have created another role with that name. The
 * service then has no role that it can assume.
 *
 * Writes: the CloudTrail event of CreateServiceLinkedRole. The event names the caller, because the caller needs the
 * permission. Requirement SLR-6.
 */
export async function ensureLinkedRole(call: Call, service: LinkedServicePrincipal): Promise<'created' | 'exists' | 'taken'> {
  const { tx, accountId, principal, region, now, newId } = call;
  if ((await linkedRole(tx, accountId, service)) !== undefined) return 'exists';
  const linked = knownService(service);
  const role = await addLinkedRole(call, linked, linked.description);
  if (role === 'taken') return 'taken';
  await tx.trail.append(
    forwardedCallRow({
      principal,
      region,
      now,
      eventId: newId(),
      requestId: newId(),
      eventName: 'CreateServiceLinkedRole',
      service: 'iam',
      invokedBy: service,
      requestParameters: { aWSServiceName: service },
      responseElements: { role: { roleName: role.roleName, roleId: role.roleId, arn: role.arn, path: role.path } },
      resources: [{ type: 'AWS::IAM::Role', name: role.roleName }],
    }),
  );
  return 'created';
}

/**
 * Creates a service-linked role, which trusts one service and has at most one policy. Users cannot change the role.
 * Returns 'taken' if a role with this name exists. Requirement SLR-1.
 *
 * If `description` is absent, the role has no description.
 * Source: Terraform's aws_iam_service_linked_role. If the role has a description and the configuration has none, the
 * plan after the creation is not empty.
 */
export async function addLinkedRole(call: Call, linked: LinkedService, description?: string): Promise<RoleRecord | 'taken'> {
  const key = nameKey(linked.roleName);
  const policyArn = linked.policyName === undefined ? undefined : (`arn:aws:iam::aws:policy/aws-service-role/${linked.policyName}` as Arn);
  const role: RoleRecord = {
    accountId: call.accountId,
    arn: linkedRoleArn(call.accountId, linked),
    path: `/aws-service-role/${linked.service}/`,
    createdAt: call.now,
    roleName: linked.roleName,
    roleId: uniqueId(ID_PREFIXES.role, call.random),
    trustPolicy: trustOf(linked.service),
    ...(description !== undefined && { description }),
    maxSessionSeconds: 3600,
    tags: [],
    attachedPolicyArns: policyArn === undefined ? [] : [policyArn],
    inlinePolicies: {},
    linkedService: linked.service,
  };
  if ((await call.tx.identity.add(call.accountId, 'role', key, role)) === 'exists') return 'taken';
  await call.tx.identity.put(call.accountId, 'unique-id', role.roleId, { accountId: call.accountId, kind: 'role', key });
  if (policyArn !== undefined) {
    await call.tx.identity.put(call.accountId, 'attachment', `${policyArn} role/${key}`, { accountId: call.accountId });
  }
  await emitRoleChanged(call, role);
  return role;
}

function trustOf(service: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
  });
}

function knownService(service: LinkedServicePrincipal): LinkedService {
  const linked = linkedService(service);
  if (linked === undefined) throw new Error(`${service} has no service-linked role`);
  return linked;
}
