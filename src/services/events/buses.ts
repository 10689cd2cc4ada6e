/** Operations on event buses. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { EventsApi } from '#model/generated/events.ts';
import type { Tx } from '#store/store.ts';
import { showPrincipals } from '../iam/stored-principals.ts';
import type { DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import { busOrNotFound, busToChange, NEVER, newBus, onBus } from './bus-access.ts';
import { busArn, busKey, DEFAULT_BUS } from './bus-names.ts';
import { AwsError, invalid, limitExceeded, refuseKey } from './errors.ts';
import { pageOfStored, readByName } from './page.ts';
import { type BusRecord, eventBuses } from './tables/event-buses.ts';
import { newEventTags, requestEventTags, withTagResource } from './tags.ts';
import { requireDeadLetter } from './target-checks.ts';

/** Maximum number of buses of a region, without the default bus. Source: EventBridge User Guide, "Quotas". */
const BUSES_MAX = 100;

export const busOperations = {
  /**
   * Creates a bus.
   *
   * @throws ValidationException  the name contains a slash, which only buses of partners may contain, or the request has a KMS key
   * @throws ResourceNotFoundException       the bus of a partner event source. No such source exists
   * @throws ResourceAlreadyExistsException  the region has a bus with this name
   * @throws LimitExceededException          the region has 100 buses
   * Source: events 2015-10-07, CreateEventBus. Assumed: the messages about slashes and event sources.
   */
  CreateEventBus: {
    access: (input, caller): readonly DeclaredAccess[] => {
      const key = busKey(input.Name, caller);
      return withTagResource(onBus(key, requestEventTags(input.Tags)), input.Tags);
    },
    async handle(call, input) {
      refuseKey(input.KmsKeyIdentifier);
      if (input.EventSourceName !== undefined) {
        throw new AwsError('ResourceNotFoundException', `Event source ${input.EventSourceName} does not exist.`);
      }
      if (input.Name.includes('/')) throw invalid("Event bus name must not contain '/'.");
      requireDeadLetter(input.DeadLetterConfig, call.region);
      const tags = newEventTags([], input.Tags);
      const repository = call.tx.of(eventBuses);
      const key = busKey(input.Name, call);
      if (input.Name === DEFAULT_BUS) throw alreadyExists(input.Name);
      if ((await repository.countBuses(call.accountId, call.region, BUSES_MAX)) >= BUSES_MAX) throw limitExceeded();
      const bus = { ...newBus(key, call.now), tags, ...settingsOf(input) };
      if ((await repository.addBus(bus)) === 'exists') throw alreadyExists(input.Name);
      return omitUndefined({ EventBusArn: busArn(key), ...shownSettings(bus) });
    },
  },

  /** Changes the description and the settings of a bus. Omitted members stay. @throws ResourceNotFoundException  see `busOrNotFound` */
  UpdateEventBus: {
    access: (input, caller) => onBus(busKey(input.Name, caller)),
    async handle(call, input) {
      refuseKey(input.KmsKeyIdentifier);
      requireDeadLetter(input.DeadLetterConfig, call.region);
      const key = busKey(input.Name, call);
      const before = await busToChange(call, key);
      const bus = { ...before, ...settingsOf(input), modifiedAt: call.now };
      await call.tx.of(eventBuses).putBus(bus);
      return omitUndefined({ Arn: busArn(key), Name: key.busName, ...shownSettings(bus) });
    },
  },

  /**
   * Deletes a bus with its rules and their targets. Ignores an unknown bus.
   *
   * @throws ValidationException  the bus is the default bus
   * Source: LocalStack, snapshots of its tests on AWS. Assumed: archives of the bus stay and receive nothing.
   */
  DeleteEventBus: {
    access: (input, caller) => onBus(busKey(input.Name, caller)),
    async handle(call, input) {
      if (input.Name === DEFAULT_BUS) throw invalid('Cannot delete event bus default.');
      await call.tx.of(eventBuses).removeBus(busKey(input.Name, call));
      return {};
    },
  },

  /** Returns a bus, by default the default bus. @throws ResourceNotFoundException  see `busOrNotFound` */
  DescribeEventBus: {
    access: (input, caller) => onBus(busKey(input.Name, caller)),
    async handle(call, input) {
      const bus = await busOrNotFound(call, busKey(input.Name, call));
      return omitUndefined({ ...(await toBus(call.tx, bus)), ...shownSettings(bus) });
    },
  },

  /** Lists buses in the order of names. */
  ListEventBuses: {
    async handle(call, input) {
      const { accountId, region } = call;
      const repository = call.tx.of(eventBuses);
      const first = newBus(busKey(undefined, call), NEVER);
      const read = async (after: string, limit: number) => {
        const found = await repository.listBuses(accountId, region, after, limit);
        if (after >= DEFAULT_BUS || found.some(({ busName }) => busName === DEFAULT_BUS)) return found;
        return [...found, first].sort((a, b) => (a.busName < b.busName ? -1 : 1)).slice(0, limit);
      };
      const { records, rest } = await pageOfStored(
        call.tx.identity,
        input,
        readByName(read, ({ busName }) => busName, input.NamePrefix),
      );
      return { EventBuses: await Promise.all(records.map((bus) => toBus(call.tx, bus))), ...rest };
    },
  },
} satisfies Partial<ServiceOperations<EventsApi>>;

function alreadyExists(busName: string): Error {
  return new AwsError('ResourceAlreadyExistsException', `Event bus ${busName} already exists.`);
}

/** Returns the settings in a request. A dead-letter queue without ARN removes the queue. */
function settingsOf(input: Pick<EventsApi['CreateEventBus']['input'], 'Description' | 'DeadLetterConfig' | 'LogConfig'>) {
  return omitUndefined({ description: input.Description, deadLetterConfig: input.DeadLetterConfig, logConfig: input.LogConfig });
}

function shownSettings({ description, deadLetterConfig, logConfig }: BusRecord) {
  const queue = deadLetterConfig?.Arn === undefined ? undefined : deadLetterConfig;
  return { Description: description, DeadLetterConfig: queue, LogConfig: logConfig };
}

/** Returns a bus as a list shows it. The default bus without a row has no times. */
async function toBus(tx: Tx, bus: BusRecord) {
  return omitUndefined({
    Name: bus.busName,
    Arn: busArn(bus),
    Description: bus.description,
    Policy: bus.policy && (await showPrincipals(tx, bus.policy.policy, bus.policy.principals)),
    CreationTime: bus.createdAt === NEVER ? undefined : bus.createdAt,
    LastModifiedTime: bus.createdAt === NEVER ? undefined : bus.modifiedAt,
  });
}
