/** Operations on the settings of trails: event selectors, insight selectors and the event configuration. */
import { arn } from '#core/arn.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type {
  CloudtrailApi,
  GetEventSelectorsResponse,
  InsightSelector,
  PutEventConfigurationRequest,
} from '#model/generated/cloudtrail.ts';
import type { Tx } from '#store/store.ts';
import type { Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import { advancedSelectors, hasCategory } from './advanced-selectors.ts';
import { basicSelectors, DEFAULT_SELECTORS, invalidSelectors } from './basic-selectors.ts';
import { AwsError } from './errors.ts';
import { onTrail, trailOrNotFound, trailToChange } from './lookup.ts';
import { endSettings, isSame } from './periods.ts';
import { type TrailRecord, type TrailSettings, trails } from './tables/trails.ts';
import { trailArn } from './trail-names.ts';

/** A request that names a trail or an event data store. */
interface Target {
  readonly TrailName?: string;
  readonly EventDataStore?: string;
}

/**
 * Operations on settings. The errors of `trailToChange` (changes) and `trailOrNotFound` (reads) precede those listed here.
 *
 * Event selectors decide what is delivered. Insight selectors and the event configuration are only stored: Belfry does
 * not search for unusual activity, and its records have no context of tags.
 */
export const settingOperations = {
  /**
   * Replaces the event selectors of a trail. Basic and advanced selectors replace each other.
   *
   * @throws InvalidEventSelectorsException  the request has neither or both kinds, or `basicSelectors` or
   *   `advancedSelectors` rejects them
   * @throws ConflictException  there were too many changes, see `endSettings`. The record of this request, and all earlier ones, are
   *   delivered by the replaced selectors
   * Source: cloudtrail 2013-11-01, PutEventSelectors.
   */
  PutEventSelectors: {
    access: ({ TrailName }, caller) => onTrail(TrailName, caller),
    async handle(call, { TrailName, EventSelectors, AdvancedEventSelectors }) {
      const trail = await trailToChange(call, TrailName);
      if ((EventSelectors === undefined) === (AdvancedEventSelectors === undefined)) {
        throw invalidSelectors('Specify either EventSelectors or AdvancedEventSelectors.');
      }
      const eventSelectors = EventSelectors && basicSelectors(EventSelectors);
      const advancedEventSelectors = AdvancedEventSelectors && advancedSelectors(AdvancedEventSelectors);
      const before = await settingsOf(call.tx, trail);
      const { eventSelectors: _, advancedEventSelectors: __, ...others } = before;
      const settings = { ...others, ...omitUndefined({ eventSelectors, advancedEventSelectors }) };
      if (!isSame(selectorsOf(trail, before), selectorsOf(trail, settings))) await endSettings(call, trail);
      await call.tx.of(trails).putSettings(settings);
      const selectsData =
        eventSelectors?.some(({ DataResources }) => DataResources.length > 0) ??
        advancedEventSelectors?.some((selector) => hasCategory(selector, 'Data')) ??
        false;
      await call.tx.of(trails).configure({ ...trail, selectsData, customSelectors: true });
      return selectorsOf(trail, settings);
    },
  },

  /** Returns the event selectors of a trail, or the default: all management events. */
  GetEventSelectors: {
    access: ({ TrailName }, caller) => onTrail(TrailName, caller),
    async handle(call, { TrailName }) {
      const trail = await trailOrNotFound(call, TrailName, 'ARN');
      return selectorsOf(trail, await settingsOf(call.tx, trail));
    },
  },

  /**
   * Replaces the insight selectors of a trail. An empty list turns insights off.
   *
   * @throws InvalidParameterCombinationException, InvalidParameterException  see `requireTrailTarget`; they precede the errors of `trailToChange`
   * @throws InvalidInsightSelectorsException  a selector has no type, or two have the same type
   * Source: cloudtrail 2013-11-01, PutInsightSelectors. Assumed: the messages.
   */
  PutInsightSelectors: {
    access: onTarget,
    async handle(call, input) {
      const trail = await trailToChange(call, requireTrailTarget(input));
      if (input.InsightsDestination !== undefined) throw noEventDataStores();
      requireInsightSelectors(input.InsightSelectors);
      const { insightSelectors: _, ...others } = await settingsOf(call.tx, trail);
      const insights = input.InsightSelectors.length > 0;
      await call.tx.of(trails).putSettings({ ...others, ...(insights && { insightSelectors: input.InsightSelectors }) });
      await call.tx.of(trails).configure({ ...trail, insights });
      return { TrailARN: trailArn(trail), InsightSelectors: input.InsightSelectors };
    },
  },

  /** Returns insight selectors. @throws InsightNotEnabledException  the trail has none. Assumed: the message */
  GetInsightSelectors: {
    access: onTarget,
    async handle(call, input) {
      const trail = await trailOrNotFound(call, requireTrailTarget(input));
      const { insightSelectors } = await settingsOf(call.tx, trail);
      if (insightSelectors === undefined) {
        const message = `Trail ${trail.name} does not have Insights enabled. Edit the trail settings to enable Insights, and then try the operation again.`;
        throw new AwsError('InsightNotEnabledException', message);
      }
      return { TrailARN: trailArn(trail), InsightSelectors: insightSelectors };
    },
  },

  /**
   * Changes the event configuration of a trail. Members that the request omits stay.
   *
   * @throws InvalidParameterException  two context keys have the same type, or the events of a trail with context keys are
   *   not `Large`
   * Source: cloudtrail 2013-11-01, PutEventConfiguration. Assumed: the messages, and that omitted members stay.
   */
  PutEventConfiguration: {
    access: onTarget,
    async handle(call, input) {
      const trail = await trailToChange(call, requireTrailTarget(input));
      const settings = await settingsOf(call.tx, trail);
      const eventConfiguration = { ...configurationOf(settings), ...ownConfiguration(input) };
      const { ContextKeySelectors, MaxEventSize } = eventConfiguration;
      if (new Set(ContextKeySelectors.map(({ Type }) => Type)).size < ContextKeySelectors.length) {
        throw new AwsError('InvalidParameterException', 'ContextKeySelectors must not have the same type twice.');
      }
      if (ContextKeySelectors.length > 0 && MaxEventSize !== 'Large') {
        throw new AwsError('InvalidParameterException', 'MaxEventSize must be Large if there are ContextKeySelectors.');
      }
      await call.tx.of(trails).putSettings({ ...settings, eventConfiguration });
      return { TrailARN: trailArn(trail), ...eventConfiguration };
    },
  },

  /** Returns the event configuration of a trail. Default: events of the size `Standard`, without context keys and aggregations. */
  GetEventConfiguration: {
    access: onTarget,
    async handle(call, input) {
      const trail = await trailOrNotFound(call, requireTrailTarget(input));
      return { TrailARN: trailArn(trail), ...configurationOf(await settingsOf(call.tx, trail)) };
    },
  },
} satisfies Partial<ServiceOperations<CloudtrailApi>>;

async function settingsOf(tx: Tx, { trailId }: TrailRecord): Promise<TrailSettings> {
  return (await tx.of(trails).settings(trailId)) ?? { trailId, tags: [] };
}

function selectorsOf(trail: TrailRecord, { eventSelectors, advancedEventSelectors }: TrailSettings): GetEventSelectorsResponse {
  const TrailARN = trailArn(trail);
  if (advancedEventSelectors !== undefined) return { TrailARN, AdvancedEventSelectors: advancedEventSelectors };
  return { TrailARN, EventSelectors: eventSelectors ?? DEFAULT_SELECTORS };
}

/** Returns the permission for an action on the trail or the event data store of a request. */
function onTarget({ TrailName, EventDataStore }: Target, caller: Caller): DeclaredAccess {
  if (EventDataStore === undefined) return TrailName === undefined ? { resources: ['*'] } : onTrail(TrailName, caller);
  const store = EventDataStore.startsWith('arn:')
    ? EventDataStore
    : arn('cloudtrail', caller.region, caller.accountId, `eventdatastore/${EventDataStore}`);
  if (TrailName === undefined) return { resources: [store] };
  return { resources: [...onTrail(TrailName, caller).resources, store] };
}

/**
 * Returns the trail that a request names.
 *
 * @throws InvalidParameterCombinationException  the request names neither or both of a trail and an event data store
 * @throws InvalidParameterException             it names an event data store, which Belfry does not have
 * Assumed: the messages.
 */
function requireTrailTarget({ TrailName, EventDataStore }: Target): string {
  if ((TrailName === undefined) === (EventDataStore === undefined)) {
    throw new AwsError('InvalidParameterCombinationException', 'Specify either TrailName or EventDataStore.');
  }
  if (TrailName === undefined) throw noEventDataStores();
  return TrailName;
}

function noEventDataStores(): Error {
  return new AwsError('InvalidParameterException', 'The specified event data store does not exist.');
}

function requireInsightSelectors(selectors: readonly InsightSelector[]): void {
  const types = selectors.map(({ InsightType }) => InsightType);
  if (types.includes(undefined) || new Set(types).size < types.length) {
    throw new AwsError('InvalidInsightSelectorsException', 'Each insight selector must have an insight type that no other one has.');
  }
}

const DEFAULT_CONFIGURATION = { MaxEventSize: 'Standard', ContextKeySelectors: [], AggregationConfigurations: [] } as const;

function configurationOf({ eventConfiguration = {} }: TrailSettings) {
  return { ...DEFAULT_CONFIGURATION, ...eventConfiguration };
}

function ownConfiguration({ MaxEventSize, ContextKeySelectors, AggregationConfigurations }: PutEventConfigurationRequest) {
  return omitUndefined({ MaxEventSize, ContextKeySelectors, AggregationConfigurations });
}
