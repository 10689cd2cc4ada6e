/** Operations on API destinations: HTTPS endpoints that receive events, with the authorization of a connection. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ApiDestinationState, EventsApi } from '#model/generated/events.ts';
import type { ResourceKey } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import type { Call, Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import { placeIn } from '../kit/resource-kind.ts';
import { requireHttps } from './connection-parameters.ts';
import {
  API_DESTINATION,
  type ApiDestinationDocument,
  type ApiDestinationRecord,
  apiDestinationArn,
  connectionByArn,
  keyOfArn,
} from './connection-records.ts';
import { noConnection } from './connections.ts';
import { AwsError, invalid, limitExceeded } from './errors.ts';
import { pageOfStored, readByName } from './page.ts';

/** Maximum number of API destinations of a region. Source: EventBridge User Guide, "Quotas". */
const DESTINATIONS_MAX = 3_000;
/** Source: LocalStack, snapshots of its tests on AWS. */
const DEFAULT_RATE = 300;

type Place = Pick<Caller, 'accountId' | 'region'>;

const destinationKey = (where: Place, id: string): ResourceKey => ({ ...placeIn(where), id });

/** Source: Service Authorization Reference, "Amazon EventBridge", resource type api-destination: its ARN has no UUID. */
const destinationResource = ({ accountId, region }: Place, name: string) => `arn:aws:events:${region}:${accountId}:api-destination/${name}`;

/** Returns the ARN of a connection without its UUID. */
const connectionResource = (arn: string) => arn.slice(0, arn.lastIndexOf('/'));

function onDestination({ Name }: { readonly Name: string }, caller: Caller): DeclaredAccess {
  return { resources: [destinationResource(caller, Name)] };
}

export const apiDestinationOperations = {
  /**
   * Creates an API destination.
   *
   * @throws ResourceAlreadyExistsException  the region has an API destination with this name
   * @throws ValidationException             the endpoint does not use HTTPS, or the connection is in another region
   * @throws ResourceNotFoundException       the connection does not exist
   * @throws LimitExceededException          the region has 3,000 API destinations
   * Source: events 2015-10-07, CreateApiDestination; LocalStack, snapshots of its tests on AWS; cdk-preflight, measured on AWS in September
   * 2026. Assumed: the message about the name.
   */
  CreateApiDestination: {
    access: (input, caller) => ({ resources: [destinationResource(caller, input.Name), connectionResource(input.ConnectionArn)] }),
    async handle(call, input) {
      const key = destinationKey(call, input.Name);
      const { resources } = call.tx;
      if ((await resources.get(API_DESTINATION, key)) !== undefined) {
        throw new AwsError('ResourceAlreadyExistsException', `An api-destination '${input.Name}' already exists.`);
      }
      requireHttps('InvocationEndpoint', input.InvocationEndpoint);
      await requireConnection(call, input.ConnectionArn);
      if ((await resources.count(API_DESTINATION, key, DESTINATIONS_MAX)) >= DESTINATIONS_MAX) throw limitExceeded();
      const { Description, ConnectionArn, InvocationEndpoint, HttpMethod, InvocationRateLimitPerSecond = DEFAULT_RATE } = input;
      const document: ApiDestinationDocument = {
        ...omitUndefined({ Description, ConnectionArn, InvocationEndpoint, HttpMethod, InvocationRateLimitPerSecond }),
        uuid: call.newId(),
      };
      const record = { ...key, createdAt: call.now, updatedAt: call.now, tags: [], document };
      await resources.add(API_DESTINATION, record);
      return await toOutput(call.tx, record);
    },
  },

  /**
   * Changes an API destination. Omitted members stay. A new connection needs no permission. So a caller that may change API
   * destinations can use each connection of the account and region.
   *
   * Source: Service Authorization Reference, "Amazon EventBridge": UpdateApiDestination has only the resource type api-destination, unlike
   * CreateApiDestination.
   * @throws the errors of CreateApiDestination, and ResourceNotFoundException
   */
  UpdateApiDestination: {
    access: onDestination,
    async handle(call, input) {
      const before = await destinationOrNotFound(call, input.Name);
      if (input.InvocationEndpoint !== undefined) requireHttps('InvocationEndpoint', input.InvocationEndpoint);
      if (input.ConnectionArn !== undefined) await requireConnection(call, input.ConnectionArn);
      const { Name: _, ...members } = input;
      const after = { ...before, updatedAt: call.now, document: { ...before.document, ...omitUndefined(members) } };
      await call.tx.resources.put(API_DESTINATION, after);
      return await toOutput(call.tx, after);
    },
  },

  /** Deletes an API destination. @throws ResourceNotFoundException */
  DeleteApiDestination: {
    access: onDestination,
    async handle(call, { Name }) {
      await call.tx.resources.remove(API_DESTINATION, await destinationOrNotFound(call, Name));
      return {};
    },
  },

  /** Returns an API destination. Also requires the permission on its connection. @throws ResourceNotFoundException */
  DescribeApiDestination: {
    access: (input, caller) => ({
      ...onDestination(input, caller),
      async resolve(tx) {
        const found = await tx.resources.get(API_DESTINATION, destinationKey(caller, input.Name));
        const own = destinationResource(caller, input.Name);
        return found === undefined ? [own] : [own, connectionResource(found.document.ConnectionArn)];
      },
    }),
    async handle(call, { Name }) {
      const destination = await destinationOrNotFound(call, Name);
      const { Description } = destination.document;
      return omitUndefined({ ...(await toDestination(call.tx, destination)), Description });
    },
  },

  /** Lists API destinations in the order of names. */
  ListApiDestinations: {
    async handle(call, input) {
      const read = (after: string, limit: number) => call.tx.resources.list(API_DESTINATION, placeIn(call), limit, after);
      const keep = ({ document }: ApiDestinationRecord) => (input.ConnectionArn ?? document.ConnectionArn) === document.ConnectionArn;
      const { records, rest } = await pageOfStored(
        call.tx.identity,
        input,
        readByName(read, ({ id }) => id, input.NamePrefix),
        keep,
      );
      return { ApiDestinations: await Promise.all(records.map((each) => toDestination(call.tx, each))), ...rest };
    },
  },
} satisfies Partial<ServiceOperations<EventsApi>>;

/** @throws ResourceNotFoundException  Source: LocalStack, snapshots of its tests on AWS */
async function destinationOrNotFound(call: Call, name: string): Promise<ApiDestinationRecord> {
  const found = await call.tx.resources.get(API_DESTINATION, destinationKey(call, name));
  if (found !== undefined) return found;
  const message = `Failed to describe the api-destination(s). An api-destination '${name}' does not exist.`;
  throw new AwsError('ResourceNotFoundException', message);
}

/**
 * @throws ValidationException        the connection is in another account or region
 * @throws ResourceNotFoundException  the connection does not exist
 */
async function requireConnection(call: Call, arn: string): Promise<void> {
  const key = keyOfArn(arn, 'connection');
  if (key === undefined || key.accountId !== call.accountId || key.region !== call.region) throw invalid(`Invalid ARN: '${arn}'`);
  if ((await connectionByArn(call.tx, arn)) === undefined) throw noConnection(key.id);
}

async function toOutput(tx: Tx, destination: ApiDestinationRecord) {
  const connection = await connectionByArn(tx, destination.document.ConnectionArn);
  const ApiDestinationState: ApiDestinationState = connection?.document.State === 'AUTHORIZED' ? 'ACTIVE' : 'INACTIVE';
  const { createdAt: CreationTime, updatedAt: LastModifiedTime } = destination;
  return { ApiDestinationArn: apiDestinationArn(destination), ApiDestinationState, CreationTime, LastModifiedTime };
}

async function toDestination(tx: Tx, destination: ApiDestinationRecord) {
  const { uuid: _, Description: __, ...members } = destination.document;
  return { ...(await toOutput(tx, destination)), Name: destination.id, ...members };
}
