/** Operations on connections. Secrets are stored encrypted, and no operation returns them. */
import type { Instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Vault } from '#core/vault.ts';
import type {
  ConnectionAuthorizationType,
  ConnectionState,
  CreateConnectionAuthRequestParameters,
  EventsApi,
} from '#model/generated/events.ts';
import type { ResourceKey } from '#store/resources.ts';
import type { Call, Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import { placeIn } from '../kit/resource-kind.ts';
import { requestAuthorization } from './authorized-connection.ts';
import { authParameters, mergedParameters, shownParameters } from './connection-parameters.ts';
import { CONNECTION, type ConnectionRecord, connectionArn, connectionBinding, openParameters } from './connection-records.ts';
import { AwsError, invalid, limitExceeded, refuseKey } from './errors.ts';
import { pageOfStored, readByName } from './page.ts';

/** Maximum number of connections of a region. Source: EventBridge User Guide, "Quotas". */
const CONNECTIONS_MAX = 3_000;

interface Named {
  readonly Name: string;
}

/**
 * Returns the permission on a connection.
 *
 * Source: Service Authorization Reference, "Amazon EventBridge", resource type connection: its ARN has no UUID.
 */
export function onConnection(where: Pick<Caller, 'accountId' | 'region'>, name: string): DeclaredAccess {
  return { resources: [`arn:aws:events:${where.region}:${where.accountId}:connection/${name}`] };
}

const connectionKey = (where: Pick<Caller, 'accountId' | 'region'>, id: string): ResourceKey => ({ ...placeIn(where), id });

/** Returns the operations on connections. */
export function connectionOperations(vault: Vault) {
  const sealed = (key: ResourceKey, uuid: string, parameters: CreateConnectionAuthRequestParameters) =>
    vault.seal(JSON.stringify(parameters), connectionBinding(key, uuid));

  return {
    /**
     * Creates a connection. It is authorized at once, or with OAuth after the authorization endpoint returned a token, which the
     * server gets in the background.
     *
     * @throws ResourceAlreadyExistsException  the region has a connection with this name
     * @throws ValidationException             see `authParameters`, or the request has a KMS key or a private endpoint
     * @throws LimitExceededException          the region has 3,000 connections
     * Source: events 2015-10-07, CreateConnection; LocalStack, snapshots of its tests on AWS.
     */
    CreateConnection: {
      access: ({ Name }, caller) => onConnection(caller, Name),
      async handle(call, input) {
        refuseKey(input.KmsKeyIdentifier);
        refusePrivate(input.InvocationConnectivityParameters ?? input.AuthParameters.ConnectivityParameters);
        const key = connectionKey(call, input.Name);
        const { resources } = call.tx;
        if ((await resources.get(CONNECTION, key)) !== undefined) {
          throw new AwsError('ResourceAlreadyExistsException', `Connection ${input.Name} already exists.`);
        }
        const parameters = authParameters(input.AuthorizationType, input.AuthParameters);
        if ((await resources.count(CONNECTION, key, CONNECTIONS_MAX)) >= CONNECTIONS_MAX) throw limitExceeded();
        const uuid = call.newId();
        const document = {
          ...omitUndefined({ Description: input.Description }),
          AuthorizationType: input.AuthorizationType,
          ...authorized(call.now, input.AuthorizationType),
          uuid,
          secretSuffix: secretSuffix(call),
          sealedParameters: sealed(key, uuid, parameters),
        };
        const record = { ...key, createdAt: call.now, updatedAt: call.now, tags: [], document };
        await resources.add(CONNECTION, record);
        await requestAuthorization(call, record);
        const { LastAuthorizedTime: _, ...output } = toOutput(record);
        return output;
      },
    },

    /**
     * Changes a connection, and authorizes it again. Omitted members stay. Another type of authorization needs all its parameters.
     *
     * @throws ResourceNotFoundException  the connection does not exist
     * @throws ValidationException        see `authParameters`, or the request has a KMS key or a private endpoint
     */
    UpdateConnection: {
      access: ({ Name }, caller) => onConnection(caller, Name),
      async handle(call, input) {
        refuseKey(input.KmsKeyIdentifier);
        refusePrivate(input.InvocationConnectivityParameters ?? input.AuthParameters?.ConnectivityParameters);
        const before = await connectionOrNotFound(call, input.Name);
        const type = input.AuthorizationType ?? before.document.AuthorizationType;
        const parameters = authParameters(type, mergedParameters(openParameters(vault, before) ?? {}, input.AuthParameters ?? {}));
        const { StateReason: _, ...unchanged } = before.document;
        const document = {
          ...unchanged,
          ...omitUndefined({ Description: input.Description }),
          AuthorizationType: type,
          ...authorized(call.now, type),
          sealedParameters: sealed(before, before.document.uuid, parameters),
        };
        const after = { ...before, updatedAt: call.now, document };
        await call.tx.resources.put(CONNECTION, after);
        await requestAuthorization(call, after);
        return toOutput(after);
      },
    },

    /**
     * Deletes the secrets of a connection. Its API destinations become inactive.
     *
     * @throws ResourceNotFoundException  the connection does not exist
     */
    DeauthorizeConnection: {
      access: ({ Name }: Named, caller: Caller) => onConnection(caller, Name),
      async handle(call: Call, { Name }: Named) {
        const before = await connectionOrNotFound(call, Name);
        const { sealedParameters: _, StateReason: __, ...document } = before.document;
        const after: ConnectionRecord = { ...before, updatedAt: call.now, document: { ...document, State: 'DEAUTHORIZED' } };
        await call.tx.resources.put(CONNECTION, after);
        return { ...toOutput(after), ConnectionState: 'DEAUTHORIZING' as const };
      },
    },

    /** Deletes a connection. API destinations with it stay, and are inactive. @throws ResourceNotFoundException */
    DeleteConnection: {
      access: ({ Name }: Named, caller: Caller) => onConnection(caller, Name),
      async handle(call: Call, { Name }: Named) {
        const before = await connectionOrNotFound(call, Name);
        await call.tx.resources.remove(CONNECTION, before);
        return { ...toOutput(before), ConnectionState: 'DELETING' as const };
      },
    },

    /**
     * Returns a connection without its secrets. `SecretArn` has the form of AWS's, but there is no Secrets Manager that knows it.
     *
     * @throws ResourceNotFoundException  the connection does not exist
     */
    DescribeConnection: {
      access: ({ Name }: Named, caller: Caller) => onConnection(caller, Name),
      async handle(call: Call, { Name }: Named) {
        const connection = await connectionOrNotFound(call, Name);
        const { Description, secretSuffix: suffix, uuid, sealedParameters } = connection.document;
        const secret = `secret:events!connection/${Name}/${uuid}-${suffix}`;
        const parameters = openParameters(vault, connection);
        return omitUndefined({
          ...toConnection(connection),
          Description,
          SecretArn: sealedParameters && `arn:aws:secretsmanager:${connection.region}:${connection.accountId}:${secret}`,
          AuthParameters: parameters && shownParameters(parameters),
        });
      },
    },

    /** Lists connections in the order of names. */
    ListConnections: {
      async handle(call, input) {
        const read = (after: string, limit: number) => call.tx.resources.list(CONNECTION, placeIn(call), limit, after);
        const keep = ({ document }: ConnectionRecord) => input.ConnectionState === undefined || document.State === input.ConnectionState;
        const { records, rest } = await pageOfStored(
          call.tx.identity,
          input,
          readByName(read, ({ id }) => id, input.NamePrefix),
          keep,
        );
        return { Connections: records.map(toConnection), ...rest };
      },
    },
  } satisfies Partial<ServiceOperations<EventsApi>>;
}

/** @throws ResourceNotFoundException  Source: LocalStack, snapshots of its tests on AWS */
export async function connectionOrNotFound(call: Call, name: string): Promise<ConnectionRecord> {
  const found = await call.tx.resources.get(CONNECTION, connectionKey(call, name));
  if (found === undefined) throw noConnection(name);
  return found;
}

/** Returns the error for an unknown connection. */
export function noConnection(name: string): Error {
  return new AwsError('ResourceNotFoundException', `Failed to describe the connection(s). Connection '${name}' does not exist.`);
}

/** Assumed: the message. */
function refusePrivate(connectivity: object | undefined): void {
  if (connectivity !== undefined) throw invalid('Connections to private endpoints are not implemented by Belfry.');
}

function authorized(
  now: Instant,
  type: ConnectionAuthorizationType,
): { readonly State: ConnectionState; readonly LastAuthorizedTime?: Instant } {
  return type === 'OAUTH_CLIENT_CREDENTIALS' ? { State: 'AUTHORIZING' } : { State: 'AUTHORIZED', LastAuthorizedTime: now };
}

function secretSuffix({ random }: Call): string {
  return [...random(6)].map((byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'[byte % 62]).join('');
}

function toOutput(connection: ConnectionRecord) {
  const { State, LastAuthorizedTime } = connection.document;
  const { createdAt: CreationTime, updatedAt: LastModifiedTime } = connection;
  return omitUndefined({
    ConnectionArn: connectionArn(connection),
    ConnectionState: State,
    CreationTime,
    LastModifiedTime,
    LastAuthorizedTime,
  });
}

function toConnection(connection: ConnectionRecord) {
  const { StateReason, AuthorizationType } = connection.document;
  return omitUndefined({ ...toOutput(connection), Name: connection.id, StateReason, AuthorizationType });
}
