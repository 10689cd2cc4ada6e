import type { ResourceKind, ResourcePlace, ResourceRecord } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import {
  type AppInstanceBotDocument,
  type AppInstanceDocument,
  type AppInstanceMember,
  type AppInstanceUserDocument,
  findAppInstance,
  findBot,
  findMember,
  findUser,
  inAppInstance,
} from '../chime/app-instances.ts';
import { type Page, type PageRequest, pageOf } from '../chime/page.ts';
import type { Call } from '../kit/operation.ts';
import { AwsError } from './errors.ts';

/**
 * Nothing tells what is not there from what one may not know of.
 *
 * Source: the text for users in aws/amazon-chime-sdk-js issue 1148; that Chime answers so, in aws/aws-sdk-net issue 1571.
 * Assumed: of every operation that models no NotFoundException, or models it of DescribeAppInstanceBot alone; the texts of the others.
 */
export function forbidden(what: 'app instance' | 'app instance user' | 'app instance bot' | 'app instance user endpoint'): AwsError {
  return new AwsError('ForbiddenException', `An invalid ${what} ARN was supplied for the input parameter.`);
}

/** @throws ForbiddenException no such app instance in the caller's account and region */
export async function appInstanceOrForbidden(call: Call, arn: string): Promise<ResourceRecord<AppInstanceDocument>> {
  const found = await findAppInstance(call.tx, call, arn);
  if (found === undefined) throw forbidden('app instance');
  return found;
}

/** @throws ForbiddenException no such user */
export async function userOrForbidden(call: Call, arn: string): Promise<ResourceRecord<AppInstanceUserDocument>> {
  const found = await findUser(call.tx, call, arn);
  if (found === undefined) throw forbidden('app instance user');
  return found;
}

/** @throws ForbiddenException no such bot */
export async function botOrForbidden(call: Call, arn: string): Promise<ResourceRecord<AppInstanceBotDocument>> {
  const found = await findBot(call.tx, call, arn);
  if (found === undefined) throw forbidden('app instance bot');
  return found;
}

/** A user or bot of this very app instance. @throws ForbiddenException there is no such one in it */
export async function memberOrForbidden(call: Call, { id }: ResourceRecord<AppInstanceDocument>, arn: string): Promise<AppInstanceMember> {
  const member = await findMember(call.tx, call, arn);
  if (member?.appInstanceId !== id) throw forbidden('app instance user');
  return member;
}

/**
 * One page of a kind that is in an app instance, in the order of ids.
 *
 * @throws ForbiddenException no such app instance · BadRequestException a token of another list
 */
export async function pageIn<Document>(
  call: Call,
  kind: ResourceKind<Document>,
  input: PageRequest & { readonly AppInstanceArn: string },
): Promise<Page<ResourceRecord<Document>>> {
  const { id } = await appInstanceOrForbidden(call, input.AppInstanceArn);
  const read = (limit: number, after: string | undefined) => call.tx.resources.list(kind, inAppInstance(call, id), limit, after);
  return await pageOf(`${kind.name} ${id}`, input, read, (each) => each.id);
}

/**
 * Refuses what was just added where it is one too many: nothing of the transaction remains.
 *
 * Assumed: the text.
 * @throws ResourceLimitExceededException
 */
export async function requireRoom<Document>(
  tx: Tx,
  kind: ResourceKind<Document>,
  place: ResourcePlace,
  what: string,
  most: number,
): Promise<void> {
  if ((await tx.resources.count(kind, place, most + 1)) > most) throw limitExceeded(what, most);
}

export function limitExceeded(what: string, most: number): AwsError {
  return new AwsError('ResourceLimitExceededException', `There can be ${most} ${what}, and no more.`);
}
