/** Configuration rules about trails and the event history. */
import { counted } from '#core/counted.ts';
import { trailRetention } from '#store/trail/trail-retention.ts';
import type { ConfigurationRule, Evidence, RuleReading } from '../kit/configuration-rule.ts';
import { accountResource, evidence, type RuleResource, ruleResult } from '../kit/rule-results.ts';
import { hasCategory } from './advanced-selectors.ts';
import { DEFAULT_SELECTORS } from './basic-selectors.ts';
import { appliesTo, trailsSeenBy } from './lookup.ts';
import { type TrailRecord, trails } from './tables/trails.ts';
import { trailArn } from './trail-names.ts';

/** Maximum number of trails of one result that have an evidence. */
const SHOWN_TRAILS = 10;
/** Required days of the event history. Source: CloudTrail User Guide: the event history has 90 days. Requirement COMP-5. */
const MINIMUM_DAYS = 90;

/** Reads the trails that apply to the region of the evaluation, also those of other regions and of the organization. */
async function trailsOf({ store, accountId, region }: RuleReading): Promise<readonly TrailRecord[]> {
  return (await store.transaction((tx) => trailsSeenBy(tx, accountId))).filter((trail) => appliesTo(trail, region));
}

function statusEvidence(trail: TrailRecord): Evidence {
  return evidence('cloudtrail:GetTrailStatus', { Name: trailArn(trail) }, 'IsLogging', trail.logging);
}

function regionsEvidence(trail: TrailRecord): Evidence {
  return evidence('cloudtrail:GetTrail', { Name: trailArn(trail) }, 'Trail.IsMultiRegionTrail', trail.configuration.IsMultiRegionTrail);
}

/** Source: AWS Config Developer Guide, "cloudtrail-enabled". Assumed: the trail must log, and apply to the region of the evaluation. */
const ENABLED: ConfigurationRule = {
  name: 'cloudtrail-enabled',
  description: 'A trail logs the events of the account.',
  parameters: {},
  requirements: ['COMP-5', 'COMP-6'],
  async evaluate(reading) {
    const seen = await trailsOf(reading);
    const logging = seen.find((trail) => trail.logging);
    if (logging !== undefined)
      return [ruleResult(accountResource(reading), true, `Trail '${logging.name}' logs.`, [statusEvidence(logging)])];
    const annotation = seen.length === 0 ? 'The account has no trail in this region.' : `None of the ${seen.length} trails logs.`;
    const count = evidence('cloudtrail:DescribeTrails', {}, 'length(trailList)', seen.length);
    return [ruleResult(accountResource(reading), false, annotation, [count, ...seen.slice(0, SHOWN_TRAILS).map(statusEvidence)])];
  },
};

/** Selectors of a trail that log management events of all sources, by the events that they log. */
interface ManagementSelectors {
  readonly reads: number;
  readonly writes: number;
  readonly evidence: readonly Evidence[];
}

/** JMESPath expressions that count the selectors with a condition on the events that they do not log. */
// biome-ignore format: a table
const COUNTED = {
  basic: {
    reads:  "length(EventSelectors[?IncludeManagementEvents && ReadWriteType!='WriteOnly' && !ExcludeManagementEventSources])",
    writes: "length(EventSelectors[?IncludeManagementEvents && ReadWriteType!='ReadOnly' && !ExcludeManagementEventSources])",
  },
  advanced: {
    reads:  advancedCount('false'),
    writes: advancedCount('true'),
  },
} as const;

function advancedCount(otherReadOnly: 'true' | 'false'): string {
  const fields = (condition: string, count: 0 | 1): string => `length(FieldSelectors[?${condition}])==\`${count}\``;
  const management = fields("Field=='eventCategory' && Equals[0]=='Management'", 1);
  const whole = fields(`Field=='eventSource' || (Field=='readOnly' && Equals[0]=='${otherReadOnly}')`, 0);
  return `length(AdvancedEventSelectors[?${management} && ${whole}])`;
}

/** Counts the selectors of a trail that log management events and exclude no source. */
async function managementSelectors({ store }: RuleReading, trail: TrailRecord): Promise<ManagementSelectors> {
  const settings = await store.transaction((tx) => tx.of(trails).settings(trail.trailId));
  const { advancedEventSelectors: advanced, eventSelectors = DEFAULT_SELECTORS } = settings ?? {};
  const logged =
    advanced === undefined
      ? eventSelectors
          .filter((one) => one.IncludeManagementEvents !== false && (one.ExcludeManagementEventSources ?? []).length === 0)
          .map(({ ReadWriteType = 'All' }) => ({ reads: ReadWriteType !== 'WriteOnly', writes: ReadWriteType !== 'ReadOnly' }))
      : advanced
          .filter((one) => hasCategory(one, 'Management') && !one.FieldSelectors.some(({ Field }) => Field === 'eventSource'))
          .map(({ FieldSelectors }) => FieldSelectors.find(({ Field }) => Field === 'readOnly')?.Equals?.[0])
          .map((readOnly) => ({ reads: readOnly !== 'false', writes: readOnly !== 'true' }));
  const reads = logged.filter((one) => one.reads).length;
  const writes = logged.filter((one) => one.writes).length;
  const members = COUNTED[advanced === undefined ? 'basic' : 'advanced'];
  const call = (member: string, count: number) => evidence('cloudtrail:GetEventSelectors', { TrailName: trailArn(trail) }, member, count);
  return { reads, writes, evidence: [call(members.reads, reads), call(members.writes, writes)] };
}

/**
 * Source: AWS Config Developer Guide, "multi-region-cloudtrail-enabled": a trail that excludes management events does not comply. Assumed:
 * the trail must log, and a trail of only reads or only writes excludes management events.
 */
const ALL_REGIONS: ConfigurationRule = {
  name: 'multi-region-cloudtrail-enabled',
  description: 'A trail logs the management events of all regions.',
  parameters: {},
  requirements: ['COMP-5', 'COMP-6'],
  async evaluate(reading) {
    const seen = await trailsOf(reading);
    const proof: Evidence[] = [];
    const shownOf = (trail: TrailRecord): readonly Evidence[] => [regionsEvidence(trail), statusEvidence(trail)];
    for (const trail of seen.filter(({ logging, configuration }) => logging && configuration.IsMultiRegionTrail)) {
      const { reads, writes, evidence: selectors } = await managementSelectors(reading, trail);
      if (reads > 0 && writes > 0) {
        const annotation = `Trail '${trail.name}' logs the management events of all regions.`;
        return [ruleResult(accountResource(reading), true, annotation, [...shownOf(trail), ...selectors])];
      }
      if (proof.length < 2 * SHOWN_TRAILS) proof.push(...selectors);
    }
    const count = evidence('cloudtrail:DescribeTrails', {}, 'length(trailList)', seen.length);
    const shown = [count, ...seen.slice(0, SHOWN_TRAILS).flatMap(shownOf), ...proof];
    return [ruleResult(accountResource(reading), false, 'No trail logs all management events of all regions.', shown)];
  },
};

/** Source: AWS Config Developer Guide, "cloud-trail-log-file-validation-enabled". Without a trail, `cloudtrail-enabled` reports it. */
const VALIDATION: ConfigurationRule = {
  name: 'cloud-trail-log-file-validation-enabled',
  description: 'Every trail delivers digest files, with which its log files are validated.',
  parameters: {},
  requirements: ['COMP-5', 'COMP-6', 'LOG-11'],
  async evaluate(reading) {
    return (await trailsOf(reading)).map((trail) => {
      const isEnabled = trail.configuration.LogFileValidationEnabled;
      const annotation = `Log file validation of trail '${trail.name}' is ${isEnabled ? 'enabled' : 'disabled'}.`;
      const proof = evidence('cloudtrail:GetTrail', { Name: trailArn(trail) }, 'Trail.LogFileValidationEnabled', isEnabled);
      return ruleResult(trailResource(trail), isEnabled, annotation, [proof]);
    });
  },
};

function trailResource(trail: TrailRecord): RuleResource {
  return { type: 'AWS::CloudTrail::Trail', id: trailArn(trail) };
}

/** Has no managed rule in AWS Config, and no evidence, because no call returns the retention. `belfry trail retention` prints it. */
const HISTORY: ConfigurationRule = {
  name: 'event-history-retention-check',
  description: 'The event history of the account has at least 90 days.',
  parameters: { minimumDays: String(MINIMUM_DAYS) },
  requirements: ['COMP-5', 'COMP-6'],
  async evaluate(reading) {
    const { store, accountId, server } = reading;
    const own = (await store.transaction((tx) => tx.of(trailRetention).daysOf([accountId]))).get(accountId);
    const days = own ?? server.eventHistoryDays;
    const origin = own === undefined ? 'the setting of the server' : 'the setting of the account';
    return [ruleResult(accountResource(reading), days >= MINIMUM_DAYS, `The event history has ${counted(days, 'day')}, by ${origin}.`)];
  },
};

export const CLOUDTRAIL_RULES: readonly ConfigurationRule[] = [ENABLED, ALL_REGIONS, VALIDATION, HISTORY];
