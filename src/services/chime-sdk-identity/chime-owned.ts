/** The app instance of Amazon Chime, whose users are the registered people. The operations of this service do not change what Amazon Chime owns. */
import type { ResourceKey } from '#store/resources.ts';
import { parseAppInstanceArn, type Where } from '../chime-kit/app-instances.ts';
import { isChimeAppInstance } from '../chime-kit/chime-app-instance.ts';
import { AwsError } from './errors.ts';

/** A change of a stored resource. */
interface ChangeOf {
  readonly before?: ResourceKey;
}

/** @throws ForbiddenException  the app instance is that of Amazon Chime */
export function refuseChime(caller: Where, { before }: ChangeOf): void {
  if (before !== undefined && isChimeAppInstance(caller, before.id)) throw owned('app instance');
}

/** @throws ForbiddenException  the user is a person of Amazon Chime */
export function refuseChimeUser(caller: Where, { before }: ChangeOf): void {
  if (before !== undefined && isChimeAppInstance(caller, before.parent)) throw owned('app instance user');
}

/** @throws ForbiddenException  the app instance of a new user or bot is that of Amazon Chime */
export function refuseInChime(caller: Where, appInstanceArn: string): void {
  const parts = parseAppInstanceArn(appInstanceArn);
  if (parts !== undefined && isChimeAppInstance(caller, parts.appInstanceId)) throw owned('app instance');
}

function owned(title: string): AwsError {
  return new AwsError('ForbiddenException', `The ${title} belongs to Amazon Chime, and only the operations of Amazon Chime change it.`);
}
