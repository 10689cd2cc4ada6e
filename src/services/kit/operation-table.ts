import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import type { ChimeApi } from '#model/generated/chime.ts';
import type { ChimeSdkIdentityApi } from '#model/generated/chime-sdk-identity.ts';
import type { ChimeSdkMediaPipelinesApi } from '#model/generated/chime-sdk-media-pipelines.ts';
import type { ChimeSdkMeetingsApi } from '#model/generated/chime-sdk-meetings.ts';
import type { ChimeSdkMessagingApi } from '#model/generated/chime-sdk-messaging.ts';
import type { ChimeSdkVoiceApi } from '#model/generated/chime-sdk-voice.ts';
import type { CloudtrailApi } from '#model/generated/cloudtrail.ts';
import type { CloudwatchApi } from '#model/generated/cloudwatch.ts';
import type { EventsApi } from '#model/generated/events.ts';
import type { IamApi } from '#model/generated/iam.ts';
import type { OrganizationsApi } from '#model/generated/organizations.ts';
import type { StsApi } from '#model/generated/sts.ts';
import { loadModel } from '#model/load.ts';
import { askingForPassedRoles } from '../iam/pass-role.ts';
import { notYet } from './not-yet.ts';
import type { Operation } from './operation.ts';
import { removed } from './removed.ts';

/** The operations of each service, as generated from its model. */
export interface Apis {
  readonly chime: ChimeApi;
  readonly 'chime-sdk-identity': ChimeSdkIdentityApi;
  readonly 'chime-sdk-meetings': ChimeSdkMeetingsApi;
  readonly 'chime-sdk-messaging': ChimeSdkMessagingApi;
  readonly 'chime-sdk-media-pipelines': ChimeSdkMediaPipelinesApi;
  readonly 'chime-sdk-voice': ChimeSdkVoiceApi;
  readonly iam: IamApi;
  readonly sts: StsApi;
  readonly cloudtrail: CloudtrailApi;
  readonly events: EventsApi;
  readonly cloudwatch: CloudwatchApi;
  readonly accessanalyzer: AccessanalyzerApi;
  readonly organizations: OrganizationsApi;
}

/** `ServiceOperations` of a service that is given by name. */
export type OperationTable<Service extends keyof Apis> = {
  readonly [Name in keyof Apis[Service]]: Apis[Service][Name] extends { readonly input: infer Input; readonly output: infer Output }
    ? Operation<Input, Output>
    : never;
};

/**
 * The table of a service, with every operation of its model: the built ones as given, `notYet` for the rest, and each that takes a role
 * asking for iam:PassRole; besides them what the service had once, as `removed`. It has no prototype, so a name from a request finds an operation or nothing.
 */
export function operationTable<Service extends keyof Apis>(
  service: Service,
  built: Partial<OperationTable<Service>>,
): OperationTable<Service> {
  const given = built as Readonly<Record<string, Operation<unknown, unknown> | undefined>>;
  const model = loadModel(service);
  const unknown = Object.keys(given).filter((name) => !(name in model.operations));
  if (unknown.length > 0) throw new Error(`${service} has no operation ${unknown.join(', ')}`);

  const table: Record<string, object> = Object.create(null);
  for (const name of Object.keys(model.operations)) table[name] = askingForPassedRoles(service, name, given[name] ?? notYet(service, name));
  for (const name of Object.keys(model.removed)) table[name] = removed(service, name);
  return table as OperationTable<Service>;
}
